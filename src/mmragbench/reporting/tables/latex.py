"""A paper's table in LaTeX, which needs booktabs alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mmragbench.reporting.tables.fit import NAMES, RUN, floats, width
from mmragbench.reporting.tables.request import Intervals, Style
from mmragbench.reporting.tables.table import Block, Cell, Line, Table
from mmragbench.reporting.templates import latex_environment
from mmragbench.reporting.words.tex import Tex, escape

PART = 12
"""Characters of a name between which a line may end, where it has no other place for it."""


class Tabular(NamedTuple):
    """What the template puts between `\\begin{tabular}` and its end.

    Attributes:
        columns: the specification of all columns but the first one.
        across: how many columns there are.
        blocks: each one's label and rows.
    """

    columns: Tex
    across: int
    head: list[Tex]
    blocks: list[tuple[Tex, list[Tex]]]


def latex(table: Table, style: Style) -> str:
    """The table as a float as wide as a column or the page, or as several that follow each other, with
    its signatures in full as comments."""
    template = latex_environment("mmragbench.reporting.tables").get_template("table.tex.jinja")
    return template.render(
        table=table,
        label=Tex(style.label or f"tab:{re.sub(r'[^A-Za-z0-9.-]', '-', table.name)}"),
        floats=[
            (part.wide, [_tabular(t, style.intervals, part.limit) for t in part.tables])
            for part in floats(table, style)
        ],
        notes=list(_notes(table)),
    )


def _tabular(table: Table, intervals: Intervals, limit: float) -> Tabular:
    """The tabular of a table that is `limit` points wide at most."""
    counts = table.counted + table.failed
    return Tabular(
        columns=Tex("r@{}l" * len(table.columns) + "r" * counts),
        across=1 + 2 * len(table.columns) + counts,
        head=[Tex(row) for row in _head(table)],
        blocks=[
            (
                Tex(_broken(block.label, limit)),
                [Tex(row) for row in _block(table, block, intervals)],
            )
            for block in table.blocks
        ],
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
        yield from _over([(_broken(name, RUN * n), n) for name, n in table.spans], len(counts))
    under: list[str] = []
    over: list[tuple[str, int]] = []
    for members in table.heads:
        first, many = members[0], len(members) > 1
        name = escape(first.measure.label)
        if many:
            name = name.removesuffix(f"@{first.measure.cutoff}") + "@$k$"
        over.append((f"{name} {escape(table.mark(first))}".rstrip(), len(members)))
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


def _block(table: Table, block: Block, intervals: Intervals) -> Iterator[str]:
    contenders = [line for line in block.lines if line.control is None]
    controls = [line for line in block.lines if line.control is not None]
    yield from (_line(table, line, intervals) for line in contenders)
    if contenders and controls:
        yield r"\addlinespace[2pt]"
    yield from (_line(table, line, intervals) for line in controls)


def _line(table: Table, line: Line, intervals: Intervals) -> str:
    name = _broken(line.strategy, NAMES)
    counts = [escape(line.n)] * table.counted + [str(line.n_failed or "")] * table.failed
    numbers = [_number(cell, intervals) for cell in line.cells]
    return _row([rf"\textit{{{name}}}" if line.control else name, *numbers, *counts])


def _broken(name: str, limit: float) -> str:
    """A name that is broken into lines where it is wider than this many points: at its own signs, or
    else anywhere."""
    if width(name) <= limit:
        return escape(name)
    words = re.findall(rf"[^-_/.: ]{{1,{PART}}}[-_/.: ]*|[-_/.: ]+", name)
    text = r"\allowbreak{}".join(escape(word) + " " * word.endswith(" ") for word in words)
    return rf"\parbox[t]{{{limit:.0f}pt}}{{\raggedright\hangindent=6pt {text}\strut}}"


def _number(cell: Cell, intervals: Intervals) -> str:
    """Two cells, so that decimal points stay in line: the number, and what stands beside it."""
    text = escape(cell.text)
    if cell.best:
        text = rf"\textbf{{{text}}}"
    elif cell.tied:
        text = rf"\underline{{{text}}}"
    raised = cell.stars + _mark(cell.note)
    beside = f"^{{{raised}}}" if raised else ""
    low, high = (_math(end) for end in (cell.low, cell.high))
    if intervals == "subscript" and cell.interval:
        beside += rf"_{{[{low},\,{high}]}}"
    if intervals == "brackets" and cell.interval:
        beside += rf"\scriptstyle\,[{low},\,{high}]"
    if spread := cell.plus_minus(intervals):
        beside += rf"\scriptstyle\,\pm\,{_math(spread)}"
    return f"{text} & {f'${beside}$' if beside else ''}"


def _math(text: str) -> str:
    return text.replace("−", "-")


def _mark(mark: str) -> str:
    signs = {"†": r"\dagger", "‡": r"\ddagger", "§": r"\S", "¶": r"\P"}
    return "".join(signs.get(sign, rf"\mathrm{{{sign}}}") for sign in mark)


def _two(text: str) -> str:
    return rf"\multicolumn{{2}}{{c}}{{{text}}}"


def _row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"
