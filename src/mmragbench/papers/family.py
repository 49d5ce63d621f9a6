"""The tests behind one table: corrected together, because they are read together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmragbench.reporting.folder import Row, RunFolder
from mmragbench.reporting.marks import Key, key_of
from mmragbench.run_files import NotStored

ALPHA = 0.05
"""As in `mmragbench.statistics`, which loads scipy; a test keeps them one."""

STARS = ((0.001, "***"), (0.01, "**"), (ALPHA, "*"))
"""Upper ends of the corrected p-value, and what is shown for them."""

Name = tuple[Path, Key, frozenset[str]]
"""A test: of which run, in which cell, between which two strategies."""


@dataclass(frozen=True)
class Family:
    """Corrected p-values of every test that a table shows.

    Holm's correction (1979) is over the table as shown, so that a table with fewer measures asks
    less of each test than the report's table with all of them.
    """

    p_holm: dict[Name, float]

    @classmethod
    def of(cls, shown: Sequence[tuple[RunFolder, Sequence[Row], str | None]]) -> Family:
        """From each run: the rows shown, and the baseline if there is one."""
        from mmragbench.statistics import holm

        raw: dict[Name, float] = {}
        for run, rows, baseline in shown:
            raw |= dict(_between(run, rows))
            if baseline is not None:
                raw |= dict(_against(run, rows, baseline))
        return cls(dict(zip(raw, holm(list(raw.values())), strict=True)))

    def differ(self, run: RunFolder, a: Row, b: str) -> bool | None:
        """Whether `a` can be told from `b` in `a`'s cell; None where it was not tested."""
        p = self.p_holm.get((run.path, key_of(a), frozenset((a.strategy, b))))
        return None if p is None else p <= ALPHA

    def stars(self, run: RunFolder, row: Row, baseline: str | None) -> str:
        """How sure it is that the row differs from the baseline's."""
        if baseline is None:
            return ""
        p = self.p_holm.get((run.path, key_of(row), frozenset((row.strategy, baseline))))
        return next((stars for most, stars in STARS if p is not None and p <= most), "")

    def tests(self, names: set[str]) -> int:
        """How many tests involve one of these strategies."""
        return sum(bool(pair & names) for _, _, pair in self.p_holm)


def _between(run: RunFolder, rows: Sequence[Row]) -> Iterator[tuple[Name, float]]:
    """Contenders with each other, as the run stored it."""
    there = {(key_of(row), row.strategy) for row in rows if row.estimate is not None}
    for pair in run.comparisons:
        key = (pair["task"], pair["generator"], pair["k"], pair["slice"], pair["measure"])
        if (key, pair["a"]) in there and (key, pair["b"]) in there:
            yield (run.path, key, frozenset((pair["a"], pair["b"]))), pair["p_value"]


def _against(run: RunFolder, rows: Sequence[Row], baseline: str) -> Iterator[tuple[Name, float]]:
    """Contenders with a baseline that is a control, tested from the stored scores."""
    based = {key_of(r): r for r in rows if r.strategy == baseline and r.estimate is not None}
    if not based or run.strategies.get(baseline) is None:
        return
    there = {(key_of(row), row.strategy) for row in rows if row.estimate is not None}
    for key, contender, p in _tested(run.path, rows[0], baseline, based.values()):
        if key in based and (key, contender) in there:
            yield (run.path, key, frozenset((contender, baseline))), p


def _tested(
    path: Path, of: Row, baseline: str, based: Iterable[Row]
) -> Iterator[tuple[Key, str, float]]:
    """(cell, contender, p-value before correction); none where an older version kept no scores."""
    from mmragbench.comparing.against import against
    from mmragbench.comparing.evidence import RunFolder as Stored

    measures = list(dict.fromkeys(str(row.measure) for row in based))
    try:
        found = against(Stored(path), of.task, baseline, of.slice, measures)
    except NotStored:
        return
    for a, _, _, _, test in found:
        if test is not None:
            key = (a.task, a.generator, a.k, of.slice, str(a.measure))
            yield key, a.strategy, test.p_value
