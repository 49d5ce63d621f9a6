"""Digests of items: they change with what an item is, and with nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mmragbench.records import Document, Image, Query, Task, Text
from mmragbench.run_folder.digests import (
    document_digest,
    gold_digests,
    query_digest,
    relevance_digest,
)


def text(content: str) -> Text:
    return Text("t", content)


QUERY = Query("q", Image("i", Path("a.jpg"), "aa"), text("a dog"))
DOCUMENT = Document("d", Image("i", Path("a.jpg"), "aa"), (text("a dog"), text("a cat")))
TASK = Task(
    "captioning",
    [DOCUMENT],
    [QUERY],
    qrels={"q": {"d": 1}},
    references={"q": ("a dog", "one dog")},
    targets={"q": Image("i", Path("a.jpg"), "aa")},
)


@pytest.mark.parametrize(
    "changed, same",
    [
        (replace(QUERY, id="other"), True),
        (replace(QUERY, group="other"), True),
        (replace(QUERY, image=Image("j", Path("b.jpg"), "aa")), True),
        (replace(QUERY, image=Image("i", Path("a.jpg"), "bb")), False),
        (replace(QUERY, image=None), False),
        (replace(QUERY, text=text("a cat")), False),
        (replace(QUERY, text=None), False),
    ],
)
def test_a_query_is_what_it_asks(changed, same):
    """Its picture's bytes and its text; neither its id nor where the file lies."""
    assert (query_digest(changed) == query_digest(QUERY)) is same


@pytest.mark.parametrize(
    "texts", [("a cat", "a dog"), ("a dog",), ("a doga cat",), ("a dog", "a", " cat")]
)
def test_a_document_is_its_texts_in_order(texts):
    """Where one ends and the next begins is part of it."""
    other = replace(DOCUMENT, texts=tuple(map(text, texts)))
    assert document_digest(other) != document_digest(DOCUMENT)


@pytest.mark.parametrize(
    "change",
    [
        {"references": {"q": ("a dog",)}},
        {"references": {"q": ("one dog", "a dog")}},
        {"qrels": {"q": {"d": 2}}},
        {"qrels": {"q": {"e": 1}}},
        {"targets": {"q": Image("i", Path("a.jpg"), "bb")}},
        {"targets": {}},
        {"labels": {"q": "Pollan crest"}},
        {"original_labels": {"q": "Pollan crest"}},
    ],
)
def test_gold_is_all_that_scores(change):
    """References, graded documents, the real picture and the labels each change it."""
    assert list(gold_digests(replace(TASK, **change))) != list(gold_digests(TASK))
    assert relevance_digest(TASK) is None


def test_gold_on_demand_is_what_it_is_made_from():
    """A query's categories and references stand for its relevance; grades are not looked up."""

    class OnDemand(dict):
        basis = "of code and memory"

    task = replace(TASK, qrels=OnDemand({"q": {"d": 1}}), categories={"q": frozenset("xy")})
    assert relevance_digest(task) == "of code and memory"
    for change, same in (
        ({"qrels": OnDemand({"q": {"e": 2}})}, True),
        ({"categories": {"q": frozenset("x")}}, False),
        ({"references": {"q": ("a dog",)}}, False),
    ):
        changed = list(gold_digests(replace(task, **change)))
        assert (changed == list(gold_digests(task))) is same
