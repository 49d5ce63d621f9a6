"""A comparison of `a` with `b`, read as one of `b` with `a`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

VERDICTS = {"better": "worse", "worse": "better"}
"""Verdict on `a` -> the verdict on `b`, where the two differ."""


def turned(pair: Mapping[str, Any]) -> dict[str, Any]:
    """The comparison `b - a`, from the fields of `a - b` as they are stored."""
    low, high = (None if end is None else -end for end in (pair["high"], pair["low"]))
    return {
        **pair,
        "a": pair["b"],
        "b": pair["a"],
        "difference": -pair["difference"],
        "low": low,
        "high": high,
        "verdict": VERDICTS.get(pair["verdict"], pair["verdict"]),
    }
