"""A folder for a paper: a file for each table, figures, references, the methods' paragraph."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from mmragbench.papers.citing import cited
from mmragbench.papers.csv import csv
from mmragbench.papers.figures import save_forest, save_tradeoff
from mmragbench.papers.html import html
from mmragbench.papers.labels import labels
from mmragbench.papers.latex import latex
from mmragbench.papers.markdown import markdown
from mmragbench.papers.methods import methods
from mmragbench.papers.request import Request, Style
from mmragbench.papers.table import PaperTable
from mmragbench.papers.tables import tables
from mmragbench.reporting.curves import curves
from mmragbench.reporting.figures import save
from mmragbench.reporting.folder import RunFolder
from mmragbench.reporting.forest import forests
from mmragbench.reporting.headline import headlines
from mmragbench.reporting.pareto import tradeoffs
from mmragbench.reporting.writing import stem, write

Format = Literal["latex", "markdown", "csv", "html"]
SUFFIXES: dict[Format, str] = {"latex": "tex", "markdown": "md", "csv": "csv", "html": "html"}

RENDERERS: dict[str, Callable[[PaperTable, Style], str]] = {
    "latex": latex,
    "markdown": markdown,
    "html": html,
}


def written(made: Sequence[PaperTable], format: Format, style: Style) -> str:
    """The tables as one text."""
    if format == "csv":
        return csv(made)
    return "\n".join(RENDERERS[format](table, style) for table in made)


def save_all(runs: Sequence[RunFolder], request: Request, format: Format, target: Path) -> Path:
    """Write `tables/`, `plots/`, `references.bib`, `methods.tex` (or `.md`) below `target`.

    Raises:
        DataError: the request names what none of the runs has.
    """
    made = tables(runs, request)
    for table in made:
        text = written([table], format, request.style)
        write(target / "tables" / f"{table.name}.{SUFFIXES[format]}", text)
    for run, label in zip(runs, labels(runs), strict=True):
        save_figures(run, target / "plots" / stem(label) if label else target / "plots")
    write(target / "references.bib", cited(runs).bibtex())
    suffix = "tex" if format == "latex" else "md"
    write(target / f"methods.{suffix}", methods(runs, latex=format == "latex"))
    return target


def save_figures(run: RunFolder, target: Path) -> list[Path]:
    """Every figure of a run as SVG and PDF; the PDFs' paths."""
    return [path for paths in _figures(run, target) for path in paths if path.suffix == ".pdf"]


def _figures(run: RunFolder, target: Path) -> Iterator[list[Path]]:
    """Recall over k, measures over k; differences and costs for each task's main measure."""
    for curve in curves(run):
        yield save(curve, target)
    for main in headlines(run):
        for forest in forests(run, main.task):
            cell = (forest.generator, forest.k, forest.measure, forest.slice)
            if cell == (main.generator, main.k, main.measure, "all"):
                yield save_forest(forest, target)
        for tradeoff in tradeoffs(run, main):
            yield save_tradeoff(tradeoff, target)
