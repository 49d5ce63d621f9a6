"""Copies: how much of what was generated is a copy of what was shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mmragbench.audits.caption_index import CaptionIndex, normalised
from mmragbench.audits.duplicates import near_duplicates
from mmragbench.audits.fingerprints import Pictures, file_of
from mmragbench.records import Document, Output, Task

EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Copies:
    """The copies among one generator's answers. Copying is no error: `nearest` and `consensus` do
    nothing else.

    Attributes:
        answered: outputs that are no errors.
        shown: those whose generator was shown something.
        copied: those that are a caption, or the picture (same bytes, same pixels, near-duplicate),
            of a document that was shown; answers to questions that stand in its text word for word.
        recurring: captions that stand anywhere in the memory, shown or not; None for pictures and
            for answers to questions.
        examples: (query, document, caption) of copies; the caption is empty for pictures.
    """

    answered: int
    shown: int
    copied: int
    recurring: int | None
    examples: tuple[tuple[str, str, str], ...] = ()


def copies(task: Task, outputs: Sequence[Output], captions: CaptionIndex | None = None) -> Copies:
    """Count copies among a generator's outputs.

    Args:
        task: whose memory was shown.
        outputs: what was generated.
        captions: the memory's, where they have been read already.
    """
    answers = [output for output in outputs if output.text is not None or output.image]
    ids = {id for output in answers for id in output.shown}
    documents = {document.id: document for document in task.memory if document.id in ids}
    texts = [output for output in answers if output.text is not None]
    answers_questions = task.output == "answer"
    words = _quotations(texts, documents) if answers_questions else _captions(texts, documents)
    source_by_query = dict(words) | dict(_pictures(answers, documents))
    whole = (
        captions or CaptionIndex(task.memory)
        if texts and not answers_questions
        else CaptionIndex(())
    )
    copied = [
        (o.query, source_by_query[o.query], o.text or "")
        for o in answers
        if o.query in source_by_query
    ]
    return Copies(
        answered=len(answers),
        shown=sum(bool(output.shown) for output in answers),
        copied=len(copied),
        recurring=sum((o.text or "") in whole for o in texts)
        if texts and not answers_questions
        else None,
        examples=tuple(copied[:EXAMPLES]),
    )


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
