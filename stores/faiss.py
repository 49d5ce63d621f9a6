"""Exact inner-product search through faiss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from mmragbench.contracts import Vectors
from mmragbench.errors import DataError
from mmragbench.records import Hit, Hits
from mmragbench.registry import store

WIDER = 8
"""So many times more neighbours are looked at where the last one of them is still tied."""

ROUNDING = 1e-5
"""A difference between scores that two ways to add them up do not explain (vectors of length 1)."""

AT_ONCE = 1 << 22
"""Neighbours that are held at once while ties are looked at."""


@store
class Faiss:
    """Exact inner product (faiss' own, on the rows as they are): the reference that approximate
    stores are measured by. Rows are not copied, so that memory-mapped ones stay on disk."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._rows: Vectors | None = None

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        vectors = np.ascontiguousarray(vectors, np.float32)
        self._rows = vectors if self._rows is None else np.concatenate([self._rows, vectors])
        self._ids.extend(ids)

    def search(self, vectors: Vectors, k: int) -> list[Sequence[Hit]]:
        """The `k` nearest for each row, best first, ties by id descending (also at the k-th place:
        one neighbour more is asked for, and where the k-th is tied, as many as are)."""
        if self._rows is None or not len(vectors):
            return [[] for _ in range(len(vectors))]
        queries = np.ascontiguousarray(vectors, np.float32)
        scores, rows = self._nearest(queries, k + 1)
        results = list(self._hits(scores, rows, k))
        if scores.shape[1] > k:
            tied = np.flatnonzero(scores[:, k - 1] == scores[:, k])
            for at, hits in zip(tied.tolist(), self._untied(queries[tied], k, k), strict=True):
                results[at] = hits
        return results

    def _nearest(self, queries: Vectors, k: int) -> tuple[Vectors, NDArray[np.int64]]:
        import faiss

        k = min(k, len(self._ids))
        scores, rows = faiss.knn(queries, self._rows, k, metric=faiss.METRIC_INNER_PRODUCT)
        if (rows < 0).any():  # no row, where a score is not a number
            raise DataError("faiss finds no neighbours for vectors that are not finite")
        return scores, rows

    def _untied(self, queries: Vectors, k: int, wanted: int) -> list[list[Hit]]:
        """All neighbours down to the first that is clearly worse than the k-th, more and more of
        them. Their scores are computed pair by pair: a matrix product may add in another order for
        another row, and give the same vector two scores."""
        if not len(queries):
            return []
        width = min(wanted * WIDER, len(self._ids))
        size = max(1, AT_ONCE // width)
        results: list[list[Hit]] = []
        for block in (queries[start : start + size] for start in range(0, len(queries), size)):
            found, rows = self._nearest(block, width)
            scores = self._scores(block, rows)
            kth = np.partition(scores, -k, axis=1)[:, -k]
            tied = (found[:, -1] >= kth - ROUNDING) & (width < len(self._ids))
            wider = iter(self._untied(block[tied], k, width))
            for own, at, least, more in zip(scores, rows, kth, tied, strict=True):
                close = own >= least
                results.append(next(wider) if more else self._ranked(own[close], at[close], k))
        return results

    def _scores(self, queries: Vectors, rows: NDArray[np.int64]) -> Vectors:
        import faiss

        scores = np.empty(rows.shape, np.float32)
        arrays = (scores, queries, self._rows, rows)
        pointers = (faiss.swig_ptr(array) for array in arrays)
        faiss.fvec_inner_products_by_idx(*pointers, queries.shape[1], *rows.shape)
        return scores

    def _hits(self, scores: Vectors, rows: NDArray[np.int64], k: int) -> Iterator[Sequence[Hit]]:
        """The first `k` of each row, which come best first: only rows with ties have to be sorted."""
        tied = (scores[:, 1:] == scores[:, :-1]).any(axis=1)
        for neighbours, values, sort in zip(rows, scores, tied.tolist(), strict=True):
            if sort:
                yield self._ranked(values, neighbours, k)
            else:
                ids = list(map(self._ids.__getitem__, neighbours[:k].tolist()))
                yield Hits(ids, values[:k].tolist())

    def _ranked(self, scores: Vectors, rows: Vectors, k: int) -> list[Hit]:
        pairs = zip(scores.tolist(), (self._ids[row] for row in rows.tolist()), strict=True)
        return [Hit(id, score) for score, id in sorted(pairs, reverse=True)[:k]]
