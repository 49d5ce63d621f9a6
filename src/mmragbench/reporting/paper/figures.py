"""The figures of a paper: measures over k, differences, trade-offs, all legible without colour."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from textwrap import wrap
from typing import Any

from mmragbench.reporting.facts.curves import Curve, curves
from mmragbench.reporting.facts.forest import BETTER, WORSE, Contrast, Forest, forests
from mmragbench.reporting.facts.headline import Headline, headlines
from mmragbench.reporting.facts.paper_plot import (
    Plot,
    curve_plot,
    legend_columns,
    legend_height,
    plain,
    point_style,
)
from mmragbench.reporting.facts.pareto import Point, Tradeoff, tradeoffs
from mmragbench.reporting.facts.strategy_styles import StrategyStyle, strategy_styles
from mmragbench.reporting.tables.request import Request
from mmragbench.reporting.writing import stem
from mmragbench.run_folder.reading import Run

NAME_WIDTH = 32
"""Characters of a line beside a difference."""

Styles = Mapping[str, StrategyStyle]


def figures(run: Run, request: Request) -> Iterator[Plot]:
    """Every figure of a run: measures over k; differences and costs for each task's primary measure. They
    show the request's tasks and strategies under the paper's names, in the colours and markers that these
    have in the run's report."""
    styles = {request.style.name(name): own for name, own in strategy_styles(run).items()}
    for curve in curves(run):
        if request.has(curve.task) and (drawn := _curve(curve, request)).series:
            yield curve_plot(drawn, styles)
    for main in headlines(run):
        if request.has(main.task.name):
            yield from _of_task(run, main, request, styles)


def _of_task(run: Run, main: Headline, request: Request, styles: Styles) -> Iterator[Plot]:
    for forest in forests(run, main.task):
        cell = (forest.generator, forest.k, forest.measure, forest.slice)
        drawn = _differences(forest, request)
        in_headline = cell == (main.generator, main.k, main.measure, "all")
        if in_headline and drawn.contrasts and not drawn.many:
            yield forest_plot(drawn, styles)
    rows = tuple(row for row in main.rows if request.shows(row.strategy))
    if rows:
        for tradeoff in tradeoffs(run, replace(main, rows=rows)):
            yield tradeoff_plot(_costs(tradeoff, request), styles)


def _curve(curve: Curve, request: Request) -> Curve:
    """The curve with the request's strategies, by the paper's names; so are the next two."""
    series = (
        replace(own, strategy=request.style.name(own.strategy))
        for own in curve.series
        if request.shows(own.strategy)
    )
    return replace(curve, series=tuple(series))


def _differences(forest: Forest, request: Request) -> Forest:
    name = request.style.name
    contrasts = (
        replace(own, a=name(own.a), b=name(own.b))
        for own in forest.contrasts
        if request.shows(own.a) and request.shows(own.b)
    )
    against = forest.against and name(forest.against)
    return replace(forest, against=against, contrasts=tuple(contrasts))


def _costs(tradeoff: Tradeoff, request: Request) -> Tradeoff:
    points = (replace(p, strategy=request.style.name(p.strategy)) for p in tradeoff.points)
    return replace(tradeoff, points=tuple(points))


def forest_plot(forest: Forest, styles: Styles) -> Plot:
    """A row for each difference with its interval, zero as a line, better to the right; the marker is
    the first strategy's, and filled where a difference was shown."""
    names = [_name(contrast, forest.against) for contrast in forest.contrasts]
    height = 0.9 + 0.2 * len(names) + 0.12 * sum(name.count("\n") for name in names)
    against = f"-to-{forest.against}" if forest.against else ""
    name = stem(f"{forest.task}-differences{against}")
    return Plot(name, height, lambda axes: _forest(axes, forest, styles))


def tradeoff_plot(tradeoff: Tradeoff, styles: Styles) -> Plot:
    """Quality over cost, better up, the Pareto front as a line of steps."""
    name = stem(f"{tradeoff.task}-quality-over-{tradeoff.cost}")
    height = 2.3 + legend_height([point.strategy for point in tradeoff.points])
    return Plot(name, height, lambda axes: _tradeoff(axes, tradeoff, styles))


def _forest(axes: Any, forest: Forest, styles: Styles) -> None:
    for place, contrast in enumerate(reversed(forest.contrasts)):
        _contrast(axes, contrast, place, styles[contrast.a])
    names = [_name(contrast, forest.against) for contrast in reversed(forest.contrasts)]
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.tick_params(axis="y", length=0)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x")
    axes.spines["left"].set_visible(False)
    if forest.lower_is_better:
        axes.invert_xaxis()
    below: Any = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "top"}
    axes.annotate(WORSE, (0, 0), (0, -18), ha="left", fontsize=7, **below)
    axes.annotate(BETTER, (1, 0), (0, -18), ha="right", fontsize=7, **below)
    unit = f" ({forest.unit})" if forest.unit else ""
    against = f" to {forest.against}" if forest.against else ""
    label = f"difference{against} in {forest.measure.label}{unit}"
    axes.figure.supxlabel(plain(label), fontsize=8)  # centred below names and axis together


def _contrast(axes: Any, contrast: Contrast, place: int, style: StrategyStyle) -> None:
    if contrast.interval:
        axes.plot(contrast.interval, [place, place], color=style.colour, linewidth=1.1)
    axes.plot(contrast.difference, place, markersize=4, **point_style(style, contrast.significant))


def _name(contrast: Contrast, against: str | None) -> str:
    """What stands beside a difference, in lines that leave the axes their width."""
    lines = wrap(contrast.a if against else f"{contrast.a} − {contrast.b}", NAME_WIDTH)
    return "\n".join(map(plain, lines))


def _tradeoff(axes: Any, tradeoff: Tradeoff, styles: Styles) -> None:
    for point in tradeoff.points:
        _point(axes, point, styles[point.strategy])
    front = tradeoff.front
    xs, ys = [point.cost for point in front], [point.value for point in front]
    axes.step(xs, ys, where="post", color="#555555", linewidth=0.8, linestyle="--", zorder=1)
    if tradeoff.logarithmic:
        axes.set_xscale("log")
    else:
        axes.set_xlim(left=0)
    axes.set_xlabel(plain(f"{tradeoff.cost} ({tradeoff.cost_unit})"))
    unit = f" ({tradeoff.unit})" if tradeoff.unit else ""
    axes.set_ylabel(plain(f"{tradeoff.measure.label}{unit}"))
    if tradeoff.lower_is_better:
        axes.invert_yaxis()
    ncols = legend_columns([point.strategy for point in tradeoff.points])
    axes.figure.legend(loc="outside lower center", ncols=ncols, fontsize=7)


def _point(axes: Any, point: Point, style: StrategyStyle) -> None:
    name = plain(f"{point.strategy} ({point.control})" if point.control else point.strategy)
    if point.low is not None and point.high is not None:
        axes.plot([point.cost] * 2, [point.low, point.high], color=style.colour, linewidth=0.9)
    axes.plot(point.cost, point.value, markersize=5, label=name, **point_style(style, point.front))
