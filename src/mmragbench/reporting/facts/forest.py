"""Differences with their intervals, as the rows of a forest plot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from mmragbench.comparing.stored import against_controls, of_contenders
from mmragbench.comparing.turning import turned
from mmragbench.records import Measure
from mmragbench.reporting.facts.headline import goodness
from mmragbench.reporting.facts.marks import CellKey
from mmragbench.reporting.facts.outcomes import Outcome, Outcomes
from mmragbench.reporting.facts.units import (
    decimals,
    factor,
    is_distance,
    lower_is_better,
    unit,
)
from mmragbench.reporting.words.phrases import setting
from mmragbench.run_folder.numbers import Json
from mmragbench.run_folder.reading import Run, TaskFacts

WORSE, BETTER = "← worse", "better →"
"""What stands below a plot at its left and its right end: better is always to the right."""

MANY = 10
"""More pairs than these are shown on demand only."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """The difference `a - b` in the unit that the plot names.

    Attributes:
        low, high: its interval; None with fewer than two clusters of queries.
        verdict: of `a`: better, worse, can't tell or identical.
        p_holm: None for two that are identical.
        needed: the queries that a verdict would need; None where there is one.
        conservative: whether the interval is wider than it need be, since few queries differ.
        outcome: on how many queries `a` wins, ties and loses; None where no query has a value of its
            own.
    """

    a: str
    b: str
    difference: float
    low: float | None
    high: float | None
    verdict: str
    p_holm: float | None
    n: int
    needed: int | None
    conservative: bool = False
    outcome: Outcome | None = None

    @property
    def significant(self) -> bool:
        """Whether one is better than the other; only then is its mark filled."""
        return self.verdict in ("better", "worse")

    @property
    def interval(self) -> tuple[float, float] | None:
        """The ends of the interval; None where there is none, and between two that are identical."""
        if self.low is None or self.high is None or self.verdict == "identical":
            return None
        return self.low, self.high


@dataclass(frozen=True, slots=True)
class Forest:
    """One panel: a measure of one task under one setting, on all queries or a slice.

    Attributes:
        unit: of the differences (`%`, `×100`); empty on a raw scale.
        against: what all contrasts are against, or None where it is all pairs of contenders.
        control: what `against` stands for (floor, chance, ceiling); None for a contender.
        lower_is_better: whether a difference below zero is for the better; the axis is turned then.
        places: decimals that the differences are shown with.
    """

    task: str
    generator: str | None
    k: int | None
    slice: str
    measure: Measure
    unit: str
    against: str | None
    control: str | None
    lower_is_better: bool
    places: int
    contrasts: tuple[Contrast, ...]

    @property
    def many(self) -> bool:
        """Whether these are all pairs of many contenders, which are shown on demand."""
        return self.against is None and len(self.contrasts) > MANY

    @property
    def setting(self) -> str:
        return setting(self.generator, self.k)

    @property
    def name(self) -> str:
        """A file's stem: letters, digits, dots and dashes only."""
        parts = (self.task, self.measure, self.setting, self.slice, "against", self.against)
        raw = "-".join(str(part) for part in parts if part)
        return "".join(c if c.isalnum() or c in "._" else "-" for c in raw.replace("@", "-at-"))

    @property
    def span(self) -> tuple[float, float]:
        """The lowest and the highest of all bounds, differences and zero."""
        ends = [end for c in self.contrasts for end in (*(c.interval or ()), c.difference, 0.0)]
        return min(ends), max(ends)


def forests(run: Run, facts: TaskFacts) -> list[Forest]:
    """The panels of a task, in the summary's order: for each setting, slice and measure the contenders
    against one of them, and against each other. That one is the suite's baseline; where it is none of
    them and the pairs are many, the one with the best number. Where the baseline is a control, there is
    a panel against it by the primary measure, on all queries.
    """
    baseline, primary = run.suite.get("baseline"), run.primary(facts.name)
    outcomes = Outcomes(run, facts.name)
    shown = (baseline, primary, "all")
    controls = [p for p in against_controls(run) if (p["b"], p["measure"], p["slice"]) == shown]
    panels = [_forest(outcomes, pairs, str(baseline)) for pairs in _panels(controls, facts)]
    for pairs in _panels(of_contenders(run), facts):
        reference = _reference(run, pairs)
        chosen = [
            p if p["b"] == reference else turned(p) for p in pairs if reference in (p["a"], p["b"])
        ]
        if chosen:
            panels.append(_forest(outcomes, chosen, reference))
        if len(pairs) > len(chosen):
            panels.append(_forest(outcomes, pairs, None))
    return panels


def _reference(run: Run, pairs: Sequence[Json]) -> str | None:
    """The contender that the others of a cell are shown against; None where all pairs are few."""
    names = {name for pair in pairs for name in (pair["a"], pair["b"])}
    if (baseline := run.suite.get("baseline")) in names:
        return str(baseline)
    if len(pairs) <= MANY:
        return None
    cell = CellKey.of_pair(pairs[0])
    rows = [r for r in run.rows if r.strategy in names and CellKey.of_row(r) == cell]
    return max(rows, key=goodness).strategy


def _panels(pairs: Sequence[Json], facts: TaskFacts) -> Iterator[list[Json]]:
    of_task = [pair for pair in pairs if pair["task"] == facts.name]
    for _, panel in groupby(of_task, lambda p: (p["generator"], p["k"], p["slice"], p["measure"])):
        yield list(panel)


def _forest(outcomes: Outcomes, pairs: Sequence[Json], against: str | None) -> Forest:
    first, run = pairs[0], outcomes.run
    measure = run.measures[first["measure"]]
    contrasts = tuple(_contrast(pair, factor(measure), outcomes.of(pair)) for pair in pairs)
    return Forest(
        task=first["task"],
        generator=first["generator"],
        k=first["k"],
        slice=first["slice"],
        measure=measure,
        unit=unit(measure),
        against=against,
        control=run.strategies.get(against) if against and not is_distance(measure) else None,
        lower_is_better=lower_is_better(measure),
        places=decimals(measure, [pair["difference"] for pair in pairs]),
        contrasts=contrasts,
    )


def _contrast(pair: Json, scale: float, outcome: Outcome | None) -> Contrast:
    low, high = (None if pair[key] is None else pair[key] * scale for key in ("low", "high"))
    return Contrast(
        a=pair["a"],
        b=pair["b"],
        difference=pair["difference"] * scale,
        low=low,
        high=high,
        verdict=pair["verdict"],
        p_holm=pair["p_holm"],
        n=pair["n"],
        needed=pair.get("needed"),
        conservative=bool(pair.get("conservative")),
        outcome=outcome,
    )
