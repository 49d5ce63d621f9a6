"""Summary rows as tables: one per task, part and slice, with the best, chance, and footnotes.

A *part* is `retrieval` or `generation`. A *block* holds what may be compared: the strategies under
one generator and one number of retrieved documents. The best contender of each block is marked;
controls never are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from mmragbench.records import Measure
from mmragbench.reporting.facts.marks import legend
from mmragbench.reporting.facts.units import arrow, decimals, is_distance, unit
from mmragbench.reporting.tables.lines import Line, Notes, estimates, joined, lines
from mmragbench.run_folder.report_data import Row, RunFolder, TaskFacts

NO_LEVELS = (
    "{}: no control is a floor, a ceiling or chance here. Intervals are of the distance expected at "
    "this number of images."
)


@dataclass(frozen=True, slots=True)
class Block:
    """The strategies under one setting: `nearest, k = 1`; unnamed for retrieval."""

    label: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A measure with the unit that its head shows."""

    measure: Measure
    unit: str
    arrow: str


@dataclass(frozen=True)
class Table:
    """What one task measured, for all queries or for a slice. `remarks` hold for all of it: what
    the letters mean, what to know about a measure; `notes` are footnotes."""

    task: str
    part: str
    slice: str
    silver: str | None
    columns: tuple[Column, ...]
    blocks: tuple[Block, ...]
    notes: tuple[str, ...]
    remarks: tuple[str, ...] = ()

    @property
    def groups(self) -> list[list[Column]]:
        """Neighbouring columns of one measure at several cutoffs, together; others alone."""
        key = groupby(self.columns, key=lambda c: (c.measure.name, c.measure.cutoff is None))
        return [part for _, group in key for part in _parts(list(group))]

    @property
    def failed(self) -> bool:
        """Whether anything failed: the column that counts it is shown only then."""
        return any(line.n_failed for block in self.blocks for line in block.lines)


def _parts(group: list[Column]) -> list[list[Column]]:
    return [group] if group[0].measure.cutoff is not None else [[column] for column in group]


def tables(run: RunFolder) -> list[Table]:
    """All tables of a run: task by task, generation before retrieval, slices after all queries."""
    return [table for facts in run.tasks.values() for table in task_tables(run, facts)]


def task_tables(run: RunFolder, facts: TaskFacts) -> list[Table]:
    """The tables of one task."""
    rows = [row for row in run.rows if row.task == facts.name]
    slices = sorted(dict.fromkeys(row.slice for row in rows), key=lambda name: name != "all")
    found = []
    for slice_ in slices:
        for part in ("generation", "retrieval"):
            chosen = [r for r in rows if r.slice == slice_ and (part == "retrieval") == _bare(r)]
            if chosen:
                found.append(_table(run, facts, part, chosen))
    return found


def title(table: Table) -> str:
    """What a table is about: `retrieval (silver relevance: categories), emblems only`."""
    silver = f" (silver relevance: {table.silver})" if table.silver else ""
    return f"{table.part}{silver}" + (f", {table.slice} only" if table.slice != "all" else "")


def setting(generator: str | None, k: int | None) -> str:
    """How a block is named: `consensus, k = 4`."""
    depth = {None: "", 0: "nothing retrieved"}.get(k, f"k\u00a0=\u00a0{k}")
    return ", ".join(part for part in (generator, depth) if part)


def _bare(row: Row) -> bool:
    return row.generator is None


def _table(run: RunFolder, facts: TaskFacts, part: str, rows: Sequence[Row]) -> Table:
    names = list(dict.fromkeys(row.measure.name for row in rows))
    asked = dict.fromkeys(row.measure for row in rows)
    measures = sorted(asked, key=lambda measure: names.index(measure.name))
    places = {m: decimals(m, estimates(r for r in rows if r.measure == m)) for m in measures}
    notes = Notes()
    blocks = []
    for key in dict.fromkeys((row.generator, row.k) for row in rows):
        chosen = [row for row in rows if (row.generator, row.k) == key]
        found = list(lines(run, chosen, places, notes))
        blocks.append(Block(setting(*key), tuple(joined(found))))
    return Table(
        task=facts.name,
        part=part,
        slice=rows[0].slice,
        silver=facts.silver if part == "retrieval" else None,
        columns=tuple(Column(m, unit(m), arrow(m)) for m in measures),
        blocks=tuple(blocks),
        notes=tuple(notes.reasons),
        remarks=tuple(_remarks(run, blocks, rows)),
    )


def _remarks(run: RunFolder, blocks: Sequence[Block], rows: Sequence[Row]) -> Iterator[str]:
    if any(cell.marks for block in blocks for line in block.lines for cell in line.cells):
        yield legend(run, rows)
    yield from dict.fromkeys(row.warning for row in rows if row.warning)
    if distances := list(
        dict.fromkeys(str(row.measure) for row in rows if is_distance(row.measure))
    ):
        yield NO_LEVELS.format(" and ".join(distances))
