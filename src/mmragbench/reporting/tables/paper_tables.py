"""Runs as papers' tables: one for each task's outputs, one for its rankings.

Several runs are stacked (a group of rows each) where their numbers may share columns, and stand
side by side (columns of their own) where they may not: no column mixes signatures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from mmragbench.errors import DataError
from mmragbench.reporting.tables.average_ranks import with_average_ranks
from mmragbench.reporting.tables.caption import caption, remarks
from mmragbench.reporting.tables.cells import Setting, Source, columns, lines, noted, settings
from mmragbench.reporting.tables.comparability import obstacles, remark
from mmragbench.reporting.tables.content import TableContent
from mmragbench.reporting.tables.labels import labels
from mmragbench.reporting.tables.request import NoteLength, Request, Style
from mmragbench.reporting.tables.short_note import short_note
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

NOTES: Mapping[NoteLength, Callable[[TableContent], Iterable[str]]] = {
    "short": lambda content: filter(None, [short_note(content)]),
    "full": remarks,
    "none": lambda _: (),
}
"""The sentences below a table, by the length of its note."""


def tables(runs: Sequence[Run], request: Request) -> list[Table]:
    """Every table that a request names, in the order of the suites.

    Raises:
        DataError: the request names what none of the runs has, or nothing fits all of it.
    """
    request.check(runs)
    tasks = request.tasks or dict.fromkeys(task for run in runs for task in run.tasks)
    labelled = list(zip(runs, map(request.style.name, labels(runs)), strict=True))
    shown = []
    for task in tasks:
        for generated in (True, False):
            sources = [
                Source(run, rows, label, baseline, request.strategies)
                for run, label in labelled
                if (rows := request.chosen(run, task, generated))
                for baseline in (request.baseline or run.suite.get("baseline"),)
            ]
            if sources:
                shown.append(_table(sources, task, generated, request))
    if not shown:
        raise DataError(request.nothing(runs))
    return shown


def _table(sources: Sequence[Source], task: str, generated: bool, request: Request) -> Table:
    unlike = obstacles([(s.run, s.rows) for s in sources], task) if len(sources) > 1 else []
    tests = TableTests.of([(s.run, s.rows, s.baseline) for s in sources])
    grid = _Grid(sources, tests, request.style, side_by_side=bool(unlike))
    heads, blocks = grid.columns, tuple(grid.blocks())
    if unlike:
        heads, blocks = with_average_ranks(heads, blocks)
    if request.style.note == "none":
        grid.notes, blocks = Notes(), tuple(map(_without_marks, blocks))
    content = TableContent(
        task, generated, sources, heads, blocks, tests, unlike, grid.left_out, request
    )
    return Table(
        task=task,
        part="generation" if generated else "retrieval",
        slice=request.slice,
        silver=None if generated else sources[0].run.tasks[task].silver,
        columns=heads,
        blocks=blocks,
        notes=grid.notes.listed(),
        remarks=tuple(NOTES[request.style.note](content)),
        caption=tuple(caption(content)),
    )


def _without_marks(block: Block) -> Block:
    """The block without the marks of footnotes."""
    lines = (
        replace(line, cells=tuple(replace(cell, note="") for cell in line.cells))
        for line in block.lines
    )
    return replace(block, lines=tuple(lines))


class _Grid:
    """The runs' numbers under their columns; collects footnotes and what has no line."""

    def __init__(
        self, sources: Sequence[Source], tests: TableTests, style: Style, side_by_side: bool
    ) -> None:
        self.sources, self.tests, self.style = sources, tests, style
        self.side_by_side = side_by_side
        self.rows = [row for source in sources for row in source.rows]
        groups = [(s.rows, s.label) for s in sources] if side_by_side else [(self.rows, "")]
        heads = [column for group in groups for column in columns(*group, among=self.rows)]
        if style.digits is not None:
            heads = [replace(column, places=style.digits) for column in heads]
        self.columns = tuple(heads)
        self.notes = Notes()
        self.left_out: dict[str, list[tuple[str, str]]] = {}
        """Reason -> the (strategy, setting) pairs that have no line because of it."""

    def blocks(self) -> Iterator[Block]:
        """A block for each setting; where runs share columns, for each run and setting."""
        if self.side_by_side:
            by_label = {source.label: source for source in self.sources}
            across = [by_label[column.group] for column in self.columns]
            for key in settings(self.rows):
                yield from self._block("", across, key)
            return
        for source in self.sources:
            for key in settings(source.rows):
                yield from self._block(source.label, [source] * len(self.columns), key)

    def _block(self, run: str, across: Sequence[Source], key: Setting) -> Iterator[Block]:
        shown = []
        for line in lines(across, self.columns, key):
            if all(cell.text in ("", ABSENT) for cell in line.cells):
                self._leave_out(line, self._setting(key))
                continue
            parts = zip(line.cells, self.columns, across, strict=True)
            marked = replace(
                line,
                strategy=self.style.name(line.strategy),
                cells=tuple(self._marked(*part) for part in parts),
            )
            shown.append(noted(marked, self.notes, letters))
        if shown:
            yield Block(", ".join(filter(None, (run, self._setting(key)))), tuple(shown))

    def _setting(self, key: Setting) -> str:
        generator, k = key
        return setting(generator and self.style.name(generator), k)

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
            name = self.style.name(line.strategy)
            places += [(name, place)] if (name, place) not in places else []
