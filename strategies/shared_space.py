"""One space for images and texts (CLIP; RA-CM3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mmragbench.contracts import Encoder, NewStore, Vectors
from mmragbench.errors import NotApplicable
from mmragbench.records import Document, Hits, Query, Ranking
from mmragbench.registry import strategy
from mmragbench.retrieval.owned_rows import OwnedRows

Owned = tuple[Vectors, list[str]]
"""Rows, and the document (or query) that owns each."""

Scored = tuple[int, float]
"""A row's number and its score."""

Sides = Mapping[str, Owned]
Means = Mapping[str, Vectors]
"""By modality."""

PART = 8192


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
        self._means: Means = {}

    def index(self, memory: Sequence[Document]) -> None:
        sides = {"image": self._images(memory), "text": self._texts(memory)}
        if self._centre:
            self._means = {m: rows.mean(axis=0) for m, (rows, _) in sides.items() if len(rows)}
        whole = _stack if self._document == "max" else _average
        self._vectors, owners = whole(sides, self._means)
        if not owners:
            raise NotApplicable(
                f"no document of this memory has what document: {self._document} needs"
            )
        self._rows = OwnedRows(self._new_store(), owners, self._vectors)

    def retrieve(self, queries: Sequence[Query], k: int) -> list[Ranking]:
        vectors = self._query_vectors(queries)
        if self._diversity is None:
            lists = self._rows.search(vectors, k)
        else:  # from a deeper pool, since some of it is skipped
            pools = self._rows.rows(vectors, 4 * k)
            diverse = (self._diverse(v, pool) for v, pool in zip(vectors, pools, strict=True))
            lists = [self._rows.documents(hits, k) for hits in diverse]
        return [
            Ranking(query.id, Hits.of(hits)) for query, hits in zip(queries, lists, strict=True)
        ]

    def _images(self, memory: Sequence[Document]) -> Owned:
        with_image = [d for d in memory if d.image and self._document != "text"]
        rows = self._encoder.encode_images([d.image for d in with_image if d.image])
        return rows, [d.id for d in with_image]

    def _texts(self, memory: Sequence[Document]) -> Owned:
        pairs = [(t, d.id) for d in memory for t in d.texts if self._document != "image"]
        return self._encoder.encode_texts([text for text, _ in pairs]), [
            owner for _, owner in pairs
        ]

    def _query_vectors(self, queries: Sequence[Query]) -> Vectors:
        images = [(q.image, q.id) for q in queries if q.image]
        texts = [(q.text, q.id) for q in queries if q.text]
        sides = {
            "image": (self._encoder.encode_images([i for i, _ in images]), [o for _, o in images]),
            "text": (self._encoder.encode_texts([t for t, _ in texts]), [o for _, o in texts]),
        }
        rows, owners = _average(sides, self._means)
        place = {owner: row for row, owner in enumerate(owners)}
        return rows[[place[query.id] for query in queries]]

    def _diverse(self, query: Vectors, pool: Sequence[Scored]) -> list[Scored]:
        taken: list[Scored] = []
        others = query[None]
        for place, score in pool:
            row = self._vectors[place]
            if (others @ row).max() <= self._diversity:
                taken.append((place, score))
                others = np.concatenate([others, row[None]])
        return taken


def _unit(rows: Vectors) -> Vectors:
    unit: Vectors = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return unit


def _parts(rows: Vectors, mean: Vectors | None = None) -> Iterator[tuple[slice, Vectors]]:
    """Rows part by part, centred and scaled where there is a mean: a memory may be larger than one
    wants to copy."""
    for start in range(0, len(rows), PART):
        part = slice(start, start + PART)
        yield part, rows[part] if mean is None else _unit(rows[part] - mean)


def _stack(sides: Sides, means: Means) -> tuple[Vectors, list[str]]:
    """The rows of both sides, one below the other; those of one side alone as they are."""
    owners = [owner for _, of in sides.values() for owner in of]
    sides_with_rows = [(rows, means.get(modality)) for modality, (rows, of) in sides.items() if of]
    if len(sides_with_rows) == 1 and sides_with_rows[0][1] is None:
        return sides_with_rows[0][0], owners
    total = np.empty((len(owners), _width(sides)), np.float32)
    start = 0
    for rows, mean in sides_with_rows:
        for part, found in _parts(rows, mean):
            total[start : start + len(rows)][part] = found
        start += len(rows)
    return total, owners


def _average(sides: Sides, means: Means) -> tuple[Vectors, list[str]]:
    """One unit row per owner: the mean of its image and of its mean text."""
    owners = list(dict.fromkeys(owner for _, of in sides.values() for owner in of))
    one_sided = sum(bool(of) for _, of in sides.values()) == 1
    if one_sided and len(owners) == sum(len(of) for _, of in sides.values()):
        return _stack(sides, means)
    total = np.zeros((len(owners), _width(sides)), np.float32)
    places = {owner: i for i, owner in enumerate(owners)}
    for modality, (rows, of) in sides.items():
        if of:
            sums = np.zeros_like(total)
            at = np.array([places[owner] for owner in of])
            for part, vectors in _parts(rows, means.get(modality)):
                _add(sums, at[part], vectors)
            for part, vectors in _parts(sums):
                total[part] += _unit(vectors)
    for part, vectors in _parts(total):
        total[part] = _unit(vectors)
    return total, owners


def _add(total: Vectors, places: NDArray[np.int64], rows: Vectors) -> None:
    """`np.add.at(total, places, rows)`, quicker: all first rows of a place, then all second ones."""
    order = np.argsort(places, kind="stable")
    _, starts, counts = np.unique(places[order], return_index=True, return_counts=True)
    for n in range(counts.max(initial=0)):
        chosen = order[starts[counts > n] + n]
        total[places[chosen]] += rows[chosen]


def _width(sides: Sides) -> int:
    return max(rows.shape[1] for rows, _ in sides.values())
