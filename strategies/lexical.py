"""Lexical retrieval: BM25 over the texts of the documents, without weights."""

from __future__ import annotations

from collections.abc import Sequence

from mmragbench.errors import NotApplicable
from mmragbench.records import Document, Query, Ranking
from mmragbench.registry import strategy
from mmragbench.retrieval.bm25 import Bm25


@strategy
class Lexical:
    """BM25 over captions and texts: no weights; a picture counts by its texts alone.

    A document is all its texts together (English stop words dropped, words stemmed). A text query is
    asked as it is, and of a query with a picture too, the text. Where queries or the whole memory are
    pictures without a text, it does not apply; `text-grounding` with `search: bm25` and a captioner does.
    """

    def index(self, memory: Sequence[Document]) -> None:
        texts = [" ".join(text.content for text in document.texts) for document in memory]
        if not any(texts):
            raise NotApplicable("no document of this memory has a text")
        self._words = Bm25([document.id for document in memory], texts)

    def retrieve(self, queries: Sequence[Query], k: int) -> list[Ranking]:
        texts = [query.text.content for query in queries if query.text]
        if len(texts) < len(queries):
            raise NotApplicable("the queries are pictures without a text")
        hits = self._words.search(texts, k)
        return [Ranking.of(query.id, own, k) for query, own in zip(queries, hits, strict=True)]
