"""The queries that a report shows, with what each strategy found for them."""

from __future__ import annotations

from collections.abc import Container, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

from mmragbench.loop import Cell
from mmragbench.records import Document, Query, Task
from mmragbench.run_folder import write_lines
from mmragbench.thumbnails import thumbnail

SHOWN = 24
"""Queries a task."""

HITS = 5
"""Hits a strategy."""

FIRST = 10
"""Relevant documents that are named for each query, besides those that are shown."""


def write_gallery(run: Path, task: Task, cells: Sequence[Cell]) -> None:
    """`tasks/<task>/gallery.jsonl`, `documents.jsonl` and the thumbnails of both."""
    queries = sample(task)
    wanted = {query.id for query in queries}
    ids = dict.fromkeys(
        hit.id
        for cell in cells
        for ranking in cell.retrieved.rankings.of(wanted)
        for hit in ranking.hits[:HITS]
    )
    documents = [document for document in task.memory if document.id in ids]
    folder = run / "tasks" / task.name
    write_lines(folder / "gallery.jsonl", (_query(run, task, query, ids) for query in queries))
    write_lines(folder / "documents.jsonl", (_document(run, document) for document in documents))


def sample(task: Task) -> list[Query]:
    """A fixed draw by the ids' checksums: half of it from slices, where there are any."""
    drawn = sorted(task.queries, key=lambda query: crc32(f"gallery {query.id}".encode()))
    special = frozenset().union(*task.slices.values()) if task.slices else frozenset()
    inside = [query for query in drawn if query.id in special][: SHOWN // 2]
    outside = [query for query in drawn if query.id not in special][: SHOWN - len(inside)]
    return inside + outside


def _query(run: Path, task: Task, query: Query, shown: Container[str]) -> dict[str, Any]:
    """What is shown of a query; of its relevant documents, which may be thousands, the first and
    all that are shown."""
    grades = task.qrels.get(query.id, {})
    relevant = sorted((id for id, grade in grades.items() if grade > 0), key=lambda id: -grades[id])
    target = task.targets.get(query.id)
    return {
        "id": query.id,
        "text": query.text.content if query.text else None,
        "image": thumbnail(run, query.image),
        "target": thumbnail(run, target),
        "references": list(task.references.get(query.id, ())),
        "slices": [name for name, ids in task.slices.items() if query.id in ids],
        "relevant": [id for i, id in enumerate(relevant) if i < FIRST or id in shown],
        "n_relevant": len(relevant),
    }


def _document(run: Path, document: Document) -> dict[str, Any]:
    texts = [text.content for text in document.texts]
    return {"id": document.id, "texts": texts, "image": thumbnail(run, document.image)}
