"""The retrieval baseline: the first hit's own caption or image (RA-CM3)."""

from __future__ import annotations

from collections.abc import Sequence

from mmragbench.errors import NotApplicable
from mmragbench.records import Document, Output, OutputKind, Query
from mmragbench.registry import generator


@generator
class Nearest:
    """Hands back the first hit's own caption or image: RA-CM3's retrieval baseline."""

    reads = 1
    copies = True

    def __init__(self, output: OutputKind = "caption") -> None:
        if output == "answer":
            raise NotApplicable("a document is not an answer; for questions there is extract")
        self._output = output

    def generate(
        self, queries: Sequence[Query], contexts: Sequence[Sequence[Document]]
    ) -> list[Output]:
        return [self._answer(q, shown) for q, shown in zip(queries, contexts, strict=True)]

    def _answer(self, query: Query, shown: Sequence[Document]) -> Output:
        if not shown:
            return Output(query.id, error="nothing was retrieved for this query")
        first = shown[0]
        if self._output == "image" and first.image:
            return Output(query.id, image=first.image, shown=(first.id,))
        if self._output == "caption" and first.texts:
            return Output(query.id, text=first.texts[0].content, shown=(first.id,))
        return Output(query.id, error=f"the first hit has no {self._output}", shown=(first.id,))
