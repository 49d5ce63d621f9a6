"""What strategies find in the toy world; the contract that all keep is in tests/checking."""

from __future__ import annotations

import math
from typing import get_type_hints

import pytest

from mmragbench.contracts import NewStore
from mmragbench.datasets.coco import Coco
from mmragbench.errors import NotApplicable
from mmragbench.planning.binding import roles
from mmragbench.records import Document, Image, Query, Text
from mmragbench.registry import every
from mmragbench.stores.faiss import Faiss
from support import toy

MODELS = {
    "encoder": toy.ColourEncoder,
    "captioner": toy.ColourCaptioner,
    "reranker": toy.WordReranker,
}
FURTHER = {"text-grounding": {"search": "both"}}


def arguments(component) -> dict:
    """The toy world's models and stores in the places where a strategy wants some."""
    models = {name: MODELS[role]() for name, role in roles(component).items()}
    hints = get_type_hints(component.make.__init__)
    stores = {name: Faiss for name, hint in hints.items() if hint is NewStore}
    return {**models, **stores, **FURTHER.get(component.name, {})}


STRATEGIES = [component.name for component in every("strategy")]


@pytest.fixture
def tasks(coco):
    return Coco(coco).tasks()


def build(name, task):
    component = next(c for c in every("strategy") if c.name == name)
    given = {"task": task} if name == "oracle" else {}
    return component.make(**arguments(component), **given)


@pytest.mark.parametrize(
    "name",
    [n for n in STRATEGIES if n not in ("no-retrieval", "random", "lexical", "rankings")],
)
def test_a_strategy_finds_the_colour(name, tasks):
    """In a world of colours, the first hit for a caption shows its colour."""
    posed = tasks["text-to-image"]
    strategy = build(name, posed)
    strategy.index(posed.memory)
    rankings = strategy.retrieve(posed.queries, 1)
    hits = [ranking.ids[0] == query.group for query, ranking in zip(posed.queries, rankings)]
    assert all(hits)


def test_documents_can_be_image_text_mean_or_the_best_of_all(tasks):
    """With `image`, texts do not matter; with `text`, images do not; `max` takes the better."""
    posed = tasks["captioning"]
    from mmragbench.strategies.shared_space import SharedSpace

    found = {}
    for document in ("image", "text", "mean", "max"):
        strategy = SharedSpace(toy.ColourEncoder(), Faiss, document=document)
        strategy.index(posed.memory)
        found[document] = {h.id: h.score for h in strategy.retrieve(posed.queries[:1], 24)[0].hits}
    for id, score in found["max"].items():
        assert score >= found["image"][id] - 1e-6
    assert found["image"] != found["text"]
    assert len(found["max"]) == 24


def test_a_document_kind_that_the_memory_lacks_is_not_applicable(tasks):
    """Texts cannot stand for documents where the memory has only images."""
    from mmragbench.strategies.shared_space import SharedSpace

    with pytest.raises(NotApplicable, match="document: text"):
        SharedSpace(toy.ColourEncoder(), Faiss, document="text").index(
            tasks["text-to-image"].memory
        )


def test_the_diversity_filter_skips_near_copies(tasks):
    """No two hits, and no hit and the query, are more similar than the limit (RA-CM3)."""
    from mmragbench.strategies.shared_space import SharedSpace

    posed, encoder = tasks["captioning"], toy.ColourEncoder()
    strategy = SharedSpace(encoder, Faiss, document="image", diversity=0.9)
    strategy.index(posed.memory)
    images = {document.id: document.image for document in posed.memory}
    for query, ranking in zip(posed.queries, strategy.retrieve(posed.queries, 4)):
        rows = encoder.encode_images([query.image, *(images[id] for id in ranking.ids)])
        similarity = rows @ rows.T
        assert (similarity[~__import__("numpy").eye(len(rows), dtype=bool)] <= 0.9 + 1e-6).all()


def test_centring_takes_each_modalitys_mean_away(tasks):
    """After centring, the memory's image vectors have mean zero before they are scaled."""
    import numpy as np

    from mmragbench.strategies.shared_space import SharedSpace

    posed, encoder = tasks["captioning"], toy.ColourEncoder()
    strategy = SharedSpace(encoder, Faiss, document="image", centre=True)
    strategy.index(posed.memory)
    images = encoder.encode_images([document.image for document in posed.memory])
    expected = images - images.mean(axis=0)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(strategy._vectors, expected, atol=1e-6)


def test_text_grounding_without_a_captioner_says_what_it_lacks(tasks):
    """A gallery of bare pictures cannot be searched by text alone."""
    from mmragbench.strategies.text_grounding import TextGrounding

    with pytest.raises(NotApplicable, match="no captioner"):
        TextGrounding(Faiss, search="bm25").index(tasks["text-to-image"].memory)


def separate(**given):
    from mmragbench.strategies.separate_stores import SeparateStores

    return SeparateStores(toy.ColourEncoder(), toy.ColourEncoder(), Faiss, **given)


def test_a_reranker_orders_the_candidates_anew(tasks):
    """The first `depth` by its scores; the others stay below, in fused order."""
    posed = tasks["image-generation"]

    class Backwards:
        def score(self, queries, documents):
            return [-float(document.id) for document in documents]

    plain, reranked = separate(depth=4), separate(reranker=Backwards(), depth=4)
    rankings = []
    for strategy in (plain, reranked):
        strategy.index(posed.memory)
        rankings.append(strategy.retrieve(posed.queries, 8))
    for before, after in zip(*rankings, strict=True):
        assert set(after.ids[:4]) == set(before.ids[:4])
        assert list(after.ids[:4]) == sorted(before.ids[:4], key=float)
        assert after.ids[4:] == before.ids[4:]


