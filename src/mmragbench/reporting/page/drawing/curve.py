"""The plot of a measure over k: a line and a mark per strategy, named at its end."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from html import escape

from mmragbench.reporting.facts.curves import Curve, Series
from mmragbench.reporting.facts.units import number
from mmragbench.reporting.page.drawing.shapes import linked, mark, picture, short, text
from mmragbench.reporting.page.query_links import unlinked
from mmragbench.run_folder.numbers import Row

WIDTH, LEAST = 430, 220
"""The width, and the height with few strategies."""

LEFT, RIGHT, TOP, BOTTOM = 30, 200, 8, 32
GAP = 14
"""The least distance between two labels' baselines."""


def svg(curve: Curve, classes: Mapping[str, str], link: Callable[[Row], str] = unlinked) -> str:
    """The plot; `classes` names each strategy's CSS class (`s1`, `chance`, ...), `link` is the address
    of a number's queries."""
    parts = [*_frame(curve)]
    for series in curve.series:
        parts.extend(_line(curve, series, classes[series.strategy], link))
    parts.extend(_labels(curve, classes))
    ends = (f"{s.strategy} {number(s.points[-1][1], 1)}" for s in curve.series)
    title = f"{curve.label} over k on {curve.task}; at the last k: {', '.join(ends)}"
    return picture(WIDTH, _height(curve), title, parts)


def _height(curve: Curve) -> int:
    """So high that each name has a line."""
    return max(LEAST, GAP * len(curve.series) + TOP + BOTTOM)


def _x(curve: Curve, k: int) -> float:
    """The place of a k on a logarithmic axis, as the cutoffs of papers are spread: 1, 5, 10, 100."""
    low, high = curve.xs[0], curve.xs[-1]
    share = math.log((k + 1) / (low + 1)) / math.log((high + 1) / (low + 1))
    return round(LEFT + 8 + share * (WIDTH - LEFT - RIGHT - 16), 1)


def _y(curve: Curve, value: float) -> float:
    share = max(value, 0.0) / curve.ticks[-1]
    floor = _height(curve) - BOTTOM
    return round(floor - share * (floor - TOP), 1)


def _frame(curve: Curve) -> list[str]:
    parts, below = [], _height(curve) - BOTTOM + 17
    for value in curve.ticks:
        y = _y(curve, value)
        parts.append(f'<path class="grid" d="M{LEFT} {y}H{WIDTH - RIGHT}"/>')
        label = f"{value:g}"
        x = LEFT - 7
        parts.append(f'<text class="tick" x="{x}" y="{y + 4}" text-anchor="end">{label}</text>')
    parts += [text(_x(curve, k), below, str(k), anchor="middle") for k in curve.xs]
    parts.append(text(LEFT - 7, below, "k", anchor="end"))
    return parts


def _line(curve: Curve, series: Series, css: str, link: Callable[[Row], str]) -> list[str]:
    places = [(_x(curve, k), _y(curve, value), k, value) for k, value in series.points]
    path = "L".join(f"{x} {y}" for x, y, _, _ in places)
    parts = [f'<g class="series {css}"><path class="line" d="M{path}"/>']
    for (x, y, k, value), row in zip(places, series.rows, strict=True):
        title = f"{series.strategy}, k = {k}: {number(value, 1)}"
        parts.append(linked(mark(css, x, y, title), link(row), title))
    return [*parts, "</g>"]


def _labels(curve: Curve, classes: Mapping[str, str]) -> list[str]:
    """The marks and names at the lines' ends, pushed apart where the lines end together."""
    ends = sorted((_y(curve, s.points[-1][1]), s.strategy, s) for s in curve.series)
    ys = _spread([y for y, _, _ in ends], _height(curve) - BOTTOM + 8)
    x = WIDTH - RIGHT + 10
    parts = []
    for y, (_, _, series) in zip(ys, ends, strict=True):
        value = number(series.points[-1][1], 1)
        name, css = escape(short(series.strategy, 21)), classes[series.strategy]
        parts.append(mark(css, x, y, series.strategy, hollow=series.control is not None))
        parts.append(
            f'<text class="label {css}" x="{x + 9}" y="{y + 4}"><title>{escape(series.strategy)}</title>'
            f'{name} <tspan class="value">{value}</tspan></text>'
        )
    return parts


def _spread(ys: list[float], limit: float) -> list[float]:
    """Move sorted positions apart to at least `GAP`, at most down to the limit."""
    placed: list[float] = []
    for y in ys:
        placed.append(max(y, placed[-1] + GAP) if placed else y)
    for i in reversed(range(len(placed))):
        placed[i] = min(placed[i], limit)
        limit = placed[i] - GAP
    return placed
