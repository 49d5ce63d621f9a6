"""Contracts of models: the samples, answers and own rules of each role."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from mmragbench.checking.batch_rules import (
    BATCH_RULES,
    an_unreadable_picture_fails,
    different_things_differ,
    something_is_answered,
)
from mmragbench.checking.inputs import caption, picture, pictures, queries, several, tasks, texts
from mmragbench.checking.rules import Breaches, Rule, Skip, short, warn
from mmragbench.checking.subjects import AnswerType, Chunk, Contract, Item, Subject
from mmragbench.contracts import Traits
from mmragbench.errors import NotApplicable
from mmragbench.records import (
    Document,
    Drawing,
    Failure,
    Modality,
    Prompt,
    Query,
    Reply,
    Text,
)

VECTOR_ROUNDING = 2e-3
"""Unit vectors that differ by less are the same: another batch size, or 16 bits."""

SCORE_ROUNDING = 1e-3
CAPTION_PROMPTS = ("", "", "what is it?", "", "a red thing", "", "", "where?")
METHODS: dict[Modality, str] = {"image": "encode_images", "text": "encode_texts"}


class Sample(NamedTuple):
    """A method of a model, with items to try it on.

    Attributes:
        what: the method, or the items, in words.
        method: its name.
        items: makes them.
        reads: the modality that the model has to read; None where every model of the role can.
    """

    what: str
    method: str
    items: Callable[[], Iterable[Item]]
    reads: Modality | None = None


def _contract(
    unchecked: str, answers: AnswerType, *samples: Sample, also: Sequence[Rule]
) -> Contract:
    def chunks(subject: Subject) -> Iterator[Chunk]:
        modalities = Traits(subject.instance).modalities
        for what, method, items, reads in samples:
            if reads is None or reads in modalities:
                yield Chunk(what, tuple(items()), partial(_method, subject, method), answers)

    return Contract(unchecked, chunks, [*BATCH_RULES, *also])


def _method(subject: Subject, name: str) -> Callable[..., Any]:
    method: Callable[..., Any] = getattr(subject.build(), name)
    return method


def chat_prompts() -> list[Prompt]:
    """Prompts of text alone, of one picture, of several with texts between them, and long ones."""
    return [
        Prompt((picture(0), "What is in this picture?")),
        Prompt(("Which colours are there?",)),
        Prompt((picture(1), caption(1), picture(2), "And here?"), seed=1),
        Prompt((picture(3), "word " * 60, "Why?"), seed=2),
        Prompt((picture(0), "What is in this picture?"), system="Be brief."),
    ]


def _pairs(
    queries: Sequence[Query], memory: Sequence[Document]
) -> Iterator[tuple[Query, Document]]:
    for (at, query), n in product(enumerate(queries), range(2)):
        yield query, memory[(3 * at + n) % len(memory)]


def _same_vector(one: Any, other: Any) -> bool:
    """The same direction and length, up to rounding."""
    if np.shape(one) != np.shape(other):
        return False
    tolerance = VECTOR_ROUNDING * max(float(np.linalg.norm(one)), 1.0)
    return bool(np.allclose(one, other, rtol=0, atol=tolerance, equal_nan=True))


def _same_reply(one: Any, other: Any) -> bool:
    """The same words, or both failures: how long a server took is no part of it."""
    if isinstance(one, Reply) and isinstance(other, Reply):
        return one.text == other.text
    return type(one) is type(other)


def _same_drawing(one: Any, other: Any) -> bool:
    """Nearly the same pixels (batches differ in rounding), or both failures."""
    if not (isinstance(one, Drawing) and isinstance(other, Drawing)):
        return type(one) is type(other)
    a, b = (np.asarray(drawing.picture, float) for drawing in (one, other))
    return a.shape == b.shape and bool(np.abs(a - b).mean() < 1)


def _same_score(one: Any, other: Any) -> bool:
    """The same score up to rounding, or both failures."""
    if isinstance(one, Failure) or isinstance(other, Failure):
        return type(one) is type(other)
    if math.isnan(one) and math.isnan(other):  # another rule's business
        return True
    return math.isclose(one, other, rel_tol=SCORE_ROUNDING, abs_tol=SCORE_ROUNDING)


def _is_reply(_: Item, answer: Any) -> bool:
    text = answer.text if isinstance(answer, Reply) else None
    return isinstance(answer, Failure) or isinstance(text, str)


def _is_drawing(_: Item, answer: Any) -> bool:
    from PIL.Image import Image

    drawn = isinstance(answer, Drawing) and isinstance(answer.picture, Image)
    return drawn or isinstance(answer, Failure)


def _is_score(_: Item, answer: Any) -> bool:
    if isinstance(answer, Failure):
        return True
    return hasattr(answer, "__float__") and math.isfinite(float(answer))


ENCODER = _contract(
    "whether what belongs together is close, and speed",
    AnswerType(
        "a vector of finite numbers",
        lambda _, vector: bool(np.isfinite(vector).all()),
        _same_vector,
        "Divide by the length only where it is not 0",
    ),
    Sample("encode_images", "encode_images", lambda: zip(pictures()), "image"),
    Sample("encode_texts", "encode_texts", lambda: zip(texts()), "text"),
    also=(different_things_differ, an_unreadable_picture_fails),
)
CAPTIONER = _contract(
    "whether the captions are true, and speed",
    AnswerType(
        "a string or a Failure",
        lambda _, caption: isinstance(caption, str | Failure),
        lambda one, other: bool(one == other),
        "Return str(caption), or Failure(reason)",
    ),
    Sample("caption", "caption", lambda: zip(pictures(), CAPTION_PROMPTS, strict=True)),
    also=(something_is_answered, an_unreadable_picture_fails),
)
CHAT = _contract(
    "what it says, speed, prices, and how it bears a server's errors",
    AnswerType(
        "a Reply with a text, or a Failure",
        _is_reply,
        _same_reply,
        "Return Reply(text), or Failure(reason)",
    ),
    Sample("chat", "chat", lambda: zip(chat_prompts())),
    also=(something_is_answered,),
)
PAINTER = _contract(
    "what it draws, pictures as prompts, speed and prices",
    AnswerType(
        "a Drawing of a Pillow picture, or a Failure",
        _is_drawing,
        _same_drawing,
        "Return Drawing(picture), or Failure(reason)",
    ),
    Sample("paint", "paint", lambda: [(Prompt((caption(i),), seed=i),) for i in range(4)]),
    also=(something_is_answered,),
)
RERANKER = _contract(
    "whether the better document has the better score, and speed",
    AnswerType(
        "a finite score or a Failure",
        _is_score,
        _same_score,
        "Return float(score), or Failure(reason)",
    ),
    Sample("texts", "score", lambda: _pairs(queries(image=False), tasks()["captioning"].memory)),
    Sample("pictures", "score", lambda: _pairs(several(), tasks()["mixed"].memory), "image"),
    also=(something_is_answered, different_things_differ),
)
CONTRACTS = {
    "encoder": ENCODER, "captioner": CAPTIONER, "chat": CHAT, "painter": PAINTER, "reranker": RERANKER
}  # fmt: skip


@ENCODER.rule(
    "Say what the encoder reads: modalities = frozenset({'image', 'text'}), or one of them"
)
def modalities_are_said(subject: Subject) -> Breaches:
    """`modalities` is a set of `image`, `text` or both."""
    modalities = getattr(subject.instance, "modalities", None)
    if not (isinstance(modalities, frozenset | set) and modalities and modalities <= set(METHODS)):
        yield f"it is {short(modalities)}"


@ENCODER.rule("np.asarray(rows, np.float32).reshape(len(items), -1)")
def rows_are_float32(subject: Subject) -> Breaches:
    """Vectors are a numpy array of shape (n, d) in float32."""
    for chunk in subject.chunks:
        shape, dtype = (getattr(chunk.first, name, None) for name in ("shape", "dtype"))
        if shape is None or len(shape) != 2 or dtype != np.float32:
            name = dtype or type(chunk.first).__name__
            yield f"{chunk.what} gives {name} of shape {shape}"


@ENCODER.rule("rows / np.linalg.norm(rows, axis=1, keepdims=True)")
def rows_have_length_1(subject: Subject) -> Breaches:
    """Rows are L2-normalised; features of pictures alone, for FID, need not be."""
    for chunk in subject.chunks:
        lengths = np.linalg.norm(np.asarray(chunk.first, float), axis=-1)
        if float(np.nanmax(np.abs(lengths - 1), initial=0)) <= 1e-3:
            continue
        span = f"lengths from {lengths.min():.3g} to {lengths.max():.3g}"
        if set(subject.instance.modalities) == {"image"}:
            warn(f"rows have {span}: for distances, not for search")
        else:
            yield f"rows of {chunk.what} have {span}"


@ENCODER.rule("If they are not in one space, make two encoders of them")
def both_modalities_have_the_same_width(subject: Subject) -> Breaches:
    """Pictures and texts are in one space."""
    widths = {chunk.what: np.shape(chunk.first)[-1] for chunk in subject.chunks}
    if len(set(widths.values())) > 1:
        yield f"their numbers of dimensions are {widths}"


@ENCODER.rule("Raise NotApplicable, or name the modality")
def other_modalities_are_refused(subject: Subject) -> Breaches:
    """What it does not read, by its `modalities`, raises NotApplicable."""
    items: dict[Modality, list[Any]] = {"image": [picture(0)], "text": [Text("t", "a word")]}
    for modality in METHODS.keys() - set(subject.instance.modalities):
        try:
            getattr(subject.instance, METHODS[modality])(items[modality])
        except NotApplicable:
            continue
        yield f"{METHODS[modality]} answered, but modalities has no {modality!r}"


@CHAT.rule("Leave out what the model does not tell")
def costs_are_counted(subject: Subject) -> Breaches:
    """Numbers of tokens and dollars are not negative, and 0 where they are not known."""
    for chunk in subject.chunks:
        for reply in chunk.first:
            costs = [getattr(reply, name, 0) for name in ("tokens_in", "tokens_out", "dollars")]
            if not all(isinstance(cost, int | float) and cost >= 0 for cost in costs):
                yield f"they are {costs}"


@CHAT.rule("Seed the generator of each prompt by prompt.seed")
def a_sampling_model_follows_seeds(subject: Subject) -> Breaches:
    """Where it says that it `samples`, the prompt's seed decides: the same one, the same words."""
    if not Traits(subject.instance).samples:
        raise Skip("it does not say that it samples")
    prompt = replace(chat_prompts()[1], seed=5)
    one, other = (subject.build().chat([prompt])[0] for _ in range(2))
    if not _same_reply(one, other):
        yield f"it answers {short(one)} and {short(other)}"


@PAINTER.rule()
def another_seed_is_another_picture(subject: Subject) -> None:
    """The prompt's seed counts, unless the painter draws no random numbers."""
    for chunk in subject.chunks:
        (prompt,), first = chunk.items[0], chunk.first[0]
        (other,) = subject.instance.paint([replace(prompt, seed=99)])
        if isinstance(first, Drawing) and _same_drawing(first, other):
            warn("another seed gives the same picture: does it look at prompt.seed?")
