"""The main table, one column for each task's primary measure; and the same measure slice by slice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mmragbench.reporting.facts.headline import Headline
from mmragbench.reporting.facts.marks import marks
from mmragbench.reporting.tables.cells import Source, columns, lines, noted
from mmragbench.reporting.tables.report_tables import lettered
from mmragbench.reporting.tables.table import Cell, Column, Line, Notes, digits
from mmragbench.reporting.words.phrases import setting
from mmragbench.run_folder.numbers import Row
from mmragbench.run_folder.reading import Run

FEW = 100
"""Queries below which a slice's numbers are to be read with care."""


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column or of a slices' table: a task's primary measure under one setting."""

    task: str
    column: Column
    setting: str
    silver: str | None
    n: int


@dataclass(frozen=True, slots=True)
class Overview:
    """The main table: a cell for each head; blank where the suite has no such number."""

    heads: tuple[Head, ...]
    lines: tuple[Line, ...]
    notes: tuple[tuple[str, str], ...]

    @property
    def tied(self) -> bool:
        """Whether any number does not differ significantly from the best one of its column."""
        return any(cell.tied for line in self.lines for cell in line.cells)


@dataclass(frozen=True, slots=True)
class SliceLine:
    """One slice of a slices' table: a cell for each strategy."""

    slice: str
    n: int
    cells: tuple[Cell, ...]

    @property
    def few(self) -> bool:
        return self.n < FEW


@dataclass(frozen=True, slots=True)
class SliceTable:
    """A task's primary measure on all queries and on each slice; strategies without a number on any
    are left out."""

    head: Head
    strategies: tuple[tuple[str, str | None], ...]
    lines: tuple[SliceLine, ...]
    notes: tuple[tuple[str, str], ...]

    @property
    def by_strategy(self) -> bool:
        """Whether a page has more room for a row a strategy than for a row a slice."""
        return len(self.strategies) > len(self.lines)

    @property
    def few(self) -> bool:
        return any(line.few for line in self.lines)

    @property
    def tied(self) -> bool:
        return any(cell.tied for line in self.lines for cell in line.cells)


def overview(run: Run, headlines: Sequence[Headline]) -> Overview:
    """A column for each headline; contenders first, then the controls, as far as they have a row in
    any task."""
    notes = Notes()
    heads = [_head(run, headline) for headline in headlines]
    filled = [
        _cells(run, _rows(run, headline, "all"), head.column, notes)
        for headline, head in zip(headlines, heads, strict=True)
    ]
    shown = tuple(
        Line(strategy, control, tuple(column.get(strategy, Cell()) for column in filled))
        for strategy, control in run.strategies.items()
        if any(strategy in column for column in filled)
    )
    return Overview(tuple(heads), shown, notes.listed())


def slice_table(run: Run, headline: Headline) -> SliceTable | None:
    """The task's slices, or None where it has none."""
    rows = _rows(run, headline)
    names = list(dict.fromkeys(row.slice for row in rows))
    numbered = {row.strategy for row in rows if row.estimate is not None}
    strategies = tuple((name, role) for name, role in run.strategies.items() if name in numbered)
    if len(names) < 2:
        return None
    notes, (column,) = Notes(), columns(rows)
    shown = []
    for name in names:
        own = [row for row in rows if row.slice == name and row.strategy in numbered]
        cells = _cells(run, own, column, notes)
        n = max((row.n for row in own), default=0)
        shown.append(SliceLine(name, n, tuple(cells.get(s, Cell()) for s, _ in strategies)))
    return SliceTable(_head(run, headline), strategies, tuple(shown), notes.listed())


def _head(run: Run, headline: Headline) -> Head:
    (column,) = columns(_rows(run, headline, "all"))
    return Head(
        task=headline.task.name,
        column=column,
        setting=setting(headline.generator, headline.k),
        silver=headline.task.silver if headline.generator is None else None,
        n=max(row.n for row in headline.rows),
    )


def _cells(run: Run, rows: Sequence[Row], column: Column, notes: Notes) -> dict[str, Cell]:
    """Strategy -> its cell, which is tied where it shares a letter with the best. The letters
    themselves are not shown."""
    if not rows:
        return {}
    letters, key = marks(run, rows), (rows[0].generator, rows[0].k)
    shown = [
        noted(lettered(line, letters), notes, digits)
        for line in lines([Source(run, rows)], [column], key)
    ]
    best = {letter for line in shown if line.cells[0].best for letter in line.cells[0].letters}
    return {line.strategy: _tied(line.cells[0], best) for line in shown}


def _tied(cell: Cell, best: set[str]) -> Cell:
    return replace(cell, letters="", tied=not cell.best and bool(best & set(cell.letters)))


def _rows(run: Run, headline: Headline, slice: str | None = None) -> list[Row]:
    """The rows of the headline's task, measure and setting, on one slice or on all."""
    wanted = (headline.task.name, headline.measure, headline.generator, headline.k)
    return [
        row
        for row in run.rows
        if (row.task, row.measure, row.generator, row.k) == wanted and slice in (None, row.slice)
    ]
