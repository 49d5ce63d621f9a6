"""A report's tables: one per task, part and slice, with letters at numbers that do not differ.

A *part* is `retrieval` or `generation`. A *block* holds what may be compared: the strategies under
one generator and one number of retrieved documents. The best contender of each block is marked;
controls never are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mmragbench.reporting.facts.marks import CellKey, family_note, marks
from mmragbench.reporting.facts.units import is_distance
from mmragbench.reporting.tables.cells import Source, columns, lines, noted, settings
from mmragbench.reporting.tables.table import Block, Column, Line, Notes, Part, Table, digits
from mmragbench.reporting.words.phrases import seeds_of, setting
from mmragbench.run_folder.numbers import Row
from mmragbench.run_folder.reading import Run, TaskFacts

DISTANCES = (
    "{}: no control is a floor, a ceiling or chance here. Intervals are of the distance expected at "
    "this number of images."
)
ENOUGH = 3
"""So many lines without a number and with the same footnotes become one line."""


def tables(run: Run) -> list[Table]:
    """All tables of a run: task by task, generation before retrieval, slices after all queries."""
    return [table for facts in run.tasks.values() for table in task_tables(run, facts)]


def task_tables(run: Run, facts: TaskFacts) -> list[Table]:
    """The tables of one task."""
    rows = [row for row in run.rows if row.task == facts.name]
    parts: dict[Part, list[Row]] = {
        "generation": [row for row in rows if row.generator is not None],
        "retrieval": [row for row in rows if row.generator is None],
    }
    slices = sorted(dict.fromkeys(row.slice for row in rows), key=lambda name: name != "all")
    return [
        _table(run, facts, part, chosen)
        for slice in slices
        for part, of_part in parts.items()
        if (chosen := [row for row in of_part if row.slice == slice])
    ]


def _table(run: Run, facts: TaskFacts, part: Part, rows: Sequence[Row]) -> Table:
    heads, letters, notes = columns(rows), marks(run, rows), Notes()
    sources = [Source(run, rows)] * len(heads)
    blocks = []
    for key in settings(rows):
        block = [
            noted(lettered(line, letters), notes, digits) for line in lines(sources, heads, key)
        ]
        blocks.append(Block(setting(*key), tuple(_joined(block))))
    return Table(
        task=facts.name,
        part=part,
        slice=rows[0].slice,
        silver=facts.silver if part == "retrieval" else None,
        columns=heads,
        blocks=tuple(blocks),
        notes=notes.listed(),
        within=family_note(run, rows) if any(letters.values()) else None,
        remarks=(*_remarks(rows), *_over_seeds(run, heads, blocks)),
    )


def lettered(line: Line, letters: dict[tuple[CellKey, str], str]) -> Line:
    """The line with the letters of its numbers."""
    cells = (
        replace(cell, letters=letters.get((CellKey.of_row(cell.row), line.strategy), ""))
        if cell.row
        else cell
        for cell in line.cells
    )
    return replace(line, cells=tuple(cells))


def _joined(block: Sequence[Line]) -> Iterator[Line]:
    """Many lines without a number and with the same footnotes become one, at the end."""
    groups: dict[tuple[tuple[str, str], ...], list[Line]] = {}
    for line in block:
        if not line.n and not line.n_failed:
            alike = tuple((cell.text, cell.note) for cell in line.cells)
            groups.setdefault(alike, []).append(line)
    many = [group for group in groups.values() if len(group) >= ENOUGH]
    yield from (line for line in block if not any(line in group for group in many))
    for group in many:
        yield Line(f"{len(group)} others", None, group[0].cells, len(group))


def _over_seeds(run: Run, columns: Sequence[Column], blocks: Sequence[Block]) -> Iterator[str]:
    """A sentence on means over seeds: what their intervals have, and how far the seeds lie apart."""
    widest = []
    for place, column in enumerate(columns):
        cells = (line.cells[place] for block in blocks for line in block.lines)
        spread = {cell.row.sd: cell.sd for cell in cells if cell.row and cell.row.sd is not None}
        if spread:
            widest.append(f"{column.measure.label} {spread[max(spread)]}")
    if widest:
        named = seeds_of(run)
        yield (
            f"{named[:1].upper()}{named[1:]}: their intervals have both sources of variation, queries and "
            f"seeds. Standard deviation over seeds, at most: {', '.join(widest)}."
        )


def _remarks(rows: Sequence[Row]) -> Iterator[str]:
    """What to know of a measure."""
    yield from dict.fromkeys(row.warning for row in rows if row.warning)
    distances = dict.fromkeys(str(row.measure) for row in rows if is_distance(row.measure))
    if distances:
        yield DISTANCES.format(" and ".join(distances))
