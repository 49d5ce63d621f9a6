"""A chat model that reads what was retrieved, pictures and texts interleaved, and answers."""

from __future__ import annotations

from collections.abc import Sequence

from mmragbench.backends.prompts import ids_shown, instruction_for, reading_prompt
from mmragbench.contracts import Chat
from mmragbench.errors import NotApplicable
from mmragbench.records import Document, Failure, Output, OutputKind, Prompt, Query, Reply
from mmragbench.registry import generator


@generator
class Reader:
    """A chat model reads the retrieved pairs, interleaved, and then the query: the RAG of MM-RAG.

    Args:
        chat: the model.
        instruction: comes after the query; by default a sentence for captions or answers that
            mentions the documents where there are any.
        texts: how many texts of each document are shown; all by default.
        pictures: how many documents, from the first, show their picture; all by default, 0 for
            models that read only one, the query's.
        seed: for models that sample; each query has its own by it.
    """

    def __init__(
        self,
        chat: Chat,
        output: OutputKind = "caption",
        instruction: str | None = None,
        texts: int | None = None,
        pictures: int | None = None,
        seed: int = 0,
    ) -> None:
        if output not in ("caption", "answer"):
            raise NotApplicable("a chat model writes; for pictures use: draw, with a painter")
        self._chat, self._output = chat, output
        self._instruction, self._seed = instruction, seed
        self._texts, self._pictures = texts, pictures

    def generate(
        self, queries: Sequence[Query], contexts: Sequence[Sequence[Document]]
    ) -> list[Output]:
        prompts = [self._prompt(q, shown) for q, shown in zip(queries, contexts, strict=True)]
        rows = zip(queries, contexts, prompts, self._chat.chat(prompts), strict=True)
        return [_output(*row) for row in rows]

    def _prompt(self, query: Query, shown: Sequence[Document]) -> Prompt:
        usual = instruction_for(self._output, with_context=bool(shown))
        instruction = usual if self._instruction is None else self._instruction
        return reading_prompt(query, shown, instruction, self._texts, self._pictures, self._seed)


def _output(
    query: Query, shown: Sequence[Document], prompt: Prompt, reply: Reply | Failure
) -> Output:
    if isinstance(reply, Failure):
        return Output(query.id, error=reply.reason, shown=ids_shown(shown), prompt=str(prompt))
    ids = ids_shown(shown, reply.dropped)
    stored, text = reply.prompt or str(prompt), reply.text.strip()
    if not text:
        return Output(query.id, error="the model answered nothing", shown=ids, prompt=stored)
    return Output(query.id, text=text, shown=ids, prompt=stored)
