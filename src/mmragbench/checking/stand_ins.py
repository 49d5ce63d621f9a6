"""Models that cost nothing, for components that need one: arithmetic on pixels and words.

They understand nothing; they are deterministic, keep their contracts, and tell inputs apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np

from mmragbench.checking.inputs import COLOURS
from mmragbench.contracts import Vectors
from mmragbench.errors import BadImage
from mmragbench.records import (
    Document,
    Drawing,
    Failure,
    Image,
    Modality,
    Prompt,
    Query,
    Reply,
    Text,
)

SIDE = 4
DIMENSIONS = 3 * SIDE * SIDE


class Encoder:
    """Pictures to their pixels at 4 x 4, texts to the sum of a random direction for each word."""

    modalities: frozenset[Modality] = frozenset({"image", "text"})

    def encode_images(self, images: Sequence[Image]) -> Vectors:
        return _unit([_pixels(image) - 127.5 for image in images])

    def encode_texts(self, texts: Sequence[Text]) -> Vectors:
        return _unit([sum(map(_direction, ["", *text.content.split()])) for text in texts])


class Captioner:
    """Names the nearest colour, and repeats the prompt."""

    def caption(self, images: Sequence[Image], prompts: Sequence[str]) -> list[str | Failure]:
        return [
            f"a {_nearest(image)} picture {prompt}".strip()
            for image, prompt in zip(images, prompts, strict=True)
        ]


class Chat:
    """A grade that means nothing, the colours that it sees, and the first words of the prompt."""

    def chat(self, prompts: Sequence[Prompt]) -> list[Reply | Failure]:
        return [_reply(prompt) for prompt in prompts]


class Painter:
    """One colour, by the words and the seed."""

    def paint(self, prompts: Sequence[Prompt]) -> list[Drawing | Failure]:
        from PIL import Image as Pillow

        texts = [f"{prompt.seed} {prompt.text}" for prompt in prompts]
        hashes = [crc32(text.encode("utf-8", "replace")) for text in texts]
        colours = [(value & 255, value >> 8 & 255, value >> 16 & 255) for value in hashes]
        return [Drawing(Pillow.new("RGB", (16, 16), colour)) for colour in colours]


class Reranker:
    """The share of the query's words that the document has."""

    def score(
        self, queries: Sequence[Query], documents: Sequence[Document]
    ) -> list[float | Failure]:
        return [_shared(q, d) for q, d in zip(queries, documents, strict=True)]


def _reply(prompt: Prompt) -> Reply | Failure:
    try:
        colours = [_nearest(image) for image in prompt.images]
    except BadImage as error:
        return Failure(str(error))
    grade = crc32(str(prompt).encode("utf-8", "replace")) % 10
    return Reply(" ".join([str(grade), *colours, *prompt.text.split()[:8]]))


def _unit(rows: Sequence[object]) -> Vectors:
    vectors = np.asarray(rows, np.float32).reshape(-1, DIMENSIONS)
    unit: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
    return unit


def _pixels(image: Image) -> Vectors:
    return np.asarray(image.open().resize((SIDE, SIDE)), np.float32).ravel()


def _direction(word: str) -> Vectors:
    return np.random.default_rng(crc32(word.encode())).normal(size=DIMENSIONS).astype(np.float32)


def _nearest(image: Image) -> str:
    mean = _pixels(image).reshape(-1, 3).mean(axis=0)
    return min(COLOURS, key=lambda name: float(np.abs(mean - COLOURS[name]).sum()))


def _shared(query: Query, document: Document) -> float:
    query_words = set(query.text.content.split()) if query.text else set()
    words = {word for text in document.texts for word in text.content.split()}
    return len(query_words & words) / max(len(query_words), 1)
