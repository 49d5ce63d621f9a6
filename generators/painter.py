"""A painter without retrieval: the floor of image generation."""

from __future__ import annotations

from collections.abc import Sequence

from mmragbench.backends.prompts import reading_prompt
from mmragbench.contracts import Painter as PainterModel
from mmragbench.generators.draw import output_of, refuse_words, text_of
from mmragbench.records import Document, Output, OutputKind, Query
from mmragbench.registry import generator


@generator
class Painter:
    """A painter draws the query's text alone: what a model knows without retrieval.

    Args:
        painter: the model.
        seed: each query has its own by it.
    """

    reads = 0

    def __init__(self, painter: PainterModel, output: OutputKind = "image", seed: int = 0) -> None:
        refuse_words(output)
        self._painter, self._seed = painter, seed

    def generate(
        self, queries: Sequence[Query], contexts: Sequence[Sequence[Document]]
    ) -> list[Output]:
        for query in queries:
            text_of(query)
        prompts = [reading_prompt(query, (), "", seed=self._seed) for query in queries]
        rows = zip(queries, contexts, prompts, self._painter.paint(prompts), strict=True)
        return [output_of(*row) for row in rows]
