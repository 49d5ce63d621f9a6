"""Pictures from models that write them as tokens, between the words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mmragbench.backends.transformers.loading import Checkpoint
from mmragbench.backends.transformers.picture_tokens import PictureGrid
from mmragbench.backends.transformers.prompt_batches import (
    RenderedPrompt,
    Writer,
    answers_to,
    bos_options,
    inputs_of,
)
from mmragbench.backends.transformers.sampling import SeededGumbelSampler
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
        top_p: the share of the distribution, from its most likely tokens on, that is sampled from.
        max_side: larger pictures of a prompt are scaled down to so many pixels a side; None for as
            they are.
    """

    temperature: float
    guidance: float
    batch_size: int
    size: int | None = None
    top_p: float = 1.0
    max_side: int | None = None


def generate_drawings(
    checkpoint: Checkpoint, prompts: Sequence[Prompt], config: ImageGenerationConfig
) -> list[Drawing | Failure]:
    """A drawing for each prompt, in their order, whatever the batches.

    Raises:
        SuiteError: the model writes no pictures.
        NotApplicable: a prompt has pictures, and the model draws what a text says.
    """
    kind = checkpoint.model.config.model_type
    if kind not in DRAWERS:
        raise SuiteError(
            f"{type(checkpoint.model).__name__} draws no pictures; types that do: "
            f"{', '.join(DRAWERS)}; or use: diffusers"
        )
    if kind in TEXT_ALONE and any(prompt.images for prompt in prompts):
        raise NotApplicable(f"{kind} draws from texts alone; show it none (pictures: 0)")
    drawer = DRAWERS[kind](checkpoint, config)
    return answers_to(prompts, checkpoint, drawer, config.batch_size, config.max_side)


class JanusDrawer:
    """Continues texts with the tokens of a picture, by Janus.

    Args:
        checkpoint: the model.
        config: how it draws.
    """

    def __init__(self, checkpoint: Checkpoint, config: ImageGenerationConfig) -> None:
        if config.size is not None:
            raise SuiteError("Janus draws in one size; leave out size")
        self._checkpoint, self._config = checkpoint, config
        self.new_tokens = checkpoint.processor.num_image_tokens

    def read(self, prompts: Sequence[RenderedPrompt]) -> Any:
        """The processor's inputs for the generation of a picture."""
        texts = [prompt.text for prompt in prompts]
        inputs = self._checkpoint.processor(
            text=texts,
            generation_mode="image",
            padding=True,
            return_tensors="pt",
            **bos_options(self._checkpoint, texts),
        )
        return self._checkpoint.moved(inputs)

    def write(self, prompts: Sequence[RenderedPrompt], inputs: Any) -> list[Drawing]:
        """A drawing each."""
        import torch
        from transformers import LogitsProcessorList

        model, config = self._checkpoint.model, self._config
        sampler = SeededGumbelSampler(
            [prompt.seed for prompt in prompts], config.temperature, config.guidance, config.top_p
        )
        with torch.inference_mode():
            tokens = model.generate(
                **inputs,
                generation_mode="image",
                do_sample=False,
                num_beams=1,
                guidance_scale=1,  # ours comes before the noise; the library's would come after it
                logits_processor=LogitsProcessorList([sampler]),
            )
            pixels = model.decode_image_tokens(tokens)
        return _decoded_drawings(self._checkpoint, pixels, prompts, inputs, tokens.shape[1])


class Emu3Drawer:
    """Continues pictures and texts, interleaved, with the tokens of a picture, by models of Emu3's class.

    Args:
        checkpoint: the model.
        config: how it draws.
    """

    def __init__(self, checkpoint: Checkpoint, config: ImageGenerationConfig) -> None:
        processor = checkpoint.processor
        self._checkpoint, self._config = checkpoint, config
        area = {"image_area": config.size**2} if config.size else {}
        self._unconditional = processor(
            text=[""], return_for_image_generation=True, return_tensors="pt", **area
        )
        ((self._rows, self._columns),) = self._unconditional.pop("image_sizes")
        start, wrapper = processor.image_start_token, processor.fake_token_around_image
        self._opening = f"{start}{self._rows}*{self._columns}{wrapper}"
        self.new_tokens = self._grid().length

    def _grid(self) -> PictureGrid:
        return PictureGrid(self._checkpoint, self._rows, self._columns)

    def read(self, prompts: Sequence[RenderedPrompt]) -> Any:
        """Inputs that end where a picture begins. Emu3's processor makes them by itself only for
        prompts without pictures."""
        return inputs_of(self._checkpoint, prompts, self._opening)

    def write(self, prompts: Sequence[RenderedPrompt], inputs: Any) -> list[Drawing]:
        """A drawing each."""
        import torch
        from transformers import LogitsProcessorList

        model, config = self._checkpoint.model, self._config
        unconditional = self._checkpoint.moved(self._unconditional)
        seeds = [prompt.seed for prompt in prompts]
        sampler = SeededGumbelSampler(seeds, config.temperature, top_p=config.top_p)
        with torch.inference_mode():
            tokens = model.generate(
                **inputs,
                max_new_tokens=self.new_tokens,
                do_sample=False,
                num_beams=1,
                guidance_scale=config.guidance,
                negative_prompt_ids=unconditional["input_ids"].repeat(len(prompts), 1),
                negative_prompt_attention_mask=unconditional["attention_mask"].repeat(
                    len(prompts), 1
                ),
                logits_processor=LogitsProcessorList([self._grid(), sampler]),
            )[:, inputs["input_ids"].shape[1] :]
            pixels = model.decode_image_tokens(
                image_tokens=tokens, height=self._rows, width=self._columns
            )
        pixels = pixels.permute(0, 2, 3, 1)
        return _decoded_drawings(self._checkpoint, pixels, prompts, inputs, tokens.shape[1])


def _decoded_drawings(
    checkpoint: Checkpoint,
    pixels: Any,
    prompts: Sequence[RenderedPrompt],
    inputs: Any,
    tokens_out: int,
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
        Drawing(Image.fromarray(picture), prompt.text, int(tokens_in), tokens_out)
        for picture, prompt, tokens_in in zip(
            levels, prompts, inputs["attention_mask"].sum(1), strict=True
        )
    ]


DRAWERS: dict[str, Callable[[Checkpoint, ImageGenerationConfig], Writer]] = {
    "emu3": Emu3Drawer,
    "janus": JanusDrawer,
}
"""Type of a model -> what draws with it."""

TEXT_ALONE = frozenset({"janus"})
"""Types of models that draw from texts alone."""
