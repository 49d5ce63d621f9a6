"""A paper's tables for other programs: one row per number, on raw scales, with its marks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mmragbench._digits import exact
from mmragbench.formats import spreadsheets
from mmragbench.reporting.tables.table import Cell, Column, Line, Table
from mmragbench.run_folder.numbers import Row

STORED = (
    *("task", "strategy", "generator", "k", "slice", "measure"),
    *("estimate", "low", "high", "n", "n_failed", "reason", "signature"),
)
NUMBERS = ("estimate", "low", "high")
COLUMNS = ("table", "run", *STORED, "control", "best", "tied_with_best", "stars")


def csv(tables: Sequence[Table]) -> str:
    """All numbers of the tables; `run` is the group's name where there are several runs."""
    rows = (row for table in tables for row in _rows(table))
    return spreadsheets.table(COLUMNS, ([row[name] for name in COLUMNS] for row in rows))


def _rows(table: Table) -> Iterator[dict[str, object]]:
    for line in (line for block in table.blocks for line in block.lines):
        for column, cell in zip(table.columns, line.cells, strict=True):
            if cell.row is not None:
                yield _row(table, column, line, cell, cell.row)


def _row(table: Table, column: Column, line: Line, cell: Cell, row: Row) -> dict[str, object]:
    stored = {key: getattr(row, key) for key in STORED}
    stored |= {key: exact(stored[key]) for key in NUMBERS if stored[key] is not None}
    marks = {"best": cell.best, "tied_with_best": cell.tied, "stars": cell.stars}
    return {
        **stored,
        "table": table.name,
        "run": cell.run or column.group,
        "measure": str(row.measure),
        "control": line.control,
        **{key: value or "" for key, value in marks.items()},
    }
