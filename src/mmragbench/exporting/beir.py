"""BEIR's layout: `<task>/corpus.jsonl`, `queries.jsonl`, `qrels/test.tsv`, `images/`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from mmragbench.exporting.run_tasks import NO_QRELS, RunTasks
from mmragbench.exporting.target import Export
from mmragbench.formats.trec import escaped
from mmragbench.records import Document, Image, Query, Text

HEADER = "query-id\tcorpus-id\tscore\n"


def write(source: RunTasks, to: Export) -> None:
    """The tasks as datasets, for BEIR's loader (texts) and for ours (`use: beir`; texts and images).

    Pictures are copied; a line names its own in `image`, which BEIR does not read. A document's
    texts are joined by a line's end, and `metadata.texts` keeps them apart where there are several.
    Blanks in ids are escaped as in TREC files. Only judged queries are there. The judgements'
    split is `test`, whatever the data's own was called.
    """
    for name, task in source.tasks.items():
        judged = {query for query, _ in source.scored(name)}
        if not judged:
            to.left_out[name] = NO_QRELS
            continue
        to.write(f"{name}/corpus.jsonl", (_line(_document(d)) for d in task.memory))
        queries = [query for query in task.queries if query.id in judged]
        to.write(f"{name}/queries.jsonl", (_line(_query(query)) for query in queries))
        to.write(f"{name}/qrels/test.tsv", _qrels(source, name))
        _copy_images(name, task.memory, queries, to)


def _qrels(source: RunTasks, task: str) -> Iterator[str]:
    yield HEADER
    for query, grades in source.scored(task):
        for document, grade in grades.items():
            yield f"{key(query)}\t{key(document)}\t{grade}\n"


def key(id: str) -> str:
    """An id as its file can hold it: blanks escaped, and a quote in front, which BEIR's reader would
    take for the beginning of a quoted field."""
    return re.sub('^"', "%22", escaped(id))


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"


def _document(document: Document) -> dict[str, Any]:
    texts = [text.content for text in document.texts]
    metadata = {"metadata": {"texts": texts}} if len(texts) > 1 else {}
    row = {"_id": key(document.id), "title": "", "text": "\n".join(texts)}
    return {**row, **_named(document.image), **metadata}


def _query(query: Query) -> dict[str, Any]:
    return {"_id": key(query.id), "text": _text(query.text), **_named(query.image)}


def _text(text: Text | None) -> str:
    return text.content if text else ""


def _named(image: Image | None) -> dict[str, str]:
    return {"image": _file(image)} if image else {}


def _file(image: Image) -> str:
    """The file of an image, named by its digest: an id may have characters that no file name has."""
    return f"images/{image.digest}{image.path.suffix.lower()}"


def _copy_images(
    task: str, memory: Sequence[Document], queries: Sequence[Query], to: Export
) -> None:
    for items in (memory, queries):
        for item in items:
            if item.image:
                to.copy(item.image.path, f"{task}/{_file(item.image)}")
