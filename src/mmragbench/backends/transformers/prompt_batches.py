"""Prompts as a model reads them: rendered, with their pictures, in batches, within its window."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from mmragbench._batching import batches, in_halves, opened, read_ahead
from mmragbench.backends.transformers.loading import Checkpoint
from mmragbench.backends.transformers.templates import render
from mmragbench.records import Failure, Image, Prompt

if TYPE_CHECKING:
    import PIL.Image

CACHED_PICTURES = 128
"""Decoded pictures that are cached, for prompts that show the same ones."""


@dataclass(frozen=True)
class RenderedPrompt:
    """A prompt as a processor takes it: the text with the pictures' tokens, the pictures, the seed."""

    text: str
    pictures: list[PIL.Image.Image]
    seed: int


class Prepared(NamedTuple):
    """The prompt at a position of a call, rendered; a Failure where it cannot be."""

    position: int
    prompt: RenderedPrompt | Failure


class PromptTooLong(Failure):
    """The failure of a prompt that is longer than the model reads."""


class Writer(Protocol):
    """What continues prompts: with words, or with the tokens of a picture.

    Attributes:
        new_tokens: the most tokens that it writes after a prompt.
    """

    new_tokens: int

    def read(self, prompts: Sequence[RenderedPrompt]) -> Any:
        """The model's inputs for a batch, on its device; `attention_mask` has the tokens' number."""
        ...

    def write(self, prompts: Sequence[RenderedPrompt], inputs: Any) -> list[Any]:
        """An answer to each prompt of a batch: a `Reply`, a `Drawing` or a `Failure`."""
        ...


def answers_to(
    prompts: Sequence[Prompt],
    checkpoint: Checkpoint,
    writer: Writer,
    batch_size: int,
    max_side: int | None = None,
) -> list[Any]:
    """An answer to each prompt, in their order, whatever the batches.

    A prompt that is longer than the model reads is asked again without its last document, until it
    fits: the answer says how many were `dropped`. One that does not fit without any is a Failure.

    Args:
        prompts: what to answer.
        checkpoint: the model.
        writer: how it answers.
        batch_size: prompts that are answered at once.
        max_side: larger pictures are scaled down to so many pixels a side; None for as they are.
    """
    remaining, answers = dict(enumerate(prompts)), dict[int, Any]()
    open_pictures = _picture_opener(max_side)
    while remaining:
        prepared = _prepared(remaining, checkpoint, open_pictures, 2 * batch_size)
        for batch in _batched(prepared, batch_size):
            for position, answer in _answers_by_position(checkpoint, batch, writer).items():
                dropped = len(prompts[position].documents) - len(remaining[position].documents)
                answers[position] = _noting(answer, dropped)
        remaining = {
            i: prompt.without_last_document()
            for i, prompt in remaining.items()
            if isinstance(answers[i], PromptTooLong) and prompt.documents
        }
    return [answers[i] for i in range(len(prompts))]


def _noting(answer: Any, dropped: int) -> Any:
    """The answer, which says how many documents its prompt lost."""
    return (
        replace(answer, dropped=dropped) if dropped and not isinstance(answer, Failure) else answer
    )


def _prepared(
    prompts: Mapping[int, Prompt],
    checkpoint: Checkpoint,
    open_pictures: Callable[[Sequence[Image]], list[PIL.Image.Image] | Failure],
    ahead: int,
) -> Iterator[Prepared]:
    """The prompts rendered, those of similar size together, their pictures read ahead."""

    def prepare(position: int) -> Prepared:
        prompt = prompts[position]
        text = render(checkpoint.processor, prompt)
        pictures = open_pictures(prompt.images)
        if isinstance(text, Failure):
            return Prepared(position, text)
        if isinstance(pictures, Failure):
            return Prepared(position, pictures)
        return Prepared(position, RenderedPrompt(text, pictures, prompt.seed))

    return read_ahead(prepare, sorted(prompts, key=lambda i: _size(prompts[i])), ahead)


