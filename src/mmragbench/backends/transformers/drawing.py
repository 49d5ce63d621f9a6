"""Pictures from models that write them as tokens, between the words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mmragbench._batching import batches, in_halves
from mmragbench.backends.transformers.loading import Checkpoint
from mmragbench.backends.transformers.sampling import Lots
from mmragbench.backends.transformers.templates import render
from mmragbench.backends.transformers.writing import begun
from mmragbench.errors import NotApplicable, SuiteError
from mmragbench.records import Drawing, Failure, Prompt


@dataclass(frozen=True)
class Strokes:
    """How it is drawn.

    Attributes:
        temperature: of the lots that each picture token is drawn by; 0 is greedy.
        guidance: how many times what the prompt adds counts; 1 is as it is.
        batch_size: pictures drawn at once.
        size: side in pixels, for models that leave the choice; None for their default.
    """

    temperature: float
    guidance: float
    batch_size: int
    size: int | None = None


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

    if strokes.size is not None:
        raise SuiteError("Janus draws in one size; leave out size")
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
    return _drawings(checkpoint, pixels, texts, inputs["attention_mask"], tokens.shape[1])


def _emu3(
    checkpoint: Checkpoint, asked: Sequence[tuple[str, int]], strokes: Strokes
) -> list[Drawing]:
    import torch
    from transformers import LogitsProcessorList

    texts = [text for text, _ in asked]
    inputs, rows, columns = _framed(checkpoint, texts, strokes.size)
    untold, _, _ = _framed(checkpoint, [""] * len(texts), strokes.size)
    lots = Lots([seed for _, seed in asked], strokes.temperature)
    grid = Grid(checkpoint, rows, columns)
    with torch.inference_mode():
        tokens = checkpoint.model.generate(
            **inputs,
            max_new_tokens=grid.length,
            do_sample=False,
            num_beams=1,
            guidance_scale=strokes.guidance,
            negative_prompt_ids=untold["input_ids"],
            negative_prompt_attention_mask=untold["attention_mask"],
            logits_processor=LogitsProcessorList([lots, grid]),
        )[:, inputs["input_ids"].shape[1] :]
        pixels = checkpoint.model.decode_image_tokens(
            image_tokens=tokens, height=rows, width=columns
        )
    pixels = pixels.permute(0, 2, 3, 1)
    return _drawings(checkpoint, pixels, texts, inputs["attention_mask"], tokens.shape[1])


def _framed(
    checkpoint: Checkpoint, texts: Sequence[str], size: int | None
) -> tuple[dict[str, Any], int, int]:
    """Inputs that end where the picture begins; its rows and columns in tokens."""
    area = {"image_area": size * size} if size else {}
    inputs = checkpoint.processor(
        text=list(texts),
        return_for_image_generation=True,
        padding=True,
        return_tensors="pt",
        **area,
        **begun(checkpoint, texts),
    )
    ((rows, columns), *_) = inputs.pop("image_sizes")
    return dict(checkpoint.moved(inputs)), int(rows), int(columns)


class Grid:
    """A logits processor: rows of picture tokens, each closed by its end; then the picture's ends.

    The rule is Emu3's (Wang et al. 2024), as transformers documents it.
    """

    def __init__(self, checkpoint: Checkpoint, rows: int, columns: int) -> None:
        import torch

        words, mapping = checkpoint.processor.tokenizer, checkpoint.model.model.vocabulary_mapping
        self._columns, self._within = columns, rows * (columns + 1)
        self._picture = torch.as_tensor(mapping.image_tokens, device=checkpoint.device)
        self._end_of_row = mapping.eol_token_id
        self._ends = [
            words.convert_tokens_to_ids(checkpoint.processor.eof_token),
            words.convert_tokens_to_ids(checkpoint.processor.image_end_token),
            words.eos_token_id,
        ]
        self.length = self._within + len(self._ends)
        self._step = 0

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """Scores (rows, vocabulary), all but what may come next at minus infinity."""
        allowed: Any = self._picture
        if self._step >= self._within:
            allowed = [self._ends[self._step - self._within]]
        elif self._step % (self._columns + 1) == self._columns:
            allowed = [self._end_of_row]
        self._step += 1
        kept = scores.new_full(scores.shape, float("-inf"))
        kept[:, allowed] = scores[:, allowed]
        return kept


def _drawings(
    checkpoint: Checkpoint, pixels: Any, texts: Sequence[str], mask: Any, drawn: int
) -> list[Drawing]:
    """Drawings from (n, height, width, 3) pixels as the model decodes them: in the scale in which
    its processor gives it pictures, (level / 255 - mean) / std."""
    import torch
    from PIL import Image

    look = checkpoint.processor.image_processor
    mean, std = (torch.as_tensor(value) for value in (look.image_mean, look.image_std))
    levels = ((pixels.float().cpu() * std + mean) * 255).round().clip(0, 255).byte().numpy()
    return [
        Drawing(Image.fromarray(picture), text, int(told), drawn)
        for picture, text, told in zip(levels, texts, mask.sum(1), strict=True)
    ]


Draw = Callable[[Checkpoint, Sequence[tuple[str, int]], Strokes], list[Drawing]]

DRAWN: dict[str, Draw] = {"emu3": _emu3, "janus": _janus}
"""Type of a model -> how it draws."""
