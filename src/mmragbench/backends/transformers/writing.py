"""Prompts to replies: batches of similar length, pictures read ahead, greedy or by each one's seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mmragbench._batching import batches, in_halves, opened, read_ahead
from mmragbench.backends.thoughts import has_thoughts, opens_thoughts, without_thoughts
from mmragbench.backends.transformers.loading import Checkpoint
from mmragbench.backends.transformers.sampling import Lots
from mmragbench.backends.transformers.templates import reads_prompts, render, special_tokens
from mmragbench.errors import NotApplicable
from mmragbench.records import Failure, Image, Prompt, Reply

if TYPE_CHECKING:
    import PIL.Image

KEPT = 128
"""How many decoded pictures are kept, for prompts that show the same ones."""


@dataclass(frozen=True)
class Manner:
    """How it is written.

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
class Page:
    """A prompt made ready: the text with the pictures' tokens, the pictures, the seed."""

    text: str
    pictures: list[PIL.Image.Image]
    seed: int


def write(
    checkpoint: Checkpoint, prompts: Sequence[Prompt], manner: Manner
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
    look = _opener(manner.max_side)

    def ready(i: int) -> tuple[int, Page | Failure]:
        pictures = look(prompts[i].images)
        if isinstance(pictures, Failure):
            return i, pictures
        return i, Page(str(texts[i]), pictures, prompts[i].seed)

    for group in _alike(read_ahead(ready, order, 2 * manner.batch_size), manner.batch_size):
        pages = [(i, page) for i, page in group if isinstance(page, Page)]
        replies |= {i: page for i, page in group if isinstance(page, Failure)}
        answers = in_halves(
            lambda some: _written(checkpoint, some, manner), [page for _, page in pages]
        )
        replies |= dict(zip((i for i, _ in pages), answers, strict=True))
    return [replies[i] for i in range(len(prompts))]


def _size(prompt: Prompt) -> tuple[int, int]:
    """Prompts of similar size are read together, so that little padding is."""
    return len(prompt.images), len(prompt.text)


def _alike(
    pages: Iterator[tuple[int, Page | Failure]], size: int
) -> Iterator[list[tuple[int, Page | Failure]]]:
    """Batches; prompts without pictures apart, for which processors make other inputs."""
    for batch in batches(pages, size):
        bare = [(i, p) for i, p in batch if isinstance(p, Page) and not p.pictures]
        rest = [(i, p) for i, p in batch if isinstance(p, Failure) or p.pictures]
        yield from filter(None, (bare, rest))


def _opener(
    max_side: int | None,
) -> Callable[[Sequence[Image]], list[PIL.Image.Image] | Failure]:
    @lru_cache(KEPT)
    def seen(image: Image) -> PIL.Image.Image | Failure:
        picture = opened(image)
        if max_side is not None and not isinstance(picture, Failure):
            picture.thumbnail((max_side, max_side))
        return picture

    def all_opened(images: Sequence[Image]) -> list[PIL.Image.Image] | Failure:
        found = [seen(image) for image in images]
        bad = [picture for picture in found if isinstance(picture, Failure)]
        return bad[0] if bad else [p for p in found if not isinstance(p, Failure)]

    return all_opened


def _written(
    checkpoint: Checkpoint, pages: Sequence[Page], manner: Manner
) -> list[Reply | Failure]:
    """Replies to a batch; a prompt that is too long for the model is refused, never cut."""
    if not pages:
        return []
    inputs = inputs_of(checkpoint, pages)
    told = [int(count) for count in inputs["attention_mask"].sum(1)]
    room = None if checkpoint.limit is None else checkpoint.limit - manner.max_new_tokens
    fits = [room is None or length <= room for length in told]
    if not all(fits):
        fitting = [page for page, fit in zip(pages, fits, strict=True) if fit]
        rest = iter(_written(checkpoint, fitting, manner))
        return [
            next(rest) if fit else _too_long(length, manner.max_new_tokens, checkpoint.limit)
            for fit, length in zip(fits, told, strict=True)
        ]
    rows = _generated(checkpoint, inputs, [page.seed for page in pages], manner)
    tokenizer = checkpoint.processor.tokenizer
    raw = tokenizer.batch_decode(rows, skip_special_tokens=False)
    texts = tokenizer.batch_decode(rows, skip_special_tokens=True)
    limited = [_limited(row, checkpoint, manner) for row in rows]
    replies = [
        Reply(text.strip(), page.text, length, len(row), truncated=cut)
        for text, page, length, row, cut in zip(texts, pages, told, rows, limited, strict=True)
    ]
    return [_answer(*each, checkpoint) for each in zip(replies, raw, strict=True)]


def _answer(reply: Reply, raw: str, checkpoint: Checkpoint) -> Reply | Failure:
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


def _limited(row: list[int], checkpoint: Checkpoint, manner: Manner) -> bool:
    """Whether a row was ended by the length limit."""
    return len(row) >= manner.max_new_tokens and row[-1] not in _ends(checkpoint)


def _too_long(length: int, new: int, limit: int | None) -> Failure:
    return Failure(
        f"the prompt has {length:,} tokens, and with {new:,} to write that is more than the "
        f"{limit:,} that the model reads; show it fewer documents or texts"
    )


def inputs_of(checkpoint: Checkpoint, pages: Sequence[Page]) -> Any:
    """A processor's inputs for a batch, on the model's device."""
    texts = [page.text for page in pages]
    inputs = checkpoint.processor(
        text=texts,
        images=[page.pictures for page in pages] if pages[0].pictures else None,
        padding=True,
        return_tensors="pt",
        **begun(checkpoint, texts),
    )
    return checkpoint.moved(inputs)


def begun(checkpoint: Checkpoint, texts: Sequence[str]) -> dict[str, bool]:
    """Texts that a template has begun with the first token are not begun again."""
    first = checkpoint.processor.tokenizer.bos_token
    return {"add_special_tokens": False} if first and texts[0].startswith(first) else {}


def _generated(
    checkpoint: Checkpoint, inputs: Any, seeds: Sequence[int], manner: Manner
) -> list[list[int]]:
    """The new tokens of each row, up to its end."""
    import torch

    lots = Lots(seeds, manner.temperature)
    with torch.inference_mode():
        tokens = checkpoint.model.generate(
            **inputs,
            max_new_tokens=manner.max_new_tokens,
            do_sample=False,
            num_beams=1,
            temperature=None,
            top_p=None,
            top_k=None,
            pad_token_id=checkpoint.processor.tokenizer.pad_token_id,
            logits_processor=_processors(lots) if manner.temperature else None,
        )
    if manner.temperature and not lots.asked:
        raise NotApplicable(f"{type(checkpoint.model).__name__} does not sample; temperature: 0")
    old = inputs["input_ids"]
    if tokens.shape[1] >= old.shape[1] and bool((tokens[:, : old.shape[1]] == old).all()):
        tokens = tokens[:, old.shape[1] :]
    ends = _ends(checkpoint)
    return [_ended(row, ends) for row in tokens.tolist()]


def _ends(checkpoint: Checkpoint) -> set[int]:
    """The tokens that end a reply."""
    ends = checkpoint.model.generation_config.eos_token_id
    return {ends} if isinstance(ends, int) else set(ends or ())


def _processors(lots: Lots) -> Any:
    from transformers import LogitsProcessorList

    return LogitsProcessorList([lots])


def _ended(row: list[int], ends: set[int]) -> list[int]:
    """A row up to and with the first token that ends it."""
    end = next((at for at, token in enumerate(row) if token in ends), len(row))
    return row[: end + 1]
