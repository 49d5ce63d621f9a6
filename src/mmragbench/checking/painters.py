"""Rules for painters."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from mmragbench.checking.batch_rules import FIRST, LAWS
from mmragbench.checking.inputs import caption
from mmragbench.checking.subjects import Chunk, Subject
from mmragbench.checking.verdicts import Odd, expect, short
from mmragbench.records import Drawing, Failure, Prompt

UNCHECKED = "what it draws, pictures as prompts, speed and prices"


def prompts() -> list[Prompt]:
    """Four texts, each with its own seed."""
    return [Prompt((caption(i),), seed=i) for i in range(4)]


def chunks(subject: Subject) -> Iterator[Chunk]:
    """Texts with seeds."""
    rows = tuple((prompt,) for prompt in prompts())

    def new() -> Callable[..., Any]:
        method: Callable[..., Any] = subject.build().paint
        return method

    yield Chunk("paint", rows, new, same)


def same(one: Any, other: Any) -> bool:
    """Nearly the same pixels (batches differ in rounding), or both failures."""
    import numpy as np

    if not (isinstance(one, Drawing) and isinstance(other, Drawing)):
        return type(one) is type(other)
    pixels = [np.asarray(drawing.picture, float) for drawing in (one, other)]
    return pixels[0].shape == pixels[1].shape and bool(np.abs(pixels[0] - pixels[1]).mean() < 1)


def drawings_are_pictures(subject: Subject) -> None:
    """Each answer is a Drawing of a Pillow picture, or a Failure with a reason."""
    from PIL.Image import Image

    for chunk in subject.chunks:
        for (prompt,), drawn in zip(chunk.rows, chunk.first, strict=False):
            fits = isinstance(drawn, Drawing) and isinstance(drawn.picture, Image)
            expect(
                fits or isinstance(drawn, Failure),
                f"a Drawing of a Pillow picture for {prompt.text!r}",
                f"it is {short(drawn)}",
                "Return Drawing(picture), or Failure(reason)",
            )


def something_is_drawn(subject: Subject) -> None:
    """At least one prompt gets a picture."""
    for chunk in subject.chunks:
        reasons = [answer.reason for answer in chunk.first if isinstance(answer, Failure)]
        expect(
            len(reasons) < len(chunk.rows),
            "a picture for one prompt of four",
            f"all failed: {short(reasons[:1], 160)}",
            "See why it fails",
        )


def another_seed_is_another_picture(subject: Subject) -> None:
    """The prompt's seed counts (a warning: some painters draw no lots)."""
    for chunk in subject.chunks:
        (prompt,), first = chunk.rows[0], chunk.first[0]
        (other,) = subject.instance.paint([replace(prompt, seed=99)])
        if isinstance(first, Drawing) and same(first, other):
            message = "another seed gives the same picture: does it look at prompt.seed?"
            warnings.warn(message, Odd, stacklevel=2)


RULES = (*FIRST, drawings_are_pictures, *LAWS, something_is_drawn, another_seed_is_another_picture)
