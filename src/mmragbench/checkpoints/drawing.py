"""Pictures from models that write them as tokens, between the words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mmragbench.checkpoints.loading import Checkpoint
from mmragbench.checkpoints.lots import Lots
from mmragbench.checkpoints.rendering import render
from mmragbench.checkpoints.writing import begun
from mmragbench.devices import batches, in_halves
from mmragbench.errors import NotApplicable, SuiteError
from mmragbench.records import Drawing, Failure, Prompt

if TYPE_CHECKING:
    import PIL.Image


@dataclass(frozen=True)
class Strokes:
    """How it is drawn.

    Attributes:
        temperature: of the lots that each picture token is drawn by; 0 is greedy.
        guidance: how many times what the prompt adds counts; 1 is as it is.
        batch_size: pictures drawn at once.
    """

    temperature: float
    guidance: float
    batch_size: int


def draw(
    checkpoint: Checkpoint, prompts: Sequence[Prompt], strokes: Strokes
) -> list[Drawing | Failure]:
    """A drawing for each prompt, in their order, whatever the batches.

    Raises:
        SuiteError: the model writes no pictures.
        NotApplicable: there are pictures to go by: these models draw what a text says.
    """
    kind = checkpoint.model.config.model_type
    if kind not in DRAWN:
        raise SuiteError(
            f"{type(checkpoint.model).__name__} draws no pictures; types that do: "
            f"{', '.join(DRAWN)}; or use: diffusers"
        )
    if any(prompt.images for prompt in prompts):
        raise NotApplicable(f"{kind} draws from texts alone; show it none (draw: pictures: 0)")
    texts = [render(checkpoint.processor, prompt) for prompt in prompts]
    drawings: dict[int, Drawing | Failure] = {
        i: text for i, text in enumerate(texts) if isinstance(text, Failure)
    }
    ready = sorted(set(range(len(prompts))) - set(drawings), key=lambda i: len(str(texts[i])))
    for batch in batches(ready, strokes.batch_size):
        asked = [(str(texts[i]), prompts[i].seed) for i in batch]
        drawn = in_halves(lambda some: DRAWN[kind](checkpoint, some, strokes), asked)
        drawings |= dict(zip(batch, drawn, strict=True))
    return [drawings[i] for i in range(len(prompts))]


def _janus(
    checkpoint: Checkpoint, asked: Sequence[tuple[str, int]], strokes: Strokes
) -> list[Drawing]:
    import torch
    from transformers import LogitsProcessorList

    texts = [text for text, _ in asked]
    inputs = checkpoint.processor(
        text=texts,
        generation_mode="image",
        padding=True,
        return_tensors="pt",
        **begun(checkpoint, texts),
    )
    lots = Lots([seed for _, seed in asked], strokes.temperature, strokes.guidance)
    with torch.inference_mode():
        tokens = checkpoint.model.generate(
            **checkpoint.moved(inputs),
            generation_mode="image",
            do_sample=False,
            num_beams=1,
            guidance_scale=1,  # ours comes before the lots; the library's would come after
            logits_processor=LogitsProcessorList([lots]),
        )
        pixels = checkpoint.model.decode_image_tokens(tokens)
    pictures = _pictures(checkpoint, pixels)
    read = [int(count) for count in inputs["attention_mask"].sum(1)]
    return [
        Drawing(picture, text, told, tokens.shape[1])
        for picture, text, told in zip(pictures, texts, read, strict=True)
    ]


def _pictures(checkpoint: Checkpoint, pixels: Any) -> list[PIL.Image.Image]:
    """(n, height, width, 3) as the model decodes them, in its processor's scale."""
    from PIL import Image

    made = checkpoint.processor.postprocess(list(pixels.float().cpu()), return_tensors="pt")
    return [Image.fromarray(p.permute(1, 2, 0).numpy()) for p in made["pixel_values"]]


Draw = Callable[[Checkpoint, Sequence[tuple[str, int]], Strokes], list[Drawing]]

DRAWN: dict[str, Draw] = {"janus": _janus}
"""Type of a model -> how it draws."""
