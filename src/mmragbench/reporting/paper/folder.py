"""A folder for a paper: a file for each table, figures, references, a paragraph on methods."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from mmragbench.reporting.paper.citing import cited
from mmragbench.reporting.paper.figures import figures
from mmragbench.reporting.paper.methods import methods
from mmragbench.reporting.tables.csv import csv
from mmragbench.reporting.tables.distinct import distinct
from mmragbench.reporting.tables.html import html
from mmragbench.reporting.tables.labels import labels
from mmragbench.reporting.tables.latex import latex
from mmragbench.reporting.tables.markdown import markdown
from mmragbench.reporting.tables.paper_tables import tables
from mmragbench.reporting.tables.request import Request, Style
from mmragbench.reporting.tables.table import Table
from mmragbench.reporting.writing import stem, write
from mmragbench.run_folder.reading import Run

Format = Literal["latex", "markdown", "csv", "html"]
SUFFIXES: dict[Format, str] = {"latex": "tex", "markdown": "md", "csv": "csv", "html": "html"}

RENDERERS: dict[str, Callable[[Table, Style], str]] = {
    "latex": latex,
    "markdown": markdown,
    "html": html,
}


def written(shown: Sequence[Table], format: Format, request: Request) -> str:
    """The tables as one text. Columns that repeat another one are left out where nobody asked for them;
    where there are several tables, LaTeX's labels end in their names."""
    if format == "csv":
        return csv(shown)
    style = request.style
    texts = []
    for table in shown:
        label = f"{style.label}-{table.name}" if style.label and len(shown) > 1 else style.label
        columns = table if request.measures else distinct(table)
        texts.append(RENDERERS[format](columns, replace(style, label=label)))
    return "\n".join(texts)


def save_all(runs: Sequence[Run], request: Request, format: Format, target: Path) -> Path:
    """Write `tables/`, `plots/`, `references.bib`, `methods.tex` (or `.md`) below `target`.

    Raises:
        DataError: the request names what none of the runs has.
    """
    shown = tables(runs, request)
    for table in shown:
        label = f"{request.style.label}-{table.name}" if request.style.label else ""
        text = written([table], format, replace(request, style=replace(request.style, label=label)))
        write(target / "tables" / f"{table.name}.{SUFFIXES[format]}", text)
    for run, label in zip(runs, labels(runs), strict=True):
        folder = target / "plots" / stem(label) if label else target / "plots"
        for plot in figures(run, request):
            plot.save(folder)
    write(target / "references.bib", cited(runs).bibtex())
    suffix = "tex" if format == "latex" else "md"
    write(target / f"methods.{suffix}", methods(runs, request.style, format == "latex"))
    return target
