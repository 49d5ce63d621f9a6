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

    A reply without a grade is a failure of its pair, which keeps its place in the ranking; such
    failures are counted. A chat model that a suite names as a reranker is wrapped in this class.

    Args:
        chat: the model.
        scale: the best grade; 0 is the worst.
        texts: how many texts of a document are shown.
    """

    modalities: frozenset[Modality] = frozenset({"image", "text"})
    """Pairs without any text are judged too."""

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
        value = grade(reply.text, self._scale)
        if value is None:
            excerpt = " ".join(reply.text.split())[:80]
            return Failure(f"no grade from 0 to {self._scale} in {excerpt!r}")
        return value


def grade(text: str, scale: int) -> float | None:
    """The grade in a reply: a number that is called grade, score or rating, else the first number.

    Mentions of the scale itself ("8/10", "out of 10", "0 to 10") are removed first. None where there
    is no number, or it is off the scale.
    """
    text = text.replace("*", " ")
    text = re.sub(rf"\b(?:from )?0\s*(?:to|-|–)\s*{scale}\b", " ", text)
    text = re.sub(rf"(?:/|\bout of)\s*{scale}(?![\d.,])", " ", text)
    match = NAMED.search(text) or FIRST.search(text)
    if match is None:
        return None
    number = float(match[1].replace(",", "."))
    return number if 0 <= number <= scale else None
