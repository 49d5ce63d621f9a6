"""Captions made elsewhere: COCO's results format against COCO's caption annotations.

An entry whose caption is null is a caption that is missing; an empty string is a caption, which
scores 0. Ids match by their text. A reference that is no text is left out and named. The policy for images without a caption:

- `error`: none may be missing, and no id unknown;
- `skip`: the images that have one are the corpus, idf included, as when only they had been asked;
- `zero`: the others get the empty caption, in Bleu and METEOR too; the corpus stays whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from mmragbench._printable import one_line
from mmragbench.errors import DataError
from mmragbench.formats.coco_captions import read_captions, read_results
from mmragbench.formats.json_values import read_json
from mmragbench.formats.values import as_id, not_a_text
from mmragbench.records import Exclusion, Output, Query, Task
from mmragbench.submissions.problems import Policy, Problems, compared
from mmragbench.submissions.submission import Submission

REFERENCES = "COCO captions, an object with a list `annotations` of {image_id, caption}"


def captions(results: Path, references: Path, policy: Policy = "error") -> Submission:
    """Read both files and settle what does not fit.

    Raises:
        DataError: a file is not what it should be, or an image has two different captions.
        MissingOutputs: the policy does not cover what is missing or unknown.
    """
    read = read_references(references)
    gold = read.captions
    given, twice = read_results(results)
    answered = {id: caption for id, caption in given.items() if caption is not None}
    kinds = compared(gold, given, duplicate=twice, unreferenced=read.unreferenced)
    kinds |= read.flaws
    kinds["missing"] = tuple(id for id in gold if id not in answered)
    problems = Problems(str(results), "images", len(gold), kinds)
    problems.settle(policy)
    if policy == "skip":
        gold = {id: texts for id, texts in gold.items() if id in answered}
    outputs = [Output(id, text=answered.get(id, "")) for id in gold]
    queries = [Query(id, group=id) for id in gold]
    task = Task("captioning", [], queries, output="caption", references=gold)
    return Submission(results.stem, task, problems, policy, outputs=outputs)


class References(NamedTuple):
    """Image id -> its captions, in the file's order; listed images that have none; what was left
    out, by kind."""

    captions: dict[str, tuple[str, ...]]
    unreferenced: list[str]
    flaws: dict[str, tuple[str, ...]]


def read_references(path: Path) -> References:
    """The captions of COCO's annotations.

    Raises:
        DataError: the file is something else, or has no captions.
    """
    content = read_json(path, REFERENCES)
    annotations = content.get("annotations") if isinstance(content, dict) else None
    if not isinstance(annotations, list):
        raise DataError(f"{path} is not what it should be: expected {REFERENCES}")
    broken: list[Exclusion] = []
    found: dict[str, list[str]] = {}
    no_text: list[Exclusion] = []
    for caption in read_captions(path, annotations, broken):
        reason = not_a_text(caption.text)
        if reason:
            id = f"{caption.id or 'a caption'} of {caption.image}"
            no_text.append(Exclusion("caption is no text", id, f"image {caption.image}: {reason}"))
        else:
            found.setdefault(caption.image, []).append(str(caption.text))
    flaws = {
        "broken annotations": tuple(each.id for each in broken),
        "captions that are no text": tuple(each.id for each in no_text),
    }
    if not found:
        first = next((f" ({one_line(each.reason, 160)})" for each in (*broken, *no_text)), "")
        raise DataError(f"{path} has no captions{first}; expected {REFERENCES}")
    listed = content.get("images")
    records = listed if isinstance(listed, list) else []
    images = [as_id(image.get("id")) for image in records if isinstance(image, Mapping)]
    bare = [id for id in images if id is not None and id not in found]
    return References({id: tuple(captions) for id, captions in found.items()}, bare, flaws)
