"""Captioners through Hugging Face transformers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from mmragbench.devices import batches, best_device, quiet, read_ahead
from mmragbench.errors import MissingExtra, SuiteError
from mmragbench.records import Failure, Image
from mmragbench.registry import captioner
from mmragbench.weights import fingerprint, locate


@captioner
class Transformers:
    """Captioner: any transformers image-to-text model (BLIP, GIT, ...), by hub name or folder; greedy.

    Args:
        name: `Salesforce/blip-image-captioning-base`, a path, or `shipped:<folder>`.
        max_new_tokens: length limit of a caption, in tokens.
        batch_size: images in one `generate` call.
        device: `auto`, `cpu`, `cuda`, `mps`.
    """

    def __init__(
        self, name: str, max_new_tokens: int = 40, batch_size: int = 32, device: str = "auto"
    ) -> None:
        self._name, self._max_new_tokens = locate(name), max_new_tokens
        self._batch_size, self._device_wanted = batch_size, device

    def weights(self) -> str:
        """Checksum of a local folder or revision of a hub repository."""
        return fingerprint(self._name)

    @cached_property
    def _device(self) -> str:
        return best_device(self._device_wanted)

    def load(self) -> None:
        """Load the weights now, downloading them if need be."""
        _ = self._model

    @cached_property
    def _model(self) -> tuple[Any, Any]:
        try:
            from transformers import AutoModelForImageTextToText, AutoProcessor
        except ImportError as error:
            raise MissingExtra("transformers", "transformers") from error
        quiet()
        try:
            model = AutoModelForImageTextToText.from_pretrained(self._name, use_safetensors=True)
            processor = AutoProcessor.from_pretrained(self._name)
        except (OSError, ValueError) as error:
            raise SuiteError(
                f"transformers cannot load {self._name!r}: {str(error).splitlines()[0]}"
            ) from error
        return model.to(self._device).eval(), processor

    def caption(self, images: Sequence[Image], prompts: Sequence[str]) -> list[str | Failure]:
        """One caption an image; a prompt is how the caption has to begin (BLIP's convention)."""
        captions: list[str | Failure] = [""] * len(images)
        for prompt in dict.fromkeys(prompts):
            positions = [i for i, other in enumerate(prompts) if other == prompt]
            answers = self._generate([images[i] for i in positions], prompt)
            for position, answer in zip(positions, answers, strict=True):
                captions[position] = answer
        return captions

    def _generate(self, images: Sequence[Image], prompt: str) -> list[str]:
        import torch

        model, processor = self._model
        answers: list[str] = []
        with torch.inference_mode():
            for batch in batches(read_ahead(Image.open, images), self._batch_size):
                text = [prompt] * len(batch) if prompt else None
                inputs = processor(images=batch, text=text, return_tensors="pt").to(self._device)
                tokens = model.generate(
                    **inputs, max_new_tokens=self._max_new_tokens, do_sample=False, num_beams=1
                )
                answers += processor.batch_decode(tokens, skip_special_tokens=True)
        return [answer.strip() for answer in answers]
