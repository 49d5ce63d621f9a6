"""The tests behind one table: the runs' own, so that a pair has the verdict that it has elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmragbench.comparing.stored import against_controls, of_contenders
from mmragbench.reporting.facts.families import Family, families
from mmragbench.reporting.facts.marks import Key, key_of
from mmragbench.run_folder.numbers import Json, Row
from mmragbench.run_folder.reading import Run

ALPHA = 0.05
"""As in `mmragbench.statistics`, which loads scipy; a test keeps them one."""

STARS = ((0.001, "***"), (0.01, "**"), (ALPHA, "*"))
"""Upper ends of the corrected p-value, and what is shown for them."""

Name = tuple[Path, Key, frozenset[str]]
"""A test: of which run, in which cell, between which two strategies."""


@dataclass(frozen=True)
class Tests:
    """The comparisons of what a table shows.

    Attributes:
        p_holm: corrected within the run's families, whatever the table shows of them; None for two
            that are identical.
        families: those families.
    """

    p_holm: dict[Name, float | None]
    families: tuple[Family, ...]

    @classmethod
    def of(cls, shown: Sequence[tuple[Run, Sequence[Row], str | None]]) -> Tests:
        """From each run: the rows shown, and the baseline if there is one."""
        p_holm: dict[Name, float | None] = {}
        shown_families: list[Family] = []
        for run, rows, baseline in shown:
            pairs = list(_pairs(run, rows, baseline))
            p_holm |= {
                (run.path, _key(pair), frozenset((pair["a"], pair["b"]))): pair["p_holm"]
                for pair in pairs
            }
            shown_families += families(pairs)
        return cls(p_holm, tuple(dict.fromkeys(shown_families)))

    def differ(self, run: Run, a: Row, b: str) -> bool | None:
        """Whether `a` can be told from `b` in `a`'s cell; None where they were not compared."""
        name = (run.path, key_of(a), frozenset((a.strategy, b)))
        if name not in self.p_holm:
            return None
        p = self.p_holm[name]
        return p is not None and p <= ALPHA

    def stars(self, run: Run, row: Row, baseline: str | None) -> str:
        """How sure it is that the row differs from the baseline's."""
        if baseline is None:
            return ""
        p = self.p_holm.get((run.path, key_of(row), frozenset((row.strategy, baseline))))
        return next((stars for most, stars in STARS if p is not None and p <= most), "")


def _pairs(run: Run, rows: Sequence[Row], baseline: str | None) -> Iterator[Json]:
    """Contenders with each other, and with a baseline that is a control."""
    numbers = {(key_of(row), row.strategy) for row in rows if row.estimate is not None}
    with_it = (pair for pair in against_controls(run) if pair["b"] == baseline)
    for pair in (*of_contenders(run), *with_it):
        if {(_key(pair), pair["a"]), (_key(pair), pair["b"])} <= numbers:
            yield pair


def _key(pair: Json) -> Key:
    return (pair["task"], pair["generator"], pair["k"], pair["slice"], pair["measure"])
