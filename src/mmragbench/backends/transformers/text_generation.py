"""Text generation: prompts in batches of similar length, greedy or sampled by the seed of each prompt."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from mmragbench._batching import batches, in_halves, opened, read_ahead
from mmragbench.backends.thoughts import has_thoughts, opens_thoughts, without_thoughts
from mmragbench.backends.transformers.loading import Checkpoint
from mmragbench.backends.transformers.sampling import SeededGumbelSampler
from mmragbench.backends.transformers.templates import reads_prompts, render, special_tokens
from mmragbench.errors import NotApplicable
from mmragbench.records import Failure, Image, Prompt, Reply

if TYPE_CHECKING:
    import PIL.Image

CACHED_PICTURES = 128
"""Decoded pictures that are cached, for prompts that show the same ones."""


@dataclass(frozen=True)
class TextGenerationConfig:
    """Settings of text generation.

    Attributes:
        max_new_tokens: length limit of a reply, in tokens.
        temperature: 0 is greedy.
        batch_size: prompts in one `generate` call.
        max_side: larger pictures are scaled down to so many pixels a side; None for as they are.
    """

    max_new_tokens: int
    temperature: float = 0.0
    batch_size: int = 8
    max_side: int | None = None


@dataclass(frozen=True)
class RenderedPrompt:
    """A prompt as a processor takes it: the text with the pictures' tokens, the pictures, the seed."""

    text: str
    pictures: list[PIL.Image.Image]
    seed: int


class Prepared(NamedTuple):
    """The prompt at a position of a call, rendered; a Failure where a picture cannot be opened."""

    position: int
    prompt: RenderedPrompt | Failure


def generate_replies(
    checkpoint: Checkpoint, prompts: Sequence[Prompt], config: TextGenerationConfig
) -> list[Reply | Failure]:
    """A reply to each prompt, in their order, whatever the batches.

    Raises:
        NotApplicable: the model reads no prompts.
    """
    if not reads_prompts(checkpoint.processor):
        raise NotApplicable(
            f"{type(checkpoint.model).__name__} captions one picture and reads no prompts; "
            "use it as a captioner"
        )
    texts = [render(checkpoint.processor, prompt) for prompt in prompts]
    replies: dict[int, Reply | Failure] = {
        i: text for i, text in enumerate(texts) if isinstance(text, Failure)
    }
    order = sorted(set(range(len(prompts))) - set(replies), key=lambda i: _size(prompts[i]))
    open_pictures = _picture_opener(config.max_side)

    def prepare(i: int) -> Prepared:
        pictures = open_pictures(prompts[i].images)
        if isinstance(pictures, Failure):
            return Prepared(i, pictures)
        return Prepared(i, RenderedPrompt(str(texts[i]), pictures, prompts[i].seed))

    prepared = read_ahead(prepare, order, 2 * config.batch_size)
    for batch in _batched(prepared, config.batch_size):
        replies |= _replies_by_position(checkpoint, batch, config)
    return [replies[i] for i in range(len(prompts))]


def _replies_by_position(
    checkpoint: Checkpoint, batch: Sequence[Prepared], config: TextGenerationConfig
) -> dict[int, Reply | Failure]:
    """Replies to a batch by the prompts' positions; a batch that fails is tried in halves."""
    ready = {i: prompt for i, prompt in batch if isinstance(prompt, RenderedPrompt)}
    answers = in_halves(lambda some: _batch_replies(checkpoint, some, config), list(ready.values()))
    failures = {i: prompt for i, prompt in batch if isinstance(prompt, Failure)}
    return {**failures, **dict(zip(ready, answers, strict=True))}


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


def _batch_replies(
    checkpoint: Checkpoint, prompts: Sequence[RenderedPrompt], config: TextGenerationConfig
) -> list[Reply | Failure]:
    """Replies to a batch; a prompt that is too long for the model is refused, never truncated."""
    if not prompts:
        return []
    inputs = inputs_of(checkpoint, prompts)
    lengths = [int(count) for count in inputs["attention_mask"].sum(1)]
    room = None if checkpoint.limit is None else checkpoint.limit - config.max_new_tokens
    fits = [room is None or length <= room for length in lengths]
    if not all(fits):
        return _replies_to_fitting(checkpoint, prompts, lengths, fits, config)
    rows = _new_tokens(checkpoint, inputs, [prompt.seed for prompt in prompts], config)
    tokenizer = checkpoint.processor.tokenizer
    raw_texts = tokenizer.batch_decode(rows, skip_special_tokens=False)
    texts = tokenizer.batch_decode(rows, skip_special_tokens=True)
    replies = [
        Reply(
            text.strip(),
            prompt.text,
            length,
            len(row),
            truncated=_reached_limit(row, checkpoint, config),
        )
        for text, prompt, length, row in zip(texts, prompts, lengths, rows, strict=True)
    ]
    return [
        _without_thoughts(reply, raw, checkpoint)
        for reply, raw in zip(replies, raw_texts, strict=True)
    ]


