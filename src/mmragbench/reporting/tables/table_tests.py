"""The tests behind a paper's table: the stored ones, so that a pair has one verdict everywhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from mmragbench.comparing.stored import against_controls, of_contenders
from mmragbench.reporting.facts.marks import CellKey
from mmragbench.reporting.facts.shown_families import Family, families
from mmragbench.run_folder.numbers import Json, Row
from mmragbench.run_folder.reading import Run

ALPHA = 0.05
"""As in `mmragbench.statistics`, which loads scipy; a test keeps them one."""

STARS = ((0.001, "***"), (0.01, "**"), (ALPHA, "*"))
"""Upper ends of the corrected p-value, and what is shown for them."""


class TestName(NamedTuple):
    """What identifies a test.

    Attributes:
        run: the run's folder.
        strategies: the two that are compared.
    """

    run: Path
    cell: CellKey
    strategies: frozenset[str]


@dataclass(frozen=True)
class TableTests:
    """The comparisons between a table's numbers.

    Attributes:
        p_holm: test -> its p-value, corrected within the run's family, whatever the table shows of
            that; None for two strategies that are identical.
        families: the families of these tests.
    """

    p_holm: dict[TestName, float | None]
    families: tuple[Family, ...]

    @classmethod
    def of(cls, shown: Sequence[tuple[Run, Sequence[Row], str | None]]) -> TableTests:
        """From each run: the rows shown, and the baseline if there is one."""
        p_holm: dict[TestName, float | None] = {}
        shown_families: list[Family] = []
        for run, rows, baseline in shown:
            pairs = list(_pairs(run, rows, baseline))
            p_holm |= {
                TestName(run.path, CellKey.of_pair(pair), frozenset((pair["a"], pair["b"]))): pair[
                    "p_holm"
                ]
                for pair in pairs
            }
            shown_families += families(run, pairs)
        return cls(p_holm, tuple(dict.fromkeys(shown_families)))

    def differ(self, run: Run, a: Row, b: str) -> bool | None:
        """Whether `a` differs significantly from `b` in `a`'s cell; None where they were not compared."""
        name = TestName(run.path, CellKey.of_row(a), frozenset((a.strategy, b)))
        if name not in self.p_holm:
            return None
        p = self.p_holm[name]
        return p is not None and p <= ALPHA

    def stars(self, run: Run, row: Row, baseline: str | None) -> str:
        """The stars of a row's difference from the baseline's; empty where it is not significant."""
        if baseline is None:
            return ""
        name = TestName(run.path, CellKey.of_row(row), frozenset((row.strategy, baseline)))
        p = self.p_holm.get(name)
        return next((stars for most, stars in STARS if p is not None and p <= most), "")


def _pairs(run: Run, rows: Sequence[Row], baseline: str | None) -> Iterator[Json]:
    """Contenders with each other, and with a baseline that is a control."""
    numbers = {(CellKey.of_row(row), row.strategy) for row in rows if row.estimate is not None}
    with_baseline = (pair for pair in against_controls(run) if pair["b"] == baseline)
    for pair in (*of_contenders(run), *with_baseline):
        cell = CellKey.of_pair(pair)
        if {(cell, pair["a"]), (cell, pair["b"])} <= numbers:
            yield pair
