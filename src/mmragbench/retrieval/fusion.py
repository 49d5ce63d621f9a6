"""Several result lists for one query made into one.

Where the lists come from stores that hold different documents (`holders`), a document that only some
of them hold is not punished for it: its score is made up to what all lists would give it at the
same rate. Else a document of two modalities would have two votes, and one of one modality one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Mapping, Sequence

import numpy as np

from mmragbench.records import Hit

Fuse = Callable[
    [Sequence[Sequence[Hit]], Sequence[float], Sequence[Container[str]] | None], list[Hit]
]


def rrf(
    lists: Sequence[Sequence[Hit]],
    weights: Sequence[float],
    holders: Sequence[Container[str]] | None = None,
    constant: int = 60,
) -> list[Hit]:
    """Reciprocal rank fusion: sum of weight / (constant + rank), ranks from 1.

    Source: Cormack, Clarke and Büttcher, SIGIR 2009 (constant 60).
    """
    scores: dict[str, float] = defaultdict(float)
    for hits, weight in zip(lists, weights, strict=True):
        for rank, hit in enumerate(hits, start=1):
            scores[hit.id] += weight / (constant + rank)
    return _made_up(scores, lists, weights, holders)


def zscore(
    lists: Sequence[Sequence[Hit]],
    weights: Sequence[float],
    holders: Sequence[Container[str]] | None = None,
) -> list[Hit]:
    """Weighted sum of z-scores; a document that a list could have and lacks gets that list's lowest."""
    scores: dict[str, float] = {hit.id: 0.0 for hits in lists for hit in hits}
    for place, (hits, weight) in enumerate(zip(lists, weights, strict=True)):
        if not hits:
            continue
        raw = np.array([hit.score for hit in hits])
        standard = (raw - raw.mean()) / (raw.std() or 1.0)
        standardised = dict(zip((hit.id for hit in hits), standard.tolist(), strict=True))
        lowest = min(standardised.values())
        for id in scores:
            if holders is None or id in holders[place]:
                scores[id] += weight * standardised.get(id, lowest)
    return _made_up(scores, lists, weights, holders)


def _made_up(
    scores: Mapping[str, float],
    lists: Sequence[Sequence[Hit]],
    weights: Sequence[float],
    holders: Sequence[Container[str]] | None,
) -> list[Hit]:
    """Scores as if each list that was searched held every document; exactly as they are for those
    that all lists hold."""
    if holders is None:
        return [Hit(id, score) for id, score in scores.items()]
    searched = [place for place, hits in enumerate(lists) if hits]
    total = sum(weights[place] for place in searched)
    rescored = []
    for id, score in scores.items():
        own = sum(weights[place] for place in searched if id in holders[place])
        rescored.append(Hit(id, score * (total / own) if own else score))
    return rescored


FUSIONS: dict[str, Fuse] = {"rrf": rrf, "zscore": zscore}
