"""What a run stores for its report to show: every query, and the documents that were found."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from mmragbench._files import write_lines
from mmragbench.engine.loop import Cell
from mmragbench.records import Document, Hit, Image, Query, Task
from mmragbench.run_folder import paths
from mmragbench.run_folder.order import ordered
from mmragbench.run_folder.thumbnails import enlarge, thumbnail, thumbnails

MARKED = 10
"""Hits a strategy whose relevance is stored."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is stored.

    Attributes:
        front: how many queries have the documents of their first `hits` hits a strategy stored.
        behind: of how many hits it is for the other queries.
        documents: how many documents a task has stored at most; queries in front come first.
        large: pictures are stored large, too.
    """

    front: int = 1_000
    hits: int = 5
    behind: int = 2
    documents: int = 4_000
    large: bool = False


BRIEF = Extent()
FULL = Extent(front=10**9, hits=10**9, documents=10**9, large=True)


def write_gallery(
    run: Path,
    task: Task,
    cells: Sequence[Cell],
    controls: Container[str] = (),
    extent: Extent = BRIEF,
) -> None:
    """`tasks/<task>/gallery.jsonl` (all queries, those first that a report should show first),
    `documents.jsonl` and the thumbnails of both."""
    queries = ordered(task, cells, controls)
    hits = _hits(cells, max(MARKED, extent.hits))
    ids = dict.fromkeys(islice(_first(queries, hits, extent), extent.documents))
    documents = [document for document in task.memory if document.id in ids]
    pictures: list[Image | None] = [query.image for query in queries]
    pictures += [task.targets.get(query.id) for query in queries]
    pictures += [document.image for document in documents]
    thumbnails(run, pictures)
    if extent.large:
        enlarge(run, [*pictures, *_generated(cells)])
    write_lines(
        run / paths.in_task(task.name, paths.SHOWN_QUERIES),
        (_query(run, task, query, hits.get(query.id, ())) for query in queries),
    )
    write_lines(
        run / paths.in_task(task.name, paths.SHOWN_DOCUMENTS),
        (_document(run, document) for document in documents),
    )


def _generated(cells: Sequence[Cell]) -> Iterator[Image | None]:
    answers = (generated for cell in cells for generated, _ in cell.generated.values())
    return (output.image for generated in answers for output in generated.outputs)


def _hits(cells: Sequence[Cell], depth: int) -> Mapping[str, Sequence[Sequence[Hit]]]:
    """Query -> each strategy's first hits."""
    hits: dict[str, list[Sequence[Hit]]] = {}
    for cell in cells:
        for ranking in cell.retrieved.rankings:
            hits.setdefault(ranking.query, []).append(ranking.hits[:depth])
    return hits


def _first(
    queries: Sequence[Query], hits: Mapping[str, Sequence[Sequence[Hit]]], extent: Extent
) -> Iterator[str]:
    """The documents to store, once each, the most wanted first."""
    known: set[str] = set()
    for place, query in enumerate(queries):
        depth = extent.hits if place < extent.front else extent.behind
        for of_strategy in hits.get(query.id, ()):
            new = dict.fromkeys(hit.id for hit in of_strategy[:depth] if hit.id not in known)
            known.update(new)
            yield from new


def _query(run: Path, task: Task, query: Query, hits: Sequence[Sequence[Hit]]) -> dict[str, Any]:
    """What is shown of a query; of its relevant documents, which may be thousands, those that were
    hit; all where they are few."""
    grades = task.qrels.get(query.id, {})
    relevant = [id for id, grade in grades.items() if grade > 0]
    if len(relevant) > MARKED:
        first = dict.fromkeys(hit.id for of_strategy in hits for hit in of_strategy[:MARKED])
        named = [id for id in first if grades.get(id, 0) > 0]
    else:
        named = relevant
    return {
        "id": query.id,
        "text": query.text.content if query.text else None,
        "image": thumbnail(run, query.image),
        "target": thumbnail(run, task.targets.get(query.id)),
        "references": list(task.references.get(query.id, ())),
        "slices": [name for name, ids in task.slices.items() if query.id in ids],
        "relevant": named,
        "n_relevant": len(relevant),
        "marked": MARKED,
    }


def _document(run: Path, document: Document) -> dict[str, Any]:
    texts = [text.content for text in document.texts]
    return {"id": document.id, "texts": texts, "image": thumbnail(run, document.image)}
