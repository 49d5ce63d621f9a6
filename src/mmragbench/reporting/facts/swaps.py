"""How much of a task's largest difference is retrieval's, and how much is the generator's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mmragbench.records import Measure
from mmragbench.reporting.facts.headline import Headline, goodness
from mmragbench.reporting.facts.marks import CellKey
from mmragbench.reporting.facts.rivals import Rivals
from mmragbench.reporting.facts.units import decimals, shown
from mmragbench.run_folder.files import NotStored
from mmragbench.run_folder.numbers import Row
from mmragbench.run_folder.paths import Setting
from mmragbench.run_folder.reading import Run

if TYPE_CHECKING:
    from mmragbench.comparing.decomposition import Part, Swap

PARTS = ("total", "retrieval", "generation", "interaction")


@dataclass(frozen=True, slots=True)
class SwapPart:
    """One part of a difference as shown, in the measure's unit."""

    text: str
    interval: str
    value: float


@dataclass(frozen=True, slots=True)
class SwapLine:
    """The best system less another one, `b`: the parts in the order of PARTS, on `n` queries."""

    b: str
    parts: tuple[SwapPart, ...]
    n: int


@dataclass(frozen=True, slots=True)
class SwapTable:
    """A task's best system (`shared-space/reader-k3`) less systems of another strategy and another
    generator, by the primary measure; `best` is its row of the summary."""

    a: str
    best: Row
    measure: Measure
    lines: tuple[SwapLine, ...]


def swap_table(run: Run, headline: Headline) -> SwapTable | None:
    """The best contender against the baseline or the next best one: a line for each further generator,
    at its best k. None with one strategy or one generator, or without a value for each query."""
    if headline.measure.info.distance or headline.generator is None:
        return None
    rows = _rows(run, headline)
    best = max(rows, key=goodness)
    rival = Rivals(run).of(CellKey.of_row(best), best.strategy)
    try:
        swaps = [_swap(run, best, other) for other in _others(rows, best, rival)]
    except NotStored:  # a run of an older version, or one that stores no values
        return None
    if not swaps:
        return None
    totals = [one.total.difference for one in swaps]
    places = decimals(headline.measure, totals)
    lines = tuple(_line(headline.measure, one, places) for one in swaps)
    return SwapTable(swaps[0].a, best, headline.measure, lines)


def _rows(run: Run, headline: Headline) -> list[Row]:
    """The contenders' numbers of the primary measure, under every setting."""
    wanted = headline.task.name, headline.measure, "all"
    return [
        row
        for row in run.rows
        if (row.task, row.measure, row.slice) == wanted
        and row.estimate is not None
        and run.strategies[row.strategy] is None
    ]


def _others(rows: Sequence[Row], best: Row, rival: str) -> Iterator[Row]:
    """The rival's best number with each generator with which both were run."""
    own = {(row.generator, row.k) for row in rows if row.strategy == best.strategy}
    crossed = [row for row in rows if row.strategy == rival and (row.generator, row.k) in own]
    if not any((row.generator, row.k) == (best.generator, best.k) for row in crossed):
        return
    for generator in dict.fromkeys(row.generator for row in crossed):
        if generator != best.generator:
            yield max((row for row in crossed if row.generator == generator), key=goodness)


def _swap(run: Run, best: Row, other: Row) -> Swap:
    from mmragbench.comparing.decomposition import swap  # scipy is not imported to list reports
    from mmragbench.comparing.systems import System

    a, b = (System(row.strategy, str(Setting(row.generator, row.k))) for row in (best, other))
    return next(one for one in swap(run, a, b, [str(best.measure)]) if one.task == best.task)


def _line(measure: Measure, one: Swap, places: int) -> SwapLine:
    parts = (getattr(one, name) for name in PARTS)
    return SwapLine(one.b, tuple(_part(measure, part, places) for part in parts), one.total.n)


def _part(measure: Measure, part: Part, places: int) -> SwapPart:
    sign = "+" if part.difference > 0 else ""
    ends = [shown(measure, end, places) for end in (part.low, part.high) if end is not None]
    interval = f"[{', '.join(ends)}]" if ends else ""
    return SwapPart(sign + shown(measure, part.difference, places), interval, part.difference)
