"""COCO's annotations as a data set and as references, and results against them."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import odd_values
import PIL.Image

from doors import Outcome


def make(rng: random.Random, folder: Path) -> None:
    """Annotations, pictures and results, with odd ids, captions and bytes."""
    odd = rng.choice([0.0, 0.02, 0.2])
    images = [{"id": n, "file_name": f"{n}.png"} for n in range(1, 5)]
    same = rng.random() < 0.2
    annotations = [
        {"id": 1 if same else n, "image_id": 1 + n % 4, "caption": f"caption number {n}"}
        for n in range(8)
    ]
    results = [{"image_id": n, "caption": f"a caption number {n}"} for n in range(1, 5)]
    content = {"images": _spoilt(rng, images, odd), "annotations": _spoilt(rng, annotations, odd)}
    odd_values.write(rng, folder / "captions.json", odd_values.as_json(content), odd / 2)
    odd_values.write(
        rng, folder / "results.json", odd_values.as_json(_spoilt(rng, results, odd)), odd / 2
    )
    for n in range(1, 5):
        PIL.Image.new("RGB", (8, 8), (n, n, n)).save(folder / f"{n}.png")
    if rng.random() < 0.3:
        things = {
            "categories": [{"id": 1, "name": "dog"}],
            "annotations": _spoilt(rng, [{"image_id": n, "category_id": 1} for n in (1, 2)], odd),
        }
        odd_values.write(rng, folder / "instances.json", odd_values.as_json(things), odd / 2)


def _spoilt(rng: random.Random, rows: list[Any], odd: float) -> list[Any]:
    """Rows with odd keys and values, missing and repeated ones, and other things than rows."""
    found: list[Any] = []
    for row in rows:
        own = {
            odd_values.now_and_then(rng, key, odd_values.text, odd / 8): odd_values.now_and_then(
                rng, value, odd_values.value, odd / 2
            )
            for key, value in row.items()
        }
        found += odd_values.now_and_then(
            rng,
            [own],
            lambda r, own=own: r.choice([[], [own, own], [odd_values.value(r)]]),
            odd / 8,
        )
    return found


def enter(folder: Path) -> Outcome:
    """As a data set, every caption that is a text stands with its image, or the image is named; as
    results, every image is answered, missing or unknown."""
    return _posed(folder) if len((folder / "captions.json").read_bytes()) % 2 else _scored(folder)


def _posed(folder: Path) -> Outcome:
    from mmragbench.datasets.coco import Coco, Split

    instances = Path("instances.json") if (folder / "instances.json").is_file() else None
    split = Split(Path("captions.json"), Path(), instances)
    task = Coco(folder, queries=split, memory="rest", limit=2).tasks()["captioning"]
    texts = {query.id: list(task.references[query.id]) for query in task.queries}
    texts |= {document.id: [text.content for text in document.texts] for document in task.memory}
    content = json.loads((folder / "captions.json").read_bytes())
    good = [
        (str(row["image_id"]), row["caption"])
        for row in content["annotations"]
        if isinstance(row, dict)
        and str(row.get("image_id")) in texts
        and _plain(row.get("caption"))
    ]
    return Outcome(len(good), sum(caption in texts[image] for image, caption in good))


def _plain(caption: object) -> bool:
    return isinstance(caption, str) and caption.startswith("caption number")


def _scored(folder: Path) -> Outcome:
    from mmragbench.submissions.coco_results import captions
    from mmragbench.submissions.submission_scores import score_captions

    submission = captions(folder / "results.json", folder / "captions.json", "zero")
    score_captions(submission, ["CIDEr", "Bleu_4", "ROUGE_L"])
    results = json.loads((folder / "results.json").read_bytes())
    ids = {str(row["image_id"]) for row in results}
    problems = submission.problems.ids
    missing, unknown = set(problems.get("missing", ())), set(problems.get("unknown", ()))
    answered = {output.query for output in submission.outputs} - missing
    return Outcome(len(ids), len(ids & answered), len(ids & (missing | unknown)))
