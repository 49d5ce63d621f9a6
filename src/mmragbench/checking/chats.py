"""Rules for chat models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from mmragbench.checking.batch_rules import FIRST, LAWS
from mmragbench.checking.inputs import caption, picture
from mmragbench.checking.subjects import Chunk, Subject
from mmragbench.checking.verdicts import Skip, expect, short
from mmragbench.contracts import Traits
from mmragbench.records import Failure, Prompt, Reply

UNCHECKED = "what it says, speed, prices, and how it bears a server's errors"


def prompts() -> list[Prompt]:
    """Text alone, one picture, several with texts between them, long ones."""
    return [
        Prompt((picture(0), "What is in this picture?")),
        Prompt(("Which colours are there?",)),
        Prompt((picture(1), caption(1), picture(2), "And here?"), seed=1),
        Prompt((picture(3), "word " * 60, "Why?"), seed=2),
        Prompt((picture(0), "What is in this picture?"), system="Be brief."),
    ]


def chunks(subject: Subject) -> Iterator[Chunk]:
    """Prompts of texts and pictures."""
    rows = tuple((prompt,) for prompt in prompts())

    def new() -> Callable[..., Any]:
        method: Callable[..., Any] = subject.build().chat
        return method

    yield Chunk("chat", rows, new, same)


def same(one: Any, other: Any) -> bool:
    """The same words, or both failures: how long a server took is no part of it."""
    if isinstance(one, Reply) and isinstance(other, Reply):
        return one.text == other.text
    return type(one) is type(other)


def replies_are_replies(subject: Subject) -> None:
    """Each answer is a Reply with a text, or a Failure with a reason."""
    for chunk in subject.chunks:
        for at, reply in enumerate(chunk.first):
            fits = isinstance(reply, Failure) or (
                isinstance(reply, Reply) and isinstance(reply.text, str)
            )
            expect(
                fits,
                f"a Reply or a Failure for prompt {at + 1}",
                f"it is {short(reply)}",
                "Return Reply(text), or Failure(reason)",
            )


def something_is_said(subject: Subject) -> None:
    """At least one prompt gets a reply."""
    for chunk in subject.chunks:
        reasons = [answer.reason for answer in chunk.first if isinstance(answer, Failure)]
        expect(
            len(reasons) < len(chunk.rows),
            "a reply to one prompt of five",
            f"all failed: {short(reasons[:1], 160)}",
            "See why it fails",
        )


def costs_are_counted(subject: Subject) -> None:
    """Tokens, dollars and retries are numbers, not negative."""
    for chunk in subject.chunks:
        for reply in chunk.first:
            told = [getattr(reply, name, 0) for name in ("tokens_in", "tokens_out", "dollars")]
            expect(
                all(isinstance(value, int | float) and value >= 0 for value in told),
                "numbers of tokens and dollars, 0 where they are not known",
                f"they are {told}",
                "Leave out what the model does not tell",
            )


def a_sampling_model_follows_seeds(subject: Subject) -> None:
    """Where it says that it `samples`, the prompt's seed decides: the same one, the same words."""
    if not Traits(subject.instance).samples:
        raise Skip("it does not say that it samples")
    asked = replace(prompts()[1], seed=5)
    one, other = (subject.build().chat([asked])[0] for _ in range(2))
    expect(
        same(one, other),
        "the same words from the same seed",
        f"they are {short(one)} and {short(other)}",
        "Seed the generator of each prompt by prompt.seed",
    )


RULES = (
    *FIRST,
    replies_are_replies,
    *LAWS,
    something_is_said,
    costs_are_counted,
    a_sampling_model_follows_seeds,
)
