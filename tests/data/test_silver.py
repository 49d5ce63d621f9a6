"""Silver relevance, against brute force in plain Python."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from mmragbench.data.entries import Picture
from mmragbench.data.silver import Silver
from mmragbench.measuring.ptb import tokenize
from mmragbench.records import Image, Text

WORDS = ["dog", "cat", "red", "boat", "runs", "on", "the", "a"]

captions = some.lists(some.sampled_from(WORDS), min_size=1, max_size=7).map(" ".join)
bags = some.lists(captions, min_size=1, max_size=3)
things = some.frozensets(some.sampled_from("abcde"), max_size=4)


def picture(id: str, texts: Sequence[str], categories: frozenset[str] = frozenset()) -> Picture:
    own = tuple(Text(f"{id}#{i}", text) for i, text in enumerate(texts))
    return Picture(Image(id, Path(f"{id}.jpg")), own, categories)


def n_grams(text: str, n: int) -> Counter[tuple[str, ...]]:
    tokens = tokenize(text)
    return Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1))


def held(document: Picture, n: int) -> set[tuple[str, ...]]:
    return {gram for caption in document.captions for gram in n_grams(caption.content, n)}


def cider(one: str, other: str, memory: Sequence[Picture]) -> float:
    """Vedantam et al. 2015, equations 1 to 3, for one pair of captions."""
    total = 0.0
    for n in range(1, 5):
        vectors = []
        for text in (one, other):
            counts = n_grams(text, n)
            vector = {}
            for gram, count in counts.items():
                holders = sum(
                    any(gram in n_grams(c.content, n) for c in p.captions) for p in memory
                )
                vector[gram] = count / counts.total() * math.log(len(memory) / max(1, holders))
            vectors.append(vector)
        norms = [math.sqrt(sum(value**2 for value in vector.values())) for vector in vectors]
        if all(norms):
            shared = vectors[0].keys() & vectors[1].keys()
            total += sum(vectors[0][g] * vectors[1][g] for g in shared) / norms[0] / norms[1]
    return total / 4


def agreement(query: Picture, document: Picture, memory: Sequence[Picture], first: bool) -> float:
    theirs = document.captions[:1] if first else document.captions
    pairs = [(q.content, d.content) for q in query.captions for d in theirs]
    return sum(cider(*pair, memory) for pair in pairs) / len(pairs)


def assert_best(found: Mapping[str, object], expected: Mapping[str, float], k: int) -> None:
    """The found ids are the k best above 0 (equal scores may stand for each other)."""
    positive = {id for id, score in expected.items() if score > 1e-8}
    assert len(found) == min(k, len(positive))
    assert found.keys() <= positive
    left = [expected[id] for id in positive - found.keys()]
    assert min((expected[id] for id in found), default=1) >= max(left, default=0) - 1e-8


@settings(max_examples=40, deadline=None)
@given(some.lists(bags, min_size=1, max_size=13), bags)
def test_cider_is_the_papers(memory_texts: list[list[str]], query_texts: list[str]) -> None:
    """Relevant are the ten with the highest CIDEr; affinity is the first caption's CIDEr."""
    memory = [picture(f"d{i}", texts) for i, texts in enumerate(memory_texts)]
    query = picture("q", query_texts)
    silver = Silver(memory, [query])
    assert silver.label == "silver:cider"
    whole = {d.id: agreement(query, d, memory, first=False) for d in memory}
    first = {d.id: agreement(query, d, memory, first=True) for d in memory}
    assert_best(silver.qrels(["q"])["q"], whole, 10)
    affinity = silver.affinity(["q"])["q"]
    assert_best(affinity, first, 100)
    assert affinity == pytest.approx({id: first[id] for id in affinity}, abs=1e-8)


