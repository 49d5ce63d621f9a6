"""The order of a task's queries in its report, which may not have room for all of them."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from itertools import chain, islice
from zlib import crc32

from mmragbench.engine.loop import Cell
from mmragbench.measuring.scoring import Scored
from mmragbench.records import Query, Task
from mmragbench.run_folder.paths import RETRIEVAL, Setting

MAX_DISAGREEMENTS = 400
"""How many of the queries that strategies disagree on most come before the others."""

PER_SLICE = 40
"""How many queries of each slice come before the others."""

SALT = "gallery"
"""Makes the checksums of ids; with another, the queries of all reports would be in another order."""


def ordered(task: Task, cells: Sequence[Cell], controls: Container[str] = ()) -> list[Query]:
    """All queries: those that failed; those on which contenders differ most; some of every slice;
    then the others. Ties, slices and the others are drawn by the ids' checksums, so that the order
    does not depend on the dataset's."""
    shuffled = sorted(task.queries, key=lambda query: crc32(f"{SALT} {query.id}".encode()))
    failed = set(chain.from_iterable(map(_failed, cells)))
    spread = _spread(cell for cell in cells if cell.strategy not in controls)
    disagreements = [query for query in shuffled if spread.get(query.id)]
    disagreements.sort(key=lambda query: -spread[query.id])
    of_slices = (
        islice((query for query in shuffled if query.id in ids), PER_SLICE)
        for ids in task.slices.values()
    )
    first = chain(
        (query for query in shuffled if query.id in failed),
        disagreements[:MAX_DISAGREEMENTS],
        *of_slices,
    )
    return list({query.id: query for query in chain(first, shuffled)}.values())


def _failed(cell: Cell) -> set[str]:
    """The queries for which the cell has an error in place of an answer or a value."""
    scored = [cell.scored, *(scored for _, scored in cell.generated.values())]
    scores = (own for of_setting in scored for own in of_setting.get("all", ()))
    failed = {score.query for own in scores for score in own.scores if score.error is not None}
    for generated, _ in cell.generated.values():
        failed |= {output.query for output in generated.outputs if output.error is not None}
    return failed


def _spread(cells: Iterable[Cell]) -> dict[str, float]:
    """The largest difference of the cells' values on each query: on the first measure of generation that
    has a value per query, else on the first of retrieval; the widest setting counts."""
    values: dict[tuple[Setting, str], list[float]] = {}
    for cell in cells:
        for setting, scored in _by_setting(cell):
            for query, value in _first_values(scored).items():
                values.setdefault((setting, query), []).append(value)
    spread: dict[str, float] = {}
    for (_, query), of_cells in values.items():
        spread[query] = max(spread.get(query, 0.0), max(of_cells) - min(of_cells))
    return spread


def _by_setting(cell: Cell) -> list[tuple[Setting, Scored]]:
    """The scores of what was generated; where nothing was, those of the rankings."""
    generated = [(Setting(*setting), scored) for setting, (_, scored) in cell.generated.items()]
    return generated or [(RETRIEVAL, cell.scored)]


def _first_values(scored: Scored) -> dict[str, float]:
    """Query -> value, by the first measure that has any."""
    for scores in scored.get("all", ()):
        values = {s.query: s.value for s in scores.scores if s.value is not None}
        if values:
            return values
    return {}
