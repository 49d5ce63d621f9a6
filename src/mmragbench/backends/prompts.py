"""What a model is told of a query and of the documents that were retrieved for it."""

from __future__ import annotations

from collections.abc import Sequence
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
_WORDINGS = {
    ("caption", False): CAPTION,
    ("caption", True): CAPTION_WITH_CONTEXT,
    ("answer", False): ANSWER,
    ("answer", True): ANSWER_WITH_CONTEXT,
}


def reading(
    query: Query,
    shown: Sequence[Document],
    instruction: str,
    texts: int | None = None,
    pictures: int | None = None,
    seed: int = 0,
) -> Prompt:
    """Retrieved documents, best first, each its picture and then its texts; the query; the
    instruction.

    Args:
        query: what is asked.
        shown: what was retrieved.
        instruction: comes last; may be empty.
        texts: how many texts of each document are shown; all by default.
        pictures: how many documents, from the first, show their picture; all by default.
        seed: the run's; the prompt's own is of the seed and the query's id.
    """
    parts: list[str | Image] = []
    for place, document in enumerate(shown):
        image = document.image if pictures is None or place < pictures else None
        parts += interleaved(image, [t.content for t in document.texts[:texts]])
    parts += interleaved(query.image, [query.text.content] if query.text else [])
    return Prompt((*parts, *filter(None, [instruction])), seed=seed_of(query.id, seed))


def interleaved(image: Image | None, texts: Sequence[str]) -> list[str | Image]:
    """A picture, then its texts, one a line; whichever are there."""
    return [*([image] if image else []), *(["\n".join(texts)] if texts else [])]


def wording(output: OutputKind, with_context: bool) -> str:
    """The instruction for a kind of output, without or with documents before the query."""
    return _WORDINGS[output, with_context]


def drawing(query: Query, captions: Sequence[str], pictures: Sequence[Image], seed: int) -> Prompt:
    """What a painter is told: the query's text enriched by captions, then pictures to go by."""
    text = ". ".join([query.text.content.rstrip(" .") if query.text else "", *captions])
    return Prompt((text, *pictures), seed=seed_of(query.id, seed))


def seed_of(query: str, seed: int) -> int:
    """A query's own seed, 31 bits, the same whatever else is asked."""
    return crc32(f"{seed} {query}".encode("utf-8", "surrogatepass")) & 0x7FFFFFFF
