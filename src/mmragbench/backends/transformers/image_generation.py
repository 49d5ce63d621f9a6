"""Pictures from models that generate_replies them as tokens, between the words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from mmragbench._batching import batches, in_halves
from mmragbench.backends.transformers.loading import Checkpoint
from mmragbench.backends.transformers.sampling import SeededGumbelSampler
from mmragbench.backends.transformers.templates import render
from mmragbench.backends.transformers.text_generation import bos_options
from mmragbench.errors import NotApplicable, SuiteError
from mmragbench.records import Drawing, Failure, Prompt


@dataclass(frozen=True)
class ImageGenerationConfig:
    """Settings of image generation.

    Attributes:
        temperature: of the distribution that picture tokens are sampled from; 0 is greedy.
        guidance: how many times what the prompt adds counts; 1 leaves the scores as they are.
        batch_size: pictures drawn at once.
        size: side in pixels, for models that leave the choice; None for their default.
    """

    temperature: float
    guidance: float
    batch_size: int
    size: int | None = None


class SeededText(NamedTuple):
    """A rendered prompt and the seed that its picture is sampled by."""

    text: str
    seed: int


class Frame(NamedTuple):
    """Inputs that end where a picture begins, and its size in tokens."""

    inputs: dict[str, Any]
    rows: int
    columns: int


def generate_drawings(
    checkpoint: Checkpoint, prompts: Sequence[Prompt], config: ImageGenerationConfig
) -> list[Drawing | Failure]:
    """A drawing for each prompt, in their order, whatever the batches.

    Raises:
        SuiteError: the model writes no pictures.
        NotApplicable: a prompt has pictures: these models draw what a text says.
    """
    kind = checkpoint.model.config.model_type
    if kind not in DRAWERS:
        raise SuiteError(
            f"{type(checkpoint.model).__name__} draws no pictures; types that do: "
            f"{', '.join(DRAWERS)}; or use: diffusers"
        )
    if any(prompt.images for prompt in prompts):
        raise NotApplicable(f"{kind} draws from texts alone; show it none (draw: pictures: 0)")
    texts = [render(checkpoint.processor, prompt) for prompt in prompts]
    drawings: dict[int, Drawing | Failure] = {
        i: text for i, text in enumerate(texts) if isinstance(text, Failure)
    }
    ready = sorted(set(range(len(prompts))) - set(drawings), key=lambda i: len(str(texts[i])))
    for batch in batches(ready, config.batch_size):
        seeded = [SeededText(str(texts[i]), prompts[i].seed) for i in batch]
        drawn = in_halves(lambda some: DRAWERS[kind](checkpoint, some, config), seeded)
        drawings |= dict(zip(batch, drawn, strict=True))
    return [drawings[i] for i in range(len(prompts))]


def _janus(
    checkpoint: Checkpoint, seeded: Sequence[SeededText], config: ImageGenerationConfig
) -> list[Drawing]:
    import torch
    from transformers import LogitsProcessorList

    if config.size is not None:
        raise SuiteError("Janus draws in one size; leave out size")
    texts = [text for text, _ in seeded]
    inputs = checkpoint.processor(
        text=texts,
        generation_mode="image",
        padding=True,
        return_tensors="pt",
        **bos_options(checkpoint, texts),
    )
    seeds = [seed for _, seed in seeded]
    sampler = SeededGumbelSampler(seeds, config.temperature, config.guidance)
    with torch.inference_mode():
        tokens = checkpoint.model.generate(
            **checkpoint.moved(inputs),
            generation_mode="image",
            do_sample=False,
            num_beams=1,
            guidance_scale=1,  # ours comes before the noise; the library's would come after it
            logits_processor=LogitsProcessorList([sampler]),
        )
        pixels = checkpoint.model.decode_image_tokens(tokens)
    return _decoded_drawings(checkpoint, pixels, texts, inputs["attention_mask"], tokens.shape[1])


def _emu3(
    checkpoint: Checkpoint, seeded: Sequence[SeededText], config: ImageGenerationConfig
) -> list[Drawing]:
    import torch
    from transformers import LogitsProcessorList

    texts = [text for text, _ in seeded]
    inputs, rows, columns = _frame(checkpoint, texts, config.size)
    unconditional = _frame(checkpoint, [""] * len(texts), config.size).inputs
    sampler = SeededGumbelSampler([seed for _, seed in seeded], config.temperature)
    grid = PictureGrid(checkpoint, rows, columns)
    with torch.inference_mode():
        tokens = checkpoint.model.generate(
            **inputs,
            max_new_tokens=grid.length,
            do_sample=False,
            num_beams=1,
            guidance_scale=config.guidance,
            negative_prompt_ids=unconditional["input_ids"],
            negative_prompt_attention_mask=unconditional["attention_mask"],
            logits_processor=LogitsProcessorList([sampler, grid]),
        )[:, inputs["input_ids"].shape[1] :]
        pixels = checkpoint.model.decode_image_tokens(
            image_tokens=tokens, height=rows, width=columns
        )
    pixels = pixels.permute(0, 2, 3, 1)
    return _decoded_drawings(checkpoint, pixels, texts, inputs["attention_mask"], tokens.shape[1])


def _frame(checkpoint: Checkpoint, texts: Sequence[str], size: int | None) -> Frame:
    """The frame of a batch of texts for Emu3; `size` is the picture's side in pixels."""
    area = {"image_area": size * size} if size else {}
    inputs = checkpoint.processor(
        text=list(texts),
        return_for_image_generation=True,
        padding=True,
        return_tensors="pt",
        **area,
        **bos_options(checkpoint, texts),
    )
    ((rows, columns), *_) = inputs.pop("image_sizes")
    return Frame(dict(checkpoint.moved(inputs)), int(rows), int(columns))


