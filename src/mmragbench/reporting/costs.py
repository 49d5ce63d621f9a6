"""What each strategy cost: seconds by phase, and the calls of every model."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mmragbench.reporting.folder import Json, RunFolder

PHASES = ("index", "retrieve", "generate")


@dataclass(frozen=True, slots=True)
class Spent:
    """One model's work in one phase; `cached` items were looked up and not computed."""

    phase: str
    role: str
    model: str
    calls: int
    items: int
    cached: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Cost:
    """One strategy's cost, over the tasks that were asked for."""

    strategy: str
    control: str | None
    seconds: tuple[float, ...]
    spent: tuple[Spent, ...]

    @property
    def total(self) -> float:
        return sum(self.seconds)

    @property
    def calls(self) -> int:
        return sum(entry.calls for entry in self.spent)

    @property
    def items(self) -> int:
        return sum(entry.items for entry in self.spent)

    @property
    def cached(self) -> int:
        return sum(entry.cached for entry in self.spent)


def costs(run: RunFolder, task: str = "*") -> list[Cost]:
    """Cost per strategy, summed over tasks; strategies whose cost is not stored are left out."""
    found = []
    for strategy, control in run.strategies.items():
        stored = list(_stored(run, task, strategy))
        if stored:
            seconds = tuple(sum(_seconds(cost, phase) for cost in stored) for phase in PHASES)
            found.append(Cost(strategy, control, seconds, tuple(_merge(_spent(stored)))))
    return found


def _stored(run: RunFolder, task: str, strategy: str) -> Iterator[Json]:
    cells = run.path / "cells"
    tasks = sorted(p.name for p in cells.iterdir()) if cells.is_dir() else []
    for name in tasks if task == "*" else [task]:
        cell = cells / name / strategy
        for path in [cell / "cost.json", *sorted(cell.glob("*/cost.json"))]:
            if path.is_file():
                yield json.loads(path.read_text(encoding="utf-8"))


def _seconds(cost: Json, phase: str) -> float:
    stored = (cost.get("seconds") or {}).get(phase)
    if stored is not None:
        return float(stored)
    return float(sum(entry.get("seconds") or 0 for entry in cost.get(phase) or []))


def _spent(stored: Iterable[Json]) -> Iterator[Spent]:
    for cost in stored:
        for phase in PHASES:
            for entry in cost.get(phase) or []:
                yield Spent(
                    phase,
                    role=str(entry.get("role") or ""),
                    model=str(entry.get("model") or ""),
                    calls=int(entry.get("calls") or 0),
                    items=int(entry.get("items") or 0),
                    cached=int(entry.get("cached") or 0),
                    seconds=float(entry.get("seconds") or 0),
                )


def _merge(entries: Iterable[Spent]) -> Iterator[Spent]:
    """One entry per phase, role and model, in the order of first appearance."""
    groups: dict[tuple[str, str, str], list[Spent]] = {}
    for entry in entries:
        groups.setdefault((entry.phase, entry.role, entry.model), []).append(entry)
    for (phase, role, model), group in groups.items():
        yield Spent(
            phase,
            role,
            model,
            sum(entry.calls for entry in group),
            sum(entry.items for entry in group),
            sum(entry.cached for entry in group),
            sum(entry.seconds for entry in group),
        )
