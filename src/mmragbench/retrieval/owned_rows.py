"""Vectors that belong to documents: a document may have several (its image, each of its texts)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property

from mmragbench.contracts import Store, Vectors
from mmragbench.records import Hit, Ranking

_AT_ONCE = 1 << 18
"""Hits on rows that are held at once: queries are searched for in parts, so that their number does
not matter."""


class OwnedRows:
    """A store of rows, searched for the documents that own them; a document's best row counts.

    Args:
        store: an empty store.
        owners: the id of the document that owns each row.
        vectors: (n, d) float32.
    """

    def __init__(self, store: Store, owners: Sequence[str], vectors: Vectors) -> None:
        self._store, self._owners = store, list(owners)
        self._most = max(Counter(self._owners).values(), default=1)
        if self._owners:
            store.add(self._names(), vectors)

    def __len__(self) -> int:
        return len(self._owners)

    def _names(self) -> list[str]:
        """What the store calls the rows: by their owners where each has one, and then it ranks
        documents as they are."""
        return self._owners if self._most == 1 else list(map(str, range(len(self))))

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self._names())}

    def rows(self, vectors: Vectors, k: int) -> list[list[tuple[int, float]]]:
        """At least `k` documents' rows (or all rows) for each vector: row numbers and scores."""
        found = self._search(vectors, k)
        return [[(self._places[name], score) for name, score in hits] for hits in found]

    def search(self, vectors: Vectors, k: int) -> Sequence[Sequence[Hit]]:
        """The `k` best documents for each vector, best first."""
        if self._most == 1:
            return self._search(vectors, k)
        size = max(64, _AT_ONCE // (k * self._most))
        parts = (vectors[start : start + size] for start in range(0, len(vectors), size))
        return [self.documents(hits, k) for part in parts for hits in self.rows(part, k)]

    def _search(self, vectors: Vectors, k: int) -> Sequence[Sequence[Hit]]:
        if not self._owners:
            return [[] for _ in range(len(vectors))]
        return self._store.search(vectors, min(k * self._most, len(self)))

    def documents(self, rows: Iterable[tuple[int, float]], k: int) -> list[Hit]:
        """Rows and their scores made into at most `k` hits on documents."""
        best: dict[str, float] = {}
        for row, score in rows:
            owner = self._owners[row]
            if owner not in best or score > best[owner]:
                best[owner] = score
        return list(Ranking.of("", best.items(), k).hits)
