"""Copies: how much of what was generated is a copy of what was shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mmragbench.measuring.caption_index import CaptionIndex
from mmragbench.measuring.copying import sources
from mmragbench.records import Output, Task

EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Copies:
    """The copies among one generator's answers. Copying is no error: `nearest` and `consensus` do
    nothing else.

    Attributes:
        answered: outputs that are no errors.
        shown: those whose generator was shown something.
        copied: those that are a caption, or the picture (same bytes, same pixels, near-duplicate),
            of a document that was shown; answers to questions that stand in its text word for word.
        recurring: captions that stand anywhere in the memory, shown or not; None for pictures and
            for answers to questions.
        examples: (query, document, caption) of copies; the caption is empty for pictures.
    """

    answered: int
    shown: int
    copied: int
    recurring: int | None
    examples: tuple[tuple[str, str, str], ...] = ()


def copies(task: Task, outputs: Sequence[Output], captions: CaptionIndex | None = None) -> Copies:
    """Count copies among a generator's outputs.

    Args:
        task: whose memory was shown.
        outputs: what was generated.
        captions: the memory's, where they have been read already.
    """
    answers = [output for output in outputs if output.text is not None or output.image]
    texts = [output for output in answers if output.text is not None]
    answers_questions = task.output == "answer"
    source_by_query = sources(task, answers)
    whole = (
        captions or CaptionIndex(task.memory)
        if texts and not answers_questions
        else CaptionIndex(())
    )
    copied = [
        (o.query, source_by_query[o.query], o.text or "")
        for o in answers
        if o.query in source_by_query
    ]
    return Copies(
        answered=len(answers),
        shown=sum(bool(output.shown) for output in answers),
        copied=len(copied),
        recurring=sum((o.text or "") in whole for o in texts)
        if texts and not answers_questions
        else None,
        examples=tuple(copied[:EXAMPLES]),
    )
