"""Slices that a suite asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmragbench.data.slices import MOST, sliced
from mmragbench.errors import SuiteError
from mmragbench.planning.plan import load
from mmragbench.records import Image, Query, Task, Text


def task(*queries: Query, **more: object) -> Task:
    return Task("t", memory=[], queries=list(queries), **more)


def asked(id: str, text: str | None = None, image: bool = False) -> Query:
    picture = Image(id, Path(f"{id}.png")) if image else None
    return Query(id, picture, Text(id, text) if text is not None else None)


def test_length_parts_at_the_median_of_words():
    """The median itself is short; every query with a text is in one of the two."""
    made = sliced(task(asked("a", "one"), asked("b", "one two"), asked("c", "1 2 3 4")), ["length"])
    assert made.slices == {"short-text": {"a", "b"}, "long-text": {"c"}}


def test_an_image_is_as_long_as_its_references():
    """On average; a query with neither text nor references is in no slice."""
    references = {"a": ("one two three", "one"), "b": ("one", "one two three four")}
    queries = [asked(id, image=True) for id in "abc"]
    made = sliced(task(*queries, references=references), ["length"])
    assert made.slices == {"short-text": {"a"}, "long-text": {"b"}}


def test_modality_is_told_only_where_it_differs():
    """A slice of all queries would show every number twice."""
    mixed = [asked("a", "x"), asked("b", image=True), asked("c", "x", image=True)]
    assert sliced(task(*mixed), ["modality"]).slices == {
        "text-query": {"a"},
        "image-query": {"b"},
        "image+text-query": {"c"},
    }
    assert not sliced(task(asked("a", "x"), asked("b", "y")), ["modality"]).slices


def test_the_most_frequent_categories_have_a_slice():
    """Ties by name, so that the choice does not depend on any order."""
    queries = [asked(f"q{i}", "x") for i in range(40)]
    names = {
        q.id: frozenset({f"c{i % 20:02d}", "dog"} if i < 30 else ()) for i, q in enumerate(queries)
    }
    made = sliced(task(*queries, categories=names), ["categories"])
    assert list(made.slices) == ["category:dog", *(f"category:c{i:02d}" for i in range(MOST - 1))]
    assert made.slices["category:c03"] == {"q3", "q23"}


def test_the_datasets_own_slices_stay():
    """And nothing is asked for by default."""
    own = task(asked("a", "x"), asked("b", "x y"), slices={"odd": frozenset("a")})
    assert sliced(own, []) is own
    assert list(sliced(own, ["length"]).slices) == ["short-text", "long-text", "odd"]


def test_a_suite_names_kinds_that_exist(suite_file):
    """An unknown kind is told with its line; none at all leaves the run's name as it is."""
    with pytest.raises(SuiteError, match="slices"):
        load(suite_file(), ("slices=[colour]",))
    plain, _ = load(suite_file())
    asked_for, _ = load(suite_file(), ("slices=length",))
    assert load(suite_file(), ("slices=[]",))[0].folder == plain.folder != asked_for.folder
