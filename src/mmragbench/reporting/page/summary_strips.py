"""The summary strips: each task's primary measure on one line, from worst to best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mmragbench.records import Measure
from mmragbench.reporting.facts.headline import Headline, goodness, headlines
from mmragbench.reporting.facts.units import decimals, is_distance, shown, unit
from mmragbench.reporting.page.style_sheet import ALONE, css_classes
from mmragbench.reporting.words.phrases import setting
from mmragbench.run_folder.numbers import Row
from mmragbench.run_folder.reading import Run

MARK_DISTANCE = 4.0
"""Percent of the line below which two marks would hide each other on the narrowest screen."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One strategy on a strip.

    Attributes:
        label: the strategy's name; what a control stands for; of a generator that is shown nothing,
            that it is alone.
        css: the class that has its colour and marker.
        place: on the line, in percent; better is to the right.
        lane: how far from the line it is drawn, so that marks do not hide each other: 0, 1, ...
            above it for contenders; -1, -2, ... below it for controls.
        row: the number's row of the summary.
    """

    strategy: str
    label: str
    css: str
    value: str
    place: float
    control: bool
    best: bool
    row: Row
    lane: int = 0


@dataclass(frozen=True, slots=True)
class SummaryStrip:
    """One task's strip: the measure, the setting that has its best value, and a mark per strategy."""

    task: str
    measure: Measure
    unit: str
    setting: str
    marks: tuple[Mark, ...]

    @property
    def best(self) -> tuple[Mark, ...]:
        return tuple(mark for mark in self.marks if mark.best)

    @property
    def controls(self) -> tuple[Mark, ...]:
        """The marks below the line, from worst to best."""
        controls = (mark for mark in self.marks if mark.control)
        return tuple(sorted(controls, key=lambda mark: mark.place))

    @property
    def lanes(self) -> tuple[int, int]:
        """How many lanes there are above the line and below it."""
        lanes = [mark.lane for mark in self.marks]
        return max([0, *lanes]) + 1, -min([0, *lanes])


def summary_strips(run: Run) -> list[SummaryStrip]:
    """A strip for each task that has a number for at least one contender; by a distance, of contenders
    alone."""
    return [_strip(run, headline) for headline in headlines(run)]


def _strip(run: Run, headline: Headline) -> SummaryStrip:
    measure, where = headline.measure, setting(headline.generator, headline.k)
    rows = [*headline.rows, *headline.without_documents]
    if is_distance(measure):
        rows = [row for row in headline.rows if run.strategies[row.strategy] is None]
    order = list(run.strategies)
    rows.sort(key=lambda row: order.index(row.strategy))
    return SummaryStrip(headline.task.name, measure, unit(measure), where, tuple(_marks(run, rows)))


def _marks(run: Run, rows: Sequence[Row]) -> list[Mark]:
    places = decimals(rows[0].measure, [row.estimate or 0.0 for row in rows])
    low, high = min(map(goodness, rows)), max(map(goodness, rows))
    best = max(goodness(row) for row in rows if run.strategies[row.strategy] is None)
    classes = css_classes(run)
    marks: list[Mark] = []
    for row in rows:
        control, alone = run.strategies[row.strategy], row.k == 0 and row.generator
        share = (goodness(row) - low) / (high - low) if high > low else 0.5
        mark = Mark(
            strategy=row.strategy,
            label=f"{alone} alone" if alone else control or row.strategy,
            css=ALONE if alone else classes[row.strategy],
            value=shown(row.measure, row.estimate or 0.0, places),
            place=round(100 * share, 1),
            control=control is not None,
            best=control is None and goodness(row) == best,
            row=row,
        )
        marks.append(replace(mark, lane=_lane(mark, marks)))
    return marks


def _lane(mark: Mark, others: Sequence[Mark]) -> int:
    """The lane nearest to the line in which the mark hides none of the others."""
    near = {other.lane for other in others if abs(other.place - mark.place) < MARK_DISTANCE}
    lanes = range(-1, -len(others) - 2, -1) if mark.control else range(len(others) + 1)
    return next(lane for lane in lanes if lane not in near)
