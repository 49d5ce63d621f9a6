"""Comparisons of two strategies, or of one strategy in two runs, with their verdicts."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from mmragbench.comparing.hypotheses import Hypothesis
from mmragbench.comparing.turning import turned
from mmragbench.errors import MmragbenchError
from mmragbench.records import Measure
from mmragbench.run_folder.numbers import Cell
from mmragbench.statistics import Comparison, verdict

PairVerdict = Literal["better", "worse", "can't tell", "identical"]


class NotComparable(MmragbenchError):
    """Raised where two numbers' signatures differ in something that matters."""


@dataclass(frozen=True)
class Result:
    """A test's result after the correction within its family.

    Attributes:
        family: its name; None for two systems that have the same value on every query, which are
            no hypothesis.
        tests: how many hypotheses the family has.
        p_holm: corrected for them; None without a family.
    """

    comparison: Comparison
    family: str | None = None
    tests: int | None = None
    p_holm: float | None = None


@dataclass(frozen=True)
class Pair:
    """The difference `a - b` on one cell.

    Attributes:
        difference, low, high: on the measure's own scale, with the 95 % interval; `conservative`
            where that is wider than it need be, since few queries differ.
        family: the tests that it is corrected with, among those of its task (`comparing.families`),
            and `tests`, how many they are. None for two that are identical.
        p_value: of the paired test; `p_holm` corrected for the family. None for two that are
            identical.
        verdict: what it says of `a`: better, worse, can't tell; or identical, where the two have
            the same value on every query.
        needed: for "can't tell": the queries needed for 80 % power at this difference, with the
            family's correction.
        forced: what differs between the signatures, where the comparison was forced.
        note: why there is no test, where the numbers alone do not show it.
    """

    task: str
    generator: str | None
    k: int | None
    slice: str
    measure: str
    a: str
    b: str
    difference: float
    low: float | None
    high: float | None
    family: str | None
    tests: int | None
    p_value: float | None
    p_holm: float | None
    verdict: PairVerdict
    n: int
    needed: int | None
    forced: str | None = None
    conservative: bool = False
    note: str | None = None

    @classmethod
    def of(cls, hypothesis: Hypothesis, result: Result, factor: float = 1.0) -> Pair:
        """The pair of a tested hypothesis; `factor` scales it to a measure with proportional values."""
        a, test = hypothesis.a, result.comparison
        low, high = (None if x is None else x * factor for x in (test.low, test.high))
        verdict_on_a = _verdict(a.measure, result)
        return cls(
            task=a.task,
            generator=a.generator,
            k=a.k,
            slice=hypothesis.slice,
            measure=str(a.measure),
            a=hypothesis.names[0],
            b=hypothesis.names[1],
            difference=test.difference * factor,
            low=low,
            high=high,
            family=result.family,
            tests=result.tests,
            p_value=None if result.family is None else test.p_value,
            p_holm=result.p_holm,
            verdict=verdict_on_a,
            n=test.n,
            needed=test.needed(result.tests or 1) if verdict_on_a == "can't tell" else None,
            forced=hypothesis.forced,
            conservative=test.conservative,
            note=test.note,
        )

    @property
    def cell(self) -> Cell:
        """The cell of the two: task, generator, k and measure."""
        return Cell(self.task, self.generator, self.k, self.measure)

    def row(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    def turned(self) -> Pair:
        """The same comparison as `b - a`."""
        return Pair(**turned(self.row()))


def _verdict(measure: Measure, result: Result) -> PairVerdict:
    if result.p_holm is None:
        return "identical"
    return verdict(result.comparison.difference, result.p_holm, measure.info.better == "lower")
