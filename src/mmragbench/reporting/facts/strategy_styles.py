"""A colour and a marker for each strategy, the same in every figure of a page and of a paper."""

from __future__ import annotations

from dataclasses import dataclass

from mmragbench.records import Control
from mmragbench.run_folder.reading import Run

Vertices = tuple[tuple[float, float], ...]

COLOURS = (
    ("#2f6bd8", "#7aa7ff"), ("#c24a1c", "#ff9166"), ("#0f7d62", "#45c9a5"), ("#8b4fc6", "#c79bf5"),
    ("#8f6600", "#e3b341"), ("#c2417f", "#f58ab8"), ("#0d7794", "#5cc8e6"), ("#7a6352", "#c3a78f"),
)  # fmt: skip
"""Contenders' colours on light and on dark paper, each with a contrast of 4.5 or more as text."""

GREY = ("#70757e", "#8f96a2")
"""The colour of controls on light and on dark paper."""

MARKERS: dict[str, Vertices] = {
    "circle": (),
    "square": ((-3.6, -3.6), (3.6, -3.6), (3.6, 3.6), (-3.6, 3.6)),
    "diamond": ((0, -5), (5, 0), (0, 5), (-5, 0)),
    "triangle up": ((0, 4.8), (4.8, -3.6), (-4.8, -3.6)),
    "triangle down": ((0, -4.8), (4.8, 3.6), (-4.8, 3.6)),
    "plus": ((-1.6, 4.8), (1.6, 4.8), (1.6, 1.6), (4.8, 1.6), (4.8, -1.6), (1.6, -1.6),
             (1.6, -4.8), (-1.6, -4.8), (-1.6, -1.6), (-4.8, -1.6), (-4.8, 1.6), (-1.6, 1.6)),
    "star": ((0, 5.2), (1.2, 1.6), (5, 1.6), (1.9, -0.6), (3.1, -4.2), (0, -2), (-3.1, -4.2),
             (-1.9, -0.6), (-5, 1.6), (-1.2, 1.6)),
    "cross": ((-4.6, 2.6), (-2.6, 4.6), (0, 2), (2.6, 4.6), (4.6, 2.6), (2, 0), (4.6, -2.6),
              (2.6, -4.6), (0, -2), (-2.6, -4.6), (-4.6, -2.6), (-2, 0)),
    "triangle left": ((-4.8, 0), (3.6, 4.8), (3.6, -4.8)),
    "triangle right": ((4.8, 0), (-3.6, 4.8), (-3.6, -4.8)),
    "bow tie": ((-5, 4), (0, 1), (5, 4), (5, -4), (0, -1), (-5, -4)),
    "hourglass": ((-4, 5), (4, 5), (1, 0), (4, -5), (-4, -5), (-1, 0)),
    "tall bar": ((-1.8, 5.2), (1.8, 5.2), (1.8, -5.2), (-1.8, -5.2)),
    "wide bar": ((-5.2, 1.8), (5.2, 1.8), (5.2, -1.8), (-5.2, -1.8)),
    "T": ((-4.8, 4.8), (4.8, 4.8), (4.8, 1.4), (1.7, 1.4), (1.7, -4.8), (-1.7, -4.8), (-1.7, 1.4),
          (-4.8, 1.4)),
    "L": ((-4.4, 4.8), (-1, 4.8), (-1, -1.4), (4.6, -1.4), (4.6, -4.8), (-4.4, -4.8)),
}  # fmt: skip
"""Marker -> its vertices around the origin, about ten units wide, up is positive; a circle has none."""

CONTROLS: dict[Control, str] = {"ceiling": "diamond", "chance": "circle", "floor": "square"}
"""The markers of controls, which are drawn as outlines."""


@dataclass(frozen=True, slots=True)
class StrategyStyle:
    """How a strategy is drawn.

    Attributes:
        colour, dark: on light and on dark paper, as `#rrggbb`.
        marker: a name of `MARKERS`.
        outline: whether the marker is an outline only, as those of controls are.
    """

    colour: str
    dark: str
    marker: str
    outline: bool = False

    @property
    def vertices(self) -> Vertices:
        """The marker's vertices; empty for a circle."""
        return MARKERS[self.marker]


def strategy_styles(run: Run) -> dict[str, StrategyStyle]:
    """Strategy -> its style, by the order of contenders in the suite, whatever subset is shown: sixteen
    markers, which are told apart without colour, and 128 pairs of a colour and a marker."""
    contenders = [name for name, control in run.strategies.items() if control is None]
    styles = {name: _numbered(place) for place, name in enumerate(contenders)}
    return {
        name: StrategyStyle(*GREY, CONTROLS[control], True) if control else styles[name]
        for name, control in run.strategies.items()
    }


def _numbered(place: int) -> StrategyStyle:
    """The style of the contender at this place, counted from 0."""
    rounds, marker = divmod(place, len(MARKERS))
    return StrategyStyle(*COLOURS[(marker + rounds) % len(COLOURS)], list(MARKERS)[marker])
