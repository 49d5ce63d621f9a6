"""The summary strips: each task's primary measure on one line, from worst to best."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mmragbench.records import Measure
from mmragbench.reporting.facts.headline import Headline, goodness, headlines
from mmragbench.reporting.facts.units import decimals, is_distance, shown, unit
from mmragbench.reporting.words.phrases import setting
from mmragbench.run_folder.numbers import Row
from mmragbench.run_folder.reading import Run

LABEL_DISTANCE = 5.0
"""Percent of the line below which two labels would hide each other."""

MARK_DISTANCE = 1.8
"""Percent of the line below which two marks would hide each other."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One strategy on a strip.

    Attributes:
        control: what a control stands for; for a generator that is shown nothing, that it is alone.
        place: on the line, in percent; better is to the right.
        lane: how far above the line it is drawn, so that marks do not hide each other.
        row: the number's row of the summary.
    """

    strategy: str
    control: str | None
    value: str
    place: float
    best: bool
    lane: int = 0
    row: Row | None = None


@dataclass(frozen=True, slots=True)
class SummaryStrip:
    """One task's strip: the measure, the setting that has its best value, and a mark per strategy."""

    task: str
    measure: Measure
    unit: str
    setting: str
    n: int
    marks: tuple[Mark, ...]

    @property
    def best(self) -> tuple[Mark, ...]:
        return tuple(mark for mark in self.marks if mark.best)


def summary_strips(run: Run) -> list[SummaryStrip]:
    """A strip for each task that has a number for at least one contender; by a distance, of contenders
    alone."""
    return [_strip(run, headline) for headline in headlines(run)]


def _strip(run: Run, headline: Headline) -> SummaryStrip:
    measure, where = headline.measure, setting(headline.generator, headline.k)
    rows = [*headline.rows, *headline.without_documents]
    if is_distance(measure):
        rows = [row for row in headline.rows if run.strategies[row.strategy] is None]
    marks = tuple(_marks(run, rows))
    n = max(row.n for row in headline.rows)
    return SummaryStrip(headline.task.name, measure, unit(measure), where, n, marks)


def _marks(run: Run, rows: Sequence[Row]) -> Iterator[Mark]:
    places = decimals(rows[0].measure, [row.estimate or 0.0 for row in rows])
    low, high = min(map(goodness, rows)), max(map(goodness, rows))
    best = max(goodness(row) for row in rows if run.strategies[row.strategy] is None)
    order = list(run.strategies)
    taken: list[float] = []
    for row in sorted(rows, key=lambda row: order.index(row.strategy)):
        share = (goodness(row) - low) / (high - low) if high > low else 0.5
        control = f"{row.generator} alone" if row.k == 0 else run.strategies[row.strategy]
        is_best = control is None and goodness(row) == best
        value = shown(row.measure, row.estimate or 0.0, places)
        place = round(100 * share, 1)
        lane = 0 if control else sum(abs(place - other) < MARK_DISTANCE for other in taken)
        taken += [] if control else [place]
        yield Mark(row.strategy, control, value, place, is_best, lane, row)


def control_labels(strip: SummaryStrip) -> list[tuple[float, str]]:
    """The places and labels of chance, ceiling, floor and generators alone; those whose labels would
    hide each other share one, at the first one's place."""
    groups: list[list[Mark]] = []
    for mark in sorted((m for m in strip.marks if m.control), key=lambda mark: mark.place):
        if groups and mark.place - groups[-1][0].place < LABEL_DISTANCE:
            groups[-1].append(mark)
        else:
            groups.append([mark])
    return [(g[0].place, ", ".join(f"{m.control} {m.value}" for m in g)) for g in groups]
