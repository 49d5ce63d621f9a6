"""Modality: the shares of images and texts among hits, and the modality gap of an encoder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from mmragbench.contracts import Encoder
from mmragbench.records import Document, Ranking, Task

KINDS = ("image", "text", "pair")
"""A document has an image only, texts only, or both."""

K = 10
SAMPLE = 1000
"""Documents on which the gap is measured."""

Shares = dict[str, float]
Rows = NDArray[np.float64]


class Gap(NamedTuple):
    """The gap between image and text vectors of a memory (unit vectors; Liang et al. 2022).

    Attributes:
        distance: between the centroids, 0 to 2.
        matched: mean cosine of an image and a caption of the same document.
        unmatched: mean cosine of an image and a caption of another.
        images, texts: how many vectors of each.
    """

    distance: float
    matched: float | None
    unmatched: float | None
    images: int
    texts: int


@dataclass(frozen=True, slots=True)
class Modality:
    """Shares of image, text and pair documents.

    Attributes:
        memory: among all documents.
        hits: among the first k hits of a query; the mean over `n` queries.
        relevant: among the documents that are relevant for it; the mean over the same queries.
        n: queries that have both hits and relevant documents.
        k: how many hits are looked at.
        gap: the encoder's, where one was given that reads both.
    """

    memory: Shares
    hits: Shares
    relevant: Shares
    n: int
    k: int = K
    gap: Gap | None = None

    @property
    def mixed(self) -> bool:
        """Whether the memory has documents of more than one kind."""
        return sum(share > 0 for share in self.memory.values()) > 1


class Kinds:
    """The kinds of a task's documents: of all, and of those that are relevant for a query, which
    may be thousands and are looked at once."""

    def __init__(self, task: Task) -> None:
        self._qrels = task.qrels
        self.of = {document.id: kind for document in task.memory if (kind := kind_of(document))}
        self.relevant = cache(self._relevant)

    def _relevant(self, query: str) -> Shares | None:
        """Shares of the kinds; None where no document is relevant."""
        grades = self._qrels.get(query, {})
        good = [id for id, grade in grades.items() if grade > 0 and id in self.of]
        return _shares(self.of[id] for id in good) if good else None


def modality(
    task: Task,
    rankings: Sequence[Ranking],
    encoder: Encoder | None = None,
    k: int = K,
    kinds: Kinds | None = None,
) -> Modality:
    """The shares of modalities among hits and among relevant documents; and an encoder's modality gap.
    `kinds` are the task's, where they have been looked at already."""
    kinds = kinds or Kinds(task)
    hits, relevant = [], []
    for ranking in rankings:
        ids = [hit.id for hit in ranking.hits[:k] if hit.id in kinds.of]
        if ids and (good := kinds.relevant(ranking.query)):
            hits.append(_shares(kinds.of[id] for id in ids))
            relevant.append(good)
    return Modality(
        memory=_shares(kinds.of.values()),
        hits=_mean(hits),
        relevant=_mean(relevant),
        n=len(hits),
        k=k,
        gap=gap(task.memory, encoder) if encoder else None,
    )


def kind_of(document: Document) -> str | None:
    """`image`, `text` or `pair`; None for a document with neither."""
    if document.image:
        return "pair" if document.texts else "image"
    return "text" if document.texts else None


def gap(memory: Sequence[Document], encoder: Encoder) -> Gap | None:
    """The modality gap, on a fixed draw of documents; None where there are no images or no texts,
    or the encoder does not read both."""
    drawn = sample(memory)
    images = [(d.id, d.image) for d in drawn if d.image]
    texts = [(d.id, text) for d in drawn for text in d.texts]
    if not images or not texts or not {"image", "text"} <= encoder.modalities:
        return None
    image_rows = encoder.encode_images([image for _, image in images]).astype(np.float64)
    text_rows = encoder.encode_texts([text for _, text in texts]).astype(np.float64)
    row = {id: i for i, (id, _) in enumerate(images)}
    own = [(row[id], j) for j, (id, _) in enumerate(texts) if id in row]
    return _gap(image_rows, text_rows, own)


def sample(memory: Sequence[Document]) -> list[Document]:
    """At most SAMPLE documents, drawn by their ids' checksums."""
    if len(memory) <= SAMPLE:
        return list(memory)
    return sorted(memory, key=lambda d: crc32(f"gap {d.id}".encode()))[:SAMPLE]


def _gap(image_rows: Rows, text_rows: Rows, own: Sequence[tuple[int, int]]) -> Gap:
    """The gap of these vectors; cosines of all pairs sum to the product of the vectors' sums."""
    matched = sum(float(image_rows[i] @ text_rows[j]) for i, j in own)
    rest = len(image_rows) * len(text_rows) - len(own)
    everything = float(image_rows.sum(axis=0) @ text_rows.sum(axis=0))
    return Gap(
        distance=float(np.linalg.norm(image_rows.mean(axis=0) - text_rows.mean(axis=0))),
        matched=matched / len(own) if own else None,
        unmatched=(everything - matched) / rest if rest else None,
        images=len(image_rows),
        texts=len(text_rows),
    )


def _shares(kinds: Iterable[str]) -> Shares:
    counts = Counter(kinds)
    total = sum(counts.values())
    return {kind: counts[kind] / total if total else 0.0 for kind in KINDS}


def _mean(shares: Sequence[Shares]) -> Shares:
    return {kind: sum(s[kind] for s in shares) / len(shares) for kind in KINDS} if shares else {}
