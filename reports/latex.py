"""Tables and figures for papers: booktabs, in files that compile as they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mmragbench.registry import report
from mmragbench.reporting.curves import curves
from mmragbench.reporting.figures import save
from mmragbench.reporting.folder import RunFolder
from mmragbench.reporting.lines import Cell, Line
from mmragbench.reporting.tables import Block, Table, task_tables, title
from mmragbench.reporting.tex import escape
from mmragbench.reporting.writing import stem, write

PACKAGES = r"\usepackage{booktabs,graphicx}"

DOCUMENT = r"""\documentclass[10pt]{article}
\usepackage[margin=2.2cm]{geometry}
%(packages)s
\begin{document}
\section*{%(name)s}
%(inputs)s
\end{document}
"""

HEADER = f"% Needs {PACKAGES}; in two columns, write table* for table."


@report
def latex(run: Path, target: Path) -> Path:
    """`tables/<task>.tex`, `plots/*.pdf|svg`, and `tables.tex`, a document that shows all."""
    folder = RunFolder(run)
    inputs = []
    for task, facts in folder.tasks.items():
        made = ["\n".join(_table(folder, table)) for table in task_tables(folder, facts)]
        write(target / "tables" / f"{stem(task)}.tex", "\n\n".join([HEADER, *made]) + "\n")
        inputs.append(rf"\input{{tables/{stem(task)}.tex}}")
    for curve in curves(folder):
        save(curve, target / "plots")
        inputs.append("\n" + rf"\noindent\includegraphics{{plots/{curve.name}.pdf}}")
    parts = {"packages": PACKAGES, "name": escape(folder.name), "inputs": "\n".join(inputs)}
    return write(target / "tables.tex", DOCUMENT % parts)


def _table(run: RunFolder, table: Table) -> Iterator[str]:
    width = len(table.columns) + 2 + table.failed
    yield r"\begin{table}[htbp]\centering\small"
    yield rf"\caption{{{escape(_caption(run, table))}}}"
    yield r"\par\medskip"
    yield rf"\setlength{{\tabcolsep}}{{{4 if width > 7 else 6}pt}}"
    yield rf"\begin{{tabular}}{{l{'r' * (width - 1)}}}"
    yield r"\toprule"
    yield from _head(table)
    for block in table.blocks:
        yield r"\midrule"
        yield from _block(block, width, table.failed)
    yield r"\bottomrule"
    yield r"\end{tabular}"
    for remark in table.remarks:
        yield rf"\par\smallskip{{\footnotesize {escape(remark)}}}"
    for number, note in enumerate(table.notes, 1):
        yield rf"\par\smallskip{{\footnotesize $^{{{number}}}$ {escape(note)}}}"
    yield r"\end{table}"


def _head(table: Table) -> Iterator[str]:
    """Two rows: measures over their units, or over the cutoffs that share a measure."""
    over, rules, under, place = [""], "", ["Strategy"], 2
    for group in table.groups:
        first = group[0]
        unit = escape(f"{first.unit} {first.arrow}".strip())
        if len(group) == 1:
            over.append(escape(str(first.measure)))
            under.append(rf"\footnotesize {unit}")
        else:
            name = rf"{escape(first.measure.name)}@$k$ {{\footnotesize ({unit})}}"
            over.append(rf"\multicolumn{{{len(group)}}}{{c}}{{{name}}}")
            under.extend(rf"\footnotesize {column.measure.cutoff}" for column in group)
            rules += rf"\cmidrule(lr){{{place}-{place + len(group) - 1}}}"
        place += len(group)
    yield _row([*over, *[""] * (1 + table.failed)])
    yield rules
    yield _row([*under, "$n$", *["failed"] * table.failed])


def _caption(run: RunFolder, table: Table) -> str:
    controls = [name for name, control in run.strategies.items() if control]
    grey = f" Controls in italics: {', '.join(controls)}." if controls else ""
    return (
        f"{table.task}: {title(table)}. Best strategy under one setting in bold;"
        f" ↑ higher is better, ↓ lower.{grey}"
    )


def _block(block: Block, width: int, failed: bool) -> Iterator[str]:
    if block.label:
        label = rf"\textit{{{escape(block.label)}}}"
        yield rf"\multicolumn{{{width}}}{{l}}{{{label}}} \\"
    contenders = [line for line in block.lines if not line.control and not line.others]
    controls = [line for line in block.lines if line.control or line.others]
    yield from (_line(line, failed) for line in contenders)
    if contenders and controls:
        yield r"\addlinespace[2pt]"
    yield from (_line(line, failed) for line in controls)


def _line(line: Line, failed: bool) -> str:
    name = escape(line.strategy)
    named = rf"\textit{{{name}}}" if line.control or line.others else name
    named += rf" {{\footnotesize ({line.control})}}" if line.control else ""
    last = [str(line.n_failed or "")] * failed
    return _row([named, *map(_cell, line.cells), escape(line.n), *last])


def _row(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"


def _cell(cell: Cell) -> str:
    if cell.note:
        return rf"{escape(cell.text)}\rlap{{$^{{{cell.note}}}$}}"
    text = rf"\textbf{{{escape(cell.text)}}}" if cell.best else escape(cell.text)
    text += rf"\textsuperscript{{{cell.marks}}}" if cell.marks else ""
    return text + (rf" {{\scriptsize {escape(cell.interval)}}}" if cell.interval else "")