def test_a_picture_that_cannot_be_captioned_is_left_where_it_was(tasks):
    """It keeps its fused order; the other queries are reranked as if it were not there."""
    from dataclasses import replace

    posed = tasks["captioning"]
    beast = replace(posed.queries[0], image=replace(posed.queries[0].image, id="666"))
    strategy = separate(captioner=toy.ColourCaptioner(), reranker=toy.WordReranker())
    strategy.index(posed.memory)
    alone = strategy.retrieve(posed.queries[1:], 5)
    unread, *others = strategy.retrieve([beast, *posed.queries[1:]], 5)
    assert others == alone
    plain = separate()
    plain.index(posed.memory)
    assert unread.ids == plain.retrieve([beast], 5)[0].ids


def test_a_passage_has_as_many_votes_as_a_pair(tmp_path):
    """In a memory of passages and pairs, the passage that is first in its only store comes before
    pairs that are in both and further down in one of them."""
    toy.draw(tmp_path / "blue.png", "blue")
    image = Image("blue", tmp_path / "blue.png", "digest")
    memory = [
        Document("passage", texts=(Text("passage", "red red"),)),
        Document("nearer", image, (Text("nearer", "blue red"),)),
        Document("farther", image, (Text("farther", "blue"),)),
    ]
    strategy = separate()
    strategy.index(memory)
    (ranking,) = strategy.retrieve([Query("q", text=Text("q", "red"))], 3)
    assert ranking.ids == ("passage", "nearer", "farther")


def test_a_reranker_that_looks_is_given_pairs_as_they_are(tasks):
    """Bare pictures under queries of text alone, without a captioner; what it cannot score keeps
    its fused order below what it can."""
    from mmragbench.records import Failure

    posed = tasks["text-to-image"]

    class Looks:
        modalities = frozenset({"image", "text"})

        def score(self, queries, documents):
            assert all(q.text and d.image and not d.texts for q, d in zip(queries, documents))
            odd = [int(document.id) % 2 == 1 for document in documents]
            return [
                float(document.id) if fits else Failure("even")
                for document, fits in zip(documents, odd)
            ]

    plain, looking = separate(depth=6), separate(reranker=Looks(), depth=6)
    rankings = []
    for strategy in (plain, looking):
        strategy.index(posed.memory)
        rankings.append(strategy.retrieve(posed.queries, 8))
    for before, after in zip(*rankings, strict=True):
        head = [id for id in before.ids[:6] if int(id) % 2]
        tail = [id for id in before.ids if id not in head]
        assert list(after.ids) == [*sorted(head, key=float, reverse=True), *tail]


def test_stores_that_cannot_read_the_queries_are_not_applicable(tasks):
    """Pictures against texts, with an encoder of texts only and no captioner."""
    posed = tasks["image-to-text"]

    class Words(toy.ColourEncoder):
        modalities = frozenset({"text"})

    from mmragbench.strategies.separate_stores import SeparateStores

    strategy = SeparateStores(toy.ColourEncoder(), Words(), Faiss)
    strategy.index(posed.memory)
    with pytest.raises(NotApplicable, match="add a captioner"):
        strategy.retrieve(posed.queries, 5)


def test_lexical_ranks_documents_as_bm25_ranks_their_texts():
    """The independent oracle is Okapi BM25 (k1 1.5, b 0.75), written out here; a document is all its
    texts together, words are stemmed, and a document that shares no word is no hit."""
    texts = {
        "dogs": ["two dogs running", "dogs chase balls"],
        "dog": ["dog sleeping"],
        "ball": ["red ball, green grass, blue sky, white fence"],
        "boat": ["sail boat"],
    }
    strategy = build("lexical", None)
    strategy.index(
        [Document(d, texts=tuple(Text(d, text) for text in own)) for d, own in texts.items()]
    )
    (ranking,) = strategy.retrieve([Query("q", text=Text("q", "dog running after a ball"))], 5)
    scores = okapi(
        ["dog", "run", "ball"],
        {
            "dogs": ["two", "dog", "run", "dog", "chase", "ball"],
            "dog": ["dog", "sleep"],
            "ball": ["red", "ball", "green", "grass", "blue", "sky", "white", "fenc"],
            "boat": ["sail", "boat"],
        },
    )
    assert ranking.ids == ("dogs", "dog", "ball")
    assert [hit.score for hit in ranking.hits] == pytest.approx([scores[d] for d in ranking.ids])


def okapi(query, documents, k1=1.5, b=0.75):
    """BM25 scores (Robertson and Zaragoza 2009) of documents, lists of words."""
    mean, scores = sum(map(len, documents.values())) / len(documents), dict.fromkeys(documents, 0.0)
    for word in query:
        n = sum(word in own for own in documents.values())
        idf = math.log(1 + (len(documents) - n + 0.5) / (n + 0.5))
        for id, own in documents.items():
            tf = own.count(word)
            scores[id] += idf * tf / (tf + k1 * (1 - b + b * len(own) / mean))
    return scores


def test_lexical_reads_no_pictures(tasks):
    """Pictures as queries, and a memory of pictures, are not applicable, each with its reason."""
    strategy = build("lexical", None)
    with pytest.raises(NotApplicable, match="no document of this memory has a text"):
        strategy.index(tasks["text-to-image"].memory)
    strategy.index(tasks["captioning"].memory)
    with pytest.raises(NotApplicable, match="the queries are pictures without a text"):
        strategy.retrieve(tasks["captioning"].queries, 5)
