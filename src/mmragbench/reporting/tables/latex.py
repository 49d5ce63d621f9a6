"""A paper's table in LaTeX: booktabs, nothing else needed, as narrow as it can be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mmragbench.reporting.tables.paper_table import Line, Number, PaperTable
from mmragbench.reporting.tables.request import Style
from mmragbench.reporting.words.tex import escape

ONE_COLUMN, TWO_COLUMNS, SMALLER = 58, 120, 137
"""How many characters of \\footnotesize fit into a column, a page, a page of \\scriptsize."""


def latex(table: PaperTable, style: Style) -> str:
    """One float, with its signatures in full as comments; `table*` where a column is too narrow."""
    return "\n".join(_lines(table, style)) + "\n"


def _lines(table: PaperTable, style: Style) -> Iterator[str]:
    wide = width(table, style)
    star = "*" if wide > ONE_COLUMN else ""
    size = r"\footnotesize" if wide <= TWO_COLUMNS else r"\scriptsize"
    yield r"% Needs \usepackage{booktabs}. Every number's signature in full:"
    yield from (f"%   {_comment(column.signature)}" for column in table.columns if column.signature)
    if wide > SMALLER:
        yield r"% Wider than a page, so shrunk (with graphicx): fewer --measures would be readable."
    yield rf"\begin{{table{star}}}[tb]\centering"
    yield rf"\caption{{{_prose(' '.join(table.caption))}}}\label{{{_label(table)}}}"
    yield rf"\par\smallskip{size}\setlength{{\tabcolsep}}{{3pt}}"
    if wide > SMALLER:
        yield r"\resizebox{\linewidth}{!}{%"
    yield rf"\begin{{tabular}}{{@{{}}l{'r@{}l' * len(table.columns)}{'r' * _counts(table)}@{{}}}}"
    yield r"\toprule"
    yield from _head(table)
    for block in table.blocks:
        yield r"\midrule"
        if block.label:
            cells = 1 + 2 * len(table.columns) + _counts(table)
            yield rf"\multicolumn{{{cells}}}{{@{{}}l}}{{\textit{{{escape(block.label)}}}}} \\"
        yield from _block(table, block.lines, style)
    yield r"\bottomrule"
    yield r"\end{tabular}" + "}" * (wide > SMALLER)
    yield from _notes(table)
    yield rf"\end{{table{star}}}"


def _notes(table: PaperTable) -> Iterator[str]:
    """Footnotes on lines of their own, then all remarks together."""
    marked = [rf"$^{{{_mark(mark)}}}$ {_prose(text)}" for mark, text in table.notes if mark]
    remarks = " ".join(_prose(text) for mark, text in table.notes if not mark)
    for text in (*marked, *filter(None, [remarks])):
        yield rf"\par\smallskip\parbox{{\linewidth}}{{\scriptsize\raggedright {text}}}"


def _head(table: PaperTable) -> Iterator[str]:
    """Runs, where they stand side by side; measures, those with several cutoffs under one head."""
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


def _block(table: PaperTable, lines: Sequence[Line], style: Style) -> Iterator[str]:
    contenders = [line for line in lines if line.control is None]
    controls = [line for line in lines if line.control is not None]
    yield from (_line(table, line, style) for line in contenders)
    if contenders and controls:
        yield r"\addlinespace[2pt]"
    yield from (_line(table, line, style) for line in controls)


def _line(table: PaperTable, line: Line, style: Style) -> str:
    name = escape(line.strategy)
    counts = [escape(line.n)] * table.counted + [str(line.n_failed or "")] * table.failed
    numbers = [_number(number, style) for number in line.numbers]
    return _row([rf"\textit{{{name}}}" if line.control else name, *numbers, *counts])


def _number(number: Number, style: Style) -> str:
    """Two cells, so that decimal points stay in line: the number, and what stands beside it."""
    text = escape(number.text)
    if number.best:
        text = rf"\textbf{{{text}}}"
    elif number.tied:
        text = rf"\underline{{{text}}}"
    raised = number.stars + _mark(number.note)
    beside = f"^{{{raised}}}" if raised else ""
    if style == "subscript" and number.interval:
        low, high = (_math(end) for end in (number.low, number.high))
        beside += rf"_{{[{low},\,{high}]}}"
    beside = f"${beside}$" if beside else ""
    if style == "plusminus" and number.half:
        beside += rf"{{\scriptsize $\,\pm\,{_math(number.half)}$}}"
    if style == "brackets" and number.interval:
        beside += rf"{{\scriptsize \,{escape(number.interval)}}}"
    return f"{text} & {beside}"


def _label(table: PaperTable) -> str:
    return "tab:" + re.sub(r"[^A-Za-z0-9.-]", "-", table.name)


def _prose(text: str) -> str:
    """Names of models and signatures are long words; they may break at their slashes."""
    return escape(text).replace("/", r"\slash{}")


def _math(text: str) -> str:
    return text.replace("−", "-")


def _mark(mark: str) -> str:
    signs = {"†": r"\dagger", "‡": r"\ddagger", "": r"\S", "¶": r"\P"}
    return "".join(signs.get(sign, rf"\mathrm{{{sign}}}") for sign in mark)


def _two(text: str) -> str:
    return rf"\multicolumn{{2}}{{c}}{{{text}}}"


def _row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def _comment(text: str) -> str:
    return " ".join(text.split())


def _counts(table: PaperTable) -> int:
    return table.counted + table.failed


def width(table: PaperTable, style: Style) -> int:
    """How wide the table is, in characters of its size; script characters are narrower."""
    names = max((len(line.strategy) for line in table.lines), default=0)
    columns = 0.0
    for i, column in enumerate(table.columns):
        body = max((_across(line.numbers[i], style) for line in table.lines), default=0.0)
        alone = len([c for c in table.columns if c.measure.name == column.measure.name]) == 1
        head = len(column.measure.label) + 0.8 * len(column.head) + 2 if alone else 0
        columns += max(body, head) + 1.5
    return round(names + columns + 5 * _counts(table))


def _across(number: Number, style: Style) -> float:
    beside = {
        "subscript": len(number.interval),
        "brackets": len(number.interval),
        "plusminus": len(number.half) + 3 * bool(number.half),
        "none": 0,
    }[style]
    return len(number.text) + 0.62 * max(beside, len(number.stars + number.note))
