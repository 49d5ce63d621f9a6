"""Whom a number is compared with: for each number of a run one contender of the same cell."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from mmragbench.reporting.facts.headline import goodness
from mmragbench.reporting.facts.marks import CellKey
from mmragbench.run_folder.numbers import Row
from mmragbench.run_folder.reading import Run


@dataclass(frozen=True)
class Rivals:
    """The contenders of a run's cells, from the best number to the worst."""

    run: Run

    @cached_property
    def _ranked(self) -> dict[CellKey, list[str]]:
        cells: dict[CellKey, list[Row]] = {}
        for row in self.run.rows:
            if row.estimate is not None and self.run.strategies[row.strategy] is None:
                cells.setdefault(CellKey.of_row(row), []).append(row)
        return {
            key: [row.strategy for row in sorted(rows, key=goodness, reverse=True)]
            for key, rows in cells.items()
        }

    def of(self, cell: CellKey, strategy: str) -> str:
        """The suite's baseline where it is another contender; else the best other contender. Empty
        where the cell has none."""
        return next(iter(self.all_of(cell, strategy)), "")

    def all_of(self, cell: CellKey, strategy: str) -> list[str]:
        """The other contenders from the best to the worst, the suite's baseline before all."""
        others = [name for name in self._ranked.get(cell, []) if name != strategy]
        baseline = self.run.suite.get("baseline")
        return sorted(others, key=lambda name: name != baseline)
