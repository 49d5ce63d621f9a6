"""A toy world: pictures of one colour, models that know colours. Quick, and right by construction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from threading import Event

import numpy as np
from PIL import Image as Pillow

from mmragbench.records import Document, Failure, Image, Output, Prompt, Query, Text

COLOURS = {
    "red": (220, 30, 30),
    "green": (30, 180, 40),
    "blue": (30, 60, 220),
    "yellow": (240, 220, 30),
    "white": (245, 245, 245),
    "black": (15, 15, 15),
    "purple": (140, 40, 180),
    "orange": (245, 140, 30),
}
NAMES = tuple(COLOURS)


def _unit(rows: np.ndarray) -> np.ndarray:
    rows = rows.reshape(-1, 3)
    centred = rows - 127.5
    return (centred / np.linalg.norm(centred, axis=1, keepdims=True)).astype(np.float32)


class ColourEncoder:
    """Pictures and words to the direction of their mean colour."""

    modalities = frozenset({"image", "text"})
    calls: list[int] = []

    def encode_images(self, images: Sequence[Image]) -> np.ndarray:
        self.calls.append(len(images))
        return _unit(np.array([np.asarray(image.open()).mean(axis=(0, 1)) for image in images]))

    def encode_texts(self, texts: Sequence[Text]) -> np.ndarray:
        self.calls.append(len(texts))
        return _unit(np.array([self._colour(text.content) for text in texts], float))

    def _colour(self, text: str) -> np.ndarray:
        known = [COLOURS[word] for word in text.lower().split() if word in COLOURS]
        return np.mean(known or [(128, 128, 140)], axis=0)


class ColourCaptioner:
    """Names the nearest colour; fails on pictures whose id ends in `666`."""

    calls: list[int] = []

    def caption(self, images: Sequence[Image], prompts: Sequence[str]) -> list[str | Failure]:
        self.calls.append(len(images))
        return [self._caption(image) for image in images]

    def _caption(self, image: Image) -> str | Failure:
        if image.id.endswith("666"):
            return Failure("the number of the beast")
        mean = np.asarray(image.open()).mean(axis=(0, 1))
        name = min(NAMES, key=lambda n: float(np.linalg.norm(mean - np.array(COLOURS[n]))))
        return f"a {name} picture"


class WordReranker:
    """Counts shared words."""

    def score(self, queries: Sequence[Query], documents: Sequence[Document]) -> list[float]:
        return [
            float(max(len(words(q.text.content) & words(t.content)) for t in d.texts))
            for q, d in zip(queries, documents, strict=True)
        ]


def words(text: str) -> set[str]:
    return set(text.lower().split())


class Backwards:
    """A strategy from outside: the memory in reverse order, whatever is asked."""

    def index(self, memory: Sequence[Document]) -> None:
        self._ids = sorted((document.id for document in memory), reverse=True)

    def retrieve(self, queries, k):
        from mmragbench.records import Ranking

        return [
            Ranking.of(query.id, [(id, -i) for i, id in enumerate(self._ids)], k)
            for query in queries
        ]


class Mute:
    """A chat model that answers nothing."""

    def chat(self, prompts: Sequence[Prompt]) -> list[Failure]:
        return [Failure("no answer today") for _ in prompts]


class Crashing:
    """A strategy with a defect."""

    def index(self, memory: Sequence[Document]) -> None:
        raise ZeroDivisionError("one over nothing")

    def retrieve(self, queries, k):
        return []


class Endless:
    """A strategy whose index is never done."""

    def index(self, memory: Sequence[Document]) -> None:
        Event().wait()

    def retrieve(self, queries, k):
        return []


def draw(path: Path, colour: str, shade: int = 0, side: int = 24) -> None:
    """A picture of one colour, a little darker with each shade, with a mark that makes it unique."""
    rgb = tuple(max(0, channel - 2 * shade) for channel in COLOURS[colour])
    picture = Pillow.new("RGB", (side, side), rgb)
    picture.putpixel((shade % side, 0), (shade % 256, 0, 0))
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)


def write_coco(root: Path, memory: int = 24, queries: int = 8) -> Path:
    """A COCO folder of coloured pictures, five captions each."""
    for split, count, first in (("train2017", memory, 1), ("val2017", queries, 1001)):
        images, captions = [], []
        for i in range(count):
            id, colour = first + i, NAMES[i % len(NAMES)]
            name = f"{id:012d}.png"
            draw(root / split / name, colour, i // len(NAMES))
            images.append({"id": id, "file_name": name, "width": 24, "height": 24})
            for j, form in enumerate(
                ("a {} picture", "a {} square", "all {} here", "plain {} paint", "it is {} again")
            ):
                text = form.format(colour)
                captions.append({"id": id * 10 + j, "image_id": id, "caption": text})
        (root / "annotations").mkdir(parents=True, exist_ok=True)
        content = {"images": images, "annotations": captions}
        (root / f"annotations/captions_{split}.json").write_text(json.dumps(content))
    return root


def suite(root: Path, **changes: object) -> dict:
    """A suite over `write_coco`'s folder, with toy models."""
    content: dict = {
        "name": "toy",
        "dataset": {"use": "coco", "root": str(root)},
        "models": {
            "colours": {"use": "support.toy:ColourEncoder"},
            "namer": {"use": "support.toy:ColourCaptioner"},
        },
        "strategies": {
            "no-retrieval": {},
            "random": {},
            "shared-space": {"encoder": "colours"},
            "text-grounding": {"captioner": "namer", "encoder": "colours"},
            "oracle": {},
        },
        "generators": {"captioner": {"captioner": "namer"}},
        "tasks": {
            "text-to-image": {"measures": ["R@1", "Success@5"]},
            "captioning": {
                "generator": ["captioner", "nearest", "consensus"],
                "k": 3,
                "measures": ["R@5", "CIDEr"],
            },
        },
        "baseline": "no-retrieval",
    }
    return {**content, **changes}


class Words:
    """A generator that answers every query with the same text."""

    def generate(self, queries, contexts):
        return [Output(query.id, text="a picture") for query in queries]


class Guessing:
    """A generator that draws a colour for each query; under seed 2 it fails on one of them."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def generate(self, queries, contexts):
        names = np.random.default_rng(self.seed).choice(NAMES, len(queries))
        outputs = [Output(q.id, f"a {n} picture") for q, n in zip(queries, names, strict=True)]
        return (
            [Output(outputs[0].query, error="no idea"), *outputs[1:]] if self.seed == 2 else outputs
        )
