"""Tables, references and methods for papers, in files that compile as they are."""

from __future__ import annotations

from pathlib import Path

from mmragbench.registry import report
from mmragbench.reporting.paper.citing import cited
from mmragbench.reporting.paper.figures import figures
from mmragbench.reporting.paper.folder import written
from mmragbench.reporting.paper.methods import methods
from mmragbench.reporting.tables.paper_tables import tables
from mmragbench.reporting.tables.request import Request, Style
from mmragbench.reporting.tables.table import Table
from mmragbench.reporting.templates import latex_environment
from mmragbench.reporting.writing import stem, write
from mmragbench.run_folder.reading import Run


@report
def latex(run: Path, target: Path) -> Path:
    """Write `tables/<task>.tex`, `references.bib`, `methods.tex`, and `tables.tex`, a document of two
    columns that shows all. It shows figures where their files are; `reporting.paper.folder` draws
    them."""
    folder = Run(run)
    for task in folder.tasks:
        text = written(_tables(folder, task), "latex", Request())
        write(target / "tables" / f"{stem(task)}.tex", text)
    write(target / "references.bib", cited([folder]).bibtex())
    write(target / "methods.tex", methods([folder], Style(), into_latex=True))
    template = latex_environment("mmragbench.reporting.paper").get_template("document.tex.jinja")
    text = template.render(
        name=folder.name,
        tables=map(stem, folder.tasks),
        figures=[plot.name for plot in figures(folder, Request())],
    )
    return write(target / "tables.tex", text)


def _tables(run: Run, task: str) -> list[Table]:
    """A task's tables, on all queries and then on each slice."""
    rows = [row for row in run.rows if row.task == task]
    slices = sorted(dict.fromkeys(row.slice for row in rows), key=lambda name: name != "all")
    return [t for slice in slices for t in tables([run], Request((task,), slice=slice))]
