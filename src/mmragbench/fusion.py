"""Several result lists for one query made into one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np

from mmragbench.records import Hit

Fuse = Callable[[Sequence[Sequence[Hit]], Sequence[float]], list[Hit]]


def rrf(lists: Sequence[Sequence[Hit]], weights: Sequence[float], constant: int = 60) -> list[Hit]:
    """Reciprocal rank fusion: sum of weight / (constant + rank), ranks from 1.

    Source: Cormack, Clarke and Büttcher, SIGIR 2009 (constant 60).
    """
    scores: dict[str, float] = defaultdict(float)
    for hits, weight in zip(lists, weights, strict=True):
        for rank, hit in enumerate(hits, start=1):
            scores[hit.id] += weight / (constant + rank)
    return [Hit(id, score) for id, score in scores.items()]


def zscore(lists: Sequence[Sequence[Hit]], weights: Sequence[float]) -> list[Hit]:
    """Weighted sum of z-scores; a document that a list lacks gets that list's lowest z-score."""
    scores: dict[str, float] = {hit.id: 0.0 for hits in lists for hit in hits}
    for hits, weight in zip(lists, weights, strict=True):
        if not hits:
            continue
        raw = np.array([hit.score for hit in hits])
        standard = (raw - raw.mean()) / (raw.std() or 1.0)
        found = dict(zip((hit.id for hit in hits), standard.tolist(), strict=True))
        lowest = min(found.values())
        for id in scores:
            scores[id] += weight * found.get(id, lowest)
    return [Hit(id, score) for id, score in scores.items()]


FUSIONS: dict[str, Fuse] = {"rrf": rrf, "zscore": zscore}
