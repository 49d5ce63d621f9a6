"""The rules of the plots' data and of their drawings."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from mmragbench.reporting.facts.curves import curves
from mmragbench.reporting.facts.forest import Forest, forests
from mmragbench.reporting.facts.headline import headlines
from mmragbench.reporting.facts.pareto import Point, Tradeoff, tradeoffs
from mmragbench.reporting.page.drawing import curve, forest, tradeoff
from mmragbench.reporting.page.drawing.shapes import decades, short, ticks
from mmragbench.reporting.page.plots import plots
from mmragbench.reporting.page.style_sheet import css_classes
from mmragbench.reporting.tables.overview import overview, slice_table
from mmragbench.run_folder.reading import Run
from support import stated

CELL = {"task": "captioning", "generator": "g", "k": 3, "slice": "all", "measure": "CIDEr"}


def pair(a: str, b: str, difference: float, verdict: str = "better", **more: Any) -> dict[str, Any]:
    """A stored comparison."""
    tested = {"p_value": 0.01, "p_holm": 0.02, "n": 9, "needed": None, "verdict": verdict}
    bounds = {"low": difference - 0.1, "high": difference + 0.2}
    family = {"family": "primary", "tests": 3}
    return CELL | tested | bounds | family | {"a": a, "b": b, "difference": difference} | more


def rows(**numbers: float) -> list[dict[str, Any]]:
    """Summary rows of one cell."""
    named = {name.replace("_", "-"): value for name, value in numbers.items()}
    return [CELL | {"strategy": n, "estimate": v, "n": 9, "n_failed": 0} for n, v in named.items()]


@pytest.fixture
def drawn(changed: Callable[..., Path]) -> Callable[..., list[Forest]]:
    """The panels of a run with three strategies, a baseline and these comparisons."""

    def make(baseline: str, *pairs: dict[str, Any]) -> list[Forest]:
        measures = dict.fromkeys(pair["measure"] for pair in pairs)
        numbers = rows(a=0.6, b=0.5, c=0.4, no_retrieval=0.3)
        summary = [row | {"measure": measure} for measure in measures for row in numbers]
        folder = changed("tasks", summary=summary, comparisons=pairs)
        suite = {"strategies": dict.fromkeys(["a", "b", "c", "no-retrieval"]), "baseline": baseline}
        (folder / "suite.yaml").write_text(yaml.safe_dump(suite))
        run = Run(folder)
        return forests(run, run.tasks["captioning"])

    return make


def test_a_forest_is_against_the_baseline_where_that_was_compared(drawn: Any) -> None:
    """A control's own panel, and the contenders' beside it."""
    pairs = [pair("b", "a", -0.1, "worse"), pair("a", "no-retrieval", 0.3)]
    first, second = drawn("no-retrieval", *pairs)
    assert (first.against, first.control) == ("no-retrieval", "floor")
    assert (second.against, [c.a for c in second.contrasts]) == (None, ["b"])
    (contrast,) = first.contrasts
    assert (contrast.difference, contrast.low, contrast.high) == pytest.approx((30, 20, 50))


def test_a_contender_as_baseline_is_subtracted(drawn: Any) -> None:
    """A pair that was stored the other way round is turned, with its bounds and verdict."""
    against, among = drawn(
        "a", pair("b", "a", -0.1, "worse"), pair("a", "c", 0.2), pair("b", "c", 0)
    )
    assert against.against == "a"
    assert [(c.a, c.b, c.verdict) for c in against.contrasts] == [
        ("b", "a", "worse"),
        ("c", "a", "worse"),
    ]
    turned = against.contrasts[1]
    assert (turned.difference, turned.low, turned.high) == pytest.approx((-20, -40, -10))
    assert len(among.contrasts) == 3


def test_many_pairs_are_against_the_best_and_all_on_demand(changed: Callable[..., Path]) -> None:
    """Without a baseline among them, the reference is the contender with the best number of the cell;
    of few, all pairs are shown at once."""
    numbers = {f"s{i}": 0.3 + i / 100 for i in range(6)}
    for names, shown in ((list(numbers), {"s5"}), (list(numbers)[:4], {None})):
        pairs = [pair(a, b, 0.01, "can't tell") for a, b in combinations(names, 2)]
        cells = {name: numbers[name] for name in names}
        folder = changed("tasks", summary=rows(**cells), comparisons=pairs)
        (folder / "suite.yaml").write_text(yaml.safe_dump({"strategies": dict.fromkeys(names)}))
        run = Run(folder)
        drawn = plots(run, run.tasks["captioning"], headlines(run)[0])
        assert {panel.against for panel in drawn.main} == shown
        assert [len(panel.contrasts) for panel in drawn.pairs] == [15] * (shown == {"s5"})


def test_two_that_are_identical_have_no_interval(drawn: Any) -> None:
    """A picture says so in place of a number, and its axis does not reach for an interval."""
    same = {"low": -0.9, "high": 0.9, "verdict": "identical"}
    (panel,) = drawn("none", pair("a", "b", 0.0) | same, pair("a", "c", 0.1))
    svg = forest.svg(panel, {"a": "s1"})
    assert panel.span == pytest.approx((0, 30))
    assert svg.count("whisker") == 1 and ">identical</text>" in svg


def test_a_long_name_is_cut_in_its_middle() -> None:
    """Names of one family differ at their ends."""
    names = [f"separate-stores-rrf-depth-{depth}" for depth in (16, 32)]
    cut = [short(name, 20) for name in names]
    assert [len(name) for name in cut] == [20, 20]
    assert cut[0] != cut[1] and cut[0].endswith("depth-16") and cut[0].startswith("separate")
    assert short("shared-space", 12) == "shared-space"


def test_zero_is_always_within_a_forest(drawn: Any) -> None:
    """Or a difference could not be read off it."""
    (only,) = drawn("none", pair("a", "b", 0.5))
    assert only.span == pytest.approx((0, 70))


def test_better_is_to_the_right(drawn: Any) -> None:
    """Also where lower is better: then the axis is turned."""
    for measure, sign in (("CIDEr", 1), ("FID(clip)", -1)):
        (panel,) = drawn("none", pair("a", "b", 0.5, measure=measure))
        assert panel.lower_is_better == (sign < 0)
        zero, value = forest._x(panel, 0), forest._x(panel, panel.contrasts[0].difference)
        assert (value - zero) * sign > 0


def brute_front(points: list[tuple[float, float]]) -> set[tuple[float, float]]:
    """By sorting: from cheap to dear, what is better than all before it (and ties of those)."""
    front, best = set(), float("-inf")
    for cost in sorted({cost for cost, _ in points}):
        top = max(value for c, value in points if c == cost)
        if top > best:
            front.add((cost, top))
            best = top
    return front


@pytest.mark.parametrize("lower", [False, True])
def test_the_front_is_what_nothing_dominates(lower: bool) -> None:
    """Against another algorithm, on random points with ties in cost and value."""
    from mmragbench.reporting.facts.pareto import _front

    draw = random.Random(3)
    for _ in range(200):
        raw = [(draw.randint(0, 5), draw.randint(0, 5)) for _ in range(draw.randint(1, 8))]
        points = [Point(f"s{i}", None, c, v, None, None) for i, (c, v) in enumerate(raw)]
        front = {(p.cost, p.value) for p in _front(points, lower) if p.front}
        sign = -1 if lower else 1
        expected = brute_front([(c, sign * v) for c, v in raw])
        assert front == {(c, sign * v) for c, v in expected}


def test_costs_that_are_equal_or_unknown_are_not_drawn(run: Path) -> None:
    """The fake's strategies differ in seconds of indexing, and in nothing else."""
    folder = Run(run)
    panels = [panel for headline in headlines(folder) for panel in tradeoffs(folder, headline)]
    assert {panel.cost for panel in panels} == {"indexing"}
    assert all(point.control is None for panel in panels for point in panel.points)


