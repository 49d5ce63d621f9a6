"""Quality against cost: each task's primary measure over what it costs, with the Pareto front."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from mmragbench.records import Measure
from mmragbench.reporting.facts.costs import Cost, cell_cost
from mmragbench.reporting.facts.headline import Headline
from mmragbench.reporting.facts.units import factor, lower_is_better, unit
from mmragbench.reporting.words.phrases import setting
from mmragbench.run_folder.numbers import Row
from mmragbench.run_folder.paths import Setting
from mmragbench.run_folder.reading import Run

Price = Callable[[Cost, int], float]

PRICES: dict[str, tuple[str, Price]] = {
    "latency": ("s per query", lambda cost, n: sum(cost.seconds[1:]) / n),
    "indexing": ("s", lambda cost, n: cost.seconds[0]),
    "tokens": ("per query", lambda cost, n: cost.tokens / n),
    "dollars": ("$ per query", lambda cost, n: cost.dollars / n),
}
"""Kind of cost -> its unit, and how much of it a cell's cost is with n queries. Latency is the time of
retrieving and generating over the number of queries, as they were run: in chunks."""


@dataclass(frozen=True, slots=True)
class Point:
    """A strategy's cost and its number with the interval, in the units that the plot names.

    Attributes:
        control: `floor` where nothing is retrieved, None for a contender; other controls are not
            plotted.
        front: whether it is on the Pareto front: nothing else is as good for less, or better for as
            much.
        row: the number's row of the summary.
    """

    strategy: str
    control: str | None
    cost: float
    value: float
    low: float | None
    high: float | None
    front: bool = False
    row: Row | None = None


@dataclass(frozen=True, slots=True)
class Tradeoff:
    """One panel: a task's primary measure over one kind of cost (`latency`, `indexing`, ...)."""

    task: str
    measure: Measure
    unit: str
    setting: str
    cost: str
    cost_unit: str
    lower_is_better: bool
    points: tuple[Point, ...]

    @property
    def logarithmic(self) -> bool:
        """Whether the axis of costs is logarithmic: where they span more than one decade and at most
        four; otherwise it begins at zero."""
        costs = [point.cost for point in self.points]
        return 10 * min(costs) < max(costs) < 10_000 * min(costs)

    @property
    def front(self) -> tuple[Point, ...]:
        """The points of the front, the cheapest first."""
        return tuple(sorted((p for p in self.points if p.front), key=lambda p: p.cost))


def tradeoffs(run: Run, headline: Headline) -> list[Tradeoff]:
    """A panel for each kind of cost that differs between the task's strategies."""
    return list(_panels(run, headline))


def _panels(run: Run, headline: Headline) -> Iterator[Tradeoff]:
    for kind, (label, price) in PRICES.items():
        points = _front(list(_points(run, headline, price)), lower_is_better(headline.measure))
        if len(points) > 1 and len({point.cost for point in points}) > 1:
            yield Tradeoff(
                task=headline.task.name,
                measure=headline.measure,
                unit=unit(headline.measure),
                setting=setting(headline.generator, headline.k),
                cost=kind,
                cost_unit=label,
                lower_is_better=lower_is_better(headline.measure),
                points=tuple(points),
            )


def _points(run: Run, headline: Headline, price: Price) -> Iterator[Point]:
    n = headline.task.n_queries
    for row in headline.rows:
        control = run.strategies[row.strategy]
        cost = cell_cost(run, row.task, row.strategy, Setting(row.generator, row.k))
        if n and cost and control in (None, "floor"):
            yield _point(row, control, price(cost, n))


def _point(row: Row, control: str | None, cost: float) -> Point:
    scale = factor(row.measure)
    low, high = (None if bound is None else bound * scale for bound in (row.low, row.high))
    value = (row.estimate or 0.0) * scale
    return Point(row.strategy, control, cost, value, low, high, row=row)


def _front(points: Sequence[Point], lower: bool) -> list[Point]:
    """The points, those on the front marked."""
    sign = -1 if lower else 1

    def dominated(one: Point) -> bool:
        return any(
            (other.cost, -sign * other.value) != (one.cost, -sign * one.value)
            and other.cost <= one.cost
            and sign * other.value >= sign * one.value
            for other in points
        )

    finite = [point for point in points if math.isfinite(point.cost)]
    return [replace(point, front=not dominated(point)) for point in finite]