def _size(prompt: Prompt) -> tuple[int, int]:
    """A sort key that brings prompts of similar size together, so that batches have little padding."""
    return len(prompt.images), len(prompt.text)


def _batched(prepared: Iterator[Prepared], size: int) -> Iterator[list[Prepared]]:
    """Batches; prompts without pictures come apart, since processors make other inputs for them."""
    for batch in batches(prepared, size):
        bare = [p for p in batch if isinstance(p.prompt, RenderedPrompt) and not p.prompt.pictures]
        others = [p for p in batch if isinstance(p.prompt, Failure) or p.prompt.pictures]
        yield from filter(None, (bare, others))


def _picture_opener(
    max_side: int | None,
) -> Callable[[Sequence[Image]], list[PIL.Image.Image] | Failure]:
    """A function that opens and scales a prompt's pictures, and caches the last of them."""

    @lru_cache(CACHED_PICTURES)
    def open_picture(image: Image) -> PIL.Image.Image | Failure:
        picture = opened(image)
        if max_side is not None and not isinstance(picture, Failure):
            picture.thumbnail((max_side, max_side))
        return picture

    def open_pictures(images: Sequence[Image]) -> list[PIL.Image.Image] | Failure:
        pictures: list[PIL.Image.Image] = []
        for picture in [open_picture(image) for image in images]:
            if isinstance(picture, Failure):
                return picture
            pictures.append(picture)
        return pictures

    return open_pictures


def _answers_by_position(
    checkpoint: Checkpoint, batch: Sequence[Prepared], writer: Writer
) -> dict[int, Any]:
    """Answers to a batch by the prompts' positions; a batch that fails is tried in halves."""
    ready = {i: prompt for i, prompt in batch if isinstance(prompt, RenderedPrompt)}
    answers = in_halves(lambda some: _batch_answers(checkpoint, some, writer), list(ready.values()))
    failures = {i: prompt for i, prompt in batch if isinstance(prompt, Failure)}
    return {**failures, **dict(zip(ready, answers, strict=True))}


def _batch_answers(
    checkpoint: Checkpoint, prompts: Sequence[RenderedPrompt], writer: Writer
) -> list[Any]:
    """Answers to the prompts of a batch that fit, and failures of the others."""
    if not prompts:
        return []
    inputs = writer.read(prompts)
    lengths = [int(count) for count in inputs["attention_mask"].sum(1)]
    limit = checkpoint.limit
    fits = [limit is None or length + writer.new_tokens <= limit for length in lengths]
    if all(fits):
        return writer.write(prompts, inputs)
    fitting = [prompt for prompt, fit in zip(prompts, fits, strict=True) if fit]
    answers = iter(_batch_answers(checkpoint, fitting, writer))
    return [
        next(answers) if fit else _too_long(length, writer.new_tokens, limit)
        for fit, length in zip(fits, lengths, strict=True)
    ]


def _too_long(length: int, new: int, limit: int | None) -> PromptTooLong:
    return PromptTooLong(
        f"the prompt has {length:,} tokens, and with {new:,} to write that is more than the "
        f"{limit:,} that the model reads; show it fewer documents or texts"
    )


def inputs_of(checkpoint: Checkpoint, prompts: Sequence[RenderedPrompt], ending: str = "") -> Any:
    """A processor's inputs for a batch, on the model's device; `ending` comes after each text."""
    texts = [prompt.text + ending for prompt in prompts]
    inputs = checkpoint.processor(
        text=texts,
        images=[prompt.pictures for prompt in prompts] if prompts[0].pictures else None,
        padding=True,
        return_tensors="pt",
        **bos_options(checkpoint, texts),
    )
    return checkpoint.moved(inputs)


def bos_options(checkpoint: Checkpoint, texts: Sequence[str]) -> dict[str, bool]:
    """The processor's option that keeps it from adding a first token where the template has added one."""
    first = checkpoint.processor.tokenizer.bos_token
    return {"add_special_tokens": False} if first and texts[0].startswith(first) else {}
