"""The main table: a column a task, each with its primary measure; and the same slice by slice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from mmragbench.records import Measure
from mmragbench.reporting.facts.headline import Headline
from mmragbench.reporting.facts.units import arrow, decimals, unit
from mmragbench.reporting.tables.lines import Cell, Notes, estimates, lines
from mmragbench.reporting.tables.tables import setting
from mmragbench.run_folder.report_data import Row, RunFolder

FEW = 100
"""Queries below which a slice's numbers are to be read with care."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a column, or a slice's table, holds: a task's primary measure under one setting."""

    task: str
    measure: Measure
    unit: str
    arrow: str
    setting: str
    silver: str | None
    n: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A cell, and whether it can't be told from the column's best."""

    cell: Cell
    tied: bool = False


@dataclass(frozen=True, slots=True)
class OverviewLine:
    """A strategy over all tasks; no entry where nothing was asked."""

    strategy: str
    control: str | None
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """The main table. `tied` says whether any number can't be told from the best beside it."""

    heads: tuple[Head, ...]
    lines: tuple[OverviewLine, ...]
    notes: tuple[str, ...]

    @property
    def tied(self) -> bool:
        return any(entry.tied for line in self.lines for entry in line.entries)


@dataclass(frozen=True, slots=True)
class SliceLine:
    """A slice: an entry for each strategy of the table."""

    slice: str
    n: int
    entries: tuple[Entry, ...]

    @property
    def few(self) -> bool:
        return self.n < FEW


@dataclass(frozen=True, slots=True)
class SliceTable:
    """A task's primary measure on all queries and on each slice; strategies without a number on any
    are left out. `notes` are its footnotes."""

    head: Head
    strategies: tuple[tuple[str, str | None], ...]
    lines: tuple[SliceLine, ...]
    notes: tuple[str, ...]

    @property
    def few(self) -> bool:
        return any(line.few for line in self.lines)

    @property
    def tied(self) -> bool:
        return any(entry.tied for line in self.lines for entry in line.entries)


def overview(run: RunFolder, every: Sequence[Headline]) -> Overview:
    """A column for each headline; contenders first, then the controls, as far as they have a row in
    any task."""
    notes = Notes()
    columns = [_column(run, headline, notes) for headline in every]
    found = []
    for strategy, control in run.strategies.items():
        entries = tuple(column.get(strategy, Entry(Cell())) for column in columns)
        if any(entry.cell.text for entry in entries):
            found.append(OverviewLine(strategy, control, entries))
    return Overview(tuple(map(_head, every)), tuple(found), tuple(notes.reasons))


def slice_table(run: RunFolder, headline: Headline) -> SliceTable | None:
    """The task's slices, or None where it has none."""
    rows = [row for row in run.rows if _alike(row, headline)]
    names = list(dict.fromkeys(row.slice for row in rows))
    numbered = {row.strategy for row in rows if row.estimate is not None}
    chosen = tuple((name, role) for name, role in run.strategies.items() if name in numbered)
    if len(names) < 2:
        return None
    notes = Notes()
    found = tuple(_slice_lines(run, rows, names, [name for name, _ in chosen], notes))
    return SliceTable(_head(headline), chosen, found, tuple(notes.reasons))


def _slice_lines(
    run: RunFolder, rows: Sequence[Row], names: list[str], strategies: list[str], notes: Notes
) -> Iterator[SliceLine]:
    places = {rows[0].measure: decimals(rows[0].measure, estimates(rows))}
    for name in names:
        own = [row for row in rows if row.slice == name and row.strategy in strategies]
        found = {line.strategy: line.cells[0] for line in lines(run, own, places, notes)}
        entries = _entries(found)
        n = max((row.n for row in own), default=0)
        yield SliceLine(
            name, n, tuple(entries.get(strategy, Entry(Cell())) for strategy in strategies)
        )


def _head(headline: Headline) -> Head:
    measure = headline.measure
    return Head(
        task=headline.task.name,
        measure=measure,
        unit=unit(measure),
        arrow=arrow(measure),
        setting=setting(headline.generator, headline.k),
        silver=headline.task.silver if headline.generator is None else None,
        n=max(row.n for row in headline.rows),
    )


def _column(run: RunFolder, headline: Headline, notes: Notes) -> dict[str, Entry]:
    rows = [row for row in run.rows if row.slice == "all" and _alike(row, headline)]
    places = {headline.measure: decimals(headline.measure, estimates(rows))}
    return _entries({line.strategy: line.cells[0] for line in lines(run, rows, places, notes)})


def _entries(cells: Mapping[str, Cell]) -> dict[str, Entry]:
    """Those that share a letter with a best one are tied with it; the letters are not shown."""
    best = {letter for cell in cells.values() if cell.best for letter in cell.marks}
    return {
        strategy: Entry(replace(cell, marks=""), not cell.best and bool(best & set(cell.marks)))
        for strategy, cell in cells.items()
    }


def _alike(row: Row, headline: Headline) -> bool:
    """Whether a number is of the headline's task, measure and setting, on whatever slice."""
    wanted = (headline.task.name, headline.measure, headline.generator, headline.k)
    return (row.task, row.measure, row.generator, row.k) == wanted
