"""The note of one line below a paper's table: what its marks mean."""

from __future__ import annotations

from collections.abc import Iterator

from mmragbench._digits import counted
from mmragbench.reporting.tables.content import TableContent
from mmragbench.reporting.tables.table import AVERAGE_RANK, hundredfold
from mmragbench.reporting.words.phrases import listed

INTERVALS = {
    "subscript": "{} intervals as subscripts",
    "brackets": "{} intervals in brackets",
    "plusminus": "± the larger half of the {} interval",
}


def short_note(table: TableContent) -> str:
    """One sentence on what stands beside numbers, on marks, and on what was left out; empty where there
    is nothing to explain."""
    text = "; ".join(_clauses(table))
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _clauses(table: TableContent) -> Iterator[str]:
    if hundredfold(table.columns):
        yield "numbers ×100"
    yield from _beside(table)
    if any(cell.best for cell in table.cells):
        tied = any(cell.tied for cell in table.cells)
        yield "bold: best" + ", underlined: not significantly different from it" * tied
    if any(cell.stars for cell in table.cells):
        yield f"*, **, ***: p < .05, .01, .001 against {listed(table.baselines, 'or')} (Holm)"
    if any(table.strategies().values()):
        yield "italics: controls"
    if any(column.measure == AVERAGE_RANK for column in table.columns):
        yield f"{AVERAGE_RANK.name}: over the {len(table.columns) - 1} columns"
    exclusions = [raw for source in table.sources for raw in source.run.exclusions]
    if left_out := {(raw.get("kind"), raw.get("id")) for raw in exclusions}:
        yield f"{counted(len(left_out), 'item')} of the data left out"


def _beside(table: TableContent) -> Iterator[str]:
    """What stands beside the numbers."""
    intervals = table.request.style.intervals
    seeds = sorted({row.seeds for row in table.rows if row.sd is not None})
    if seeds:
        yield f"means {'± sd ' * (intervals == 'sd')}over {listed(map(str, seeds), 'or')} seeds"
    if intervals in INTERVALS and any(row.low is not None for row in table.rows):
        stored = table.sources[0].run.manifest.get("statistics") or {}
        yield INTERVALS[intervals].format(f"{stored.get('level', 0.95) * 100:g} %")
