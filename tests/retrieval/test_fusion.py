"""Fusing lists."""

from __future__ import annotations

import pytest

from mmragbench.records import Hit
from mmragbench.retrieval.bm25 import Bm25
from mmragbench.retrieval.fusion import rrf, zscore

FIRST = [Hit("a", 9.0), Hit("b", 5.0), Hit("c", 1.0)]
SECOND = [Hit("c", 0.3), Hit("d", 0.1)]


def test_reciprocal_ranks_are_summed():
    """1/(60+rank) from each list that has the document (Cormack et al. 2009)."""
    scores = dict(rrf([FIRST, SECOND], [1.0, 1.0]))
    assert scores == pytest.approx({"a": 1 / 61, "b": 1 / 62, "c": 1 / 63 + 1 / 61, "d": 1 / 62})


def test_weights_scale_a_list():
    """A list of weight 0 says nothing."""
    scores = dict(rrf([FIRST, SECOND], [2.0, 0.0]))
    assert scores["a"] == pytest.approx(2 / 61)
    assert scores["d"] == 0


def test_zscores_are_summed_and_absence_is_the_lists_worst():
    """Standardised in each list; a document that a list lacks gets that list's lowest."""
    scores = dict(zscore([FIRST, SECOND], [1.0, 0.5]))
    spread = (32 / 3) ** 0.5
    assert scores["a"] == pytest.approx(4 / spread - 0.5)
    assert scores["c"] == pytest.approx(-4 / spread + 0.5)
    assert scores["d"] == pytest.approx(-4 / spread - 0.5)


def test_a_list_of_equal_scores_does_not_divide_by_zero():
    """It says nothing."""
    assert dict(zscore([[Hit("a", 1.0), Hit("b", 1.0)]], [1.0])) == {"a": 0.0, "b": 0.0}


@pytest.mark.parametrize("fuse", [rrf, zscore])
def test_what_only_some_lists_could_have_is_not_punished(fuse):
    """The first of the only list that could have it ranks above the second of one and last of the
    other; what all lists hold keeps its score to the bit."""
    seen = [Hit("both", 3.0), Hit("pair", 2.0), Hit("other", 1.0)]
    read = [Hit("passage", 3.0), Hit("both", 3.0), Hit("other", 2.0), Hit("pair", 1.0)]
    pairs = {"both", "pair", "other"}
    plain = dict(fuse([seen, read], [1.0, 1.0]))
    fair = dict(fuse([seen, read], [1.0, 1.0], [pairs, pairs | {"passage"}]))
    assert fair["passage"] > max(plain["passage"], fair["pair"])
    assert {id: fair[id] for id in pairs} == {id: plain[id] for id in pairs}


@pytest.mark.parametrize("fuse", [rrf, zscore])
def test_a_list_that_was_not_searched_makes_nothing_up(fuse):
    """Where only one list has hits, its order stands, whatever the other could have held."""
    fused = fuse([FIRST, []], [1.0, 1.0], [{"a", "b", "c"}, {"b", "d"}])
    assert [hit.id for hit in sorted(fused, key=lambda hit: -hit.score)] == ["a", "b", "c"]


def test_bm25_finds_words_and_ignores_their_forms():
    """Stemmed; a text without a shared word is no hit; ties by id descending."""
    index = Bm25(
        ["1", "2", "3", "4"], ["two red boats", "a red house", "green trees", "a red house"]
    )
    (hits,) = index.search(["boat on a lake"], 3)
    assert [hit.id for hit in hits] == ["1"]
    (houses,) = index.search(["houses"], 1)
    assert [hit.id for hit in houses] == ["4"]
    assert index.search(["the of"], 3) == [[]]


def test_bm25_over_texts_without_words():
    """Nothing is found, and nothing crashes."""
    assert Bm25(["1"], [""]).search(["boat"], 3) == [[]]
