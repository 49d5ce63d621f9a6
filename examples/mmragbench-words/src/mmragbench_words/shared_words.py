"""Retrieval by shared words, rare ones first."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

from mmragbench.contracts import Captioner
from mmragbench.errors import NotApplicable
from mmragbench.records import Document, Query, Ranking
from mmragbench.retrieval.grounding import ground_documents, ground_queries

WORD = re.compile(r"\w+")


class SharedWords:
    """Documents by the words that they share with the query, each weighted by its rarity (idf).

    Args:
        captioner: puts pictures without a text into words; without it, only texts are read.
        rarity: the power of a word's idf; 0 counts all words alike.
    """

    def __init__(self, captioner: Captioner | None = None, rarity: float = 1.0) -> None:
        self._captioner, self._rarity = captioner, rarity

    def index(self, memory: Sequence[Document]) -> None:
        told = ground_documents(memory, self._captioner, every=False)
        self._words = {d.id: words(" ".join(text.content for text in d.texts)) for d in told}
        if memory and not any(self._words.values()):
            raise NotApplicable("no document of this memory has a text; give it a captioner")
        counts = Counter(word for found in self._words.values() for word in found)
        self._weights = {
            word: math.log(1 + len(self._words) / count) ** self._rarity
            for word, count in counts.items()
        }

    def retrieve(self, queries: Sequence[Query], k: int) -> list[Ranking]:
        asked = ground_queries(queries, self._captioner)
        if asked and not any(query.text for query in asked):
            raise NotApplicable("no query has a text; give it a captioner")
        return [self._rank(query, k) for query in asked]

    def _rank(self, query: Query, k: int) -> Ranking:
        asked = words(query.text.content) if query.text else frozenset()
        scores = {
            id: math.fsum(self._weights[word] for word in asked & found)
            for id, found in self._words.items()
        }
        return Ranking.of(query.id, ((id, score) for id, score in scores.items() if score), k)


def words(text: str) -> frozenset[str]:
    """The different words of a text, in lower case."""
    return frozenset(WORD.findall(text.lower()))
