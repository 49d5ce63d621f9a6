"""Exact search: faiss by itself, and the `faiss` store, whose hits are ids with ties in order.

python benchmarks/faiss_search.py         # 2,500 queries, 123,000 rows of 512, 10 nearest
"""

from __future__ import annotations

import numpy as np
from sides import threads, timed

from mmragbench.contracts import Vectors
from mmragbench.stores.faiss import Faiss

ROWS, QUERIES, WIDTH, K = 123_000, 2_500, 512, 10
ROUNDS = 3


def unit(n: int, seed: int) -> Vectors:
    """Random rows of length 1."""
    rows = np.random.default_rng(seed).standard_normal((n, WIDTH), dtype=np.float32)
    found: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return found


def main() -> None:
    import faiss

    threads()
    memory, queries = unit(ROWS, 0), unit(QUERIES, 1)
    index, store = faiss.IndexFlatIP(WIDTH), Faiss()
    ids = [f"{i:012d}" for i in range(ROWS)]
    added = timed("faiss, add", lambda: index.add(memory))[0]
    print(f"times of faiss: {timed('store, add', lambda: store.add(ids, memory))[0].times(added)}")
    sides = []
    for _ in range(ROUNDS):
        raw, (_, rows) = timed("faiss, search", lambda: index.search(queries, K))
        ours, hits = timed("store, search", lambda: store.search(queries, K))
        sides.append((raw, ours))
    same = [[hit.id for hit in own] for own in hits] == [[ids[row] for row in own] for own in rows]
    print(f"the same hits: {same}")
    best_raw = min((raw for raw, _ in sides), key=lambda spent: spent.wall)
    best_ours = min((ours for _, ours in sides), key=lambda spent: spent.wall)
    print(f"times of faiss, the best of {ROUNDS}: {best_ours.times(best_raw)}")


if __name__ == "__main__":
    main()
