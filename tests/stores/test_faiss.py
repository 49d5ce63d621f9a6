"""Exact search."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mmragbench.stores.faiss import Faiss


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 50), st.integers(0, 10_000))
def test_search_is_a_full_sort(n, k, seed):
    """The k best by inner product, ties by id descending, also at the k-th place: small whole
    numbers give many ties, and exact sums."""
    generator = np.random.default_rng(seed)
    vectors = generator.integers(-1, 2, (n, 3)).astype(np.float32)
    queries = generator.integers(-1, 2, (4, 3)).astype(np.float32)
    ids = [str(i) for i in range(n)]
    store = Faiss()
    store.add(ids, vectors)
    for query, hits in zip(queries, store.search(queries, k), strict=True):
        expected = sorted(zip((vectors @ query).tolist(), ids, strict=True), reverse=True)[:k]
        assert [(hit.score, hit.id) for hit in hits] == expected
