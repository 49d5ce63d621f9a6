"""Rows of summaries as columns and lines of cells: numbers as shown, with the best one marked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from mmragbench.records import Control, Measure
from mmragbench.reporting.facts.units import arrow, decimals, factor, lower_is_better, number, unit
from mmragbench.reporting.tables.comparability import usual_signatures
from mmragbench.reporting.tables.table import ABSENT, FAILED, Cell, Column, Line, Notes
from mmragbench.run_folder.numbers import Row
from mmragbench.run_folder.reading import ORDER, Run

Setting = tuple[str | None, int | None]
"""A generator and k; both None for rankings."""


@dataclass(frozen=True)
class Source:
    """One run's part of a table: its rows, its label beside other runs, its baseline, and the order
    of its strategies where it is not the run's."""

    run: Run
    rows: Sequence[Row]
    label: str = ""
    baseline: str | None = None
    order: Sequence[str] = ()

    @property
    def roles(self) -> dict[str, Control | None]:
        """Strategy -> what it is a control for, in the order of the table's lines."""
        names = [name for name in self.order or self.run.strategies if name in self.run.strategies]
        return {name: self.run.strategies[name] for name in names}

    def at(self, setting: Setting, measure: Measure) -> list[Row]:
        """One number of each strategy, which may be compared."""
        return [r for r in self.rows if (r.generator, r.k, r.measure) == (*setting, measure)]

    def contends(self, row: Row) -> bool:
        """Whether the row is a contender's."""
        return self.run.strategies[row.strategy] is None

    def best(self, setting: Setting, measure: Measure) -> Row | None:
        """The row of the best contender; None with fewer than two contenders."""
        rows = [row for row in self.at(setting, measure) if row.estimate is not None]
        rivals = [row for row in rows if self.contends(row)]
        sign = -1 if lower_is_better(measure) else 1
        top = max(rivals, key=lambda row: sign * (row.estimate or 0.0), default=None)
        return top if len(rivals) > 1 else None


def settings(rows: Sequence[Row]) -> list[Setting]:
    """The settings in the order of the rows."""
    return list(dict.fromkeys((row.generator, row.k) for row in rows))


def columns(
    rows: Sequence[Row], group: str = "", among: Sequence[Row] | None = None
) -> tuple[Column, ...]:
    """A column for each measure of the rows, cutoffs of one measure beside each other.

    Args:
        group: the run's label, where its columns are its own.
        among: the rows that decide on the decimals, where these are more.
    """
    names = list(dict.fromkeys(row.measure.name for row in rows))
    measures = dict.fromkeys(row.measure for row in rows)
    signatures = usual_signatures(rows)
    return tuple(
        Column(
            group=group,
            measure=measure,
            unit=unit(measure),
            arrow=arrow(measure),
            signature=signatures.get(measure, ""),
            places=decimals(measure, _estimates(among or rows, measure)),
        )
        for measure in sorted(measures, key=lambda measure: names.index(measure.name))
    )


def lines(sources: Sequence[Source], columns: Sequence[Column], setting: Setting) -> Iterator[Line]:
    """A line for each strategy that has a row under the setting; `sources` fill a column each."""
    filled = [
        _column(source, column, setting) for source, column in zip(sources, columns, strict=True)
    ]
    roles = {name: role for source in sources for name, role in source.roles.items()}
    for strategy in sorted(roles, key=lambda name: ORDER.index(roles[name])):
        if any(strategy in column for column in filled):
            cells = tuple(column.get(strategy, Cell()) for column in filled)
            yield Line(strategy, roles[strategy], cells)


def noted(line: Line, notes: Notes, series: Callable[[int], str]) -> Line:
    """The line with a footnote at each number that is missing."""
    cells = (
        replace(cell, note=notes.mark(cell.reason, series)) if cell.absent else cell
        for cell in line.cells
    )
    return replace(line, cells=tuple(cells))


def _column(source: Source, column: Column, setting: Setting) -> dict[str, Cell]:
    """Strategy -> its cell."""
    best = source.best(setting, column.measure)
    top = None if best is None else column.shown(best.estimate or 0.0)
    cells = {}
    for row in source.at(setting, column.measure):
        cell = _cell(row, column, source.label)
        cells[row.strategy] = replace(cell, best=cell.text == top and source.contends(row))
    return cells


def _cell(row: Row, column: Column, run: str) -> Cell:
    if row.estimate is None:
        crashed = row.absence.crashed if row.absence else bool(row.n_failed)
        return Cell(row, run, FAILED if crashed else ABSENT)
    sd = "" if row.sd is None else number(row.sd * factor(row.measure), column.places)
    return Cell(row, run, column.shown(row.estimate), *_interval(row, row.estimate, column), sd)


def _interval(row: Row, estimate: float, column: Column) -> tuple[str, str, str]:
    """The ends of the row's interval, and the larger distance from the estimate to one of them."""
    if row.low is None or row.high is None:
        return "", "", ""
    half = max(estimate - row.low, row.high - estimate) * factor(row.measure)
    return column.shown(row.low), column.shown(row.high), number(half, column.places)


def _estimates(rows: Sequence[Row], measure: Measure) -> Iterator[float]:
    return (row.estimate for row in rows if row.measure == measure and row.estimate is not None)
