"""Answers without a model: the retrieved sentence that shares most words with the question."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mmragbench.errors import NotApplicable
from mmragbench.records import Document, Output, OutputKind, Query
from mmragbench.registry import generator

_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[\"'“‘(]?\w)|(?<=[。！？])")
_WORD = re.compile(r"[^\W_]+")
_STOP_WORDS = frozenset(
    _WORD.findall(
        "a an and are as at be by did do does for from had has have how in is it its of on or that "
        "the their this to was were what when where which who whom whose why will with"
    )
)


@generator
class Extract:
    """The retrieved sentence that shares most words with the question: what `nearest` is for captions.

    Words that any question has (articles, prepositions, question words) do not count. Of equals, the
    sentence of the better hit, then the earlier one. It answers with whole sentences, so that its
    exact match is near zero, and its token F1 shows whether the answer was within reach.
    """

    def __init__(self, output: OutputKind = "answer") -> None:
        if output != "answer":
            raise NotApplicable("extract answers questions; for captions there is consensus")

    def generate(
        self, queries: Sequence[Query], contexts: Sequence[Sequence[Document]]
    ) -> list[Output]:
        return [_answer(q, shown) for q, shown in zip(queries, contexts, strict=True)]


def _answer(query: Query, shown: Sequence[Document]) -> Output:
    ids = tuple(document.id for document in shown)
    if query.text is None:
        return Output(query.id, error="the query has no question in words", shown=ids)
    sentences = list(_sentences(shown))
    if not sentences:
        return Output(query.id, error="no text was retrieved for this query", shown=ids)
    words = _words(query.text.content)
    best = max(sentences, key=lambda sentence: len(words & _words(sentence)))
    return Output(query.id, text=best, shown=ids)


def _sentences(shown: Sequence[Document]) -> Iterator[str]:
    for document in shown:
        for text in document.texts:
            yield from filter(None, map(str.strip, _SENTENCE.split(text.content)))


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.lower())) - _STOP_WORDS
