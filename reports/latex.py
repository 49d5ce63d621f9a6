"""Tables and figures for papers: booktabs, in files that compile as they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mmragbench.registry import report

if TYPE_CHECKING:
    from mmragbench.reporting.folder import RunFolder
    from mmragbench.reporting.tables import Block, Cell, Line, Table

PACKAGES = r"\usepackage{booktabs,graphicx}"

DOCUMENT = r"""\documentclass[10pt]{article}
\usepackage[margin=2.2cm]{geometry}
%(packages)s
\begin{document}
\section*{%(name)s}
%(inputs)s
\end{document}
"""

HEADER = "% Needs, in the preamble: "


@report
def latex(run: Path, target: Path) -> Path:
    """`tables/<task>.tex` and `plots/*.pdf|svg`, and `tables.tex`, a document that shows them all."""
    from mmragbench.reporting.curves import curves
    from mmragbench.reporting.figures import save
    from mmragbench.reporting.folder import RunFolder
    from mmragbench.reporting.tables import task_tables
    from mmragbench.reporting.tex import escape
    from mmragbench.reporting.writing import stem, write

    folder = RunFolder(run)
    inputs = []
    for task, facts in folder.tasks.items():
        made = ["\n".join(_table(folder, table)) for table in task_tables(folder, facts)]
        write(target / "tables" / f"{stem(task)}.tex", "\n\n".join([HEADER + PACKAGES, *made]) + "\n")
        inputs.append(rf"\input{{tables/{stem(task)}.tex}}")
    for curve in curves(folder):
        save(curve, target / "plots")
        inputs.append("\n" + rf"\noindent\includegraphics{{plots/{curve.name}.pdf}}")
    parts = {"packages": PACKAGES, "name": escape(folder.name), "inputs": "\n".join(inputs)}
    return write(target / "tables.tex", DOCUMENT % parts)


def _table(run: RunFolder, table: Table) -> Iterator[str]:
    from mmragbench.reporting.tex import escape

    width = len(table.columns) + 2 + table.failed
    yield r"\begin{table}[htbp]\centering\small"
    yield rf"\caption{{{escape(_caption(run, table))}}}"
    yield r"\par\medskip"
    yield rf"\setlength{{\tabcolsep}}{{{4 if width > 7 else 6}pt}}"
    yield rf"\begin{{tabular}}{{l{'r' * (width - 1)}}}"
    yield r"\toprule"
    heads = [rf"\textbf{{{escape(str(column.measure))}}}" for column in table.columns]
    units = [f"{column.unit} {column.arrow}".strip() for column in table.columns]
    last = ["failed"] * table.failed
    yield " & ".join(["Strategy", *heads, "$n$", *last]) + r" \\"
    yield " & ".join(["", *(rf"\footnotesize {escape(unit)}" for unit in units), "", *([""] * table.failed)]) + r" \\"
    for block in table.blocks:
        yield r"\midrule"
        yield from _block(block, width, table.failed)
    yield r"\bottomrule"
    yield r"\end{tabular}"
    for number, note in enumerate(table.notes, 1):
        yield rf"\par\smallskip{{\footnotesize $^{{{number}}}$ {escape(note)}}}"
    yield r"\end{table}"


def _caption(run: RunFolder, table: Table) -> str:
    from mmragbench.reporting.tables import title

    controls = [name for name, control in run.strategies.items() if control]
    grey = f" Controls in italics: {', '.join(controls)}." if controls else ""
    return (
        f"{table.task}: {title(table)}. Best strategy under one setting in bold;"
        f" ↑ higher is better, ↓ lower.{grey}"
    )


def _block(block: Block, width: int, failed: bool) -> Iterator[str]:
    from mmragbench.reporting.tex import escape

    if block.label:
        label = rf"\textit{{{escape(block.label)}}}"
        yield rf"\multicolumn{{{width}}}{{l}}{{{label}}} \\"
    contenders = [line for line in block.lines if line.control is None]
    controls = [line for line in block.lines if line.control]
    yield from (_line(line, failed) for line in contenders)
    if contenders and controls:
        yield r"\addlinespace[2pt]"
    yield from (_line(line, failed) for line in controls)


def _line(line: Line, failed: bool) -> str:
    from mmragbench.reporting.tex import escape

    name = escape(line.strategy)
    named = rf"\textit{{{name}}} {{\footnotesize ({line.control})}}" if line.control else name
    last = [str(line.n_failed or "")] * failed
    return " & ".join([named, *map(_cell, line.cells), escape(line.n), *last]) + r" \\"


def _cell(cell: Cell) -> str:
    from mmragbench.reporting.tex import escape

    if cell.note:
        return rf"---\rlap{{$^{{{cell.note}}}$}}"
    text = rf"\textbf{{{escape(cell.text)}}}" if cell.best else escape(cell.text)
    return text + (rf" {{\scriptsize {escape(cell.interval)}}}" if cell.interval else "")
