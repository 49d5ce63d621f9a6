"""Captioners, chat models and painters through Hugging Face transformers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

from pydantic import Field

from mmragbench._batching import batches, in_halves, opened, read_ahead
from mmragbench.backends.devices import Precision
from mmragbench.backends.prompts import CAPTION
from mmragbench.backends.transformers.image_generation import (
    ImageGenerationConfig,
    generate_drawings,
)
from mmragbench.backends.transformers.loading import LazyModel
from mmragbench.backends.transformers.templates import reads_prompts
from mmragbench.backends.transformers.text_generation import TextGenerationConfig, generate_replies
from mmragbench.errors import SuiteError
from mmragbench.records import Drawing, Failure, Image, Prompt, Reply
from mmragbench.registry import captioner, chat, painter

KIND = "AutoModelForImageTextToText"

Share = Annotated[float, Field(gt=0, le=1)]
Samples = Annotated[int, Field(ge=1)]


@captioner
class Transformers(LazyModel):
    """Captioner: any transformers image-text-to-text model (BLIP, GIT, LLaVA, ...), by hub name or folder; greedy.

    Args:
        name: `Salesforce/blip-image-captioning-base`, a path, or `shipped:<folder>`.
        max_new_tokens: length limit of a caption, in tokens.
        batch_size: images in one `generate` call.
        instruction: what a chat model (LLaVA, PaliGemma, ...) is asked; models that only caption
            (BLIP, GIT) are asked nothing.
        device: `auto`, `cpu`, `cuda`, `mps`.
        precision: `auto` (`bf16` on CUDA, else `fp32`), `fp32`, `bf16`, `fp16`.
    """

    def __init__(
        self,
        name: str,
        max_new_tokens: int = 40,
        batch_size: int = 32,
        instruction: str = CAPTION,
        device: str = "auto",
        precision: Precision = "auto",
    ) -> None:
        super().__init__(KIND, name, device, precision)
        self._instruction = instruction
        self._config = TextGenerationConfig(max_new_tokens, batch_size=batch_size)

    def caption(self, images: Sequence[Image], prompts: Sequence[str]) -> list[str | Failure]:
        """One caption an image. A prompt is how the caption has to begin (BLIP's convention); for
        a chat model it stands between the picture and the instruction."""
        if reads_prompts(self.checkpoint.processor):
            return self._caption_by_instruction(images, prompts)
        captions: list[str | Failure] = [""] * len(images)
        for prompt in dict.fromkeys(prompts):
            positions = [i for i, other in enumerate(prompts) if other == prompt]
            answers = self._continue([images[i] for i in positions], prompt)
            for position, answer in zip(positions, answers, strict=True):
                captions[position] = answer
        return captions

    def _caption_by_instruction(
        self, images: Sequence[Image], prompts: Sequence[str]
    ) -> list[str | Failure]:
        """Captions of a model that reads instructions."""
        instructed = [
            Prompt((image, *filter(None, (prompt, self._instruction))))
            for image, prompt in zip(images, prompts, strict=True)
        ]
        replies = generate_replies(self.checkpoint, instructed, self._config)
        return [r if isinstance(r, Failure) else r.text for r in replies]

    def _continue(self, images: Sequence[Image], prompt: str) -> list[str | Failure]:
        """Captions that begin with the prompt, by a model that only captions."""
        captions: list[str | Failure] = []
        for batch in batches(read_ahead(opened, images), self._config.batch_size):
            pictures = [picture for picture in batch if not isinstance(picture, Failure)]
            answers = in_halves(partial(self._generate, prompt), pictures) if pictures else []
            remaining = iter(answers)
            captions += [p if isinstance(p, Failure) else next(remaining) for p in batch]
        return captions

    def _generate(self, prompt: str, pictures: Sequence[Any]) -> list[str]:
        import torch

        model, processor = self.checkpoint.model, self.checkpoint.processor
        text = [prompt] * len(pictures) if prompt else None
        inputs = self.checkpoint.moved(
            processor(images=list(pictures), text=text, return_tensors="pt")
        )
        longest = self._config.max_new_tokens
        with torch.inference_mode():
            tokens = model.generate(**inputs, max_new_tokens=longest, do_sample=False, num_beams=1)
        answers = processor.batch_decode(tokens, skip_special_tokens=True)
        return [answer.strip() for answer in answers]


@chat
class TransformersChat(LazyModel):
    """Chat: any transformers image-text-to-text model (LLaVA, Qwen-VL, SmolVLM, PaliGemma, Emu3, ...).

    Prompts go through the model's chat template, pictures where they stand among the texts; a
    template that would gather them is given their tokens inside of the text. PaliGemma wants its
    pictures first; Fuyu and BLIP-2 read one. Of a prompt that is longer than the model reads, whole
    documents are dropped, from the last on; a query that is too long by itself is an error of its
    own. A model that also writes pictures (Emu3) writes words alone. A reply does not depend on the
    batch, up to rounding: in half precision two words that are as likely may change places.

    Args:
        name: `HuggingFaceTB/SmolVLM-256M-Instruct`, a path, or `shipped:<folder>`.
        max_new_tokens: length limit of a reply, in tokens.
        temperature: 0 is greedy; above, each prompt is sampled by its own seed, whatever the batch.
        top_p: the share of the distribution, from its most likely tokens on, that is sampled from
            (nucleus sampling); 1 for all of it.
        best_of: samples of each prompt, of which the one with the highest mean log likelihood a
            token is the reply; all of them count as tokens.
        batch_size: prompts in one `generate` call.
        max_side: larger pictures are scaled down to so many pixels a side, before what the
            processor does.
        device: `auto`, `cpu`, `cuda`, `mps`.
        precision: `auto` (`bf16` on CUDA, else `fp32`), `fp32`, `bf16`, `fp16`.
    """

    drops_documents = True

    def __init__(  # noqa: PLR0913, PLR0917 -- the vocabulary of suites
        self,
        name: str,
        max_new_tokens: int = 64,
        temperature: float = 0.0,
        top_p: Share = 1.0,
        best_of: Samples = 1,
        batch_size: int = 8,
        max_side: int | None = None,
        device: str = "auto",
        precision: Precision = "auto",
    ) -> None:
        super().__init__(KIND, name, device, precision)
        if best_of > 1 and not temperature:
            raise SuiteError(f"best_of: {best_of} needs samples; give a temperature above 0")
        self._config = TextGenerationConfig(
            max_new_tokens, temperature, batch_size, max_side, top_p, best_of
        )

    @property
    def samples(self) -> bool:
        """Whether a prompt's seed matters."""
        return self._config.temperature > 0

    def chat(self, prompts: Sequence[Prompt]) -> list[Reply | Failure]:
        """A reply each, with the text that the template made of the prompt."""
        return generate_replies(self.checkpoint, prompts, self._config)


@painter
class TransformersPainter(LazyModel):
    """Painter: transformers models that write pictures as tokens (Emu3, Janus), by each prompt's own seed.

    Models of Emu3's class read pictures and texts, interleaved, before they draw (`draw_in_context`);
    Janus draws what a text says. Prompts go through the model's chat template, if it has one, and
    are cut as the chat's are.

    Args:
        name: `BAAI/Emu3-Gen-hf`, `deepseek-community/Janus-Pro-1B`, a path, or `shipped:<folder>`.
        temperature: of the distribution that picture tokens are sampled from; 0 is greedy.
        top_p: the share of the distribution, from its most likely tokens on, that is sampled from
            (nucleus sampling); 1 for all of it.
        guidance: how many times what the prompt adds counts; 1 leaves the scores as they are.
        size: side in pixels (Emu3: 720 by default); Janus has but one.
        batch_size: pictures drawn at once.
        max_side: larger pictures of a prompt are scaled down to so many pixels a side, before what
            the processor does.
        device: `auto`, `cpu`, `cuda`, `mps`.
        precision: `auto` (`bf16` on CUDA, else `fp32`), `fp32`, `bf16`, `fp16`.
    """

    drops_documents = True

    def __init__(  # noqa: PLR0913, PLR0917 -- the vocabulary of suites
        self,
        name: str,
        temperature: float = 1.0,
        top_p: Share = 1.0,
        guidance: float = 5.0,
        size: int | None = None,
        batch_size: int = 4,
        max_side: int | None = None,
        device: str = "auto",
        precision: Precision = "auto",
    ) -> None:
        super().__init__(KIND, name, device, precision)
        self._config = ImageGenerationConfig(
            temperature, guidance, batch_size, size, top_p, max_side
        )

    def paint(self, prompts: Sequence[Prompt]) -> list[Drawing | Failure]:
        """A drawing each, with the text that the template made of the prompt."""
        return generate_drawings(self.checkpoint, prompts, self._config)
