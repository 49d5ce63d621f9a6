"""Results files of other systems: captions in COCO's results format, answers in VQA's or SQuAD's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from mmragbench._printable import quoted
from mmragbench.errors import DataError
from mmragbench.formats.json_values import read_json
from mmragbench.formats.values import as_id, described, not_a_text, refuse_contradictions


class Results(NamedTuple):
    """Id -> text (or None, where the file has null), and the ids that occur twice with the same text."""

    texts: dict[str, str | None]
    repeated: list[str]


class Entries(NamedTuple):
    """The form of a results file: how errors call it, its ids' noun, and the keys of an entry."""

    expected: str
    noun: str
    id: str
    text: str


CAPTIONS = Entries("COCO results, a list of {image_id, caption}", "images", "image_id", "caption")
ANSWERS = Entries(
    "VQA results, a list of {question_id, answer}, or SQuAD's predictions, an object of question "
    "id: answer",
    "questions",
    "question_id",
    "answer",
)


def read_caption_results(path: Path) -> Results:
    """The captions of a file in COCO's results format.

    Raises:
        DataError: not COCO's results format, or an image has two different captions.
    """
    rows = read_json(path, CAPTIONS.expected)
    return _results(path, CAPTIONS, _pairs(path, CAPTIONS, rows))


def read_answer_results(path: Path) -> Results:
    """The answers of a file in VQA's results format, or in SQuAD's of predictions.

    Raises:
        DataError: it is in neither, or a question has two different answers.
    """
    content = read_json(path, ANSWERS.expected)
    if isinstance(content, dict):
        content = [{ANSWERS.id: id, ANSWERS.text: answer} for id, answer in content.items()]
    return _results(path, ANSWERS, _pairs(path, ANSWERS, content))


def _results(path: Path, form: Entries, pairs: Iterable[tuple[str, str | None]]) -> Results:
    texts: dict[str, str | None] = {}
    repeated: list[str] = []
    contradictory: list[str] = []
    for id, text in pairs:
        if id in texts:
            (repeated if texts[id] == text else contradictory).append(id)
        texts.setdefault(id, text)
    refuse_contradictions(str(path), form.noun, contradictory)
    return Results(texts, repeated)


def _pairs(path: Path, form: Entries, rows: Any) -> Iterator[tuple[str, str | None]]:
    if not isinstance(rows, list):
        raise DataError(f"{path} is {described(rows)}; expected {form.expected}")
    for place, row in enumerate(rows):
        record = row if isinstance(row, dict) else {}
        id, text = as_id(record.get(form.id)), record.get(form.text)
        reason = "" if text is None else not_a_text(text)
        if form.text not in record:
            reason = f"no {form.text}"
        if id is None or reason:
            raise DataError(
                f"{path}: entry {place} is {quoted(row)} ({reason or f'no usable {form.id}'}); "
                f"expected {form.expected}"
            )
        yield id, text
