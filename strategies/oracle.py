"""The ceiling: ranks by the gold."""

from __future__ import annotations

from collections.abc import Sequence

from mmragbench.records import Document, Query, Ranking, Task
from mmragbench.registry import strategy


@strategy(control="ceiling")
class Oracle:
    """Control (ceiling): ranks by the gold grades, and within a grade by closeness to the answer."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def index(self, memory: Sequence[Document]) -> None:
        self._ids = {document.id for document in memory}

    def retrieve(self, queries: Sequence[Query], k: int) -> list[Ranking]:
        return [self._rank(query.id, k) for query in queries]

    def _rank(self, query: str, k: int) -> Ranking:
        grades = self._task.qrels.get(query, {})
        closeness = self._task.affinity.get(query, {})
        known = (grades.keys() | closeness.keys()) & self._ids
        keyed = sorted(known, key=lambda id: (grades.get(id, 0), closeness.get(id, 0.0), id))
        return Ranking.of(query, ((id, float(place)) for place, id in enumerate(keyed)), k)
