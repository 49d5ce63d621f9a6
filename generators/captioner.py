"""A captioner without retrieval: the floor of captioning tasks."""

from __future__ import annotations

from collections.abc import Sequence

from mmragbench.contracts import Captioner as CaptionerModel
from mmragbench.errors import NotApplicable
from mmragbench.records import Document, Failure, Output, OutputKind, Query
from mmragbench.registry import generator


@generator
class Captioner:
    """A captioner on the query alone: what a model knows without retrieval."""

    reads = 0

    def __init__(self, captioner: CaptionerModel, output: OutputKind = "caption") -> None:
        if output != "caption":
            what = "draws no images" if output == "image" else "answers no questions"
            raise NotApplicable(f"a captioner writes captions; it {what}")
        self._captioner = captioner

    def generate(
        self, queries: Sequence[Query], contexts: Sequence[Sequence[Document]]
    ) -> list[Output]:
        images = [query.image for query in queries if query.image]
        if len(images) < len(queries):
            raise NotApplicable("a captioner needs queries with an image")
        answers = self._captioner.caption(images, [""] * len(images))
        return [
            Output(query.id, error=answer.reason)
            if isinstance(answer, Failure)
            else Output(query.id, text=answer)
            for query, answer in zip(queries, answers, strict=True)
        ]
