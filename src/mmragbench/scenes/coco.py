"""Writer of the world as COCO-format files: images, captions and instances, in several processes if asked."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

from mmragbench.scenes.emblems import Emblem, emblems
from mmragbench.scenes.kinds import KINDS
from mmragbench.scenes.layout import Placed, place
from mmragbench.scenes.paint import SIDE, paint
from mmragbench.scenes.voices import captions
from mmragbench.scenes.world import Scene, sample_scene

FIRST_IDS = {"train": 1, "memory": 1_000_001, "queries": 2_000_001}
"""Split -> the id of its first image."""
_CHUNK = 50
_IMAGES_PER_EMBLEM = 4
_FIRST_EMBLEM_CATEGORY = 1001
_KIND_CATEGORIES = {name: number for number, name in enumerate(KINDS, start=1)}


@dataclass(frozen=True)
class ImageRecords:
    """The records of an image; instances are (category id, box in pixels: left, top, width, height)."""

    image_id: int
    shows_emblem: bool
    captions: list[str]
    instances: list[tuple[int, list[float]]]


@dataclass(frozen=True)
class _Job:
    folder: Path
    seed: int
    split: str
    indices: range


def write(
    root: Path,
    splits: Mapping[str, int],
    seed: int = 0,
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Write the world below `root`: for each split of "train", "memory" and "queries" as many images as asked.

    Images go to `images/<split>/`, captions and instances to `annotations/`, those last. The files depend on `seed`
    and on the splits only, not on `workers`. `progress` is called with the number of images drawn since its last call.
    """
    unknown = sorted(set(splits) - set(FIRST_IDS))
    if unknown:
        raise ValueError(f"no split {unknown[0]!r} in this world; it has {', '.join(FIRST_IDS)}")
    jobs = list(_jobs(root, splits, seed))
    for job in jobs:
        job.folder.mkdir(parents=True, exist_ok=True)
    drawn: dict[str, list[ImageRecords]] = {split: [] for split in splits}
    for job, images_done in zip(jobs, _draw_all(jobs, workers), strict=True):
        drawn[job.split] += images_done
        if progress is not None:
            progress(len(images_done))
    for split, images in drawn.items():
        _write_annotations(root, split, images)


def _jobs(root: Path, splits: Mapping[str, int], seed: int) -> Iterator[_Job]:
    for split, many in splits.items():
        for start in range(0, many, _CHUNK):
            yield _Job(
                root / "images" / split, seed, split, range(start, min(start + _CHUNK, many))
            )


def _draw_all(jobs: list[_Job], workers: int) -> Iterator[list[ImageRecords]]:
    if workers <= 1:
        yield from map(_draw_chunk, jobs)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_draw_chunk, jobs)


def _draw_chunk(job: _Job) -> list[ImageRecords]:
    return [_draw_one(job, index) for index in job.indices]


def _draw_one(job: _Job, index: int) -> ImageRecords:
    """Draw and write one image; returns its records."""
    name = f"{job.seed}/{job.split}/{index}"
    scene = sample_scene(Random(f"{name}/scene"), emblem_at(job.seed, job.split, index))
    placed = place(scene, Random(f"{name}/layout"))
    image_id = FIRST_IDS[job.split] + index
    image = paint(scene, placed, Random(f"{name}/art"))
    path = job.folder / _file_name(image_id)
    temporary = path.with_suffix(".part")
    image.save(temporary, "JPEG", quality=90)
    os.replace(temporary, path)
    words = captions(scene, Random(f"{name}/words"))
    return ImageRecords(
        image_id, scene.emblem is not None, words, [_instance(scene, item) for item in placed]
    )


def emblem_at(seed: int, split: str, index: int) -> Emblem | None:
    """The emblem of this image, or None: one image in every four has one, and all occur equally often."""
    block = index // _IMAGES_PER_EMBLEM
    if (
        Random(f"{seed}/{split}/{block}/which").randrange(_IMAGES_PER_EMBLEM)
        != index % _IMAGES_PER_EMBLEM
    ):
        return None
    held_out, training = emblems()
    turn = list(training if split == "train" else held_out)
    Random(f"{seed}/{split}/{block // len(turn)}/turn").shuffle(turn)
    return turn[block % len(turn)]


def _instance(scene: Scene, item: Placed) -> tuple[int, list[float]]:
    box = [round(part * SIDE, 2) for part in (item.box.x, item.box.y, item.box.w, item.box.h)]
    if item.group < 0 and scene.emblem is not None:
        return _FIRST_EMBLEM_CATEGORY + scene.emblem.number, box
    return _KIND_CATEGORIES[scene.groups[item.group].kind], box


def _file_name(image_id: int) -> str:
    return f"{image_id:012d}.jpg"


def _write_annotations(root: Path, split: str, drawn: list[ImageRecords]) -> None:
    info = {"description": f"mmragbench scenes, {split}", "version": "1.0"}
    images = [
        {
            "id": item.image_id,
            "file_name": _file_name(item.image_id),
            "width": SIDE,
            "height": SIDE,
            "slices": ["emblems"] if item.shows_emblem else [],
        }
        for item in drawn
    ]
    common: dict[str, Any] = {"info": info, "licenses": [], "images": images}
    folder = root / "annotations"
    folder.mkdir(parents=True, exist_ok=True)
    _write_json(folder / f"instances_{split}.json", {**common, **_instances(split, drawn)})
    _write_json(
        folder / f"captions_{split}.json", {**common, "annotations": _captions(split, drawn)}
    )


def _captions(split: str, drawn: list[ImageRecords]) -> list[dict[str, Any]]:
    rows = [(item.image_id, caption) for item in drawn for caption in item.captions]
    first = FIRST_IDS[split] * 10
    return [
        {"id": first + i, "image_id": image_id, "caption": caption}
        for i, (image_id, caption) in enumerate(rows)
    ]


def _instances(split: str, drawn: list[ImageRecords]) -> dict[str, Any]:
    held_out, training = emblems()
    kinds = [
        {"id": i, "name": name, "supercategory": KINDS[name].supercategory}
        for name, i in _KIND_CATEGORIES.items()
    ]
    signs = [
        {
            "id": _FIRST_EMBLEM_CATEGORY + emblem.number,
            "name": emblem.title,
            "supercategory": "emblem",
        }
        for emblem in (training if split == "train" else held_out)
    ]
    rows = [(item.image_id, category, box) for item in drawn for category, box in item.instances]
    first = FIRST_IDS[split] * 10
    annotations = [
        {
            "id": first + i,
            "image_id": image_id,
            "category_id": category,
            "bbox": box,
            "area": round(box[2] * box[3], 2),
            "iscrowd": 0,
        }
        for i, (image_id, category, box) in enumerate(rows)
    ]
    return {"categories": [*kinds, *signs], "annotations": annotations}


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    temporary = path.with_suffix(".part")
    temporary.write_text(json.dumps(content), encoding="utf-8")
    os.replace(temporary, path)
