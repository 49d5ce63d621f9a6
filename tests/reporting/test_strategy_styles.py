"""Colours and markers of strategies."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from mmragbench.reporting.facts.strategy_styles import (
    COLOURS,
    GREY,
    MARKERS,
    StrategyStyle,
    strategy_styles,
)
from mmragbench.reporting.page.style_sheet import css_classes, outlines, rules
from mmragbench.run_folder.reading import Run
from support import stated
from support.paths import ROOT

PAPER = ("#fdfdfc", "#131519")
"""The page's ground, light and dark, as `page.css` has it."""


def suite_of(folder: Path, count: int) -> Run:
    """A run whose suite has this many contenders."""
    names = [f"strategy-{i}" for i in range(count)]
    suite = {"strategies": {**dict.fromkeys(names), "oracle": None}}
    (folder / "suite.yaml").write_text(yaml.safe_dump(suite, sort_keys=False))
    return Run(folder)


def contrast(a: str, b: str) -> float:
    """WCAG 2.1's contrast of two colours, 1 to 21."""
    high, low = sorted(map(luminance, (a, b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.fixture
def bare(changed: Callable[..., Path]) -> Path:
    row = {"task": "t", "strategy": "oracle", "generator": None, "k": None, "slice": "all"}
    row |= {"measure": "RR", "estimate": 1.0, "n": 9, "n_failed": 0, "signature": ""}
    return changed("tasks", summary=[row | stated.row("RR", "oracle")], comparisons=[])


def test_a_hundred_strategies_have_a_style_of_their_own(bare: Path) -> None:
    """No two share colour and marker; of sixteen, no two share the marker."""
    styles = list(strategy_styles(suite_of(bare, 100)).values())
    assert len({(style.colour, style.marker) for style in styles}) == 101
    assert len({style.marker for style in styles[:16]}) == 16
    assert len(set(MARKERS.values())) == len(MARKERS)


def test_a_style_goes_by_the_place_in_the_suite(bare: Path) -> None:
    """Strategies that come after it, and controls, change nothing."""
    few, many = (strategy_styles(suite_of(bare, count)) for count in (3, 20))
    contenders = [name for name in few if name.startswith("strategy")]
    assert {name: few[name] for name in contenders} == {name: many[name] for name in contenders}


@pytest.mark.parametrize("place", [0, 1])
def test_colours_can_be_read_as_text(place: int) -> None:
    """Names are set in them: a contrast of 4.5 (WCAG AA) with the page's ground, light and dark."""
    css = (ROOT / "src/mmragbench/reporting/page/template/page.css").read_text()
    assert f"--paper:{PAPER[place]}" in css
    ratios = {pair[place]: contrast(pair[place], PAPER[place]) for pair in (*COLOURS, GREY)}
    assert min(ratios.values()) >= 4.5, ratios


def test_the_page_has_each_style_once(bare: Path) -> None:
    """A class, a colour for light and for dark, and an outline for each strategy."""
    run = suite_of(bare, 20)
    classes, styles = css_classes(run), strategy_styles(run)
    light, dark = rules(run).split("@media")
    shapes = dict(outlines(run))
    assert len(set(classes.values())) == 21 and classes["oracle"] == "ceiling"
    for name in styles:
        style: StrategyStyle = styles[name]
        assert f".{classes[name]}{{--c:{style.colour}}}" in light
        assert f".{classes[name]}{{--c:{style.dark}}}" in dark
        assert re.fullmatch(r"M[-\d. ]+z|M4 0A.*z", shapes[f"mark-{classes[name]}"])
