"""COCO's files: caption annotations as JSON, and a folder of pictures for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mmragbench.data.entries import Entry
from mmragbench.data.splits import MEMORY, QUERIES
from mmragbench.datasets.coco import Split, karpathy, read
from mmragbench.errors import DataError
from mmragbench.layouts.data import Data
from mmragbench.layouts.pictures import captioned, picture_folder, present

LAYOUT = "COCO captions"
KARPATHY = "dataset_coco.json"
OTHERS = ("instances", "person_keypoints", "panoptic", "stuff", "image_info", "dataset_")
"""Beginnings of the names of COCO's files without captions, which may be large."""


class Captions(NamedTuple):
    """An annotation file: its split, as the dataset `coco` names it, and the pictures that it lists."""

    split: Split
    entries: list[Entry]

    @property
    def argument(self) -> dict[str, str]:
        """The split as a suite names it."""
        names = {"captions": self.split.captions, "images": self.split.images}
        instances = {"instances": self.split.instances} if self.split.instances else {}
        return {key: name.as_posix() for key, name in {**names, **instances}.items()}


def recognise(folder: Path) -> Data | None:
    """Files of captions with the folders of their pictures, or Karpathy's split of COCO.

    Raises:
        DataError: an annotation file cannot be read.
    """
    if (folder / KARPATHY).is_file():
        queries, memory, _ = karpathy(folder, folder / KARPATHY)
        whole = {"use": "coco", "root": str(folder), "karpathy": KARPATHY}
        return captioned(folder, f"{LAYOUT} in {KARPATHY}", whole, queries, memory)
    files = [*_annotation_files(folder)]
    if not files:
        return None
    sides = _sides(_one_for_each_folder(files))
    layout = f"{LAYOUT} in {' and '.join(side.split.captions.name for side in sides.values())}"
    named: dict[str, Any] = {"use": "coco", "root": str(folder)}
    named |= {name: side.argument for name, side in sides.items()}
    memory = sides["memory"].entries if "memory" in sides else None
    return captioned(folder, layout, named, sides["queries"].entries, memory)


def _annotation_files(folder: Path) -> Iterator[Captions]:
    """The files with captions in the folder and in `annotations/`.

    Raises:
        DataError: one that promises captions by its name cannot be read.
    """
    for path in sorted([*folder.glob("*.json"), *folder.glob("annotations/*.json")]):
        if not path.name.startswith(OTHERS):
            try:
                yield _captions(folder, path)
            except DataError:
                if "captions" in path.name:
                    raise


def _captions(folder: Path, path: Path) -> Captions:
    """The split of an annotation file: its pictures, and instances with names that match."""
    name = path.relative_to(folder)
    entries, _ = read(folder, Split(name, Path()))
    images = picture_folder(folder, [entry.file for entry in entries])
    instances = name.with_name(name.name.replace("captions", "instances"))
    has_instances = instances != name and (folder / instances).is_file()
    split = Split(name, images or Path(), instances if has_instances else None)
    return Captions(split, read(folder, split)[0])


def _one_for_each_folder(files: list[Captions]) -> list[Captions]:
    """Of files that describe pictures in one folder, the one that lacks fewest of them."""
    by_folder: dict[Path, list[Captions]] = {}
    for file in files:
        by_folder.setdefault(file.split.images, []).append(file)
    return [min(own, key=_lacking) for own in by_folder.values()]


def _lacking(file: Captions) -> int:
    return len(file.entries) - len(present(file.entries))


def _sides(files: list[Captions]) -> Mapping[str, Captions]:
    """The query split and the memory split by the names of the files; a single one is the query split."""
    memory = _named(files, MEMORY)
    queries = _named([file for file in files if file is not memory], QUERIES)
    if queries is None or memory is None:
        return {"queries": queries or memory or files[0]}
    return {"queries": queries, "memory": memory}


def _named(files: list[Captions], splits: tuple[str, ...]) -> Captions | None:
    """The first file that has the name of such a split in its own."""
    names = (name for split in splits for name in files if split in name.split.captions.stem)
    return next(names, None)