def test_latency_is_seconds_over_queries(changed: Callable[..., Path]) -> None:
    """Retrieving and generating, and not indexing, over the task's number of queries."""
    folder = changed()
    file = folder / "cells/captioning/shared-space/cost.json"
    file.write_text(json.dumps({"seconds": {"index": 77.0, "retrieve": 4.6}}))
    run = Run(folder)
    headline = next(h for h in headlines(run) if h.task.name == "captioning")
    panel = next(p for p in tradeoffs(run, headline) if p.cost == "latency")
    costs = {point.strategy: point.cost for point in panel.points}
    assert costs["shared-space"] == pytest.approx((4.6 + 0.4) / 500)
    assert costs["text-grounding"] == pytest.approx((1.1 + 0.4) / 500)


def test_an_axis_is_logarithmic_over_decades_only() -> None:
    """And begins at zero where something costs next to nothing."""

    def panel(*costs: float) -> Tradeoff:
        points = tuple(Point(str(cost), None, cost, 1.0, None, None, True) for cost in costs)
        return Tradeoff("t", stated.measure("CIDEr"), "", "", "indexing", "s", False, points)

    panels = [panel(1, 5), panel(1, 50), panel(0, 50), panel(1e-6, 50)]
    assert [one.logarithmic for one in panels] == [False, True, False, False]


