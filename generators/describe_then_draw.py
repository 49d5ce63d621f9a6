"""Describe the retrieved image, then draw the description (the GPT-4V -> DALL-E 3 recipe)."""

from __future__ import annotations

from collections.abc import Sequence

from mmragbench.backends.prompts import drawing_prompt, seed_of
from mmragbench.contracts import Chat, Painter
from mmragbench.generators.draw import output_of, refuse_words
from mmragbench.records import Document, Failure, Output, OutputKind, Prompt, Query, Reply
from mmragbench.registry import generator

INSTRUCTION = (
    "Describe this picture for a painter who has not seen it, in one or two sentences: what it "
    "shows, how many, which colours, where."
)


@generator
class DescribeThenDraw:
    """A chat model describes the first retrieved picture, a painter draws the query and the description.

    Without a retrieved picture the painter draws the query alone. The prompt that is stored is
    the painter's.

    Args:
        chat: the model that describes.
        painter: the model that draws.
        instruction: the prompt of the description.
        seed: each query has its own by it.
    """

    def __init__(
        self,
        chat: Chat,
        painter: Painter,
        output: OutputKind = "image",
        instruction: str = INSTRUCTION,
        seed: int = 0,
    ) -> None:
        refuse_words(output)
        self._chat, self._painter = chat, painter
        self._instruction, self._seed = instruction, seed

    def generate(
        self, queries: Sequence[Query], contexts: Sequence[Sequence[Document]]
    ) -> list[Output]:
        shown = [[d for d in context if d.image][:1] for context in contexts]
        replies = self._describe(queries, shown)
        ready = [i for i, reply in enumerate(replies) if not isinstance(reply, Failure)]
        prompts = {i: self._prompt(queries[i], replies[i]) for i in ready}
        drawn = dict(zip(ready, self._painter.paint(list(prompts.values())), strict=True))
        return [
            output_of(query, shown[i], prompts[i], drawn[i])
            if i in drawn
            else _undescribed(query, shown[i], replies[i])
            for i, query in enumerate(queries)
        ]

    def _describe(
        self, queries: Sequence[Query], shown: Sequence[Sequence[Document]]
    ) -> list[Reply | Failure | None]:
        """The description of each query's first picture; None where there is no picture."""
        pictures = {i: documents[0].image for i, documents in enumerate(shown) if documents}
        prompts = [
            Prompt((image, self._instruction), seed=seed_of(queries[i].id, self._seed))
            for i, image in pictures.items()
            if image
        ]
        replies = dict(zip(pictures, self._chat.chat(prompts), strict=True))
        return [replies.get(i) for i in range(len(queries))]

    def _prompt(self, query: Query, reply: Reply | Failure | None) -> Prompt:
        description = [reply.text.strip()] if isinstance(reply, Reply) else []
        return drawing_prompt(query, description, [], self._seed)


def _undescribed(query: Query, shown: Sequence[Document], reply: Reply | Failure | None) -> Output:
    """The output for a query whose picture could not be described."""
    reason = reply.reason if isinstance(reply, Failure) else "no description"
    ids = tuple(document.id for document in shown)
    return Output(query.id, error=f"the picture could not be described: {reason}", shown=ids)
