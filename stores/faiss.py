"""Exact inner-product search through faiss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mmragbench.contracts import Vectors
from mmragbench.records import Hit
from mmragbench.registry import store


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
        """The `k` nearest for each row, best first, ties by id descending (also at the k-th place:
        one neighbour more is asked for, and a row whose k-th is tied is ranked in full)."""
        n = len(self._ids)
        if self._index is None or not len(vectors):
            return [[] for _ in range(len(vectors))]
        queries = np.ascontiguousarray(vectors, np.float32)
        scores, rows = self._index.search(queries, min(k + 1, n))
        results = []
        for i in range(len(queries)):
            row_scores, row_ids = scores[i], rows[i]
            if n > k and row_scores[k - 1] == row_scores[k]:
                full = self._index.search(queries[i : i + 1], n)
                row_scores, row_ids = full[0][0], full[1][0]
            results.append(self._ranked(row_scores, row_ids, k))
        return results

    def _ranked(self, scores: Vectors, rows: Vectors, k: int) -> list[Hit]:
        pairs = zip(scores.tolist(), (self._ids[row] for row in rows.tolist()), strict=True)
        return [Hit(id, score) for score, id in sorted(pairs, reverse=True)[:k]]
