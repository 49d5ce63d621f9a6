"""Text generation: prompts in batches of similar length, greedy or sampled by the seed of each prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from mmragbench.backends.prompts import sample_seed
from mmragbench.backends.thoughts import has_thoughts, opens_thoughts, without_thoughts
from mmragbench.backends.transformers.loading import Checkpoint
from mmragbench.backends.transformers.picture_tokens import picture_tokens
from mmragbench.backends.transformers.prompt_batches import (
    RenderedPrompt,
    answers_to,
    inputs_of,
)
from mmragbench.backends.transformers.sampling import SeededGumbelSampler
from mmragbench.backends.transformers.templates import reads_prompts, special_tokens
from mmragbench.errors import NotApplicable
from mmragbench.records import Failure, Prompt, Reply


@dataclass(frozen=True)
class TextGenerationConfig:
    """Settings of text generation.

    Attributes:
        max_new_tokens: length limit of a reply, in tokens.
        temperature: 0 is greedy.
        batch_size: prompts in one `generate` call.
        max_side: larger pictures are scaled down to so many pixels a side; None for as they are.
        top_p: the share of the distribution, from its most likely tokens on, that is sampled from.
        best_of: samples a prompt, of which the most likely is the reply.
    """

    max_new_tokens: int
    temperature: float = 0.0
    batch_size: int = 8
    max_side: int | None = None
    top_p: float = 1.0
    best_of: int = 1


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
    writer = ReplyWriter(checkpoint, config)
    return answers_to(prompts, checkpoint, writer, config.batch_size, config.max_side)


class ReplyWriter:
    """Continues prompts with words, up to a length limit.

    Args:
        checkpoint: the model.
        config: how it generates.
    """

    def __init__(self, checkpoint: Checkpoint, config: TextGenerationConfig) -> None:
        self._checkpoint, self._config = checkpoint, config
        self.new_tokens = config.max_new_tokens

    def read(self, prompts: Sequence[RenderedPrompt]) -> Any:
        """The processor's inputs."""
        return inputs_of(self._checkpoint, prompts)

    def write(self, prompts: Sequence[RenderedPrompt], inputs: Any) -> list[Reply | Failure]:
        """A reply each, of several samples the most likely; all of them count as tokens."""
        lengths = [int(count) for count in inputs["attention_mask"].sum(1)]
        samples = [self._sample(prompts, inputs, number) for number in range(self._config.best_of)]
        rows = [max(own, key=lambda row: row.log_likelihood) for own in zip(*samples, strict=True)]
        written = [sum(len(row.tokens) for row in own) for own in zip(*samples, strict=True)]
        costs = [
            (length * len(samples), count) for length, count in zip(lengths, written, strict=True)
        ]
        return [
            self._reply(prompt, row.tokens, cost)
            for prompt, row, cost in zip(prompts, rows, costs, strict=True)
        ]

    def _sample(
        self, prompts: Sequence[RenderedPrompt], inputs: Any, number: int
    ) -> list[GeneratedRow]:
        """Each prompt's sample of a number, from 0."""
        seeds = [sample_seed(prompt.seed, number) for prompt in prompts]
        return _new_tokens(self._checkpoint, inputs, seeds, self._config)

    def _reply(
        self, prompt: RenderedPrompt, row: list[int], cost: tuple[int, int]
    ) -> Reply | Failure:
        tokenizer = self._checkpoint.processor.tokenizer
        text = tokenizer.decode(row, skip_special_tokens=True).strip()
        truncated = _reached_limit(row, self._checkpoint, self._config)
        reply = Reply(text, prompt.text, *cost, truncated=truncated)
        raw = tokenizer.decode(row, skip_special_tokens=False)
        return _without_thoughts(reply, raw, self._checkpoint)


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


class GeneratedRow(NamedTuple):
    """The new tokens of a row, and their mean log likelihood under the model; 0 where it is greedy."""

    tokens: list[int]
    log_likelihood: float = 0.0


def _new_tokens(
    checkpoint: Checkpoint, inputs: Any, seeds: Sequence[int], config: TextGenerationConfig
) -> list[GeneratedRow]:
    """The generated tokens of each row, up to its end."""
    import torch

    sampler = SeededGumbelSampler(seeds, config.temperature, top_p=config.top_p)
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
            **_words_alone(checkpoint),
            logits_processor=_logits_processors(sampler) if config.temperature else None,
        )
    if config.temperature and not sampler.was_called:
        raise NotApplicable(f"{type(checkpoint.model).__name__} does not sample; temperature: 0")
    prompt = inputs["input_ids"]
    length = prompt.shape[1]
    if tokens.shape[1] >= length and bool((tokens[:, :length] == prompt).all()):
        tokens = tokens[:, length:]
    ends = _end_tokens(checkpoint)
    rows = [_until_end(row, ends) for row in tokens.tolist()]
    likelihoods = sampler.mean_log_likelihoods([len(row) for row in rows])
    return [GeneratedRow(*pair) for pair in zip(rows, likelihoods, strict=True)]


def _words_alone(checkpoint: Checkpoint) -> dict[str, list[int]]:
    """The option that keeps a model which also writes pictures to words."""
    tokens = picture_tokens(checkpoint)
    return {"suppress_tokens": tokens} if tokens else {}


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
