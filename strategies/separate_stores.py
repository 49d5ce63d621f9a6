"""One store per modality, fused, then reranked (rank-rerank)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from mmragbench.contracts import Captioner, Encoder, NewStore, Reranker, Traits
from mmragbench.errors import NotApplicable
from mmragbench.records import Document, Failure, Hit, Modality, Query, Ranking
from mmragbench.registry import strategy
from mmragbench.retrieval.fusion import FUSIONS
from mmragbench.retrieval.grounding import ground_documents, ground_queries
from mmragbench.retrieval.owned_rows import OwnedRows


@strategy
class SeparateStores:
    """One store per modality, each with its own encoder; the lists are fused, then reranked.

    In a memory of passages, pictures and pairs a pair is in both stores; it has no more votes for it
    than what is in one (`mmragbench.retrieval.fusion`).

    Args:
        image_encoder: fills and searches the image store; text queries search it too, where the
            encoder reads texts.
        text_encoder: fills and searches the text store.
        store: makes the two stores.
        fuse: `rrf` (reciprocal ranks) or `zscore` (standardised scores).
        weights: of the image store's and the text store's list.
        captioner: puts pictures into words for a reranker that reads texts, and searches the text
            store with a picture where there is no other way.
        reranker: scores the first `depth` fused candidates anew, by their texts or, where it reads
            pictures (image-text matching), as they are.
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
        self._image_encoder, self._text_encoder = image_encoder, text_encoder
        self._new_store = store
        self._fuse, self._weights = FUSIONS[fuse], weights
        self._captioner, self._reranker, self._depth = captioner, reranker, depth

    def index(self, memory: Sequence[Document]) -> None:
        pictured = [document for document in memory if document.image]
        rows = self._image_encoder.encode_images([d.image for d in pictured if d.image])
        self._images = OwnedRows(self._new_store(), [d.id for d in pictured], rows)
        texts = [(text, document.id) for document in memory for text in document.texts]
        rows = self._text_encoder.encode_texts([text for text, _ in texts])
        self._texts = OwnedRows(self._new_store(), [owner for _, owner in texts], rows)
        self._holders = ({d.id for d in pictured}, {owner for _, owner in texts})
        self._memory = {document.id: document for document in memory}

    def retrieve(self, queries: Sequence[Query], k: int) -> list[Ranking]:
        depth = max(k, self._depth)
        pictures = self._search(self._images, self._image_encoder, queries, "image", depth)
        texts = self._search(self._texts, self._text_encoder, queries, "text", depth)
        unread = [q for q, *lists in zip(queries, pictures, texts, strict=True) if not any(lists)]
        spoken = self._search_by_caption(unread, depth)
        rankings = [
            Ranking.of(query.id, self._fused(seen, read or spoken.get(query.id, [])))
            for query, seen, read in zip(queries, pictures, texts, strict=True)
        ]
        if queries and not any(ranking.hits for ranking in rankings):
            raise NotApplicable("neither store's encoder reads these queries; add a captioner")
        rankings = self._rerank(queries, rankings) if self._reranker else rankings
        return [replace(ranking, hits=ranking.hits[:k]) for ranking in rankings]

    def _fused(self, seen: list[Hit], read: list[Hit]) -> list[Hit]:
        return self._fuse([seen, read], self._weights, self._holders)

    def _search(
        self,
        rows: OwnedRows,
        encoder: Encoder,
        queries: Sequence[Query],
        first: Modality,
        depth: int,
    ) -> list[list[Hit]]:
        """Each query's hits in a store: by the store's own modality if it can, else by the other
        where the encoder reads it, else none."""
        hits: list[list[Hit]] = [[] for _ in queries]
        other: Modality = "text" if first == "image" else "image"
        rest = list(range(len(queries)))
        for modality in (first, other):
            chosen = [i for i in rest if getattr(queries[i], modality) is not None]
            if chosen and modality in encoder.modalities and rows:
                inputs = [getattr(queries[i], modality) for i in chosen]
                encode = encoder.encode_images if modality == "image" else encoder.encode_texts
                for i, found in zip(chosen, rows.search(encode(inputs), depth), strict=True):
                    hits[i] = found
            rest = [i for i in rest if i not in set(chosen)]
        return hits

    def _search_by_caption(self, queries: Sequence[Query], depth: int) -> dict[str, list[Hit]]:
        """Pictures that no store can be searched with, put into words."""
        if not (queries and self._captioner and self._texts):
            return {}
        grounded = [query for query in ground_queries(queries, self._captioner) if query.text]
        found = self._search(self._texts, self._text_encoder, grounded, "text", depth)
        return {query.id: hits for query, hits in zip(grounded, found, strict=True)}

    def _rerank(self, queries: Sequence[Query], rankings: Sequence[Ranking]) -> list[Ranking]:
        """The first `depth` candidates by the reranker's scores, the others below in fused order;
        a candidate that the reranker cannot read, or that no score came of, stays there too."""
        assert self._reranker is not None  # for the type checker: the caller made sure
        pairs = self._pairs(queries, rankings)
        scores = self._reranker.score([q for q, _ in pairs], [d for _, d in pairs])
        scored: dict[str, dict[str, float]] = {query.id: {} for query in queries}
        for (query, document), score in zip(pairs, scores, strict=True):
            if not isinstance(score, Failure):
                scored[query.id][document.id] = score
        return [_merged(ranking, scored[ranking.query]) for ranking in rankings]

    def _pairs(
        self, queries: Sequence[Query], rankings: Sequence[Ranking]
    ) -> list[tuple[Query, Document]]:
        """Each query with its first `depth` candidates, as they are for a reranker that reads
        pictures; else those that have words or can be put into words."""
        heads = {id for ranking in rankings for id in ranking.ids[: self._depth]}
        candidates = [self._memory[id] for id in sorted(heads)]
        looks = "image" in Traits(self._reranker).modalities
        if self._captioner and not looks:
            queries = ground_queries(queries, self._captioner)
            candidates = ground_documents(candidates, self._captioner, every=False)
        read = {d.id: d for d in candidates if looks or d.texts}
        return [
            (query, read[id])
            for query, ranking in zip(queries, rankings, strict=True)
            for id in ranking.ids[: self._depth]
            if id in read and (looks or query.text)
        ]


def _merged(ranking: Ranking, scores: Mapping[str, float]) -> Ranking:
    floor = min(scores.values(), default=0.0)
    rest = [id for id in ranking.ids if id not in scores]
    tail = [Hit(id, floor - place) for place, id in enumerate(rest, start=1)]
    return Ranking.of(ranking.query, [*(Hit(*item) for item in scores.items()), *tail])
