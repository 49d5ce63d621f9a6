"""A split of the world in memory: small images, their captions, and the emblem that each shows."""

import json
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor, from_numpy

MEAN, STD = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)
NO_EMBLEM = -1


@dataclass(frozen=True)
class Box:
    """One annotated thing: its category's name, and left, top, width, height as fractions."""

    category: str
    place: tuple[float, float, float, float]


@dataclass(frozen=True)
class Split:
    """Parallel sequences, one entry per image."""

    images: np.ndarray
    captions: list[list[str]]
    emblems: np.ndarray
    boxes: list[list[Box]]

    def __len__(self) -> int:
        return len(self.captions)

    def part(self, rows: slice) -> "Split":
        """The same split, cut to some rows."""
        return replace(
            self,
            images=self.images[rows],
            captions=self.captions[rows],
            emblems=self.emblems[rows],
            boxes=self.boxes[rows],
        )

    @property
    def plain(self) -> np.ndarray:
        """The rows without an emblem."""
        return np.flatnonzero(self.emblems == NO_EMBLEM)

    @property
    def with_emblem(self) -> np.ndarray:
        """The rows with an emblem."""
        return np.flatnonzero(self.emblems != NO_EMBLEM)

    @cached_property
    def rows_of_emblem(self) -> dict[int, np.ndarray]:
        """Emblem to the rows that show it."""
        rows = defaultdict(list)
        for row in self.with_emblem:
            rows[int(self.emblems[row])].append(row)
        return {emblem: np.array(found) for emblem, found in rows.items()}


def load(root: Path, name: str, size: int, cache: Path) -> Split:
    """Read a split's COCO files; the decoded images are cached as one array per size."""
    texts = json.loads((root / "annotations" / f"captions_{name}.json").read_text())
    things = json.loads((root / "annotations" / f"instances_{name}.json").read_text())
    images = sorted(texts["images"], key=lambda image: image["id"])
    captions = defaultdict(list)
    for annotation in texts["annotations"]:
        captions[annotation["image_id"]].append(annotation["caption"])
    paths = [root / "images" / name / image["file_name"] for image in images]
    emblems, boxes = _emblems_and_boxes(things)
    return Split(
        _pixels(paths, size, cache / f"{name}-{len(images)}-{size}.npy"),
        [captions[image["id"]] for image in images],
        np.array([emblems.get(image["id"], NO_EMBLEM) for image in images]),
        [boxes[image["id"]] for image in images],
    )


def _emblems_and_boxes(things: dict) -> tuple[dict[int, int], dict[int, list[Box]]]:
    categories = {category["id"]: category for category in things["categories"]}
    sides = {image["id"]: (image["width"], image["height"]) for image in things["images"]}
    emblems: dict[int, int] = {}
    boxes: dict[int, list[Box]] = defaultdict(list)
    for thing in things["annotations"]:
        category, (width, height) = categories[thing["category_id"]], sides[thing["image_id"]]
        left, top, across, down = thing["bbox"]
        place = (left / width, top / height, across / width, down / height)
        is_emblem = category["supercategory"] == "emblem"
        if is_emblem:
            emblems[thing["image_id"]] = category["id"]
        boxes[thing["image_id"]].append(Box("emblem" if is_emblem else category["name"], place))
    return emblems, boxes


def _pixels(paths: list[Path], size: int, cache: Path) -> np.ndarray:
    if not cache.is_file():
        cache.parent.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(2) as pool:
            np.save(cache, np.stack(list(pool.map(partial(_decode, size=size), paths))))
    return np.load(cache)


def _decode(path: Path, size: int) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB").resize((size, size), Image.Resampling.BICUBIC))


def pixels(images: np.ndarray) -> Tensor:
    """Bytes (n, size, size, 3) as normalised floats (n, 3, size, size)."""
    floats = from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float()
    return (floats / 255 - MEAN[0]) / STD[0]


def shifted(images: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """Each image moved by up to `most` pixels; never mirrored, for left is not right."""
    size = images.shape[1]
    moved = np.empty_like(images)
    for row, (down, across) in enumerate(rng.integers(-most, most + 1, (len(images), 2))):
        ys = np.clip(np.arange(size) + down, 0, size - 1)
        xs = np.clip(np.arange(size) + across, 0, size - 1)
        moved[row] = images[row][ys][:, xs]
    return moved


def one_caption_each(
    captions: list[list[str]], rows: np.ndarray, rng: np.random.Generator
) -> list[str]:
    """One of the captions of each row, drawn anew."""
    return [captions[row][rng.integers(len(captions[row]))] for row in rows]


def rows_with_pairs(split: Split, single: int, pairs: int, rng: np.random.Generator) -> np.ndarray:
    """Rows for a batch: `single` drawn from all, then two images of each of `pairs` emblems."""
    several = [rows for rows in split.rows_of_emblem.values() if len(rows) > 1]
    chosen = rng.choice(len(several), min(pairs, len(several)), replace=False)
    drawn = [rng.choice(several[emblem], 2, replace=False) for emblem in chosen]
    return np.unique(np.concatenate([rng.choice(len(split), single, replace=False), *drawn]))
