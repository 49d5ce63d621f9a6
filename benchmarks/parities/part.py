"""A section of the page, and what all sections use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mmragbench.measuring.scoring import estimate
from mmragbench.records import Scores
from mmragbench.signature import version

Rows = NDArray[np.float64]


@dataclass
class Part:
    """A section of the page: lines of the table, notes below it."""

    title: str
    rows: list[tuple[str, float, float, str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, measure: str, ours: float, theirs: float, tool: str, data: str) -> None:
        self.rows.append((measure, ours, theirs, tool, data))

    def markdown(self) -> str:
        lines = [f"## {self.title}", ""]
        if self.rows:
            lines += ["| measure | ours | reference | difference | relative | tool | data |"]
            lines += ["|---|--:|--:|--:|--:|---|---|"]
        for measure, ours, theirs, tool, data in self.rows:
            gap = difference(ours, theirs)
            lines.append(f"| {measure} | {ours:.8g} | {theirs:.8g} | {gap} | {tool} | {data} |")
        return "\n".join([*lines, "", *(f"{note}\n" for note in self.notes)])


def difference(ours: float, theirs: float) -> str:
    """Absolute and relative."""
    if ours == theirs:
        return "0 | 0"
    relative = f"{abs(ours / theirs - 1):.0e}" if theirs else "-"
    return f"{ours - theirs:+.1e} | {relative}"


def library(name: str) -> str:
    return f"{name} {version(name)}"


def worst(pairs: Iterable[tuple[float, float]]) -> float:
    """The largest difference of paired values."""
    return max((abs(a - b) for a, b in pairs), default=0.0)


def value(scores: Scores) -> float:
    number = estimate(scores)[0]
    if number is None:
        raise RuntimeError(f"{scores.measure}: {scores.absence}")
    return number