@given(some.lists(things, min_size=1, max_size=12), some.lists(things, min_size=1, max_size=4))
def test_categories_by_jaccard(have: list[frozenset[str]], ask: list[frozenset[str]]) -> None:
    """Half of the union shared is grade 1, equal sets are grade 2, the empty set fits nothing."""
    memory = [picture(f"d{i}", ["a"], each) for i, each in enumerate(have)]
    queries = [picture(f"q{i}", ["a"], each) for i, each in enumerate(ask)]
    silver = Silver(memory, queries)
    if not any(have) or not any(ask):
        assert silver.label == "silver:cider"
        return
    assert silver.label == "silver:categories"
    qrels = silver.qrels([query.id for query in queries])
    for query in queries:
        expected = {}
        for document in memory:
            one, other = query.categories, document.categories
            if one and other and len(one & other) / len(one | other) >= 0.5:
                expected[document.id] = 2 if one == other else 1
        assert qrels[query.id] == expected


def test_keys_are_the_tasks_own() -> None:
    """The same rows serve under image ids and under caption ids; other keys are absent."""
    memory = [picture("m1", ["a"], frozenset("x")), picture("m2", ["a"], frozenset("xy"))]
    silver = Silver(memory, [picture("q", ["a"], frozenset("x"))])
    for key in ("q", "q#0"):
        qrels = silver.qrels([key])
        assert dict(qrels) == {key: {"m1": 2, "m2": 1}}
        assert "other" not in qrels
        assert qrels.get("other") is None


def test_ties_by_id_descending() -> None:
    """Equal documents beyond the tenth are decided by id, descending, as trec_eval decides."""
    memory = [picture(f"d{i:02}", ["a red boat"]) for i in range(12)]
    memory += [picture("e", ["the dog runs"])]
    silver = Silver(memory, [picture("q", ["a red boat"])])
    assert list(silver.qrels(["q"])["q"]) == [f"d{i:02}" for i in range(11, 1, -1)]


def test_affinity_prefers_grades() -> None:
    """With over a hundred documents, affinity is kept for the higher grades first."""
    close = [picture(f"c{i:03}", ["a red boat"], frozenset("z")) for i in range(150)]
    fitting = [picture(f"f{i}", ["a dog on the red boat"], frozenset("x")) for i in range(3)]
    others = [picture("o", ["cat"], frozenset("z"))]
    query = picture("q", ["a red boat"], frozenset("x"))
    affinity = Silver([*close, *fitting, *others], [query]).affinity(["q"])["q"]
    assert len(affinity) == 100
    assert {"f0", "f1", "f2"} <= affinity.keys()
    assert affinity["c149"] > affinity["f0"] > 0


def test_a_single_document_says_nothing() -> None:
    """With one document every idf is 0, and CIDEr finds nothing relevant."""
    silver = Silver([picture("m", ["a dog"])], [picture("q", ["a dog"])])
    assert dict(silver.qrels(["q"])) == {"q": {}}
    assert dict(silver.affinity(["q"])) == {"q": {}}


def test_captions_without_words() -> None:
    """Captions of which the tokeniser leaves nothing agree with nothing."""
    silver = Silver([picture("m", ["..."]), picture("n", ["!"])], [picture("q", ["?"])])
    assert dict(silver.qrels(["q"])) == {"q": {}}


def test_nothing_is_computed_before_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Making the mappings tokenises nothing; their keys are known all the same."""
    monkeypatch.setattr("mmragbench.measuring.ptb.tokenize", lambda _: pytest.fail("tokenised"))
    silver = Silver([picture("m", ["a"])], [picture("q", ["a"])])
    assert list(silver.qrels(["q"])) == ["q"]
    assert len(silver.affinity(["q"])) == 1


@pytest.mark.parametrize("names", [frozenset(), frozenset("x")])
def test_a_querys_relevance_does_not_depend_on_the_others(names: frozenset[str]) -> None:
    """With other queries beside it, it is the same, and so is what a run stores of its basis."""
    memory = [picture(f"d{i}", [f"a red boat {i % 3}", "two dogs"], names) for i in range(15)]
    query = picture("q", ["a red boat 1", "a cat"], names)
    others = [picture(f"o{i}", ["a boat of two dogs", "a red cat"], names) for i in range(5)]
    alone, beside = Silver(memory, [query]), Silver(memory, [*others, query])
    assert alone.label == beside.label
    few, many = alone.qrels(["q"]), beside.qrels([*(o.id for o in others), "q"])
    assert few["q"] == many["q"]
    assert few.basis == many.basis != Silver(memory[1:], [query]).qrels(["q"]).basis
    assert few.digest != many.digest
