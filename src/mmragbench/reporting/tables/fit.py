"""How a table is divided so that it fits into the columns and pages of papers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from mmragbench.reporting.tables.request import Intervals, Style
from mmragbench.reporting.tables.table import Block, Cell, Column, Line, Table

COLUMN, PAGE = 219.0, 345.0
"""Points: the narrowest column of the usual classes (ACL's), and their narrowest page (article's)."""

ROWS = 45
"""How many rows of 9.5 points fit below a caption, heads included."""

HEAD_ROWS = 3
NAMES = 100.0
"""Points that the name of a strategy may take before it is broken into lines."""

RUN = 60.0
"""Points that the name of a run may take for each of its columns before it is broken."""

SEPARATION = 6.0
"""Points between two columns of measures."""

EM = {
    **dict.fromkeys("ijl.,:;|!'[] ", 0.36),
    **dict.fromkeys("frstI()-", 0.43),
    **dict.fromkeys("cez", 0.48),
    **dict.fromkeys("0123456789ago/", 0.535),
    **dict.fromkeys("FLZ", 0.7),
    **dict.fromkeys("BEP", 0.76),
    **dict.fromkeys("ACDGHKNOQRTUVXY", 0.84),
    **dict.fromkeys("mw&#", 0.89),
    **dict.fromkeys("MW@%—†×↑↓−±", 1.1),
}
"""Widths of characters in Computer Modern of 8 points, the widest of the usual fonts; in parts of its
size."""

SUBSCRIPT = 6.9
"""The size at which 8 points' widths are those of subscripts, which are set in 6 points."""

USUAL_EM, BOLD = 0.61, 1.13


@dataclass(frozen=True, slots=True)
class Float:
    """One float of LaTeX: tables below one another.

    Attributes:
        wide: whether it is as wide as the page.
        tables: each with some of the columns, and with the same lines.
    """

    wide: bool
    tables: tuple[Table, ...]

    @property
    def limit(self) -> float:
        """How wide it may be, in points."""
        return PAGE if self.wide else COLUMN


def floats(table: Table, style: Style) -> list[Float]:
    """The table in as many floats as it needs; by itself a column wide where all of it fits there."""
    fits = points(table, style.intervals) <= COLUMN
    wide = style.width == "page" or (style.width == "auto" and not fits)
    spans = _even_spans(table, style.intervals, PAGE if wide else COLUMN)
    return [
        Float(wide, tuple(replace(table, blocks=blocks).with_columns(part) for part in together))
        for blocks in _chunks(table.blocks, ROWS - HEAD_ROWS)
        for together in _together(spans, sum(map(_block_rows, blocks)) + HEAD_ROWS)
    ]


def _together(spans: Sequence[range], rows: int) -> Iterator[Sequence[range]]:
    """As many parts of so many rows below each other as fit."""
    size = max(ROWS // rows, 1)
    yield from (spans[i : i + size] for i in range(0, len(spans), size))


def points(table: Table, intervals: Intervals) -> float:
    """How wide the table is in points, set in 8 points; a little more where its font is narrower than
    Computer Modern."""
    names = [min(width(line.strategy), NAMES) for line in table.lines]
    widths = [_column(table, i, intervals) for i in range(len(table.columns))]
    columns = sum(widths)
    for run, size in table.spans:
        columns += max(min(width(run), RUN * size) + SEPARATION - sum(widths[:size]), 0.0)
        widths = widths[size:]
    counts = (width("1,000–2,000") + SEPARATION) * table.counted
    counts += (width("failed") + SEPARATION) * table.failed
    return max(names, default=0.0) + columns + counts


def width(text: str, size: float = 8.0) -> float:
    """How wide a text is, in points, at a font's size in points."""
    return size * sum(EM.get(character, USUAL_EM) for character in text)


def _column(table: Table, place: int, intervals: Intervals) -> float:
    """A column's width with the space before it."""
    column = table.columns[place]
    cells = [line.cells[place] for line in table.lines]
    number = max((width(c.text) * (BOLD if c.best else 1) for c in cells), default=0.0)
    beside = max((_beside(cell, intervals) for cell in cells), default=0.0)
    return max(number + beside, _head(table, column)) + SEPARATION


def _head(table: Table, column: Column) -> float:
    """The width of a column's head; of measures with several cutoffs, its share of the common one."""
    shared = next(members for members in table.heads if column in members)
    text = width(f"{column.measure.label} {table.mark(column)}".rstrip())
    return text / len(shared)


def _beside(cell: Cell, intervals: Intervals) -> float:
    """The width of what stands beside a number, in the size of subscripts."""
    raised = width(cell.stars + cell.note, SUBSCRIPT)
    if intervals == "subscript":
        return max(raised, width(cell.interval, SUBSCRIPT))
    spread = cell.plus_minus(intervals)
    text = cell.interval if intervals == "brackets" else spread and f"± {spread}"
    return raised + width(text, SUBSCRIPT)


def _even_spans(table: Table, intervals: Intervals, limit: float) -> list[range]:
    """As few parts as fit, all about as wide."""
    limits = (limit * share / 100 for share in range(50, 100, 5))
    few = list(_spans(table, intervals, limit))
    even = (list(_spans(table, intervals, narrower)) for narrower in limits)
    return next((spans for spans in even if len(spans) == len(few)), few)


def _spans(table: Table, intervals: Intervals, limit: float) -> Iterator[range]:
    """The places of the columns of parts that fit; cutoffs of one measure stay together where they can.
    A part has one column at least."""

    def fits(part: range) -> bool:
        return points(table.with_columns(part), intervals) <= limit

    start = stop = 0
    for members in table.heads:
        whole = fits(range(stop, stop + len(members)))
        for size in [len(members)] if whole else [1] * len(members):
            if stop > start and not fits(range(start, stop + size)):
                yield range(start, stop)
                start = stop
            stop += size
    yield range(start, stop)


def _chunks(blocks: Sequence[Block], rows: int) -> Iterator[tuple[Block, ...]]:
    """Blocks together that have so many rows at most; a longer one is divided."""
    chunk: list[Block] = []
    free = rows
    for block in blocks:
        for part in _parts(block, rows - 1):
            needed = _block_rows(part)
            if needed > free and chunk:
                yield tuple(chunk)
                chunk, free = [], rows
            chunk.append(part)
            free -= needed
    yield tuple(chunk)


def _parts(block: Block, rows: int) -> Iterator[Block]:
    lines: list[Line] = []
    for line in block.lines:
        if lines and sum(map(_rows, [*lines, line])) > rows:
            yield replace(block, lines=tuple(lines))
            lines = []
        lines.append(line)
    yield replace(block, lines=tuple(lines))


def _block_rows(block: Block) -> int:
    return sum(map(_rows, block.lines)) + bool(block.label)


def _rows(line: Line) -> int:
    """How many rows the strategy's name needs."""
    return math.ceil(width(line.strategy) / NAMES)
