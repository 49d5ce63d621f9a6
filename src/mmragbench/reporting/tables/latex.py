"""A paper's table in LaTeX, which needs booktabs alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mmragbench.reporting.tables.request import Style
from mmragbench.reporting.tables.table import Block, Cell, Line, Table
from mmragbench.reporting.templates import latex_environment
from mmragbench.reporting.words.tex import Tex, escape

ONE_COLUMN, TWO_COLUMNS, SMALLER = 58, 120, 137
"""How many characters of \\footnotesize fit into a column, a page, a page of \\scriptsize."""


def latex(table: Table, style: Style) -> str:
    """The table as a float with its signatures in full as comments; `table*` where it is wider than a
    column."""
    wide, counts = width(table, style), table.counted + table.failed
    template = latex_environment("mmragbench.reporting.tables").get_template("table.tex.jinja")
    return template.render(
        table=table,
        label=Tex(re.sub(r"[^A-Za-z0-9.-]", "-", table.name)),
        star="*" if wide > ONE_COLUMN else "",
        size=Tex(r"\footnotesize" if wide <= TWO_COLUMNS else r"\scriptsize"),
        shrunk=wide > SMALLER,
        columns=Tex("r@{}l" * len(table.columns) + "r" * counts),
        across=1 + 2 * len(table.columns) + counts,
        head=map(Tex, _head(table)),
        blocks=[(block.label, map(Tex, _block(table, block, style))) for block in table.blocks],
        notes=list(_notes(table)),
    )


def _notes(table: Table) -> Iterator[tuple[Tex, str]]:
    """The footnotes with their marks, then all remarks together."""
    yield from ((Tex(_mark(mark)), text) for mark, text in table.notes)
    if table.remarks:
        yield Tex(), " ".join(table.remarks)


def _head(table: Table) -> Iterator[str]:
    """The rows of the head: runs that stand side by side, measures, and their cutoffs."""
    counts = ["$n$"] * table.counted + ["failed"] * table.failed
    if table.spans:
        yield from _over([(escape(name), size) for name, size in table.spans], len(counts))
    under: list[str] = []
    over: list[tuple[str, int]] = []
    for members in table.heads:
        first, many = members[0], len(members) > 1
        name = rf"{escape(first.measure.name)}@$k$" if many else escape(first.measure.label)
        over.append((rf"{name} {{\scriptsize({escape(first.head)})}}", len(members)))
        under += [str(column.measure.cutoff) if many else "" for column in members]
    if any(under):
        yield from _over(over, len(counts))
        yield _row(["", *map(_two, under), *counts])
    else:
        yield _row(["", *(_two(text) for text, _ in over), *counts])


def _over(spans: Sequence[tuple[str, int]], more: int) -> Iterator[str]:
    cells, rules, place = [""], "", 2
    for text, size in spans:
        cells.append(rf"\multicolumn{{{2 * size}}}{{c}}{{{text}}}")
        rules += rf"\cmidrule(lr){{{place}-{place + 2 * size - 1}}}" if size > 1 else ""
        place += 2 * size
    yield _row([*cells, *[""] * more])
    if rules:
        yield rules


def _block(table: Table, block: Block, style: Style) -> Iterator[str]:
    contenders = [line for line in block.lines if line.control is None]
    controls = [line for line in block.lines if line.control is not None]
    yield from (_line(table, line, style) for line in contenders)
    if contenders and controls:
        yield r"\addlinespace[2pt]"
    yield from (_line(table, line, style) for line in controls)


def _line(table: Table, line: Line, style: Style) -> str:
    name = escape(line.strategy)
    counts = [escape(line.n)] * table.counted + [str(line.n_failed or "")] * table.failed
    numbers = [_number(cell, style) for cell in line.cells]
    return _row([rf"\textit{{{name}}}" if line.control else name, *numbers, *counts])


def _number(cell: Cell, style: Style) -> str:
    """Two cells, so that decimal points stay in line: the number, and what stands beside it."""
    text = escape(cell.text)
    if cell.best:
        text = rf"\textbf{{{text}}}"
    elif cell.tied:
        text = rf"\underline{{{text}}}"
    raised = cell.stars + _mark(cell.note)
    beside = f"^{{{raised}}}" if raised else ""
    if style == "subscript" and cell.interval:
        low, high = (_math(end) for end in (cell.low, cell.high))
        beside += rf"_{{[{low},\,{high}]}}"
    beside = f"${beside}$" if beside else ""
    if after := cell.plus_minus(style):
        beside += rf"{{\scriptsize $\,\pm\,{_math(after)}$}}"
    if style == "brackets" and cell.interval:
        beside += rf"{{\scriptsize \,{escape(cell.interval)}}}"
    return f"{text} & {beside}"


def _math(text: str) -> str:
    return text.replace("−", "-")


def _mark(mark: str) -> str:
    signs = {"†": r"\dagger", "‡": r"\ddagger", "§": r"\S", "¶": r"\P"}
    return "".join(signs.get(sign, rf"\mathrm{{{sign}}}") for sign in mark)


def _two(text: str) -> str:
    return rf"\multicolumn{{2}}{{c}}{{{text}}}"


def _row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def width(table: Table, style: Style) -> int:
    """How wide the table is, in characters of its size; script characters are narrower."""
    names = max((len(line.strategy) for line in table.lines), default=0)
    columns = 0.0
    for i, column in enumerate(table.columns):
        body = max((_across(line.cells[i], style) for line in table.lines), default=0.0)
        alone = len([c for c in table.columns if c.measure.name == column.measure.name]) == 1
        head = len(column.measure.label) + 0.8 * len(column.head) + 2 if alone else 0
        columns += max(body, head) + 1.5
    return round(names + columns + 5 * (table.counted + table.failed))


def _across(cell: Cell, style: Style) -> float:
    after = cell.plus_minus(style)
    beside = len(after) + 3 * bool(after)
    if style in ("subscript", "brackets"):
        beside = len(cell.interval)
    return len(cell.text) + 0.62 * max(beside, len(cell.stars + cell.note))
