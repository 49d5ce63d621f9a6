"""The explorer's data of a task: all its queries, and every document that a strategy retrieved.

All of it is stored; how much a page shows is the page's own affair. Only pictures are bounded here,
since they are most of the bytes and of the time.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from mmragbench._files import write_lines
from mmragbench.engine.loop import Cell
from mmragbench.records import Document, Image, Query, Task
from mmragbench.run_folder import paths
from mmragbench.run_folder.query_order import ordered
from mmragbench.run_folder.thumbnails import thumbnail, write_large_pictures, write_thumbnails

DOCUMENT_PICTURES = 4_000
"""How many documents of a task have a thumbnail at most."""

FIRST_HITS = 5
"""Hits of a strategy whose documents have a thumbnail before those of any later hit."""

FEW = 10
"""So many relevant documents are named though no strategy retrieved them."""


def write_explorer_data(
    run: Path,
    task: Task,
    cells: Sequence[Cell],
    controls: Container[str] = (),
    large_pictures: bool = False,
) -> None:
    """Write `tasks/<task>/queries.jsonl`, `documents.jsonl` and the thumbnails of both.

    Args:
        run: the run folder.
        task: the task.
        cells: the task's cells.
        controls: strategies whose disagreement with others does not bring a query forward.
        large_pictures: store all pictures in a larger size, too; every document has its own then.
    """
    queries = ordered(task, cells, controls)
    retrieved = _Retrieved(cells)
    ids = retrieved.documents(queries)
    pictured = set(islice(ids, None if large_pictures else DOCUMENT_PICTURES))
    documents = [document for document in task.memory if document.id in ids]
    pictures: list[Image | None] = [query.image for query in queries]
    pictures += [task.targets.get(query.id) for query in queries]
    pictures += [document.image for document in documents if document.id in pictured]
    write_thumbnails(run, pictures)
    if large_pictures:
        write_large_pictures(run, [*pictures, *_generated(cells)])
    write_lines(
        run / paths.in_task(task.name, paths.EXPLORER_QUERIES),
        (_query(run, task, query, retrieved) for query in queries),
    )
    write_lines(
        run / paths.in_task(task.name, paths.EXPLORER_DOCUMENTS),
        (_document(run, document, document.id in pictured) for document in documents),
    )


class _Retrieved:
    """The ids that each strategy retrieved for a query, looked up in the cells' rankings, which are
    too many to be held as objects."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        self._rankings = [cell.retrieved.rankings for cell in cells]
        self._rows: list[Mapping[str, int]] = [
            {ranking.query: row for row, ranking in enumerate(rankings)}
            for rankings in self._rankings
        ]

    def by_strategy(self, query: str) -> Iterator[Sequence[str]]:
        """The ids of each strategy that has a ranking for the query, best first."""
        for rankings, rows in zip(self._rankings, self._rows, strict=True):
            if query in rows:
                yield rankings[rows[query]].ids

    def documents(self, queries: Sequence[Query]) -> dict[str, None]:
        """All ids once, in the order in which their pictures are wanted: the first hits' ids by query,
        then the others."""
        rankings = (ids for query in queries for ids in self.by_strategy(query.id))
        others: dict[str, None] = {}
        first: dict[str, None] = {}
        for ids in rankings:
            first.update(dict.fromkeys(ids[:FIRST_HITS]))
            others.update(dict.fromkeys(ids[FIRST_HITS:]))
        return first | others


def _generated(cells: Sequence[Cell]) -> Iterator[Image | None]:
    answers = (generated for cell in cells for generated, _ in cell.generated.values())
    return (output.image for generated in answers for output in generated.outputs)


def _query(run: Path, task: Task, query: Query, retrieved: _Retrieved) -> dict[str, Any]:
    """A query as it is stored. Its relevant documents may be thousands: all are named where they are
    few, else those that a strategy retrieved."""
    relevant = [id for id, grade in task.qrels.get(query.id, {}).items() if grade > 0]
    named = relevant
    if len(relevant) > FEW:
        hits = {id for ids in retrieved.by_strategy(query.id) for id in ids}
        named = [id for id in relevant if id in hits]
    return {
        "id": query.id,
        "text": query.text.content if query.text else None,
        "image": thumbnail(run, query.image),
        "target": thumbnail(run, task.targets.get(query.id)),
        "references": list(task.references.get(query.id, ())),
        "slices": [name for name, ids in task.slices.items() if query.id in ids],
        "relevant": named,
        "n_relevant": len(relevant),
    }


def _document(run: Path, document: Document, pictured: bool) -> dict[str, Any]:
    texts = [text.content for text in document.texts]
    image = thumbnail(run, document.image) if pictured else None
    return {"id": document.id, "texts": texts, "image": image}
