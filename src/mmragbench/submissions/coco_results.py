"""Captions of another system: COCO's results format against COCO's caption annotations.

An entry whose caption is null is a caption that is missing; an empty string is a caption, which
scores 0. Ids match by their text. A reference that is no text is left out and named. The policy for
images without a caption:

- `error`: none may be missing, and no id unknown;
- `skip`: the images that have one are the corpus, idf included, as if no others were in the task;
- `zero`: the others get the empty caption, in Bleu and METEOR too; the corpus stays whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mmragbench._printable import one_line
from mmragbench.errors import DataError
from mmragbench.formats.coco_captions import read_captions
from mmragbench.formats.json_values import read_json
from mmragbench.formats.text_results import read_caption_results
from mmragbench.formats.values import as_id, described, not_a_text
from mmragbench.records import Exclusion, Output, Query, Task
from mmragbench.submissions.problems import Policy, Problems, compared
from mmragbench.submissions.submission import Submission

REFERENCES = "COCO captions, an object with a list `annotations` of {image_id, caption}"


def captions(results: Path, references: Path, policy: Policy = "error") -> Submission:
    """Read both files, and apply the policy to what does not match.

    Raises:
        DataError: a file is not what it should be, or an image has two different captions.
        MissingOutputs: the policy does not cover what is missing or unknown.
    """
    annotations = read_references(references)
    gold = annotations.captions
    results_by_image, duplicates = read_caption_results(results)
    answered = {id: text for id, text in results_by_image.items() if text is not None}
    kinds = compared(
        gold, results_by_image, duplicate=duplicates, unreferenced=annotations.unreferenced
    )
    kinds |= annotations.flaws
    kinds["missing"] = tuple(id for id in gold if id not in answered)
    problems = Problems(str(results), "images", len(gold), kinds)
    problems.settle(policy)
    if policy == "skip":
        gold = {id: texts for id, texts in gold.items() if id in answered}
    outputs = [Output(id, text=answered.get(id, "")) for id in gold]
    queries = [Query(id, group=id) for id in gold]
    task = Task("captioning", [], queries, output="caption", references=gold)
    return Submission(results.stem, task, problems, policy, references, outputs=outputs)


class References(NamedTuple):
    """The captions of COCO's annotations.

    Attributes:
        captions: image id -> its captions, in the file's order.
        unreferenced: images that the file lists and that have no caption.
        flaws: kind -> the annotations that were left out.
    """

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
        raise DataError(f"{path} is {described(content)}; expected {REFERENCES}")
    broken: list[Exclusion] = []
    no_text: list[Exclusion] = []
    captions: dict[str, list[str]] = {}
    for caption in read_captions(path, annotations, broken):
        reason = not_a_text(caption.text)
        if reason:
            id = f"{caption.id or 'a caption'} of {caption.image}"
            no_text.append(Exclusion("caption is no text", id, f"image {caption.image}: {reason}"))
        else:
            captions.setdefault(caption.image, []).append(str(caption.text))
    if not captions:
        excluded = [*broken, *no_text]
        first = f" ({one_line(excluded[0].reason, 160)})" if excluded else ""
        raise DataError(f"{path} has no captions{first}; expected {REFERENCES}")
    flaws = {
        "broken annotations": tuple(exclusion.id for exclusion in broken),
        "captions that are no text": tuple(exclusion.id for exclusion in no_text),
    }
    unreferenced = [id for id in _listed_images(content) if id not in captions]
    return References({id: tuple(texts) for id, texts in captions.items()}, unreferenced, flaws)


def _listed_images(content: Mapping[str, Any]) -> list[str]:
    """The ids of the list `images`, where the file has one."""
    listed = content.get("images")
    records = listed if isinstance(listed, list) else []
    ids = [as_id(image.get("id")) for image in records if isinstance(image, Mapping)]
    return [id for id in ids if id is not None]
