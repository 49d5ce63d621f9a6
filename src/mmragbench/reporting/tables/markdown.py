"""Tables in Markdown, with the few tags that GitHub shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from mmragbench.reporting.tables.request import Intervals, Style
from mmragbench.reporting.tables.table import Cell, Line, Table
from mmragbench.reporting.words.gfm import escape, row


def markdown(table: Table, style: Style) -> str:
    """A paper's table: the caption, the table, its notes."""
    heads = [
        f"{f'{column.group}: ' if column.group else ''}{column.measure.label} {table.mark(column)}"
        for column in table.columns
    ]
    first, *more = map(escape, (table.caption[0], " ".join(table.caption[1:])))
    notes = [f"\n<sup>{mark}</sup> {escape(text)}" for mark, text in table.notes]
    text = [
        f"**{first}** {''.join(more)}\n",
        *grid(table, style.intervals, heads, table.counted, _name),
        *notes,
        *["\n" + " ".join(map(escape, table.remarks))] * bool(table.remarks),
    ]
    return "\n".join(text) + "\n"


def grid(
    table: Table,
    intervals: Intervals,
    heads: Sequence[str],
    counted: bool,
    name: Callable[[Line], str],
) -> Iterator[str]:
    """The rows of the table: settings where there are any, strategies, numbers, counts.

    Args:
        counted: whether a column says how many queries were scored.
        name: how a line's strategy is written, escaped.
    """
    first = ["Setting"] * table.labelled + ["Strategy"]
    last = ["n"] * counted + ["failed"] * table.failed
    yield row([*first, *map(escape, heads), *last])
    yield row([":--"] * len(first) + ["--:"] * (len(heads) + len(last)))
    for block in table.blocks:
        for place, line in enumerate(block.lines):
            label = [escape(block.label) if place == 0 else ""] * table.labelled
            numbers = [_number(cell, intervals) for cell in line.cells]
            counts = [line.n] * counted + [str(line.n_failed or "")] * table.failed
            yield row([*label, name(line), *numbers, *counts])


def _name(line: Line) -> str:
    name = escape(line.strategy)
    return f"*{name}*" if line.control else name


def _number(cell: Cell, intervals: Intervals) -> str:
    text = escape(cell.text)
    if cell.best:
        text = f"**{text}**"
    elif cell.tied:
        text = f"<ins>{text}</ins>"
    raised = escape(cell.letters + cell.stars) + cell.note
    text += f"<sup>{raised}</sup>" if raised else ""
    if spread := cell.plus_minus(intervals):
        return f"{text} ± {spread}"
    beside = escape(cell.interval)
    if intervals not in ("subscript", "brackets") or not beside:
        return text
    return f"{text} <sub>{beside}</sub>" if intervals == "subscript" else f"{text} {beside}"
