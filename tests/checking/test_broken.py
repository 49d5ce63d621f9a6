"""Deliberately broken components: each rule catches its culprit."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import numpy as np
import pytest

from mmragbench.checking import rules
from mmragbench.checking.stand_ins import Captioner, Chat, Encoder, Painter, Reranker
from mmragbench.errors import NotApplicable
from mmragbench.records import Drawing, Hit, Output, Ranking, Reply
from mmragbench.stores.faiss import Faiss

METHODS = "it has its methods"
TYPE = "answers have their type"


class Good:
    """By the words of the documents: what all broken strategies are made of."""

    def index(self, memory):
        self._words = {d.id: {w for t in d.texts for w in t.content.split()} for d in memory}

    def retrieve(self, queries, k):
        return [Ranking.of(q.id, self._hits(q), k) for q in queries]

    def _hits(self, query):
        query_words = set(query.text.content.split()) if query.text else set()
        return [(id, float(len(query_words & words))) for id, words in self._words.items()]


class Short(Good):
    def retrieve(self, queries, k):
        return super().retrieve(queries[:-1], k)


class Restless(Good):
    def retrieve(self, queries, k):
        self._lots = getattr(self, "_lots", 0) + 1
        return [
            replace(r, hits=tuple(Hit(h.id, h.score + self._lots) for h in r.hits))
            for r in super().retrieve(queries, k)
        ]


class Lucky(Good):
    def __init__(self):
        self._luck = random.random()

    def _hits(self, query):
        return [(id, score + self._luck) for id, score in super()._hits(query)]


class Sorting(Good):
    def retrieve(self, queries, k):
        return super().retrieve(sorted(queries, key=lambda q: q.id), k)


class Neighbourly(Good):
    def retrieve(self, queries, k):
        many = float(len(queries))
        return [
            replace(r, hits=tuple(Hit(h.id, h.score + many) for h in r.hits))
            for r in super().retrieve(queries, k)
        ]


class NeverEmpty(Good):
    def retrieve(self, queries, k):
        return super().retrieve(queries, k) or [Ranking("nobody")]


class Popping(Good):
    def retrieve(self, queries, k):
        rankings = super().retrieve(queries, k)
        queries.reverse()
        return rankings


class Bare(Good):
    def retrieve(self, queries, k):
        return [list(r.ids) for r in super().retrieve(queries, k)]


class RowNumbers(Good):
    def _hits(self, query):
        return [(f"row-{id}", score) for id, score in super()._hits(query)]


class Twice(Good):
    def _hits(self, query):
        hits = super()._hits(query)
        return hits + hits[-1:] + [max(hits, key=lambda hit: (hit[1], hit[0]))] if hits else []


class Infinite(Good):
    def _hits(self, query):
        return [(id, math.inf) for id, _ in super()._hits(query)]


class Ascending(Good):
    def retrieve(self, queries, k):
        rankings = super().retrieve(queries, k)
        return [replace(r, hits=tuple(sorted(r.hits, key=lambda h: h.score))) for r in rankings]


class TiesByIdAscending(Good):
    def retrieve(self, queries, k):
        return [
            Ranking(
                q.id, tuple(Hit(*h) for h in sorted(self._hits(q), key=lambda h: (-h[1], h[0]))[:k])
            )
            for q in queries
        ]


class Endless(Good):
    def retrieve(self, queries, k):
        return super().retrieve(queries, k + 1)


class Shifting(Good):
    """Another order for another k."""

    def retrieve(self, queries, k):
        sign = 1 if k % 2 else -1
        return [Ranking.of(q.id, [(i, sign * s) for i, s in self._hits(q)], k) for q in queries]


class NeedsDocuments(Good):
    def index(self, memory):
        super().index(memory)
        _ = next(iter(self._words))


class Piling(Good):
    def index(self, memory):
        old = getattr(self, "_words", {})
        super().index(memory)
        self._words = {**old, **self._words}


class ListsOnly(Good):
    def index(self, memory):
        super().index(memory + [])


class SortsMemory(Good):
    def index(self, memory):
        if isinstance(memory, list):
            memory.sort(key=lambda d: d.id)
        super().index(memory)


class NoRetrieve:
    def index(self, memory):
        pass


class Refusing(Good):
    def index(self, memory):
        raise NotApplicable("not today")


class Raw:
    """What all broken encoders are made of."""

    modalities = frozenset({"image", "text"})

    def encode_images(self, images):
        return self.change(Encoder().encode_images(images))

    def encode_texts(self, texts):
        return self.change(Encoder().encode_texts(texts))

    def change(self, rows):
        return rows


class Wide(Raw):
    def change(self, rows):
        return rows.astype(np.float64)


class Long(Raw):
    def change(self, rows):
        return rows * 3


class Nan(Raw):
    def change(self, rows):
        return np.where(rows == rows.max(initial=0), np.nan, rows).astype(np.float32)


class Centred(Raw):
    def change(self, rows):
        moved = rows - rows.mean(axis=0, keepdims=True) / 2 if len(rows) else rows
        return moved / np.linalg.norm(moved, axis=1, keepdims=True)


class TwoSpaces(Raw):
    def encode_texts(self, texts):
        return np.pad(Encoder().encode_texts(texts), ((0, 0), (0, 1)))


class Silent(Raw):
    modalities = "image, text"


class ReadsAll(Raw):
    modalities = frozenset({"image"})


class Forgiving(Raw):
    def encode_images(self, images):
        def one(image):
            try:
                return Encoder().encode_images([image])[0]
            except Exception:
                return np.eye(48, dtype=np.float32)[0]

        return np.array([one(image) for image in images], np.float32).reshape(-1, 48)


class Constant(Raw):
    def change(self, rows):
        return np.tile(np.eye(48, dtype=np.float32)[:1], (len(rows), 1))


class NumbersForCaptions(Captioner):
    def caption(self, images, prompts):
        return [len(c) for c in super().caption(images, prompts)]


class Mute(Captioner):
    def caption(self, images, prompts):
        return ["" for _ in super().caption(images, prompts)]


class Inventive:
    def caption(self, images, prompts):
        return [f"a picture {image.id} {prompt}" for image, prompt in zip(images, prompts)]


class Strings(Chat):
    def chat(self, prompts):
        return [getattr(reply, "text", "") for reply in super().chat(prompts)]


class Refund(Chat):
    def chat(self, prompts):
        return [
            replace(r, dollars=-1.0) if isinstance(r, Reply) else r for r in super().chat(prompts)
        ]


class Sampler(Chat):
    samples = True
    drawn = 0

    def chat(self, prompts):
        Sampler.drawn += any(p.seed == 5 for p in prompts)
        return [Reply(f"{r.text} {Sampler.drawn}") for r in super().chat(prompts)]


class Pixels(Painter):
    def paint(self, prompts):
        return [np.asarray(d.picture) for d in super().paint(prompts)]


class Seedless(Painter):
    def paint(self, prompts):
        from PIL import Image

        return [Drawing(Image.new("RGB", (4, 4), (len(p.text), 0, 0))) for p in prompts]


class NanScores(Reranker):
    def score(self, queries, documents):
        return [math.nan for _ in queries]


class Equal(Reranker):
    def score(self, queries, documents):
        return [0.5 for _ in queries]


class Cosine(Faiss):
    def add(self, ids, vectors):
        super().add(ids, vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9))


class InPlace(Faiss):
    def add(self, ids, vectors):
        super().add(ids, vectors.copy())
        vectors *= 2


class LastPart(Faiss):
    def add(self, ids, vectors):
        self.__init__()
        super().add(ids, vectors)


class Shared(Faiss):
    ids, rows = [], []

    def __init__(self):
        self._ids, self._rows = Shared.ids, (np.concatenate(Shared.rows) if Shared.rows else None)

    def add(self, ids, vectors):
        super().add(ids, vectors)
        Shared.rows = [self._rows]


class NeedsRows(Faiss):
    def search(self, vectors, k):
        return [
            [Hit(*hit) for hit in hits] for hits in super().search(vectors, min(k, self._rows.size))
        ]


class Tuples(Faiss):
    def search(self, vectors, k):
        return [[(hit.id, hit.score) for hit in hits] for hits in super().search(vectors, k)]


class Half(Faiss):
    def search(self, vectors, k):
        return [
            hits[: max(1, len(hits) // 2)] if hits else [] for hits in super().search(vectors, k)
        ]


class FirstText:
    """What all broken generators are made of: the first text of the context."""

    def __init__(self, output: str = "caption") -> None:
        if output == "image":
            raise NotApplicable("it draws nothing")

    def generate(self, queries, contexts):
        return [self.one(q, list(shown)) for q, shown in zip(queries, contexts)]

    def one(self, query, shown):
        texts = [text.content for document in shown for text in document.texts]
        ids = tuple(document.id for document in shown)
        if not texts:
            return Output(query.id, error="nothing to say", shown=ids)
        return Output(query.id, text=texts[0], shown=ids)


class Anonymous(FirstText):
    def one(self, query, shown):
        return replace(super().one(query, shown), query="someone")


class BothOfThem(FirstText):
    def one(self, query, shown):
        return replace(super().one(query, shown), error="as well")


class AnyOutput(FirstText):
    def __init__(self, output: str = "caption") -> None:
        pass


class Hopeless(FirstText):
    def one(self, query, shown):
        return Output(query.id, error="no")


class Numbers(FirstText):
    def one(self, query, shown):
        return replace(super().one(query, shown), text=7, error=None)


class Elsewhere(FirstText):
    def one(self, query, shown):
        return replace(super().one(query, shown), shown=("d999",))


class Starving(FirstText):
    def one(self, query, shown):
        return replace(
            super().one(query, shown),
            text=shown[0].texts[0].content if shown[0].texts else "-",
            error=None,
        )


class Gossip(FirstText):
    """Without documents of its own it answers, and all after it, from nothing."""

    def generate(self, queries, contexts):
        outputs = super().generate(queries, contexts)
        if any(not shown for shown in contexts):
            outputs = [replace(o, text="nothing", error=None, shown=()) for o in outputs]
        return outputs


BROKEN = {
    "strategy": [
        (NoRetrieve, METHODS),
        (Refusing, "something applies"),
        (Short, "one answer an item"),
        (Restless, "the same when asked again"),
        (Lucky, "the same when made anew"),
        (Sorting, "the order does not matter"),
        (Neighbourly, "neighbours do not matter"),
        (NeverEmpty, "nothing asked nothing answered"),
        (Popping, "what is handed over stays as it was"),
        (Bare, TYPE),
        (RowNumbers, "hits are in the memory"),
        (Twice, "no document twice"),
        (Infinite, "scores are numbers"),
        (Ascending, "best first"),
        (TiesByIdAscending, "best first"),
        (Endless, "at most k"),
        (Shifting, "a short list begins a longer one"),
        (NeedsDocuments, "an empty memory has no hits"),
        (Piling, "indexing again replaces"),
        (ListsOnly, "any sequence is a memory"),
        (SortsMemory, "the memory stays as it was"),
    ],
    "encoder": [
        (Silent, "modalities are said"),
        (Wide, "rows are float32"),
        (Nan, TYPE),
        (Long, "rows have length 1"),
        (Centred, "neighbours do not matter"),
        (TwoSpaces, "both modalities have the same width"),
        (ReadsAll, "other modalities are refused"),
        (Constant, "different things differ"),
        (Forgiving, "an unreadable picture fails"),
    ],
    "captioner": [
        (NumbersForCaptions, TYPE),
        (Mute, "something is answered"),
        (Inventive, "an unreadable picture fails"),
    ],
    "chat": [
        (Strings, TYPE),
        (Refund, "costs are counted"),
        (Sampler, "a sampling model follows seeds"),
    ],
    "painter": [
        (Pixels, TYPE),
        (Seedless, "another seed is another picture"),
    ],
    "reranker": [(NanScores, TYPE), (Equal, "different things differ")],
    "store": [
        (Tuples, TYPE),
        (Cosine, "scores are inner products"),
        (InPlace, "added rows stay as they were"),
        (LastPart, "rows may come in parts"),
        (Shared, "stores are apart"),
        (NeedsRows, "an empty store has no hits"),
        (Half, "all there is where k is larger"),
        (Half, "the nearest are found"),
    ],
    "generator": [
        (Anonymous, TYPE),
        (BothOfThem, "a text a picture or an error"),
        (AnyOutput, "of the modality that is asked for"),
        (Hopeless, "something is answered"),
        (Numbers, "texts and pictures are real"),
        (Elsewhere, "shown is within the context"),
        (Starving, "an empty context is borne"),
        (Gossip, "a failed query is alone"),
    ],
}  # fmt: skip
CASES = [(kind, *case) for kind, cases in BROKEN.items() for case in cases]
GOOD = {
    "strategy": Good, "encoder": Raw, "captioner": Captioner, "chat": Chat, "painter": Painter,
    "reranker": Reranker, "store": Faiss, "generator": FirstText,
}  # fmt: skip
FEW = 5
"""A culprit may break so many rules besides: a wrong score is a wrong order, too."""


def objections(make, kind) -> dict[str, str]:
    verdicts = [rule.verdict() for rule in rules(make, kind)]
    return {v.rule: v.message for v in verdicts if v.status in ("failed", "warning")}


@pytest.mark.parametrize("kind", GOOD)
def test_a_good_component_has_no_objection(kind):
    """What the broken ones are made of keeps every rule."""
    assert objections(GOOD[kind], kind) == {}


@pytest.mark.parametrize(
    "kind, make, rule", CASES, ids=lambda value: getattr(value, "__name__", value)
)
def test_each_rule_catches_its_culprit(kind, make, rule):
    """It, and few others, object; the message says something."""
    broken = objections(make, kind)
    assert rule in broken, broken
    if (rule, make) not in ((TYPE, Bare), (TYPE, Strings)) and rule not in (
        METHODS,
        "one answer an item",
    ):
        assert len(broken) <= FEW, broken
    assert len(broken[rule]) > 20


@pytest.mark.parametrize("kind", GOOD)
def test_each_rule_has_a_culprit(kind):
    """No rule of these kinds is without a component here that breaks it."""
    shared = {"something applies", "one answer an item", "the same when asked again", "the same when made anew",
              "the order does not matter", "neighbours do not matter", "nothing asked nothing answered",
              "what is handed over stays as it was", METHODS}  # fmt: skip
    caught = {rule for k, _, rule in CASES if k == kind} | (shared if kind != "strategy" else set())
    named = {str(rule) for rule in rules(GOOD[kind], kind)}
    assert named <= caught | {"the same in another process", "something is answered"}
