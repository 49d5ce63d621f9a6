"""The retrieved caption that the others agree with most."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from mmragbench.errors import NotApplicable
from mmragbench.records import Document, Output, OutputKind, Query
from mmragbench.registry import generator


@generator
class Consensus:
    """The retrieved caption most agreed with by the others (Devlin et al. 2015).

    Agreement is the mean, over n = 1 to 4, of the cosine between the captions' n-gram counts:
    CIDEr without its idf, so that an answer depends on nothing but the captions shown.
    """

    copies = True

    def __init__(self, output: OutputKind = "caption") -> None:
        if output != "caption":
            what = "draws no images" if output == "image" else "answers no questions"
            raise NotApplicable(f"consensus chooses among captions; it {what}")

    def generate(
        self, queries: Sequence[Query], contexts: Sequence[Sequence[Document]]
    ) -> list[Output]:
        return [self._answer(q, shown) for q, shown in zip(queries, contexts, strict=True)]

    def _answer(self, query: Query, shown: Sequence[Document]) -> Output:
        ids = tuple(document.id for document in shown)
        captions = [text.content for document in shown for text in document.texts]
        if not captions:
            return Output(query.id, error="no caption was retrieved for this query", shown=ids)
        return Output(query.id, text=captions[_most_agreed(captions)], shown=ids)


def _most_agreed(captions: Sequence[str]) -> int:
    """The position of the caption with the highest mean similarity to the others; the first of
    equals."""
    import numpy as np

    words = [re.findall(r"\w+", caption.lower()) for caption in captions]
    agreement = np.zeros(len(captions))
    for n in range(1, 5):
        grams = [Counter(zip(*(w[i:] for i in range(n)), strict=False)) for w in words]
        columns = {gram: i for i, gram in enumerate(dict.fromkeys(g for c in grams for g in c))}
        counts = np.zeros((len(captions), len(columns) or 1))
        for row, counter in enumerate(grams):
            for gram, count in counter.items():
                counts[row, columns[gram]] = count
        unit = counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1e-12)
        agreement += unit @ unit.sum(axis=0) - (unit * unit).sum(axis=1)
    return int(np.argmax(np.round(agreement, 9)))
