"""A figure of a paper: one column wide, as SVG and PDF files with the same bytes every time."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmragbench._files import write_atomically
from mmragbench.reporting.facts.curves import Curve
from mmragbench.reporting.facts.strategy_styles import StrategyStyle

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH_INCHES = 3.3
"""One column of a two-column paper."""

LONG_NAME = 20
"""Characters of a strategy's name beyond which two do not stand side by side in a legend."""

LINES: tuple[Any, ...] = ("-", (0, (6, 1.2)), (0, (3, 1, 1, 1)))
"""Line styles; with the markers they tell lines apart in print without colour."""

DASHES = {"chance": "--", "ceiling": "-", "floor": ":"}

STYLE: Any = {
    "font.size": 8,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.linewidth": 0.4,
    "grid.color": "#dddddd",
    "axes.axisbelow": True,
    "lines.markersize": 3.5,
    "legend.frameon": False,
    "svg.hashsalt": "mmragbench",
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
}


@dataclass(frozen=True)
class Plot:
    """A figure of a paper, a column wide.

    Attributes:
        inches: how high it is.
        draw: draws it on matplotlib's axes.
    """

    name: str
    inches: float
    draw: Callable[[Any], None]

    def figure(self) -> Figure:
        """The plot drawn as a figure of matplotlib."""
        import matplotlib
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        with matplotlib.rc_context(STYLE):
            figure = Figure(figsize=(WIDTH_INCHES, self.inches), layout="constrained")
            FigureCanvasAgg(figure)
            self.draw(figure.add_subplot())
        return figure

    def save(self, folder: Path) -> list[Path]:
        """Write `<name>.svg` and `<name>.pdf`; returns their paths."""
        import matplotlib

        svg, pdf = folder / f"{self.name}.svg", folder / f"{self.name}.pdf"
        drawn, printed = io.BytesIO(), io.BytesIO()
        with matplotlib.rc_context(STYLE), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing")
            figure = self.figure()
            figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": "mmragbench"})
            figure.set_layout_engine("none")  # it stays as it was laid out
            metadata = {"CreationDate": None, "Creator": "mmragbench"}
            figure.savefig(printed, format="pdf", metadata=metadata)
        write_atomically(svg, drawn.getvalue())
        write_atomically(pdf, printed.getvalue())
        return [svg, pdf]


def curve_plot(curve: Curve, styles: Mapping[str, StrategyStyle]) -> Plot:
    """The plot of a measure over its cutoffs, or over the number of retrieved documents."""
    height = 2.5 + legend_height([series.strategy for series in curve.series])
    return Plot(curve.name, height, lambda axes: _draw(axes, curve, styles))


def legend_columns(names: Sequence[str]) -> int:
    """How many columns a legend of these strategies has: two, but one where a name is long."""
    return 1 if max(map(len, names), default=0) > LONG_NAME else 2


def legend_height(names: Sequence[str]) -> float:
    """Inches that a legend of these strategies needs beyond three rows."""
    return 0.14 * max(math.ceil(len(names) / legend_columns(names)) - 3, 0)


def point_style(style: StrategyStyle, filled: bool = True) -> dict[str, Any]:
    """The keywords of matplotlib's `plot` for a strategy's colour and marker."""
    return {
        "color": style.colour,
        "marker": [*style.vertices, *style.vertices[:1]] or "o",
        "markerfacecolor": style.colour if filled else "white",
    }


def _draw(axes: Any, curve: Curve, styles: Mapping[str, StrategyStyle]) -> None:
    order = list(styles)
    for series in curve.series:
        xs, ys = zip(*series.points, strict=True)
        name = plain(series.strategy)
        if series.control is None:
            line = LINES[order.index(series.strategy) % len(LINES)]
            style = point_style(styles[series.strategy])
            axes.plot(xs, ys, **style, linestyle=line, linewidth=1.2, label=name)
        else:
            dash = DASHES[series.control]
            label = f"{name} ({series.control})"
            axes.plot(xs, ys, color="#888888", linestyle=dash, linewidth=0.9, label=label)
    axes.set_xscale("log")
    axes.set_xticks(curve.xs, [str(x) for x in curve.xs])
    axes.minorticks_off()
    axes.set_ylim(0, curve.ticks[-1])
    axes.set_yticks(curve.ticks)
    axes.set_xlabel("k")
    axes.set_ylabel(plain(f"{curve.label} {f'({curve.unit})' if curve.unit else ''}".strip()))
    ncols = legend_columns([series.strategy for series in curve.series])
    axes.figure.legend(loc="outside lower center", ncols=ncols, fontsize=7)


def plain(text: str) -> str:
    """A text without mathtext (a dollar is a dollar) and without characters that XML forbids."""
    return "".join(c for c in text if c >= " ").replace("$", r"\$")
