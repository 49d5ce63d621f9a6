"""A folder in COCO's layout, as large as one likes: small distinct JPEGs, five captions each,
instances with outlines, so that the files that are parsed have COCO's own size."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.random import Generator
from PIL import Image

CAPTIONS = 5
THINGS = 80
PER_IMAGE = 7.3
"""Instances a picture, as in train2017 (860,001 on 118,287)."""


def write(root: Path, memory: int, queries: int, captions: Path | None, seed: int = 0) -> None:
    """`annotations/`, `train2017/` and `val2017/` below a folder.

    Args:
        root: the folder.
        memory: pictures of train2017.
        queries: pictures of val2017.
        captions: a COCO caption file whose captions are recombined; else words are made up.
        seed: for the draws.
    """
    generator = np.random.default_rng(seed)
    say = _recombined(captions) if captions else _made_up(generator)
    (root / "annotations").mkdir(parents=True)
    for split, first, count in (("val2017", 0, queries), ("train2017", queries, memory)):
        ids = range(first + 1, first + count + 1)
        (root / split).mkdir()
        for id in ids:
            _picture(root / split / f"{id:012d}.jpg", generator)
        images = [{"id": id, "file_name": f"{id:012d}.jpg", "license": 1} for id in ids]
        texts = (
            {"id": id * 10 + n, "image_id": id, "caption": say(generator)}
            for id in ids
            for n in range(CAPTIONS)
        )
        _annotations(root / f"annotations/captions_{split}.json", images, texts)
        things = [{"id": n, "name": f"thing {n}", "supercategory": "x"} for n in range(THINGS)]
        instances = (i for id in ids for i in _instances(id, generator))
        _annotations(
            root / f"annotations/instances_{split}.json", images, instances, categories=things
        )


def _picture(path: Path, generator: Generator) -> None:
    pixels = generator.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize((32, 32)).save(path, quality=80)


def _annotations(path: Path, images: list[Any], annotations: Iterator[Any], **more: Any) -> None:
    with path.open("w") as file:
        file.write('{"info": {}, "images": ' + json.dumps(images) + ', "annotations": [')
        _join(file, annotations)
        file.write("]" + "".join(f', "{k}": {json.dumps(v)}' for k, v in more.items()) + "}")


def _join(file: IO[str], records: Iterator[Any]) -> None:
    for number, record in enumerate(records):
        file.write((", " if number else "") + json.dumps(record))


def _instances(image: int, generator: Generator) -> Iterator[dict[str, Any]]:
    """So many that a file of 118,000 pictures has some 450 MB; few kinds a picture."""
    count = int(generator.poisson(PER_IMAGE))
    kinds = generator.choice(THINGS, 2, p=_zipf(THINGS)).tolist()
    for n in range(count):
        outline = generator.integers(0, 64_000, int(generator.integers(20, 60))) / 100
        yield {
            "segmentation": [outline.tolist()],
            "area": 54652.9556,
            "iscrowd": 0,
            "image_id": image,
            "bbox": [116.95, 305.86, 285.3, 266.03],
            "category_id": kinds[n % 2],
            "id": image * 100 + n,
        }


def _zipf(n: int) -> Any:
    weights = 1 / np.arange(1, n + 1)
    return weights / weights.sum()


def _recombined(path: Path) -> Callable[[Generator], str]:
    """The start of one real caption and the end of another."""
    found = [r["caption"].split() for r in json.loads(path.read_bytes())["annotations"]]

    def say(generator: Generator) -> str:
        first, second = (found[i] for i in generator.integers(0, len(found), 2))
        return " ".join([*first[: len(first) // 2], *second[len(second) // 2 :]])

    return say


def _made_up(generator: Generator) -> Callable[[Generator], str]:
    letters = list("abcdefghijklmnoprstuvw")
    words = ["".join(generator.choice(letters, 6)) for _ in range(8000)]
    chances = _zipf(len(words)).cumsum()

    def say(generator: Generator) -> str:
        return " ".join(words[i] for i in np.searchsorted(chances, generator.random(11)))

    return say
