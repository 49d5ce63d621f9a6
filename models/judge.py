"""A chat model as reranker: it grades how well a document answers a query."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mmragbench.backends.prompts import interleaved
from mmragbench.contracts import Chat, Traits
from mmragbench.errors import SuiteError
from mmragbench.records import Document, Failure, Modality, Prompt, Query, Reply
from mmragbench.registry import reranker

NUMBER = r"(?<![\w.,-])(-?\d+(?:[.,]\d+)?)(?![\w%])"
NAMED = re.compile(rf"(?:grade|score|rating)\W{{0,6}}(?:is|of|:)?\W{{0,6}}{NUMBER}", re.IGNORECASE)
FIRST = re.compile(NUMBER)


@reranker
class Judge:
    """Reranker: a chat model reads query and document, pictures and texts, and gives a grade.

    A reply in which no grade can be found is a failure of its pair, which stays where it was; how
    many there were, is counted. A chat model that is named where a reranker is wanted is put into
    this by itself.

    Args:
        chat: judges.
        scale: the best grade; 0 is the worst.
        texts: how many texts of a document are shown.
    """

    modalities: frozenset[Modality] = frozenset({"image", "text"})
    """What it reads: pairs without any text are judged too."""

    def __init__(self, chat: Chat, scale: int = 10, texts: int = 5) -> None:
        if scale < 1:
            raise SuiteError(f"scale: {scale} leaves nothing to choose from; write 1 or more")
        self._chat, self._scale, self._texts = chat, scale, texts

    def weights(self) -> str:
        """Those of the chat model."""
        return Traits(self._chat).weights or "none"

    def score(
        self, queries: Sequence[Query], documents: Sequence[Document]
    ) -> list[float | Failure]:
        pairs = zip(queries, documents, strict=True)
        replies = self._chat.chat([self._prompt(query, document) for query, document in pairs])
        return [self._grade(reply) for reply in replies]

    def _prompt(self, query: Query, document: Document) -> Prompt:
        texts = [text.content for text in document.texts[: self._texts]]
        return Prompt(
            (
                "Query:",
                *interleaved(query.image, [query.text.content] if query.text else []),
                "Document:",
                *interleaved(document.image, texts),
                f"How well does the document answer the query, from 0 (not at all) to "
                f"{self._scale} (perfectly)? Answer with the number alone.",
            )
        )

    def _grade(self, reply: Reply | Failure) -> float | Failure:
        if isinstance(reply, Failure):
            return reply
        found = grade(reply.text, self._scale)
        if found is None:
            said = " ".join(reply.text.split())[:80]
            return Failure(f"no grade from 0 to {self._scale} in {said!r}")
        return found


def grade(text: str, scale: int) -> float | None:
    """The first number of a reply, the scale itself ("8/10", "out of 10", "0 to 10") put aside, and
    a number that is called a grade, score or rating before any other; None where there is none, or
    it is off the scale."""
    said = text.replace("*", " ")
    said = re.sub(rf"\b(?:from )?0\s*(?:to|-|–)\s*{scale}\b", " ", said)
    said = re.sub(rf"(?:/|\bout of)\s*{scale}(?![\d.,])", " ", said)
    match = NAMED.search(said) or FIRST.search(said)
    if match is None:
        return None
    number = float(match[1].replace(",", "."))
    return number if 0 <= number <= scale else None