def _replies_to_fitting(
    checkpoint: Checkpoint,
    prompts: Sequence[RenderedPrompt],
    lengths: Sequence[int],
    fits: Sequence[bool],
    config: TextGenerationConfig,
) -> list[Reply | Failure]:
    """Replies to the prompts that fit, and failures of the others."""
    fitting = [prompt for prompt, fit in zip(prompts, fits, strict=True) if fit]
    replies = iter(_batch_replies(checkpoint, fitting, config))
    return [
        next(replies) if fit else _too_long(length, config.max_new_tokens, checkpoint.limit)
        for fit, length in zip(fits, lengths, strict=True)
    ]


def _without_thoughts(reply: Reply, raw: str, checkpoint: Checkpoint) -> Reply | Failure:
    """The reply without thoughts; `raw` has its special tokens, which may mark them."""
    within = opens_thoughts(reply.prompt or "")
    if not has_thoughts(raw):
        return without_thoughts(reply, within)
    answer = without_thoughts(replace(reply, text=raw), within)
    if isinstance(answer, Failure):
        return answer
    specials = special_tokens(checkpoint.processor)
    text, thoughts = (specials.sub("", part).strip() for part in (answer.text, answer.thoughts))
    return without_thoughts(replace(answer, text=text, thoughts=thoughts))


def _reached_limit(row: list[int], checkpoint: Checkpoint, config: TextGenerationConfig) -> bool:
    """Whether the length limit ended a row."""
    return len(row) >= config.max_new_tokens and row[-1] not in _end_tokens(checkpoint)


def _too_long(length: int, new: int, limit: int | None) -> Failure:
    return Failure(
        f"the prompt has {length:,} tokens, and with {new:,} to write that is more than the "
        f"{limit:,} that the model reads; show it fewer documents or texts"
    )


def inputs_of(checkpoint: Checkpoint, prompts: Sequence[RenderedPrompt]) -> Any:
    """A processor's inputs for a batch, on the model's device."""
    texts = [prompt.text for prompt in prompts]
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


def _new_tokens(
    checkpoint: Checkpoint, inputs: Any, seeds: Sequence[int], config: TextGenerationConfig
) -> list[list[int]]:
    """The generated tokens of each row, up to its end."""
    import torch

    sampler = SeededGumbelSampler(seeds, config.temperature)
    with torch.inference_mode():
        tokens = checkpoint.model.generate(
            **inputs,
            max_new_tokens=config.max_new_tokens,
            do_sample=False,
            num_beams=1,
            temperature=None,
            top_p=None,
            top_k=None,
            pad_token_id=checkpoint.processor.tokenizer.pad_token_id,
            logits_processor=_logits_processors(sampler) if config.temperature else None,
        )
    if config.temperature and not sampler.was_called:
        raise NotApplicable(f"{type(checkpoint.model).__name__} does not sample; temperature: 0")
    prompt = inputs["input_ids"]
    length = prompt.shape[1]
    if tokens.shape[1] >= length and bool((tokens[:, :length] == prompt).all()):
        tokens = tokens[:, length:]
    ends = _end_tokens(checkpoint)
    return [_until_end(row, ends) for row in tokens.tolist()]


def _end_tokens(checkpoint: Checkpoint) -> set[int]:
    """The tokens that end a reply."""
    ends = checkpoint.model.generation_config.eos_token_id
    return {ends} if isinstance(ends, int) else set(ends or ())


def _logits_processors(sampler: SeededGumbelSampler) -> Any:
    from transformers import LogitsProcessorList

    return LogitsProcessorList([sampler])


def _until_end(row: list[int], ends: set[int]) -> list[int]:
    """A row up to and with the first token that ends it."""
    end = next((at for at, token in enumerate(row) if token in ends), len(row))
    return row[: end + 1]
