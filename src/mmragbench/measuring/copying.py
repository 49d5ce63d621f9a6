"""Which outputs are copies of a document that they were made from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from mmragbench.measuring.caption_index import normalised
from mmragbench.measuring.duplicates import near_duplicates
from mmragbench.measuring.fingerprints import Pictures, file_of
from mmragbench.records import Document, Output, Task


def sources(task: Task, outputs: Sequence[Output]) -> dict[str, str]:
    """Query -> the shown document that its output is a copy of: the same caption, case, spacing and
    punctuation aside; the same picture (bytes or pixels) or a near-duplicate; for an answer to a
    question, a text in which it stands word for word. Queries whose output is no copy are absent."""
    ids = {id for output in outputs for id in output.shown}
    documents = {document.id: document for document in task.memory if document.id in ids}
    texts = [output for output in outputs if output.text is not None]
    words = (_quotations if task.output == "answer" else _captions)(texts, documents)
    pictures = [output for output in outputs if output.image is not None]
    return dict(words) | dict(_pictures(pictures, documents))


def _captions(
    outputs: Iterable[Output], documents: Mapping[str, Document]
) -> Iterator[tuple[str, str]]:
    own = {id: {normalised(t.content) for t in d.texts} - {""} for id, d in documents.items()}
    for output in outputs:
        answer = normalised(output.text or "")
        source = next((id for id in output.shown if answer in own.get(id, ())), None)
        if source is not None:
            yield output.query, source


def _quotations(
    outputs: Iterable[Output], documents: Mapping[str, Document]
) -> Iterator[tuple[str, str]]:
    """Answers whose words stand in a document that was shown, one after the other."""
    own = {id: [f" {normalised(t.content)} " for t in d.texts] for id, d in documents.items()}
    for output in outputs:
        answer = normalised(output.text or "")
        quoted = (id for id in output.shown if any(f" {answer} " in t for t in own.get(id, ())))
        if answer and (source := next(quoted, None)) is not None:
            yield output.query, source


def _pictures(
    outputs: Iterable[Output], documents: Mapping[str, Document]
) -> Iterator[tuple[str, str]]:
    """(query, document) of each copied picture. Files are compared first; only pictures that are no copies
    of a file are decoded."""
    unsure = []
    for output in outputs:
        shown = [documents[id] for id in output.shown if id in documents]
        pairs = [(d, d.image) for d in shown if d.image and output.image]
        same = [
            d.id for d, image in pairs if output.image and file_of(image) == file_of(output.image)
        ]
        if same:
            yield output.query, same[0]
        elif output.image:
            unsure += [(output.query, output.image, d.id, image) for d, image in pairs]
    drawn = Pictures.of([image for _, image, _, _ in unsure])
    shown_pictures = Pictures.of([image for *_, image in unsure])
    copied: dict[str, str] = {}
    for query, image, id, other in unsure:
        a, b = drawn.row.get(file_of(image)), shown_pictures.row.get(file_of(other))
        if a is None or b is None:
            continue
        _, near = near_duplicates(drawn.thumbs[a : a + 1], shown_pictures.thumbs[b : b + 1])
        if drawn.pixels[a] == shown_pictures.pixels[b] or near[0]:
            copied.setdefault(query, id)
    yield from copied.items()
