"""Figures as files for papers: SVG and PDF, a column wide, the same bytes every time."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmragbench.reporting.curves import Curve

WIDTH_INCHES = 3.3
"""One column of a two-column paper."""

COLOURS = ("#2f6bd8", "#cf5426", "#12876a", "#8b4fc6", "#a87800", "#c2417f")
MARKERS = ("o", "s", "D", "^", "v", "P")
LINES: tuple[Any, ...] = ("-", (0, (6, 1.2)), (0, (3, 1, 1, 1)))
"""With the markers, what tells lines apart in grey."""

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


def save(curve: Curve, folder: Path) -> list[Path]:
    """Write `<name>.svg` and `<name>.pdf`; returns their paths."""
    return save_figure(curve.name, folder, 2.5, lambda axes: _draw(axes, curve))


def save_figure(name: str, folder: Path, inches: float, draw: Callable[[Any], None]) -> list[Path]:
    """Whatever is drawn on the axes as `<name>.svg` and `<name>.pdf`, a column wide and so many
    inches high; returns their paths."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.svg", folder / f"{name}.pdf"]
    with matplotlib.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure = Figure(figsize=(WIDTH_INCHES, inches), layout="constrained")
        FigureCanvasAgg(figure)
        draw(figure.add_subplot())
        figure.savefig(paths[0], metadata={"Date": None, "Creator": "mmragbench"})
        figure.set_layout_engine("none")  # it stays as it was laid out
        figure.savefig(paths[1], metadata={"CreationDate": None, "Creator": "mmragbench"})
    return paths


def _draw(axes: Any, curve: Curve) -> None:
    contender = 0
    for series in curve.series:
        xs, ys = zip(*series.points, strict=True)
        name = plain(series.strategy)
        if series.control is None:
            look = {"color": COLOURS[contender % 6], "marker": MARKERS[contender % 6]}
            axes.plot(xs, ys, **look, linestyle=LINES[contender % 3], linewidth=1.2, label=name)
            contender += 1
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
    axes.figure.legend(loc="outside lower center", ncols=2, fontsize=7)


def plain(text: str) -> str:
    """No mathtext, and no characters that XML forbids: a name with a dollar is a name."""
    return "".join(c for c in text if c >= " ").replace("$", r"\$")