class PictureGrid:
    """A logits processor that allows rows of picture tokens, each with its end, then the picture's ends.

    The rule is Emu3's (Wang et al. 2024), as transformers documents it.
    """

    def __init__(self, checkpoint: Checkpoint, rows: int, columns: int) -> None:
        import torch

        words, mapping = checkpoint.processor.tokenizer, checkpoint.model.model.vocabulary_mapping
        self._columns, self._within = columns, rows * (columns + 1)
        self._picture = torch.as_tensor(mapping.image_tokens, device=checkpoint.device)
        self._end_of_row = mapping.eol_token_id
        self._end_tokens = [
            words.convert_tokens_to_ids(checkpoint.processor.eof_token),
            words.convert_tokens_to_ids(checkpoint.processor.image_end_token),
            words.eos_token_id,
        ]
        self.length = self._within + len(self._end_tokens)
        self._step = 0

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """Scores (rows, vocabulary), all but what may come next at minus infinity."""
        allowed: Any = self._picture
        if self._step >= self._within:
            allowed = [self._end_tokens[self._step - self._within]]
        elif self._step % (self._columns + 1) == self._columns:
            allowed = [self._end_of_row]
        self._step += 1
        masked = scores.new_full(scores.shape, float("-inf"))
        masked[:, allowed] = scores[:, allowed]
        return masked


def _decoded_drawings(
    checkpoint: Checkpoint, pixels: Any, texts: Sequence[str], mask: Any, tokens_out: int
) -> list[Drawing]:
    """Drawings from (n, height, width, 3) pixels as the model decodes them.

    Their scale is that in which its processor gives it pictures, (level / 255 - mean) / std.
    """
    import torch
    from PIL import Image

    scaling = checkpoint.processor.image_processor
    mean, std = (torch.as_tensor(value) for value in (scaling.image_mean, scaling.image_std))
    levels = ((pixels.float().cpu() * std + mean) * 255).round().clip(0, 255).byte().numpy()
    return [
        Drawing(Image.fromarray(picture), text, int(tokens_in), tokens_out)
        for picture, text, tokens_in in zip(levels, texts, mask.sum(1), strict=True)
    ]


Drawer = Callable[[Checkpoint, Sequence[SeededText], ImageGenerationConfig], list[Drawing]]

DRAWERS: dict[str, Drawer] = {"emu3": _emu3, "janus": _janus}
"""Type of a model -> the function that draws with it."""
