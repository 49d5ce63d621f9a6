"""The floor: nothing is retrieved."""

from __future__ import annotations

from collections.abc import Sequence

from mmragbench.records import Document, Query, Ranking
from mmragbench.registry import strategy


@strategy(control="floor")
class NoRetrieval:
    """Control (floor): retrieves nothing, so that a generator answers from what it knows."""

    def index(self, memory: Sequence[Document]) -> None:
        pass

    def retrieve(self, queries: Sequence[Query], k: int) -> list[Ranking]:
        return [Ranking(query.id) for query in queries]
