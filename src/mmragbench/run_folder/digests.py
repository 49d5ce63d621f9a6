"""What each query and each document of a task consists of, in a digest each.

A run stores them (`tasks/<task>/queries.parquet` and `documents.parquet`), so that whoever compares
two runs can say which item changed, and not only that one did.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from mmragbench.records import Document, Query, Task

DIGITS = 16
"""Hexadecimal digits that are kept."""


def of_document(document: Document) -> str:
    """Its picture's bytes and its texts, in order; not its id."""
    picture = document.image.digest or document.image.id if document.image else "-"
    return _digest(picture, *(text.content for text in document.texts))


def of_query(query: Query) -> str:
    """Its picture's bytes and its text; not its id."""
    picture = query.image.digest or query.image.id if query.image else "-"
    return _digest(picture, *([query.text.content] if query.text else []))


def of_gold(task: Task) -> Iterator[str]:
    """What each query's answers are scored with: relevant documents, references, the real image.

    Relevance that is made on demand (silver) is made from the query's references and categories,
    which stand for it, and from what `relevance` speaks for.
    """
    on_demand = relevance(task) is not None
    for query in task.queries:
        if on_demand:
            judged = sorted(task.categories.get(query.id, ()))
        else:
            grades = task.qrels.get(query.id, {})
            judged = [f"{id} {grade}" for id, grade in sorted(grades.items())]
        target = task.targets.get(query.id)
        picture = target.digest or target.id if target else "-"
        yield _digest(picture, *judged, "-", *task.references.get(query.id, ()))


def relevance(task: Task) -> str | None:
    """The digest of what relevance is made from besides the queries, where it is made on demand."""
    basis: str | None = getattr(task.qrels, "basis", None)
    return basis


def _digest(*parts: str) -> str:
    hashed = sha256()
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        hashed.update(len(encoded).to_bytes(8, "big") + encoded)
    return hashed.hexdigest()[:DIGITS]
