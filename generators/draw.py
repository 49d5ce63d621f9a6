"""A painter that draws the query, conditioned on what was retrieved."""

from __future__ import annotations

from collections.abc import Sequence

from mmragbench.backends.prompts import drawing_prompt
from mmragbench.contracts import Painter
from mmragbench.errors import NotApplicable
from mmragbench.records import Document, Drawing, Failure, Image, Output, OutputKind, Prompt, Query
from mmragbench.registry import generator


@generator
class Draw:
    """A painter draws the query's text: retrieved captions enrich it, retrieved pictures condition it.

    Args:
        painter: the model.
        captions: how many retrieved documents give a caption (their first) to the prompt.
        pictures: how many give their picture, for a painter that reads pictures (img2img,
            IP-Adapter, image edits).
        seed: each query has its own by it.
    """

    def __init__(
        self,
        painter: Painter,
        output: OutputKind = "image",
        captions: int = 1,
        pictures: int = 0,
        seed: int = 0,
    ) -> None:
        refuse_words(output)
        self._painter, self._seed = painter, seed
        self._captions, self._pictures = captions, pictures

    def generate(
        self, queries: Sequence[Query], contexts: Sequence[Sequence[Document]]
    ) -> list[Output]:
        prompts = [self._prompt(q, shown) for q, shown in zip(queries, contexts, strict=True)]
        rows = zip(queries, contexts, prompts, self._painter.paint(prompts), strict=True)
        return [output_of(*row) for row in rows]

    def _prompt(self, query: Query, shown: Sequence[Document]) -> Prompt:
        if query.text is None:
            raise NotApplicable("a painter draws what a text says; these queries have none")
        captions = [d.texts[0].content for d in shown[: self._captions] if d.texts]
        pictures = [d.image for d in shown if d.image][: self._pictures]
        return drawing_prompt(query, captions, pictures, self._seed)


def refuse_words(output: OutputKind) -> None:
    """Raise NotApplicable unless pictures are asked for."""
    if output != "image":
        raise NotApplicable("a painter draws pictures; for words use: reader, with a chat model")


def output_of(
    query: Query, shown: Sequence[Document], prompt: Prompt, drawn: Drawing | Failure
) -> Output:
    """A painter's drawing, or its failure, as the output for a query."""
    ids = tuple(document.id for document in shown)
    if isinstance(drawn, Failure):
        return Output(query.id, error=drawn.reason, shown=ids, prompt=str(prompt))
    assert isinstance(drawn.picture, Image)  # for the type checker: the cache made a file of it
    return Output(query.id, image=drawn.picture, shown=ids, prompt=drawn.prompt or str(prompt))
