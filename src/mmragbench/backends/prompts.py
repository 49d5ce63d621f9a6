"""Prompts: a query and the documents that were retrieved for it, as a model reads them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from zlib import crc32

from mmragbench.records import Document, Image, OutputKind, Prompt, Query

CAPTION = "Write one caption for this picture. Answer with the caption alone."
CAPTION_WITH_CONTEXT = (
    "The pictures before the last one were retrieved for it, each followed by its captions. Write "
    "one caption for the last picture, in their style. Answer with the caption alone."
)
ANSWER = "Answer the question as briefly as you can, with the answer alone."
ANSWER_WITH_CONTEXT = (
    "What stands before the question was retrieved for it. Answer the question by it, as briefly "
    "as you can, with the answer alone."
)
_INSTRUCTIONS = {
    ("caption", False): CAPTION,
    ("caption", True): CAPTION_WITH_CONTEXT,
    ("answer", False): ANSWER,
    ("answer", True): ANSWER_WITH_CONTEXT,
}


def reading_prompt(
    query: Query,
    shown: Sequence[Document],
    instruction: str,
    texts: int | None = None,
    pictures: int | None = None,
    seed: int = 0,
) -> Prompt:
    """The prompt of a model that reads in context: retrieved documents, then the query, then the
    instruction.

    Documents come best first, each with its picture and then its texts.

    Args:
        query: the query.
        shown: the retrieved documents.
        instruction: comes last; may be empty.
        texts: how many texts of each document are shown; all by default.
        pictures: how many documents, from the first, show their picture; all by default.
        seed: the run's; the prompt's own seed is made of it and of the query's id.
    """
    documents = []
    for place, document in enumerate(shown):
        image = document.image if pictures is None or place < pictures else None
        documents.append(interleaved(image, [t.content for t in document.texts[:texts]]))
    parts = [
        *chain(*documents),
        *interleaved(query.image, [query.text.content] if query.text else []),
    ]
    return Prompt(
        (*parts, *filter(None, [instruction])),
        seed=seed_of(query.id, seed),
        documents=tuple(map(len, documents)),
    )


def ids_shown(shown: Sequence[Document], dropped: int = 0) -> tuple[str, ...]:
    """The ids of the documents that a model was shown, when so many were dropped from the last on."""
    return tuple(document.id for document in shown[: len(shown) - dropped])


def interleaved(image: Image | None, texts: Sequence[str]) -> list[str | Image]:
    """A picture, if there is one, then its texts, one a line."""
    return [*([image] if image else []), *(["\n".join(texts)] if texts else [])]


def instruction_for(output: OutputKind, with_context: bool) -> str:
    """The instruction for a kind of output, without or with documents before the query."""
    return _INSTRUCTIONS[output, with_context]


def drawing_prompt(
    query: Query, captions: Sequence[str], pictures: Sequence[Image], seed: int
) -> Prompt:
    """The prompt of a painter: the query's text enriched by captions, then pictures to condition on."""
    text = ". ".join([query.text.content.rstrip(" .") if query.text else "", *captions])
    return Prompt((text, *pictures), seed=seed_of(query.id, seed))


def seed_of(query: str, seed: int) -> int:
    """A query's own seed, 31 bits, which does not depend on the other queries."""
    return crc32(f"{seed} {query}".encode("utf-8", "surrogatepass")) & 0x7FFFFFFF


def sample_seed(seed: int, number: int) -> int:
    """The seed of a prompt's sample of a number, from 0; that of the first is the prompt's own."""
    return seed_of(f"sample {number}", seed) if number else seed
