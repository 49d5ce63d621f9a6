"""Chance: what any number must be compared with."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np

from mmragbench.records import Document, Query, Ranking
from mmragbench.registry import strategy


@strategy(control="chance")
class Random:
    """Control (chance): documents drawn without looking, the same ones for the same query and seed."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed

    def index(self, memory: Sequence[Document]) -> None:
        self._ids = [document.id for document in memory]

    def retrieve(self, queries: Sequence[Query], k: int) -> list[Ranking]:
        return [self._draw(query.id, min(k, len(self._ids))) for query in queries]

    def _draw(self, query: str, k: int) -> Ranking:
        generator = np.random.default_rng([self._seed, crc32(query.encode())])
        rows = generator.choice(len(self._ids), size=k, replace=False)
        return Ranking.of(query, ((self._ids[row], -float(i)) for i, row in enumerate(rows)))
