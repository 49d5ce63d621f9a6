"""What the page's pictures and texts share: each strategy's CSS class, its colour and its marker."""

from __future__ import annotations

from collections.abc import Iterator

from mmragbench.reporting.facts.strategy_styles import (
    GREY,
    StrategyStyle,
    Vertices,
    strategy_styles,
)
from mmragbench.run_folder.reading import Run

ALONE = "alone"
"""The class of a generator that is shown nothing."""


def css_classes(run: Run) -> dict[str, str]:
    """Strategy -> its class: `s1`, `s2`, ... for contenders in the suite's order; controls have what
    they stand for."""
    contenders = [name for name, control in run.strategies.items() if control is None]
    numbered = {name: f"s{place}" for place, name in enumerate(contenders, start=1)}
    return {name: control or numbered[name] for name, control in run.strategies.items()}


def rules(run: Run) -> str:
    """The CSS that gives each class its colour, `--c`, on light and on dark screens."""
    styles = _by_class(run)
    light = "".join(f".{css}{{--c:{style.colour}}}" for css, style in styles.items())
    dark = "".join(f".{css}{{--c:{style.dark}}}" for css, style in styles.items())
    return f"{light}\n@media screen and (prefers-color-scheme:dark){{{dark}}}"


def outlines(run: Run) -> Iterator[tuple[str, str]]:
    """The id of each class's marker, to which `<use>` refers, and its outline as an SVG path."""
    for css, style in _by_class(run).items():
        yield f"mark-{css}", _path(style.vertices)


def _by_class(run: Run) -> dict[str, StrategyStyle]:
    styles = strategy_styles(run)
    by_class = {css: styles[name] for name, css in css_classes(run).items()}
    return by_class | {ALONE: StrategyStyle(*GREY, "triangle up", True)}


def _path(vertices: Vertices) -> str:
    if not vertices:
        return "M4 0A4 4 0 1 1-4 0 4 4 0 1 1 4 0z"
    return "M" + " ".join(f"{x:g} {-y:g}" for x, y in vertices) + "z"
