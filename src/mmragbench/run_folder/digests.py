"""The digests of a task's items: of each document, each query, and each query's gold.

A run stores them (`tasks/<task>/queries.parquet` and `documents.parquet`), so that whoever compares
two runs can say which item changed, and not only that one did.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from mmragbench.records import Document, Query, Task

DIGITS = 16
"""Hexadecimal digits of a digest."""


def document_digest(document: Document) -> str:
    """The digest of a document's picture (its bytes) and texts, in order; its id is no part of it."""
    picture = document.image.digest or document.image.id if document.image else "-"
    return _digest(picture, *(text.content for text in document.texts))


def query_digest(query: Query) -> str:
    """The digest of a query's picture (its bytes) and text; its id is no part of it."""
    picture = query.image.digest or query.image.id if query.image else "-"
    return _digest(picture, *([query.text.content] if query.text else []))


def gold_digests(task: Task) -> Iterator[str]:
    """Each query's digest of what its answers are scored with: relevant documents, references, the
    real image, the labels.

    Relevance that is made on demand (silver) is made from the query's references and categories,
    which stand for it, and from what `relevance_digest` stands for.
    """
    on_demand = relevance_digest(task) is not None
    for query in task.queries:
        if on_demand:
            judged = sorted(task.categories.get(query.id, ()))
        else:
            grades = task.qrels.get(query.id, {})
            judged = [f"{id} {grade}" for id, grade in sorted(grades.items())]
        target = task.targets.get(query.id)
        picture = target.digest or target.id if target else "-"
        labels = [by_query.get(query.id) for by_query in (task.labels, task.original_labels)]
        named = ["-", *(label or "-" for label in labels)] if any(labels) else []
        yield _digest(picture, *judged, "-", *task.references.get(query.id, ()), *named)


def relevance_digest(task: Task) -> str | None:
    """The digest of what relevance is made from besides the queries; None where it is not made on
    demand."""
    digest: str | None = getattr(task.qrels, "basis", None)
    return digest


def _digest(*parts: str) -> str:
    hashed = sha256()
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        hashed.update(len(encoded).to_bytes(8, "big") + encoded)
    return hashed.hexdigest()[:DIGITS]
