"""Every image becomes text; then text retrieval (caption-then-text; LangChain's multi-vector)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from mmragbench.contracts import Captioner, Encoder, NewStore
from mmragbench.errors import NotApplicable, SuiteError
from mmragbench.records import Document, Hit, Query, Ranking
from mmragbench.registry import strategy
from mmragbench.retrieval.bm25 import Bm25
from mmragbench.retrieval.fusion import rrf
from mmragbench.retrieval.grounding import ground_documents, ground_queries
from mmragbench.retrieval.owned_rows import OwnedRows


@strategy
class TextGrounding:
    """Every image becomes text through a captioner; then text retrieval: dense, BM25, or both fused.

    Args:
        store: searches the dense vectors.
        captioner: turns images into text; without it, only memories and queries with texts of
            their own are possible.
        encoder: the dense text encoder; not needed for `bm25`.
        search: `dense`, `bm25`, or `both` fused by reciprocal rank.
        caption: `every` image of the memory, or only a `bare` one, without a text of its own.
    """

    def __init__(
        self,
        store: NewStore,
        captioner: Captioner | None = None,
        encoder: Encoder | None = None,
        search: Literal["dense", "bm25", "both"] = "dense",
        caption: Literal["every", "bare"] = "every",
    ) -> None:
        if search != "bm25" and encoder is None:
            raise SuiteError(f"search: {search} needs an encoder; name one, or use search: bm25")
        self._new_store, self._captioner, self._encoder = store, captioner, encoder
        self._search, self._every = search, caption == "every"

    def index(self, memory: Sequence[Document]) -> None:
        grounded = ground_documents(memory, self._captioner, self._every)
        texts = [(text, document.id) for document in grounded for text in document.texts]
        if not texts:
            raise NotApplicable("no document of this memory has a text or a captioned image")
        if self._encoder and self._search != "bm25":
            vectors = self._encoder.encode_texts([text for text, _ in texts])
            self._rows = OwnedRows(self._new_store(), [owner for _, owner in texts], vectors)
        if self._search != "dense":
            joined = [" ".join(text.content for text in d.texts) for d in grounded]
            self._words = Bm25([d.id for d in grounded], joined)

    def retrieve(self, queries: Sequence[Query], k: int) -> list[Ranking]:
        with_text = [query for query in ground_queries(queries, self._captioner) if query.text]
        lists = [self._dense(with_text, k)] if self._search != "bm25" else []
        if self._search != "dense":
            lists.append(self._words.search([q.text.content for q in with_text if q.text], k))
        fused = {
            query.id: rrf(rankings, [1.0] * len(rankings)) if len(rankings) > 1 else rankings[0]
            for query, *rankings in zip(with_text, *lists, strict=True)
        }
        return [Ranking.of(query.id, fused.get(query.id, []), k) for query in queries]

    def _dense(self, queries: Sequence[Query], k: int) -> list[list[Hit]]:
        assert self._encoder is not None  # for the type checker: the constructor made sure
        vectors = self._encoder.encode_texts([query.text for query in queries if query.text])
        return self._rows.search(vectors, k)
