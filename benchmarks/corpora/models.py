"""Models that cost next to nothing, so that what is left is the harness. Deterministic."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from zlib import crc32

import numpy as np

from mmragbench.contracts import Vectors
from mmragbench.records import Failure, Image, Modality, Text

SIDE = 8
WORDS = 1 << 14
COLOURS = ("red", "green", "blue", "dark", "bright", "grey", "purple", "yellow")


@cache
def _projection(rows: int, dimensions: int) -> Vectors:
    generator = np.random.default_rng([rows, dimensions])
    return generator.standard_normal((rows, dimensions), dtype=np.float32)


def _unit(rows: Vectors) -> Vectors:
    unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def _texts(texts: Sequence[Text], dimensions: int) -> Vectors:
    """Sums of random word vectors: captions that share words are close."""
    table = _projection(WORDS, dimensions)
    hashed = [[crc32(w.encode()) % WORDS for w in text.content.split()] for text in texts]
    return _unit(np.stack([table[words].sum(axis=0) for words in hashed]))


class Clip:
    """512-d, as ViT-B-32's: random projections of small pictures, sums of random word vectors."""

    modalities: frozenset[Modality] = frozenset({"image", "text"})

    def encode_images(self, images: Sequence[Image]) -> Vectors:
        pixels = [np.asarray(i.open().resize((SIDE, SIDE)), np.float32).ravel() for i in images]
        return _unit((np.stack(pixels) - 127.5) @ _projection(SIDE * SIDE * 3, 512))

    def encode_texts(self, texts: Sequence[Text]) -> Vectors:
        return _texts(texts, 512)


class Sentences:
    """384-d, as MiniLM's: sums of random word vectors."""

    modalities: frozenset[Modality] = frozenset({"text"})

    def encode_images(self, images: Sequence[Image]) -> Vectors:
        raise NotImplementedError

    def encode_texts(self, texts: Sequence[Text]) -> Vectors:
        return _texts(texts, 384)


class Namer:
    """A caption of four words, from the file's digest: a caption a picture, as a captioner's."""

    def caption(self, images: Sequence[Image], prompts: Sequence[str]) -> list[str | Failure]:
        return [" ".join(COLOURS[int(c, 16) % 8] for c in image.digest[:4]) for image in images]
