"""Rules for captioners."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from mmragbench.checking.batch_rules import FIRST, LAWS
from mmragbench.checking.inputs import pictures, unreadable
from mmragbench.checking.subjects import Chunk, Subject
from mmragbench.checking.verdicts import Broken, expect, short
from mmragbench.records import Failure

PROMPTS = ("", "", "what is it?", "", "a red thing", "", "", "where?")
UNCHECKED = "whether the captions are true, and speed"


def chunks(subject: Subject) -> Iterator[Chunk]:
    """Pictures, some with a prompt."""
    rows = tuple(zip(pictures(), PROMPTS, strict=True))

    def new() -> Callable[..., Any]:
        method: Callable[..., Any] = subject.build().caption
        return method

    yield Chunk("caption", rows, new, lambda one, other: bool(one == other))


def captions_are_texts(subject: Subject) -> None:
    """Each answer is a string, or a Failure with a reason."""
    for chunk in subject.chunks:
        for (image, _), caption in zip(chunk.rows, chunk.first, strict=False):
            expect(
                isinstance(caption, str | Failure),
                f"a string or a Failure for {image.id}",
                f"it is {short(caption)}",
                "Return str(caption), or Failure(reason)",
            )


def something_is_said(subject: Subject) -> None:
    """At least one picture gets a caption that is not empty."""
    for chunk in subject.chunks:
        said = [answer for answer in chunk.first if isinstance(answer, str) and answer.strip()]
        reasons = [answer.reason for answer in chunk.first if isinstance(answer, Failure)]
        expect(
            bool(said),
            "a caption for one of eight pictures",
            f"all are empty or failed: {short(reasons[:1])}",
            "See why it fails",
        )


def an_unreadable_picture_fails(subject: Subject) -> None:
    """A broken file is a Failure or an error; a made-up caption would be scored."""
    try:
        (caption,) = subject.instance.caption([unreadable()], [""])
    except Exception:  # whatever it is: the engine tries again by halves, and names the picture
        return
    if not isinstance(caption, Failure):
        raise Broken(
            f"expected a Failure for a file that is no picture; it said {short(caption)}. Let the "
            "error of image.open() through, or return Failure(str(error))."
        )


RULES = (*FIRST, captions_are_texts, *LAWS, something_is_said, an_unreadable_picture_fails)
