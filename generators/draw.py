"""A painter that draws the query, conditioned on what was retrieved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from mmragbench.backends.best_of import RankedPainter
from mmragbench.backends.prompts import drawing_prompt, ids_shown
from mmragbench.contracts import Encoder, Painter
from mmragbench.errors import NotApplicable
from mmragbench.records import (
    Document,
    Drawing,
    Failure,
    Image,
    Output,
    OutputKind,
    Prompt,
    Query,
    Text,
)
from mmragbench.registry import generator

Samples = Annotated[int, Field(ge=1)]


@generator
class Draw:
    """A painter draws the query's text: retrieved captions enrich it, retrieved pictures condition it.

    Args:
        painter: the model.
        captions: how many retrieved documents give a caption (their first) to the prompt.
        pictures: how many give their picture, for a painter that reads pictures (img2img,
            IP-Adapter, image edits).
        ranker: an encoder of pictures and texts, for `best_of`.
        best_of: drawings of each query, of which the one whose cosine with the query's text is the
            highest is the answer; all of them count as the painter's cost.
        seed: each query has its own by it.
    """

    def __init__(
        self,
        painter: Painter,
        output: OutputKind = "image",
        captions: int = 1,
        pictures: int = 0,
        ranker: Encoder | None = None,
        best_of: Samples = 1,
        seed: int = 0,
    ) -> None:
        refuse_words(output)
        self._painter = RankedPainter(painter, ranker, best_of)
        self._captions, self._pictures, self._seed = captions, pictures, seed

    def generate(
        self, queries: Sequence[Query], contexts: Sequence[Sequence[Document]]
    ) -> list[Output]:
        texts = [text_of(query) for query in queries]
        prompts = [self._prompt(q, shown) for q, shown in zip(queries, contexts, strict=True)]
        drawings = self._painter.paint(prompts, texts)
        rows = zip(queries, contexts, prompts, drawings, strict=True)
        return [output_of(*row) for row in rows]

    def _prompt(self, query: Query, shown: Sequence[Document]) -> Prompt:
        captions = [d.texts[0].content for d in shown[: self._captions] if d.texts]
        pictures = [d.image for d in shown if d.image][: self._pictures]
        return drawing_prompt(query, captions, pictures, self._seed)


def text_of(query: Query) -> Text:
    """The query's text. Raises NotApplicable where there is none."""
    if query.text is None:
        raise NotApplicable("a painter draws what a text says; these queries have none")
    return query.text


def refuse_words(output: OutputKind) -> None:
    """Raise NotApplicable unless pictures are asked for."""
    if output != "image":
        raise NotApplicable("a painter draws pictures; for words use: reader, with a chat model")


def output_of(
    query: Query, shown: Sequence[Document], prompt: Prompt, drawn: Drawing | Failure
) -> Output:
    """A painter's drawing, or its failure, as the output for a query."""
    if isinstance(drawn, Failure):
        return Output(query.id, error=drawn.reason, shown=ids_shown(shown), prompt=str(prompt))
    assert isinstance(drawn.picture, Image)  # for the type checker: the cache made a file of it
    ids = ids_shown(shown, drawn.dropped)
    return Output(query.id, image=drawn.picture, shown=ids, prompt=drawn.prompt or str(prompt))
