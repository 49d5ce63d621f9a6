"""Which queries a report shows first, where it can't show all of them."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from itertools import chain, islice
from zlib import crc32

from mmragbench.engine.loop import Cell
from mmragbench.measuring.scoring import Scored
from mmragbench.records import Query, Scores, Task

APART = 400
"""How many of the queries that strategies disagree on most come before the others."""

OF_SLICE = 40
"""How many queries of each slice come before the others."""


def ordered(task: Task, cells: Sequence[Cell], controls: Container[str] = ()) -> list[Query]:
    """All queries: those that failed; those on which contenders differ most; some of every slice;
    then the others. Ties, slices and the others are drawn by the ids' checksums, so that the order
    does not depend on the dataset's."""
    drawn = sorted(task.queries, key=lambda query: crc32(f"gallery {query.id}".encode()))
    failed = set(chain.from_iterable(map(_failed, cells)))
    spread = _spread(cell for cell in cells if cell.strategy not in controls)
    apart = [query for query in drawn if spread.get(query.id)]
    apart.sort(key=lambda query: -spread[query.id])
    of_slices = (
        islice((query for query in drawn if query.id in ids), OF_SLICE)
        for ids in task.slices.values()
    )
    first = chain((query for query in drawn if query.id in failed), apart[:APART], *of_slices)
    return list({query.id: query for query in chain(first, drawn)}.values())


def _failed(cell: Cell) -> set[str]:
    """The queries for which the cell has an error in place of an answer or a value."""
    scored = [cell.scored, *(scored for _, scored in cell.generated.values())]
    every = (scores for found in scored for scores in found.get("all", ()))
    failed = {score.query for scores in every for score in scores.scores if score.error is not None}
    for generated, _ in cell.generated.values():
        failed |= {output.query for output in generated.outputs if output.error is not None}
    return failed


def _spread(cells: Iterable[Cell]) -> dict[str, float]:
    """How far apart the cells' values are on each query: on the first measure of generation that
    has a value per query, else on the first of retrieval; the widest setting counts."""
    found: dict[object, dict[str, list[float]]] = {}
    for cell in cells:
        settings: dict[object, Scored] = {key: each for key, (_, each) in cell.generated.items()}
        for key, scored in (settings or {None: cell.scored}).items():
            for score in next(filter(None, map(_values, scored.get("all", ()))), []):
                found.setdefault(key, {}).setdefault(score[0], []).append(score[1])
    spread: dict[str, float] = {}
    for values in found.values():
        for query, each in values.items():
            spread[query] = max(spread.get(query, 0.0), max(each) - min(each))
    return spread


def _values(scores: Scores) -> list[tuple[str, float]]:
    return [(score.query, score.value) for score in scores.scores if score.value is not None]
