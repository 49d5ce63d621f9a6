"""Measures over a cutoff or over the number of retrieved documents, as series of points."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from mmragbench.reporting.facts.units import factor, unit
from mmragbench.run_folder.numbers import Row
from mmragbench.run_folder.reading import Run, TaskFacts

TOPS = ((1, 4), (1.5, 3), (2, 4), (2.5, 5), (3, 3), (4, 4), (5, 5), (6, 3), (8, 4), (10, 5))
"""An axis' top and into how many equal parts it divides roundly."""


@dataclass(frozen=True, slots=True)
class Series:
    """One strategy's line of a curve.

    Attributes:
        points: (cutoff or k, value), the value in the unit that the curve names.
        rows: the row of the summary behind each point.
    """

    strategy: str
    control: str | None
    points: tuple[tuple[int, float], ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Curve:
    """One small plot: `Success@k` of `text-to-image`, or `CIDEr` of `consensus` over k. Measures with the
    same lines share one, labelled `R@k = Success@k`."""

    task: str
    label: str
    unit: str
    setting: str
    series: tuple[Series, ...]

    @property
    def name(self) -> str:
        """A file's stem: letters, digits, dots and dashes only."""
        label = self.label.partition(" = ")[0]
        raw = f"{self.task}-{label}-{self.setting}".strip("-")
        return "".join(c if c.isalnum() or c in "._" else "-" for c in raw.replace("@", "-at-"))

    @property
    def xs(self) -> list[int]:
        return sorted({x for series in self.series for x, _ in series.points})

    @property
    def ticks(self) -> tuple[float, ...]:
        """Round numbers from 0 to a top at or above every value."""
        highest = max(y for series in self.series for _, y in series.points)
        tens = 10.0 ** math.floor(math.log10(highest)) if highest > 0 else 1.0
        top, parts = next(pair for pair in TOPS if pair[0] * tens >= highest * 0.999999)
        return tuple(top * tens * part / parts for part in range(parts + 1))


def curves(run: Run) -> list[Curve]:
    """Every curve that the summary has at least two points for, all queries."""
    drawn: list[Curve] = []
    for facts in run.tasks.values():
        rows = [r for r in run.rows if r.task == facts.name and r.slice == "all"]
        over_cutoffs = _over_cutoffs(run, facts, [r for r in rows if r.generator is None])
        drawn.extend(_joined(over_cutoffs))
        drawn.extend(_over_k(run, facts, [r for r in rows if r.generator is not None]))
    return drawn


def _over_cutoffs(run: Run, facts: TaskFacts, rows: Sequence[Row]) -> Iterator[Curve]:
    """Each retrieval measure over its cutoffs."""
    cut = [row for row in rows if row.measure.cutoff is not None]
    for name in dict.fromkeys(row.measure.name for row in cut):
        points = [(r, r.measure.cutoff or 0) for r in cut if r.measure.name == name]
        silver = f"silver relevance: {facts.silver}" if facts.silver else ""
        yield from _curve(run, facts, f"{name}@k", silver, points)


def _joined(curves: Iterable[Curve]) -> list[Curve]:
    """The curves, those that are the same by value drawn once with all names: with one relevant
    document a query, `R@k` is `Success@k`."""
    joined: list[Curve] = []
    for curve in curves:
        place = next((i for i, other in enumerate(joined) if _same(curve, other)), None)
        if place is None:
            joined.append(curve)
        else:
            joined[place] = replace(joined[place], label=f"{joined[place].label} = {curve.label}")
    return joined


def _same(curve: Curve, other: Curve) -> bool:
    """Whether all lines are the same, to the last digits that rounding leaves."""
    lines, others = (
        [(series.strategy, x, round(y, 9)) for series in one.series for x, y in series.points]
        for one in (curve, other)
    )
    return (curve.unit, lines) == (other.unit, others)


def _over_k(run: Run, facts: TaskFacts, rows: Sequence[Row]) -> Iterator[Curve]:
    """The primary measure over the number of retrieved documents, for each generator; its first one,
    where the primary measure is of rankings."""
    primary = run.primary(facts.name)
    for generator in dict.fromkeys(row.generator for row in rows):
        chosen = [row for row in rows if row.generator == generator and row.k is not None]
        if chosen:
            by_primary = [row for row in chosen if str(row.measure) == primary]
            plotted = by_primary or [row for row in chosen if row.measure == chosen[0].measure]
            points = [(row, row.k or 0) for row in plotted]
            yield from _curve(run, facts, str(plotted[0].measure), generator or "", points)


def _curve(
    run: Run, facts: TaskFacts, label: str, setting: str, rows: Sequence[tuple[Row, int]]
) -> Iterator[Curve]:
    measure = rows[0][0].measure
    order = list(run.strategies)
    ordered = sorted(rows, key=lambda pair: (order.index(pair[0].strategy), pair[1]))
    series = []
    for strategy, pairs in groupby(ordered, key=lambda pair: pair[0].strategy):
        numbered = [(row, x) for row, x in pairs if row.estimate is not None]
        if numbered:
            points = tuple((x, (row.estimate or 0.0) * factor(measure)) for row, x in numbered)
            plotted = tuple(row for row, _ in numbered)
            series.append(Series(strategy, run.strategies[strategy], points, plotted))
    curve = Curve(facts.name, label, unit(measure), setting, tuple(series))
    if len(curve.xs) > 1:
        yield curve
