"""PDF files, with questions about them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from mmragbench._digits import counted
from mmragbench.data.questions import EXPECTED, read_questions
from mmragbench.datasets.pdf import files_of
from mmragbench.formats.json_values import read_objects
from mmragbench.layouts.data_folder import DataFolder
from mmragbench.records import Exclusion

LAYOUT = "PDF files"


def recognise(folder: Path) -> DataFolder | None:
    """PDF files at any depth, and a file of questions.

    Raises:
        DataError: a folder or the file of questions cannot be read.
    """
    questions = _questions_file(folder)
    if questions is None and not [*folder.glob("*.[pP][dD][fF]"), *folder.glob("*/*.[pP][dD][fF]")]:
        return None
    files, _ = files_of(folder)
    if not files:
        return None
    parts = [counted(len(files), "file")]
    if questions is None:
        why = f"there are no questions: write questions.jsonl with {EXPECTED}"
        return DataFolder(folder, LAYOUT, "questions", {}, 0, parts=tuple(parts), missing=(why,))
    read, broken = read_questions(folder / questions)
    with_gold = sum(bool(question.gold) for question in read)
    parts.append(
        f"{counted(len(read), 'question')} in {questions}, {with_gold:,} with gold documents"
    )
    return DataFolder(
        folder,
        LAYOUT,
        "questions",
        {"use": "pdf", "root": str(folder), "questions": questions},
        len(read),
        has_gold=with_gold > 0,
        parts=tuple(parts),
        missing=_not_read(broken),
    )


def _not_read(broken: Sequence[Exclusion]) -> tuple[str, ...]:
    if not broken:
        return ()
    first = f"the first: {broken[0].id}: {broken[0].reason}"
    return (f"{counted(len(broken), 'line')} cannot be read as a question; {first}",)


def _questions_file(folder: Path) -> str | None:
    """The first file of JSON Lines whose first line is a question."""
    for path in sorted(folder.glob("*.jsonl"), key=lambda path: path.name != "questions.jsonl"):
        for line in islice(read_objects(path, EXPECTED), 1):
            if line.value and {"question", "answers"} <= line.value.keys():
                return path.name
    return None
