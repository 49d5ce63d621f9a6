"""Tables, references and methods for papers, in files that compile as they are."""

from __future__ import annotations

from pathlib import Path

from mmragbench.registry import report
from mmragbench.reporting.paper.citing import cited
from mmragbench.reporting.paper.figures import figures
from mmragbench.reporting.paper.methods import methods
from mmragbench.reporting.tables.latex import latex as rendered
from mmragbench.reporting.tables.paper_tables import tables
from mmragbench.reporting.tables.request import Request
from mmragbench.reporting.tables.table import Table
from mmragbench.reporting.words.tex import escape
from mmragbench.reporting.writing import stem, write
from mmragbench.run_folder.report_data import RunFolder

DOCUMENT = r"""\documentclass[10pt,twocolumn]{article}
\usepackage[margin=1.9cm]{geometry}
\usepackage{booktabs,graphicx}
\begin{document}
\title{%(name)s}\author{}\date{}
\maketitle
\section{Methods}
\input{methods}
%(tables)s
%% Figures appear here when they are drawn: mmragbench report RUN --format latex --output report
%(figures)s
\clearpage
\bibliographystyle{plain}
\bibliography{references}
\end{document}
"""

FIGURE = r"""\IfFileExists{plots/%(name)s.pdf}{\begin{figure}[tb]\centering
\includegraphics{plots/%(name)s.pdf}
\caption{%(caption)s}
\end{figure}}{}"""


@report
def latex(run: Path, target: Path) -> Path:
    """`tables/<task>.tex`, `references.bib`, `methods.tex`, and `tables.tex`, a document of two columns
    that shows all, and the figures where they are: they take seconds, and are drawn when a paper's
    folder is asked for (`papers.folder`)."""
    folder = RunFolder(run)
    inputs = []
    for task in folder.tasks:
        name = f"tables/{stem(task)}"
        text = "\n".join(rendered(table, "subscript") for table in _tables(folder, task))
        write(target / f"{name}.tex", text)
        inputs.append(rf"\input{{{name}}}")
    write(target / "references.bib", cited([folder]).bibtex())
    write(target / "methods.tex", methods([folder], latex=True))
    parts = {
        "name": escape(folder.name),
        "tables": "\n".join(inputs),
        "figures": "\n".join(_figure(plot.name) for plot in figures(folder)),
    }
    return write(target / "tables.tex", DOCUMENT % parts)


def _figure(name: str) -> str:
    return FIGURE % {"name": name, "caption": escape(name)}


def _tables(run: RunFolder, task: str) -> list[Table]:
    """A task's tables, those of its slices too."""
    own = [row for row in run.rows if row.task == task]
    slices = sorted(dict.fromkeys(row.slice for row in own), key=lambda name: name != "all")
    return [t for slice in slices for t in tables([run], Request((task,), slice=slice))]
