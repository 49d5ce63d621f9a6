"""Okapi BM25 over short texts, through bm25s with a Snowball stemmer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mmragbench.records import Hit


class Bm25:
    """Texts under ids, searched by words (English stop words dropped, stemmed)."""

    def __init__(self, ids: Sequence[str], texts: Sequence[str]) -> None:
        import bm25s

        self._ids = np.asarray(ids)
        self._index = bm25s.BM25()
        tokens = _tokens(texts)
        self._empty = not any(tokens)
        if not self._empty:
            self._index.index(tokens, show_progress=False)

    def search(self, texts: Sequence[str], k: int) -> list[list[Hit]]:
        """The `k` best for each text, best first, ties by id descending; a text that shares no
        word with a query is no hit."""
        return [self._hits(words, k) for words in _tokens(texts)]

    def _hits(self, words: list[str], k: int) -> list[Hit]:
        if self._empty or not words:
            return []
        scores = self._index.get_scores(words)
        rows = np.flatnonzero(scores > 0)
        if len(rows) > k:  # everything that ties with the k-th stays until ids decide
            threshold = np.partition(scores[rows], -k)[-k]
            rows = rows[scores[rows] >= threshold]
        hits = sorted(((float(scores[i]), str(self._ids[i])) for i in rows), reverse=True)
        return [Hit(id, score) for score, id in hits[:k]]


def _tokens(texts: Sequence[str]) -> list[list[str]]:
    import bm25s
    import Stemmer

    tokens: Any = bm25s.tokenize(
        list(texts),
        stopwords="en",
        stemmer=Stemmer.Stemmer("english"),
        return_ids=False,
        show_progress=False,
    )
    return [list(words) for words in tokens]
