"""Tests of equivalence: whether two strategies differ by less than a margin."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Any

from mmragbench.comparing.hypotheses import values_by_seed
from mmragbench.comparing.margins import Margin, margins_for
from mmragbench.errors import MmragbenchError
from mmragbench.run_folder.numbers import Evidence
from mmragbench.run_folder.reading import Run
from mmragbench.statistics import ALPHA, equivalence_p_value, holm


@dataclass(frozen=True)
class Equivalence:
    """The test of whether `a` and `b` differ by less than a margin.

    Attributes:
        against: the control that `b` is; None for two contenders.
        difference: a - b, on the `n` queries that both have answered.
        margin: the smallest difference that matters, on the measure's own scale.
        p_value: of "they differ by the margin or more"; `p_holm` corrected for the family: one
            task's pairs by one measure, under every generator and k, of contenders or with one
            control.
    """

    task: str
    generator: str | None
    k: int | None
    measure: str
    a: str
    b: str
    against: str | None
    difference: float
    margin: float
    p_value: float
    p_holm: float
    n: int

    @property
    def equivalent(self) -> bool:
        """Whether equivalence was shown. If not, the two may differ, or the queries are too few."""
        return self.p_holm <= ALPHA

    def row(self) -> dict[str, Any]:
        """As plain data."""
        return {**asdict(self), "equivalent": self.equivalent}


def equivalences(
    run: Run,
    margins: Mapping[str, float | str] | None = None,
    measures: Sequence[str] = (),
) -> list[Equivalence]:
    """The tests of contenders with each other and with each control, on all queries, by every measure that
    has values by query and a margin on its own scale.

    Args:
        margins: measure -> margin, of `R@10` or of all `R`; by default the gate's.
        measures: those that are shown; the choice moves no verdict.

    Raises:
        MmragbenchError: the run has no such measure, or a chosen margin is not one on the measure's
            own scale.
    """
    evidence = [e for e in run.evidence(measures) if e.values]
    allowed = _absolute(
        margins_for({str(row.measure): row.measure.info.margin for row in run.rows}, margins or {})
    )
    if relative := next((n for n, m in (margins or {}).items() if str(m).endswith("%")), None):
        raise MmragbenchError(
            f"--margin {relative}: equivalence needs a margin on the measure's own scale, as 0.02"
        )
    families: dict[tuple[object, ...], list[Equivalence]] = {}
    for a, b, against in _pairs(evidence, run.controls):
        if margin := allowed.get(str(a.measure)):
            members = families.setdefault((a.task, a.measure, against), [])
            members += _tested(a, b, against, margin, run.groups(a.task))
    return [pair for members in families.values() for pair in _corrected(members)]


def _absolute(margins: Mapping[str, Margin]) -> dict[str, float]:
    return {name: margin.amount for name, margin in margins.items() if not margin.relative}


def _pairs(
    evidence: Sequence[Evidence], controls: Container[str]
) -> Iterator[tuple[Evidence, Evidence, str | None]]:
    cells: dict[object, list[Evidence]] = {}
    for e in evidence:
        cells.setdefault(e.cell, []).append(e)
    for members in cells.values():
        contenders = [e for e in members if e.strategy not in controls]
        yield from ((b, a, None) for a, b in combinations(contenders, 2))
        yield from (
            (a, b, b.strategy) for b in members for a in contenders if b.strategy in controls
        )


def _tested(
    a: Evidence, b: Evidence, against: str | None, margin: float, groups: Mapping[str, str]
) -> Iterator[Equivalence]:
    """The test, yet to be corrected; none where the two share no query."""
    shared = [query for query in groups if query in a.values and query in b.values]
    if shared:
        x, y = (values_by_seed(e, shared) for e in (a, b))
        p = equivalence_p_value(x, y, margin, [groups[query] for query in shared], a.bounds)
        where = (a.task, a.generator, a.k, str(a.measure), a.strategy, b.strategy, against)
        yield Equivalence(*where, float((x - y).mean()), margin, p, p, len(shared))


def _corrected(family: Sequence[Equivalence]) -> Iterator[Equivalence]:
    adjusted = holm([pair.p_value for pair in family])
    return (replace(pair, p_holm=p) for pair, p in zip(family, adjusted, strict=True))
