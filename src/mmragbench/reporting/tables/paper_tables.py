"""Runs as papers' tables: one for each task's outputs, one for its rankings.

Several runs are stacked (a group of rows each) where their numbers may share columns, and stand
side by side (columns of their own) where they may not: no column mixes signatures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mmragbench.errors import DataError
from mmragbench.reporting.tables.caption import TableContent, caption, remarks
from mmragbench.reporting.tables.cells import Setting, Source, columns, lines, noted, settings
from mmragbench.reporting.tables.comparability import obstacles, remark
from mmragbench.reporting.tables.labels import labels
from mmragbench.reporting.tables.request import Request
from mmragbench.reporting.tables.table import (
    ABSENT,
    Block,
    Cell,
    Column,
    Line,
    Notes,
    Table,
    daggers,
    letters,
)
from mmragbench.reporting.tables.table_tests import TableTests
from mmragbench.reporting.words.phrases import setting
from mmragbench.run_folder.reading import Run


def tables(runs: Sequence[Run], request: Request) -> list[Table]:
    """Every table that a request names, in the order of the suites.

    Raises:
        DataError: the request names what none of the runs has, or nothing fits all of it.
    """
    request.check(runs)
    tasks = request.tasks or dict.fromkeys(task for run in runs for task in run.tasks)
    labelled = list(zip(runs, labels(runs), strict=True))
    shown = []
    for task in tasks:
        for generated in (True, False):
            sources = [
                Source(run, rows, label, request.baseline or run.suite.get("baseline"))
                for run, label in labelled
                if (rows := request.chosen(run, task, generated))
            ]
            if sources:
                shown.append(_table(sources, task, generated, request))
    if not shown:
        raise DataError(request.nothing(runs))
    return shown


def _table(sources: Sequence[Source], task: str, generated: bool, request: Request) -> Table:
    unlike = obstacles([(s.run, s.rows) for s in sources], task) if len(sources) > 1 else []
    tests = TableTests.of([(s.run, s.rows, s.baseline) for s in sources])
    grid = _Grid(sources, tests, side_by_side=bool(unlike))
    blocks = tuple(grid.blocks())
    content = TableContent(
        task, generated, sources, grid.columns, blocks, tests, unlike, grid.left_out, request
    )
    return Table(
        task=task,
        part="generation" if generated else "retrieval",
        slice=request.slice,
        silver=None if generated else sources[0].run.tasks[task].silver,
        columns=grid.columns,
        blocks=blocks,
        notes=grid.notes.listed(),
        remarks=tuple(remarks(content)),
        caption=tuple(caption(content)),
    )


class _Grid:
    """The runs' numbers under their columns; collects footnotes and what has no line."""

    def __init__(self, sources: Sequence[Source], tests: TableTests, side_by_side: bool) -> None:
        self.sources, self.tests, self.side_by_side = sources, tests, side_by_side
        self.rows = [row for source in sources for row in source.rows]
        groups = [(s.rows, s.label) for s in sources] if side_by_side else [(self.rows, "")]
        self.columns = tuple(c for group in groups for c in columns(*group, among=self.rows))
        self.notes = Notes()
        self.left_out: dict[str, list[tuple[str, str]]] = {}
        """Reason -> the (strategy, setting) pairs that have no line because of it."""

    def blocks(self) -> Iterator[Block]:
        """A block for each setting; where runs share columns, for each run and setting."""
        if self.side_by_side:
            by_label = {source.label: source for source in self.sources}
            across = [by_label[column.group] for column in self.columns]
            for key in settings(self.rows):
                yield from self._block(setting(*key), across, key)
            return
        for source in self.sources:
            for key in settings(source.rows):
                label = ", ".join(filter(None, (source.label, setting(*key))))
                yield from self._block(label, [source] * len(self.columns), key)

    def _block(self, label: str, across: Sequence[Source], key: Setting) -> Iterator[Block]:
        shown = []
        for line in lines(across, self.columns, key):
            if all(cell.text in ("", ABSENT) for cell in line.cells):
                self._leave_out(line, setting(*key))
                continue
            parts = zip(line.cells, self.columns, across, strict=True)
            marked = replace(line, cells=tuple(self._marked(*part) for part in parts))
            shown.append(noted(marked, self.notes, letters))
        if shown:
            yield Block(label, tuple(shown))

    def _marked(self, cell: Cell, column: Column, source: Source) -> Cell:
        """The cell with stars, ties and a dagger where its signature is not the column's."""
        row = cell.row
        if row is None or row.estimate is None:
            return cell
        unlike = remark(row, column.signature)
        note = self.notes.mark(f"Signature: {unlike}.", daggers) if unlike else ""
        if not source.contends(row):
            return replace(cell, note=note)
        best = source.best((row.generator, row.k), row.measure)
        tied = best and self.tests.differ(source.run, row, best.strategy) is False
        return replace(
            cell,
            tied=bool(tied) and not cell.best,
            stars=self.tests.stars(source.run, row, source.baseline),
            note=note,
        )

    def _leave_out(self, line: Line, place: str) -> None:
        for reason in dict.fromkeys(cell.reason for cell in line.cells if cell.row):
            places = self.left_out.setdefault(reason, [])
            places += [(line.strategy, place)] if (line.strategy, place) not in places else []
