"""The plot of quality over cost: better is up and to the left; the step line is the Pareto front."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

from mmragbench.reporting.facts.pareto import Point, Tradeoff
from mmragbench.reporting.facts.units import decimals, factor, number
from mmragbench.reporting.page.drawing.shapes import (
    decades,
    linked,
    mark,
    picture,
    short,
    text,
    ticks,
)
from mmragbench.reporting.page.query_links import unlinked
from mmragbench.run_folder.numbers import Row

WIDTH, HEIGHT = 360, 236
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 12, 34
LETTER = 6.9
"""A letter's width in a label, roughly."""

Box = tuple[float, float, float, float]


def svg(
    panel: Tradeoff, classes: Mapping[str, str], link: Callable[[Row | None], str] = unlinked
) -> str:
    """The plot; `classes` names each strategy's CSS class, `link` is the address of a number's
    queries."""
    scales = _Scales(panel)
    parts = [*_frame(panel, scales), _front(panel, scales)]
    for point in sorted(panel.points, key=lambda point: point.front):
        drawn = "".join(_point(panel, point, scales, classes.get(point.strategy, "")))
        parts.append(linked(drawn, link(point.row), _point_title(panel, point)))
    parts += _labels(panel, scales, classes)
    title = (
        f"{panel.measure.label} of {panel.task} over {panel.cost} ({panel.cost_unit}): "
        + "; ".join(_point_title(panel, point) for point in panel.points)
    )
    return picture(WIDTH, HEIGHT, title, parts)


class _Scales:
    """The scales of the plot: from costs and values to places in the picture."""

    def __init__(self, panel: Tradeoff) -> None:
        costs = [point.cost for point in panel.points]
        ends = [e for p in panel.points for e in (p.value, p.low, p.high) if e is not None]
        self.log, self.turned = panel.logarithmic, panel.lower_is_better
        self.costs = (min(costs) / 1.3, max(costs) * 1.3) if self.log else (0.0, max(costs) * 1.08)
        pad = (max(ends) - min(ends)) * 0.06 or 1.0
        self.values = min(ends) - pad, max(ends) + pad

    def x(self, cost: float) -> float:
        low, high = map(math.log, self.costs) if self.log else self.costs
        share = ((math.log(cost) if self.log else cost) - low) / (high - low)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        share = (value - self.values[0]) / (self.values[1] - self.values[0])
        share = share if self.turned else 1 - share
        return round(TOP + share * (HEIGHT - TOP - BOTTOM), 1)


def _frame(panel: Tradeoff, scales: _Scales) -> Iterator[str]:
    for value in ticks(*scales.values):
        y = scales.y(value)
        yield f'<path class="grid" d="M{LEFT} {y}H{WIDTH - RIGHT}"/>'
        yield text(LEFT - 6, y + 4, f"{float(f'{value:.6g}'):g}".replace("-", "−"), anchor="end")
    base = HEIGHT - BOTTOM
    yield f'<path class="grid" d="M{LEFT} {base}H{WIDTH - RIGHT}"/>'
    for cost in decades(*scales.costs) if scales.log else ticks(*scales.costs):
        yield f'<path class="grid" d="M{scales.x(cost)} {base}v4"/>'
        yield text(scales.x(cost), base + 15, _amount(cost), anchor="middle")
    log = ", logarithmic" if scales.log else ""
    yield text(WIDTH - RIGHT, base + 29, f"{panel.cost}, {panel.cost_unit}{log} →", anchor="end")


def _amount(cost: float) -> str:
    rounded = float(f"{cost:.6g}")
    return f"{rounded:,.0f}" if rounded >= 1000 else f"{rounded:g}"


def _front(panel: Tradeoff, scales: _Scales) -> str:
    """The Pareto front, from the cheapest on: along at the best value so far, up where a better one
    begins."""
    first, *rest = panel.front
    path = f"M{scales.x(first.cost)} {scales.y(first.value)}"
    for point in rest:
        path += f"H{scales.x(point.cost)}V{scales.y(point.value)}"
    return f'<path class="front" d="{path}H{WIDTH - RIGHT}"/>'


def _point(panel: Tradeoff, point: Point, scales: _Scales, css: str) -> Iterator[str]:
    x, y = scales.x(point.cost), scales.y(point.value)
    faint = "" if point.front else " dominated"
    yield f'<g class="{faint.strip() or "best"}">'
    if point.low is not None and point.high is not None:
        low, high = scales.y(point.low), scales.y(point.high)
        yield f'<path class="whisker {css}" d="M{x} {low}V{high}"/>'
    yield mark(css, x, y, _point_title(panel, point)) + "</g>"


def _point_title(panel: Tradeoff, point: Point) -> str:
    places = decimals(panel.measure, [p.value / factor(panel.measure) for p in panel.points])
    front = ", on the front" if point.front else ""
    return f"{point.strategy}: {number(point.value, places)} at {point.cost:.3g}{front}"


def _labels(panel: Tradeoff, scales: _Scales, classes: Mapping[str, str]) -> Iterator[str]:
    """Each name in the first place beside its mark where it hides no mark and no other name, those on the
    front first; none where there is no such place."""
    taken: list[Box] = []
    for point in panel.points:
        x, y = scales.x(point.cost), scales.y(point.value)
        taken.append((x - 4, y - 4, x + 4, y + 4))
    for point in sorted(panel.points, key=lambda point: not point.front):
        x, y = scales.x(point.cost), scales.y(point.value)
        name = short(point.strategy)
        width = len(name) * LETTER
        sides = [(dy, left) for dy in (-8, 4, 16, -22, 30) for left in (x + 8, x - 8 - width)]
        free = (at for dy, left in sides if _free(at := (left, y + dy), width, taken))
        if (place := next(free, None)) is None:
            continue
        taken.append(_box(place, width))
        css = classes.get(point.strategy, "")
        right = place[0] > x
        edge = round(place[0] if right else place[0] + width, 1)
        anchor = "start" if right else "end"
        yield text(edge, round(place[1], 1), name, f"name {css}", anchor)


def _box(place: tuple[float, float], width: float) -> Box:
    x, y = place
    return x, y - 10, x + width, y + 3


def _free(place: tuple[float, float], width: float, taken: list[Box]) -> bool:
    left, top, right, bottom = _box(place, width)
    inside = left >= LEFT - 4 and right <= WIDTH and top >= 0 and bottom <= HEIGHT - BOTTOM
    return inside and not any(
        left < r and right > x and top < b and bottom > y for x, y, r, b in taken
    )
