"""Results in columns are the results themselves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmragbench.engine.results import Rankings, Retrieved
from mmragbench.records import Hit, Hits, Ranking

HITS = st.lists(
    st.builds(Hit, st.text(max_size=4), st.floats(allow_nan=False, allow_infinity=False)),
    max_size=5,
)
RANKINGS = st.lists(st.builds(Ranking, st.text(max_size=4), HITS.map(tuple)), max_size=6)


@given(RANKINGS)
def test_columns_give_back_what_was_put_in(rankings):
    """Each by number, in order and by slice, also after they were stored."""
    stored = Retrieved(Rankings(rankings), {"seconds": {}}).to_bytes()
    for columns in (Rankings(rankings), Retrieved.from_bytes(stored).rankings):
        assert list(columns) == rankings
        assert [columns[-at] for at in range(len(columns), 0, -1)] == rankings
        assert columns[1:4] == rankings[1:4]
        assert columns.has_hits == any(ranking.hits for ranking in rankings)
        with pytest.raises(IndexError):
            columns[len(rankings)]


def test_only_those_asked_for_are_made():
    """`of` gives the rankings of some queries, in their order."""
    rankings = [Ranking(query, (Hit("d", 1.0),)) for query in "abc"]
    assert list(Rankings(rankings).of({"c", "a", "x"})) == [rankings[0], rankings[2]]


@given(HITS, st.integers(0, 6))
def test_hits_in_columns_are_the_hits(hits, k):
    """By number, in order, by slice, when compared and when hashed; no score is rounded."""
    kept = Hits.of(hits)
    assert Hits.of(kept) is kept
    assert list(kept) == hits and tuple(hits) == kept and len(kept) == len(hits)
    assert kept[:k] == hits[:k] and isinstance(kept[:k], Hits)
    assert [kept[at] for at in range(len(kept))] == hits
    assert all(isinstance(hit, Hit) for hit in kept)
    assert Ranking("q", kept) == Ranking("q", tuple(hits))
    assert hash(Ranking("q", kept)) == hash(Ranking("q", tuple(hits)))
    assert Ranking("q", kept).ids == tuple(hit.id for hit in hits)
    if hits:
        assert kept != hits[1:]
