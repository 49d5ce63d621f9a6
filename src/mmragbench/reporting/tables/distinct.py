"""A table without columns that repeat another one: with one relevant document, R@1 and Success@1."""

from __future__ import annotations

from dataclasses import replace

from mmragbench.reporting.tables.table import Cell, Column, Table
from mmragbench.reporting.words.phrases import listed


def distinct(table: Table) -> Table:
    """The table without columns whose numbers and intervals are those of an earlier one, and with a
    remark that says so."""
    first: dict[tuple[object, ...], Column] = {}
    repeats: dict[str, list[str]] = {}
    places = []
    for place, column in enumerate(table.columns):
        key = (column.group, *(_numbers(line.cells[place]) for line in table.lines))
        original = first.setdefault(key, column)
        if original is column:
            places.append(place)
        else:
            repeats.setdefault(original.measure.label, []).append(column.measure.label)
    if not repeats:
        return table
    equal = [f"{listed(dict.fromkeys(names))} = {label}" for label, names in repeats.items()]
    remark = f"Equal throughout: {', '.join(equal)}."
    return replace(
        table.with_columns(places), remarks=(*table.remarks, remark) if table.remarks else ()
    )


def _numbers(cell: Cell) -> tuple[object, ...]:
    row = cell.row
    return () if row is None else (row.estimate, row.low, row.high, row.n, str(row.absence))