def test_every_plot_is_sound_svg_with_its_numbers_in_words(run: Path) -> None:
    """It parses, stays within its box, and says to those who can't see it what it shows."""
    folder = Run(run)
    classes = css_classes(folder)
    drawings = [curve.svg(plot, classes) for plot in curves(folder)]
    panels = [panel for headline in headlines(folder) for panel in tradeoffs(folder, headline)]
    drawings += [tradeoff.svg(panel, classes) for panel in panels]
    assert len(drawings) > 6
    for text in drawings:
        root = ElementTree.fromstring(text)
        assert root.get("role") == "img"
        assert "shared-space" in str(root.get("aria-label"))
        width = float(str(root.get("viewBox")).split()[2])
        assert all(0 <= float(str(t.get("x"))) <= width for t in root.iter("text"))


def test_names_are_text_in_plots(drawn: Any) -> None:
    """Markup in a strategy's name shows as itself."""
    (panel,) = drawn("none", pair("a", "b", 0.5) | {"a": "<b>&\"'"})
    root = ElementTree.fromstring(forest.svg(panel, {}))
    assert "<b>&\"' − b" in [t.text for t in root.iter("text")]


def test_what_cannot_be_told_has_a_hollow_mark(drawn: Any) -> None:
    """So that it is seen without reading a p-value."""
    (panel,) = drawn("none", pair("a", "b", 0.5), pair("a", "c", 0.1, "can't tell"))
    assert forest.svg(panel, {"a": "s1"}).count('class="mark s1 hollow"') == 1


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-3.7, 12), (0.01, 0.0137), (150, 243)])
def test_ticks_are_round_and_few(low: float, high: float) -> None:
    """Within the range, equally far apart, three to six of them."""
    values = ticks(low, high)
    steps = {round(b - a, 9) for a, b in zip(values, values[1:], strict=False)}
    assert len(steps) == 1
    assert low - 1e-9 <= values[0] <= values[-1] <= high + 1e-9
    assert 3 <= len(values) <= 6


def test_a_logarithmic_axis_has_ticks_in_every_range() -> None:
    """At least two, six at most, over one decade or five."""
    for low, high in [(1, 12), (0.0004, 0.009), (0.5, 60), (1e-4, 20)]:
        values = decades(low, high)
        assert 2 <= len(values) <= 6
        assert all(low * 0.99 <= value <= high * 1.01 for value in values)


def test_the_overview_marks_ties_with_the_best(changed: Callable[..., Path]) -> None:
    """Those that share a letter with the best are tied; letters themselves are not shown."""
    pairs = [pair("a", "b", 0.1, "can't tell", p_holm=0.4), pair("a", "c", 0.2)]
    folder = changed("suite.yaml", "tasks", summary=rows(a=0.6, b=0.5, c=0.4), comparisons=pairs)
    run = Run(folder)
    cells = {line.strategy: line.cells[0] for line in overview(run, headlines(run)).lines}
    assert {name: cell.tied for name, cell in cells.items()} == {"a": 0, "b": 1, "c": 0}
    assert cells["a"].best
    assert not any(cell.letters for cell in cells.values())


def test_slices_stand_below_all_queries(run: Path) -> None:
    """A line a slice, a column a strategy that has a number; those of no number are left out."""
    folder = Run(run)
    table = slice_table(folder, headlines(folder)[0])
    assert table is not None
    assert [line.slice for line in table.lines] == ["all", "emblems"]
    assert "no-retrieval" not in dict(table.strategies)
    assert all(len(line.cells) == len(table.strategies) == 5 for line in table.lines)


def test_a_small_slice_is_marked(changed: Callable[..., Path]) -> None:
    """Few queries show large differences only."""
    summary = [*rows(a=0.6), *(row | {"slice": "odd", "n": 12} for row in rows(a=0.7))]
    summary[0]["n"] = 500
    run = Run(changed("suite.yaml", "tasks", summary=summary))
    table = slice_table(run, headlines(run)[0])
    assert table is not None
    assert [line.few for line in table.lines] == [False, True]
