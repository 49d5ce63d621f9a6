"""Captions made elsewhere: COCO's results format against COCO's caption annotations.

An entry whose caption is null is a caption that is missing; an empty string is a caption, which
scores 0. Ids match by their text. The policy for images without a caption:

- `error`: none may be missing, and no id unknown;
- `skip`: the images that have one are the corpus, idf included, as when only they had been asked;
- `zero`: the others get the empty caption, in Bleu and METEOR too; the corpus stays whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmragbench.errors import DataError
from mmragbench.outside.files import as_id, read_json
from mmragbench.outside.problems import Policy, Problems, compared, contradiction
from mmragbench.outside.submission import Submission
from mmragbench.records import Output, Query, Task

RESULTS = "COCO results, a list of {image_id, caption}"
REFERENCES = "COCO captions, an object with a list `annotations` of {image_id, caption}"


def captions(results: Path, references: Path, policy: Policy = "error") -> Submission:
    """Read both files and settle what does not fit.

    Raises:
        DataError: a file is not what it should be, or an image has two different captions.
        MissingOutputs: the policy does not cover what is missing or unknown.
    """
    gold, bare = read_references(references)
    given, twice = read_results(results)
    answered = {id: caption for id, caption in given.items() if caption is not None}
    kinds = compared(gold, given, duplicate=twice, unreferenced=bare)
    kinds["missing"] = tuple(id for id in gold if id not in answered)
    problems = Problems(str(results), "images", len(gold), kinds)
    problems.settle(policy)
    if policy == "skip":
        gold = {id: texts for id, texts in gold.items() if id in answered}
    outputs = [Output(id, text=answered.get(id, "")) for id in gold]
    queries = [Query(id, group=id) for id in gold]
    task = Task("captioning", [], queries, output="caption", references=gold)
    return Submission(results.stem, task, problems, policy, outputs=outputs)


def read_results(path: Path) -> tuple[dict[str, str | None], list[str]]:
    """Image id -> caption (or None), and the ids that were given twice with the same caption.

    Raises:
        DataError: not COCO's results format, or an image has two different captions.
    """
    found: dict[str, str | None] = {}
    twice: list[str] = []
    torn: list[str] = []
    for id, caption in _pairs(path, read_json(path, RESULTS), RESULTS):
        if id in found:
            (twice if found[id] == caption else torn).append(id)
        found.setdefault(id, caption)
    contradiction(str(path), "images", torn)
    return found, twice


def read_references(path: Path) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """Image id -> its captions, in the file's order, and the listed images that have none.

    Raises:
        DataError: not COCO's annotations.
    """
    content = read_json(path, REFERENCES)
    if not isinstance(content, dict):
        raise DataError(f"{path} is not what it should be: expected {REFERENCES}")
    found: dict[str, list[str]] = {}
    for id, caption in _pairs(path, content.get("annotations"), REFERENCES):
        if caption is not None:
            found.setdefault(id, []).append(caption)
    listed = content.get("images", [])
    images = [as_id(image.get("id")) for image in listed if isinstance(image, Mapping)]
    bare = [id for id in images if id is not None and id not in found]
    if not found:
        raise DataError(f"{path} has no captions; expected {REFERENCES}")
    return {id: tuple(captions) for id, captions in found.items()}, bare


def _pairs(path: Path, rows: Any, expected: str) -> Iterator[tuple[str, str | None]]:
    if not isinstance(rows, list):
        raise DataError(f"{path} is not what it should be: expected {expected}")
    for i, row in enumerate(rows):
        id = as_id(row.get("image_id")) if isinstance(row, Mapping) else None
        caption = row.get("caption", 0) if isinstance(row, Mapping) else 0
        if id is None or not (caption is None or isinstance(caption, str)):
            raise DataError(f"{path}: entry {i} is {str(row)[:80]!r}; expected {expected}")
        yield id, caption
