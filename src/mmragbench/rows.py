"""Vectors that belong to documents: a document may have several (its image, each of its texts)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from mmragbench.contracts import Store, Vectors
from mmragbench.records import Hit, Ranking, hits_of

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
            store.add([str(row) for row in range(len(self._owners))], vectors)

    def __len__(self) -> int:
        return len(self._owners)

    def rows(self, vectors: Vectors, k: int) -> list[list[Hit]]:
        """At least `k` documents' rows (or all rows) for each vector; hits' ids are row numbers."""
        if not self._owners:
            return [[] for _ in range(len(vectors))]
        return self._store.search(vectors, min(k * self._most, len(self._owners)))

    def search(self, vectors: Vectors, k: int) -> list[list[Hit]]:
        """The `k` best documents for each vector, best first."""
        size = max(64, _AT_ONCE // (k * self._most))
        parts = (vectors[start : start + size] for start in range(0, len(vectors), size))
        return [self.documents(hits, k) for part in parts for hits in self.rows(part, k)]

    def documents(self, hits: Sequence[Hit], k: int) -> list[Hit]:
        """Hits on rows made into at most `k` hits on documents."""
        if self._most == 1 and len({score for _, score in hits}) == len(hits):
            owners = (self._owners[int(row)] for row, _ in hits[:k])
            return list(hits_of(owners, (score for _, score in hits[:k])))  # in order already
        best: dict[str, float] = {}
        for row, score in hits:
            owner = self._owners[int(row)]
            if owner not in best or score > best[owner]:
                best[owner] = score
        return list(Ranking.of("", best.items(), k).hits)
