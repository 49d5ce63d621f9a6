"""One store per modality, fused, then reranked (rank-rerank)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from mmragbench.contracts import Captioner, Encoder, NewStore, Reranker, Vectors
from mmragbench.errors import NotApplicable
from mmragbench.fusion import FUSIONS
from mmragbench.grounding import ground_documents, ground_queries
from mmragbench.records import Document, Hit, Query, Ranking
from mmragbench.registry import strategy
from mmragbench.rows import OwnedRows


@strategy
class SeparateStores:
    """One store per modality, each with its own encoder; the lists are fused, then reranked.

    Args:
        image_encoder: fills and searches the image store; text queries search it too, where the
            encoder reads texts.
        text_encoder: fills and searches the text store.
        store: makes the two stores.
        fuse: `rrf` (reciprocal ranks) or `zscore` (standardised scores).
        weights: of the image store's and the text store's list.
        captioner: gives queries and documents without a text one, for the text store's encoder
            and for a reranker that reads texts.
        reranker: scores the first `depth` fused candidates anew.
        depth: how many candidates each store gives at least, and how many are reranked.
    """

    def __init__(
        self,
        image_encoder: Encoder,
        text_encoder: Encoder,
        store: NewStore,
        fuse: Literal["rrf", "zscore"] = "rrf",
        weights: tuple[float, float] = (1.0, 1.0),
        captioner: Captioner | None = None,
        reranker: Reranker | None = None,
        depth: int = 20,
    ) -> None:
        self._image_encoder, self._text_encoder, self._new_store = (
            image_encoder,
            text_encoder,
            store,
        )
        self._fuse, self._weights = FUSIONS[fuse], weights
        self._captioner, self._reranker, self._depth = captioner, reranker, depth

    def index(self, memory: Sequence[Document]) -> None:
        pictured = [document for document in memory if document.image]
        rows = self._image_encoder.encode_images([d.image for d in pictured if d.image])
        self._images = OwnedRows(self._new_store(), [d.id for d in pictured], rows)
        texts = [(text, document.id) for document in memory for text in document.texts]
        rows = self._text_encoder.encode_texts([text for text, _ in texts])
        self._texts = OwnedRows(self._new_store(), [owner for _, owner in texts], rows)
        self._has = {"image": bool(pictured), "text": bool(texts)}
        self._memory = {document.id: document for document in memory}

    def retrieve(self, queries: Sequence[Query], k: int) -> list[Ranking]:
        depth = max(k, self._depth)
        lists, weights = [], []
        if self._has["image"] and (vectors := self._for_images(queries)) is not None:
            lists.append(self._images.search(vectors, depth))
            weights.append(self._weights[0])
        if self._has["text"] and (vectors := self._for_texts(queries)) is not None:
            lists.append(self._texts.search(vectors, depth))
            weights.append(self._weights[1])
        if not lists:
            raise NotApplicable("neither store's encoder reads these queries; add a captioner")
        rankings = [
            Ranking.of(query.id, self._fuse(found, weights))
            for query, *found in zip(queries, *lists, strict=True)
        ]
        rankings = self._rerank(queries, rankings) if self._reranker else rankings
        return [replace(ranking, hits=ranking.hits[:k]) for ranking in rankings]

    def _for_images(self, queries: Sequence[Query]) -> Vectors | None:
        """Queries in the image store's space: by image, else by text where that can be read."""
        if all(query.image for query in queries):
            return self._image_encoder.encode_images([q.image for q in queries if q.image])
        if all(query.text for query in queries) and "text" in self._image_encoder.modalities:
            return self._image_encoder.encode_texts([q.text for q in queries if q.text])
        return None

    def _for_texts(self, queries: Sequence[Query]) -> Vectors | None:
        """Queries in the text store's space: by text, else by caption, else by image where the
        encoder reads it."""
        if self._captioner or all(query.text for query in queries):
            grounded = ground_queries(queries, self._captioner)
            if all(query.text for query in grounded):
                return self._text_encoder.encode_texts([q.text for q in grounded if q.text])
        if all(query.image for query in queries) and "image" in self._text_encoder.modalities:
            return self._text_encoder.encode_images([q.image for q in queries if q.image])
        return None

    def _rerank(self, queries: Sequence[Query], rankings: Sequence[Ranking]) -> list[Ranking]:
        assert self._reranker is not None  # for the type checker: the caller made sure
        if self._captioner:
            queries = ground_queries(queries, self._captioner)
        first = {hit.id for ranking in rankings for hit in ranking.hits[: self._depth]}
        candidates = [self._memory[id] for id in sorted(first)]
        if self._captioner:
            candidates = ground_documents(candidates, self._captioner, every=False)
        documents = {document.id: document for document in candidates}
        pairs = [
            (q, h) for q, r in zip(queries, rankings, strict=True) for h in r.hits[: self._depth]
        ]
        scores = self._reranker.score([q for q, _ in pairs], [documents[h.id] for _, h in pairs])
        score = iter(scores)
        return [
            self._merged(ranking, [next(score) for _ in ranking.hits[: self._depth]])
            for ranking in rankings
        ]

    def _merged(self, ranking: Ranking, scores: Sequence[float]) -> Ranking:
        """The reranked head, and below it the rest in its fused order."""
        head = [Hit(hit.id, score) for hit, score in zip(ranking.hits, scores, strict=False)]
        floor = min(scores, default=0.0)
        rest = ranking.hits[len(head) :]
        tail = [Hit(hit.id, floor - place) for place, hit in enumerate(rest, start=1)]
        return Ranking.of(ranking.query, [*head, *tail])
