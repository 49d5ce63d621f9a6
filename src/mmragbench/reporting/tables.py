"""Summary rows as tables: one per task, part and slice, with the best, chance, and footnotes.

A *part* is `retrieval` or `generation`. A *block* holds what may be compared: the strategies under
one generator and one number of retrieved documents. The best contender of each block is marked;
controls never are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from mmragbench.records import Measure
from mmragbench.reporting.folder import Row, RunFolder, TaskFacts
from mmragbench.reporting.units import decimals, lower_is_better, shown, unit

ABSENT = "—"


@dataclass(frozen=True, slots=True)
class Cell:
    """One number as shown; or a dash with a footnote; or nothing, where nothing was asked."""

    text: str = ""
    interval: str = ""
    best: bool = False
    note: int | None = None
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One strategy in one block; `control` is what it stands for, None for a contender."""

    strategy: str
    control: str | None
    n: str
    n_failed: int
    cells: tuple[Cell, ...]


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
    """What one task measured, for all queries or for a slice."""

    task: str
    part: str
    slice: str
    silver: str | None
    columns: tuple[Column, ...]
    blocks: tuple[Block, ...]
    notes: tuple[str, ...]

    @property
    def failed(self) -> bool:
        """Whether anything failed: the column that counts it is shown only then."""
        return any(line.n_failed for block in self.blocks for line in block.lines)


@dataclass
class _Notes:
    """Footnotes, numbered in the order in which they are first needed."""

    reasons: list[str] = field(default_factory=list)

    def number(self, reason: str) -> int:
        if reason not in self.reasons:
            self.reasons.append(reason)
        return self.reasons.index(reason) + 1


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
    return ", ".join([generator or "", *([f"k = {k}"] if k is not None else [])]).strip(", ")


def _bare(row: Row) -> bool:
    return row.generator is None


def _table(run: RunFolder, facts: TaskFacts, part: str, rows: Sequence[Row]) -> Table:
    measures = list(dict.fromkeys(row.measure for row in rows))
    places = {m: decimals(m, _estimates(r for r in rows if r.measure == m)) for m in measures}
    notes = _Notes()
    blocks = []
    for key in dict.fromkeys((row.generator, row.k) for row in rows):
        chosen = [row for row in rows if (row.generator, row.k) == key]
        lines = tuple(_lines(run, chosen, places, notes))
        blocks.append(Block(setting(*key), lines))
    return Table(
        task=facts.name,
        part=part,
        slice=rows[0].slice,
        silver=facts.silver if part == "retrieval" else None,
        columns=tuple(Column(m, unit(m), "↓" if lower_is_better(m) else "↑") for m in measures),
        blocks=tuple(blocks),
        notes=tuple(notes.reasons),
    )


def _lines(
    run: RunFolder, rows: Sequence[Row], places: dict[Measure, int], notes: _Notes
) -> Iterable[Line]:
    best = {m: _best(run, [r for r in rows if r.measure == m], places[m]) for m in places}
    for strategy, control in run.strategies.items():
        found = {row.measure: row for row in rows if row.strategy == strategy}
        if not found:
            continue
        counts = sorted({row.n for row in found.values() if row.reason is None})
        yield Line(
            strategy=strategy,
            control=control,
            n="–".join(str(n) for n in dict.fromkeys([counts[0], counts[-1]])) if counts else "",
            n_failed=max(row.n_failed for row in found.values()),
            cells=tuple(
                _cell(found.get(m), places[m], None if control else best[m], notes) for m in places
            ),
        )


def _cell(row: Row | None, places: int, best: str | None, notes: _Notes) -> Cell:
    if row is None:
        return Cell(reason="not asked for")
    if row.estimate is None:
        failed = f"failed for all {row.n_failed} queries" if row.n_failed else "no value"
        reason = row.reason or failed
        return Cell(ABSENT, note=notes.number(reason), reason=reason)
    text = shown(row.measure, row.estimate, places)
    failed = f", {row.n_failed} failed" if row.n_failed else ""
    return Cell(text, _interval(row, places), text == best, detail=f"n = {row.n}{failed}")


def _interval(row: Row, places: int) -> str:
    if row.low is None or row.high is None:
        return ""
    low, high = (shown(row.measure, bound, places) for bound in (row.low, row.high))
    return f"[{low}, {high}]"


def _best(run: RunFolder, rows: Sequence[Row], places: int) -> str | None:
    """The best contender's number as shown (so that ties are all marked); None below two."""
    values = list(_estimates(row for row in rows if run.strategies[row.strategy] is None))
    if len(values) < 2:
        return None
    measure = rows[0].measure
    return shown(measure, (min if lower_is_better(measure) else max)(values), places)


def _estimates(rows: Iterable[Row]) -> list[float]:
    return [row.estimate for row in rows if row.estimate is not None]
