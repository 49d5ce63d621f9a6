"""One space for images and texts (CLIP; RA-CM3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from mmragbench.contracts import Encoder, NewStore, Vectors
from mmragbench.errors import NotApplicable
from mmragbench.records import Document, Hit, Modality, Query, Ranking
from mmragbench.registry import strategy
from mmragbench.rows import OwnedRows


@strategy
class SharedSpace:
    """Images and texts in one space; a document is its image, its text, their mean, or the best of all.

    Args:
        encoder: reads images and texts into one space.
        store: searches the vectors.
        document: what stands for a document: its `image`, the mean of its texts (`text`), the
            `mean` of these two (RA-CM3's mixed-modal encoder), or image and texts each for
            themselves with the `max` of their scores.
        centre: subtract from each modality its mean over the memory, against the modality gap
            (Liang et al. 2022); a modality that the memory lacks is left as it is.
        diversity: RA-CM3's filter: skip a candidate whose similarity to the query, or to one that
            was taken, is above this cosine (RA-CM3 uses 0.9).
    """

    def __init__(
        self,
        encoder: Encoder,
        store: NewStore,
        document: Literal["image", "text", "mean", "max"] = "mean",
        centre: bool = False,
        diversity: float | None = None,
    ) -> None:
        self._encoder, self._new_store = encoder, store
        self._document, self._centre, self._diversity = document, centre, diversity
        self._means: dict[str, Vectors] = {}

    def index(self, memory: Sequence[Document]) -> None:
        images, image_owners = self._images(memory)
        texts, text_owners = self._texts(memory)
        if self._centre:
            both = {"image": images, "text": texts}
            self._means = {name: rows.mean(axis=0) for name, rows in both.items() if len(rows)}
        images, texts = self._centred("image", images), self._centred("text", texts)
        if self._document == "max":
            self._vectors, owners = _stack(images, texts), image_owners + text_owners
        else:
            self._vectors, owners = _average(images, image_owners, texts, text_owners)
        if not owners:
            raise NotApplicable(
                f"no document of this memory has what document: {self._document} needs"
            )
        self._rows = OwnedRows(self._new_store(), owners, self._vectors)

    def retrieve(self, queries: Sequence[Query], k: int) -> list[Ranking]:
        vectors = self._query_vectors(queries)
        if self._diversity is None:
            found = self._rows.search(vectors, k)
        else:  # from a deeper pool, since some of it is skipped
            pools = self._rows.rows(vectors, 4 * k)
            diverse = (self._diverse(v, pool) for v, pool in zip(vectors, pools, strict=True))
            found = [self._rows.documents(hits, k) for hits in diverse]
        return [Ranking(query.id, tuple(hits)) for query, hits in zip(queries, found, strict=True)]

    def _images(self, memory: Sequence[Document]) -> tuple[Vectors, list[str]]:
        with_image = [d for d in memory if d.image and self._document != "text"]
        rows = self._encoder.encode_images([d.image for d in with_image if d.image])
        return rows, [d.id for d in with_image]

    def _texts(self, memory: Sequence[Document]) -> tuple[Vectors, list[str]]:
        pairs = [(t, d.id) for d in memory for t in d.texts if self._document != "image"]
        return self._encoder.encode_texts([text for text, _ in pairs]), [
            owner for _, owner in pairs
        ]

    def _query_vectors(self, queries: Sequence[Query]) -> Vectors:
        images = [(q.image, q.id) for q in queries if q.image]
        texts = [(q.text, q.id) for q in queries if q.text]
        image_rows = self._centred("image", self._encoder.encode_images([i for i, _ in images]))
        text_rows = self._centred("text", self._encoder.encode_texts([t for t, _ in texts]))
        rows, owners = _average(
            image_rows, [o for _, o in images], text_rows, [o for _, o in texts]
        )
        place = {owner: row for row, owner in enumerate(owners)}
        return rows[[place[query.id] for query in queries]]

    def _centred(self, modality: Modality, rows: Vectors) -> Vectors:
        mean = self._means.get(modality)
        return rows if mean is None or not len(rows) else _unit(rows - mean)

    def _diverse(self, query: Vectors, pool: Sequence[Hit]) -> list[Hit]:
        taken: list[Hit] = []
        others = query[None]
        for hit in pool:
            row = self._vectors[int(hit.id)]
            if (others @ row).max() <= self._diversity:
                taken.append(hit)
                others = np.concatenate([others, row[None]])
        return taken


def _unit(rows: Vectors) -> Vectors:
    unit: Vectors = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return unit


def _stack(first: Vectors, second: Vectors) -> Vectors:
    return np.concatenate([part for part in (first, second) if len(part)] or [first])


def _average(
    images: Vectors, image_owners: list[str], texts: Vectors, text_owners: list[str]
) -> tuple[Vectors, list[str]]:
    """One unit row per owner: the mean of its image and of its mean text."""
    owners = list(dict.fromkeys(image_owners + text_owners))
    if len(owners) == len(image_owners) + len(text_owners) and not (image_owners and text_owners):
        return _stack(images, texts), owners  # nothing to average: the encoder's rows as they are
    total = np.zeros((len(owners), max(images.shape[1], texts.shape[1])), np.float32)
    place = {owner: i for i, owner in enumerate(owners)}
    for rows, of in ((images, image_owners), (texts, text_owners)):
        if of:
            part = np.zeros_like(total)
            np.add.at(part, [place[owner] for owner in of], rows)
            total += _unit(part)
    return _unit(total), owners
