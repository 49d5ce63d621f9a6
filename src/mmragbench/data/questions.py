"""Questions from a JSONL file, one a line:

    {"id": "q1", "question": "How high is the tower?", "answers": ["330 m", "330 metres"],
     "documents": ["tower.pdf#p2-1", {"file": "tower.pdf", "page": 3}], "image": "photo.jpg"}

`documents` are the gold documents: ids, or all documents of a page, or (without a page) of a file.
They may be left out, and so may the image, a file below the dataset's folder, and the id: a question
without one is `q` and the number of its line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmragbench._printable import quoted
from mmragbench.formats.json_values import read_objects
from mmragbench.formats.values import as_id, not_a_text
from mmragbench.records import Exclusion

MAX_QUESTION = 4_000
"""Characters of a question or an answer; a longer one is a mistake in the data."""

EXPECTED = 'lines like {"id": "q1", "question": "…", "answers": ["…"], "documents": ["…"]}'

KEYS = frozenset({"id", "question", "answers", "documents", "image"})


@dataclass(frozen=True, slots=True)
class Place:
    """A page of a file (from 1), or the whole file."""

    file: str
    page: int | None = None

    def __str__(self) -> str:
        return self.file if self.page is None else f"{self.file}#p{self.page}"


@dataclass(frozen=True, slots=True)
class Question:
    """A question, the answers that count as right, and where the gold documents are."""

    id: str
    text: str
    answers: tuple[str, ...]
    gold: tuple[str | Place, ...] = ()
    image: str | None = None


class _Broken(Exception):
    """A line that is no question: why."""


def read_questions(path: Path) -> tuple[list[Question], list[Exclusion]]:
    """All questions, and the lines that are none, by `<file>:<line>`.

    Raises:
        DataError: the file is missing, or not UTF-8 text.
    """
    questions: dict[str, Question] = {}
    excluded: list[Exclusion] = []
    for number, row, reason in read_objects(path, EXPECTED):
        where = f"{path.name}:{number}"
        try:
            question = _question(row, reason, f"q{number}")
        except _Broken as error:
            excluded.append(Exclusion("broken question", where, str(error)))
            continue
        if question.id in questions:
            twice = f"{where}: an earlier line has this id"
            excluded.append(Exclusion("duplicate question id", question.id, twice))
        else:
            questions[question.id] = question
    return list(questions.values()), excluded


def _question(row: Mapping[str, Any] | None, reason: str, default_id: str) -> Question:
    if row is None:
        raise _Broken(reason)
    if unknown := sorted(row.keys() - KEYS):
        raise _Broken(f"unknown key {quoted(unknown[0])}; there is: {', '.join(sorted(KEYS))}")
    id, image = as_id(row.get("id", default_id)), row.get("image")
    if id is None or not id.strip():
        raise _Broken("'id' is neither a text nor a whole number that can be used")
    if image is not None and not isinstance(image, str):
        raise _Broken("'image' is not the name of a file")
    answers = row.get("answers")
    answers = [answers] if isinstance(answers, str) else answers
    if not isinstance(answers, list) or not answers:
        raise _Broken("'answers' is not a list of one answer at least")
    texts = tuple(_text(answer, "answers") for answer in answers)
    return Question(
        id,
        _text(row.get("question"), "question"),
        texts,
        tuple(_gold(row.get("documents"))),
        image,
    )


def _text(value: Any, key: str) -> str:
    if isinstance(value, str) and len(value) > MAX_QUESTION:
        raise _Broken(f"{key!r}: {len(value):,} characters, at most {MAX_QUESTION:,}")
    reason = not_a_text(value)
    if reason or not value.strip():
        said = f" ({reason})" if reason and isinstance(value, str) else ""
        raise _Broken(f"{key!r}: {quoted(value)} is no text{said}")
    text: str = value
    return text


def _gold(documents: Any) -> Iterator[str | Place]:
    if not isinstance(documents, list | None):
        raise _Broken("'documents' is not a list")
    for document in documents or ():
        if isinstance(document, str):
            yield _text(document, "documents")
            continue
        if not isinstance(document, Mapping) or document.keys() - {"file", "page"}:
            raise _Broken(
                f"'documents': {quoted(document)} is neither an id nor a file and its page"
            )
        page = document.get("page")
        if page is not None and (isinstance(page, bool) or not isinstance(page, int)):
            raise _Broken(f"'documents': page {quoted(page)} is not a whole number")
        yield Place(_text(document.get("file"), "documents"), page)


def resolve(gold: Sequence[str | Place], documents: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """The gold documents' ids, each of grade 1.

    Args:
        gold: as a question names it.
        documents: the ids at a place: under an id, a page (`<file>#p<page>`) or a file.

    Raises:
        KeyError: nothing is there; the place.
    """
    return {id: 1 for place in gold for id in documents[str(place)]}
