"""Exact inner-product search through faiss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmragbench.contracts import Vectors
from mmragbench.records import Hit
from mmragbench.registry import store

Rows = NDArray[np.int64]


@store
class Faiss:
    """Exact inner product (`IndexFlatIP`): the reference that approximate stores are measured by."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._index: Any = None

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        import faiss

        if self._index is None:
            self._index = faiss.IndexFlatIP(vectors.shape[1])
        self._index.add(np.ascontiguousarray(vectors, np.float32))
        self._ids.extend(ids)

    def search(self, vectors: Vectors, k: int) -> list[list[Hit]]:
        """The `k` nearest for each row, best first, ties by id descending, also at the k-th place:
        one neighbour more is asked for, and where that one is tied with the k-th, more of them."""
        if self._index is None or not len(vectors):
            return [[] for _ in range(len(vectors))]
        queries = np.ascontiguousarray(vectors, np.float32)
        results: list[list[Hit]] = [[] for _ in range(len(queries))]
        asked, depth = np.arange(len(queries)), k + 1
        while len(asked):
            depth = min(depth, len(self._ids))
            scores, rows = self._index.search(queries[asked], depth)
            done = np.ones(len(asked), bool)
            if depth < len(self._ids):
                done = scores[:, k - 1] > scores[:, -1]
            for i, hits in zip(asked[done], self._hits(scores[done], rows[done], k), strict=True):
                results[i] = hits
            asked, depth = asked[~done], 4 * depth
        return results

    def _hits(self, scores: Vectors, rows: Rows, k: int) -> Iterator[list[Hit]]:
        """The first `k` of each row, which come best first: only rows with ties have to be sorted."""
        tied = (scores[:, 1:] == scores[:, :-1]).any(axis=1)
        for found, values, sort in zip(rows.tolist(), scores.tolist(), tied.tolist(), strict=True):
            if sort:
                pairs = zip(values, (self._ids[row] for row in found), strict=True)
                yield [Hit(id, score) for score, id in sorted(pairs, reverse=True)[:k]]
            else:
                best = zip(found[:k], values[:k], strict=True)
                yield [Hit(self._ids[row], value) for row, value in best]
