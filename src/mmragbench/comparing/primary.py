"""The measure that a task's answer rests on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Number = tuple[str, str | None, float | None]
"""Measure, generator (None for rankings) and estimate (None where there is no number)."""


def primary_measure(suite: Mapping[str, Any], task: str, numbers: Iterable[Number]) -> str | None:
    """The suite's `primary`; where it names none for the task, the first measure as listed that has
    a number, of what was generated before rankings. None where there is no number.

    Args:
        suite: as `suite.yaml` has it.
        numbers: the task's, on all queries, in the order of `summary.json`.
    """
    named = suite.get("primary") or {}
    if measure := named if isinstance(named, str) else named.get(task):
        return str(measure)
    listed: dict[str, bool] = {}
    scored: dict[str, bool] = {}
    for name, generator, estimate in numbers:
        listed[name] = generator is None
        scored[name] = scored.get(name, False) or estimate is not None
    known = [name for name in listed if scored[name]]
    return min(known, key=listed.__getitem__, default=None)
