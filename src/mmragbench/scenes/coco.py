"""Writer of the world as COCO-format files: images, captions and instances, in several processes if asked."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

from PIL.Image import Image

from mmragbench.scenes.edits import UNEDITED, EditedEmblems, Edits, InPlaceOf, in_place_of
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
_FIRST_UNEDITED_CATEGORY = 2001


@dataclass(frozen=True)
class ImageRecords:
    """The records of an image; instances are (category, box in pixels: left, top, width, height)."""

    image_id: int
    file_name: str
    slices: list[str]
    captions: list[str]
    instances: list[tuple[str, list[float]]]


@dataclass(frozen=True)
class View:
    """A split, or its scenes with other emblems.

    Attributes:
        name: of its annotation files, and of the folder of the images that it draws.
        split: whose scenes they are.
        emblems: what is in place of held-out emblems.
        drawn: what is in place of them in the split's own images, where those are used; None where
            this view draws them.
        edited: how the memory is edited, if categories and slices are to say so.
    """

    name: str
    split: str
    emblems: InPlaceOf = field(default_factory=dict)
    drawn: InPlaceOf | None = None
    edited: EditedEmblems | None = None

    def folder(self, own: Emblem | None) -> str:
        """The folder below `images/` of a scene's image, by the scene's own emblem: the split's, if
        that has drawn the same design there."""
        if self.drawn is None:
            return self.name
        shown, drawn = in_place_of(own, self.emblems), in_place_of(own, self.drawn)
        same = shown is None or (drawn is not None and drawn.design == shown.design)
        return self.split if same else self.name


@dataclass(frozen=True)
class _Job:
    root: Path
    seed: int
    view: View
    indices: range


def write(
    root: Path,
    splits: Mapping[str, int],
    seed: int = 0,
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
    edits: Edits | None = None,
) -> None:
    """Write the world below `root`: for each split of "train", "memory" and "queries" as many images as asked.

    Images go to `images/<split>/`, captions and instances to `annotations/`, those last. The files depend on `seed`,
    `edits` and the splits only, not on `workers`. `progress` is called with the number of images done since its last
    call.

    With `edits` the memory is the edited one, and three more pairs of annotation files name images below `images/`,
    which are the same files wherever nothing differs: `queries_captioning`, the queries' images with what the memory
    calls them; `queries_image-generation`, the queries' texts with what the memory shows under the name; and
    `memory_unedited`.
    """
    unknown = sorted(set(splits) - set(FIRST_IDS))
    if unknown:
        raise ValueError(f"no split {unknown[0]!r} in this world; it has {', '.join(FIRST_IDS)}")
    views = _views(splits, edits.of(seed) if edits else None)
    jobs = [job for view in views for job in _jobs(root, view, seed, splits[view.split])]
    for view in views:
        (root / "images" / view.name).mkdir(parents=True, exist_ok=True)
    drawn: dict[str, list[ImageRecords]] = {view.name: [] for view in views}
    for job, images_done in zip(jobs, _draw_all(jobs, workers), strict=True):
        drawn[job.view.name] += images_done
        if progress is not None:
            progress(len(images_done))
    for view in views:
        _write_annotations(root, view, drawn[view.name])


def _views(splits: Iterable[str], edited: EditedEmblems | None) -> list[View]:
    views = {split: View(split, split) for split in splits}
    if edited is not None and "memory" in views:
        views["memory"] = View("memory", "memory", edited.in_memory, edited=edited)
        views["unedited"] = View("memory_unedited", "memory", {}, edited.in_memory, edited)
    if edited is not None and "queries" in views:
        views["captioning"] = View("queries_captioning", "queries", edited.by_look, {}, edited)
        views["image-generation"] = View(
            "queries_image-generation", "queries", edited.by_name, {}, edited
        )
    return list(views.values())


def _jobs(root: Path, view: View, seed: int, many: int) -> Iterator[_Job]:
    for start in range(0, many, _CHUNK):
        yield _Job(root, seed, view, range(start, min(start + _CHUNK, many)))


def _draw_all(jobs: list[_Job], workers: int) -> Iterator[list[ImageRecords]]:
    if workers <= 1:
        yield from map(_draw_chunk, jobs)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_draw_chunk, jobs)


def _draw_chunk(job: _Job) -> list[ImageRecords]:
    records = (_draw_one(job, index) for index in job.indices)
    return [image for image in records if image is not None]


def _draw_one(job: _Job, index: int) -> ImageRecords | None:
    """Draw and write one image, unless another view has; returns its records, None if it is left out."""
    view = job.view
    name = f"{job.seed}/{view.split}/{index}"
    own = emblem_at(job.seed, view.split, index)
    emblem = in_place_of(own, view.emblems)
    if own is not None and emblem is None:
        return None
    scene = sample_scene(Random(f"{name}/scene"), emblem)
    placed = place(scene, Random(f"{name}/layout"))
    image_id = FIRST_IDS[view.split] + index
    folder = view.folder(own)
    path = job.root / "images" / folder / f"{image_id:012d}.jpg"
    if folder == view.name:
        save(paint(scene, placed, Random(f"{name}/art")), path)
    return ImageRecords(
        image_id,
        path.name if view.drawn is None else f"{folder}/{path.name}",
        _slices(own, view.edited),
        captions(scene, Random(f"{name}/words")),
        [_instance(scene, item, view.edited) for item in placed],
    )


def save(image: Image, path: Path) -> None:
    """Write a picture as JPEG: the whole file is there, or none."""
    temporary = path.with_suffix(".part")
    image.save(temporary, "JPEG", quality=90)
    os.replace(temporary, path)


def _slices(emblem: Emblem | None, edited: EditedEmblems | None) -> list[str]:
    if emblem is None:
        return []
    return ["emblems", *([edited.kinds.get(emblem.number, "unedited")] if edited else [])]


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


def _instance(scene: Scene, item: Placed, edited: EditedEmblems | None) -> tuple[str, list[float]]:
    box = [round(part * SIDE, 2) for part in (item.box.x, item.box.y, item.box.w, item.box.h)]
    if item.group < 0 and scene.emblem is not None:
        return edited.label_of(scene.emblem) if edited else scene.emblem.title, box
    return scene.groups[item.group].kind, box


def _write_annotations(root: Path, view: View, drawn: list[ImageRecords]) -> None:
    info = {"description": f"mmragbench scenes, {view.name}", "version": "1.0"}
    images = [
        {
            "id": item.image_id,
            "file_name": item.file_name,
            "width": SIDE,
            "height": SIDE,
            "slices": item.slices,
        }
        for item in drawn
    ]
    common: dict[str, Any] = {"info": info, "licenses": [], "images": images}
    folder = root / "annotations"
    folder.mkdir(parents=True, exist_ok=True)
    instances, rows = _instances(view, drawn), _captions(view.split, drawn)
    _write_json(folder / f"instances_{view.name}.json", {**common, **instances})
    _write_json(folder / f"captions_{view.name}.json", {**common, "annotations": rows})


def _captions(split: str, drawn: list[ImageRecords]) -> list[dict[str, Any]]:
    rows = [(item.image_id, caption) for item in drawn for caption in item.captions]
    first = FIRST_IDS[split] * 10
    return [
        {"id": first + i, "image_id": image_id, "caption": caption}
        for i, (image_id, caption) in enumerate(rows)
    ]


def _instances(view: View, drawn: list[ImageRecords]) -> dict[str, Any]:
    categories = _categories(view)
    ids = {category["name"]: category["id"] for category in categories}
    rows = [(item.image_id, ids[name], box) for item in drawn for name, box in item.instances]
    first = FIRST_IDS[view.split] * 10
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
    return {"categories": categories, "annotations": annotations}


def _categories(view: View) -> list[dict[str, Any]]:
    held_out, training = emblems()
    rows = [(i, name, kind.supercategory) for i, (name, kind) in enumerate(KINDS.items(), start=1)]
    rows += [
        (_FIRST_EMBLEM_CATEGORY + emblem.number, emblem.title, "emblem")
        for emblem in (training if view.split == "train" else held_out)
    ]
    if view.edited is not None:
        rows += [
            (_FIRST_UNEDITED_CATEGORY + emblem.number, emblem.title + UNEDITED, "emblem")
            for emblem in held_out
        ]
    return [{"id": i, "name": name, "supercategory": above} for i, name, above in rows]


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    temporary = path.with_suffix(".part")
    temporary.write_text(json.dumps(content), encoding="utf-8")
    os.replace(temporary, path)
