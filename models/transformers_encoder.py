"""CLIP, SigLIP and their kin, and encoders of pictures alone (DINO, DINOv2, ViT), through Hugging Face
transformers: an encoder named `transformers`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from mmragbench._batching import batches, by_length, read_ahead
from mmragbench.backends.devices import (
    Precision,
    computing,
    normalised,
    resolve_device,
    resolve_precision,
    silence_progress_bars,
)
from mmragbench.backends.padding import PROBES, TOLERANCE
from mmragbench.backends.transformers.missing_weights import (
    load_pretrained,
    refuse_missing_weights,
    suggested_use,
)
from mmragbench.backends.weights import fingerprint, locate, read_config
from mmragbench.contracts import Vectors
from mmragbench.errors import NotApplicable, SuiteError, first_line
from mmragbench.records import Image, Modality, Text
from mmragbench.registry import Component, register

Inputs = Mapping[str, Any]
"""Tensors by the names of a model's arguments."""


class TransformersEncoder:
    """Image and text encoder: any transformers model with a shared space (CLIP, SigLIP, SigLIP 2, ALIGN, ...);
    or an encoder of pictures alone (DINO, DINOv2, ViT, ConvNeXt, ...).

    Of pictures alone, a vector is the class token after the last layer, on which DINO-I is defined; of a
    model that has none, its pooled features.

    Args:
        name: `openai/clip-vit-base-patch32`, `google/siglip-base-patch16-224`, `facebook/dino-vits16`, or a path.
        batch_size: images or texts in one forward pass.
        device: `auto`, `cpu`, `cuda`, `mps`.
        precision: `auto`, `fp32`, `bf16`, `fp16`; `auto` is 32 bits on a CPU.
    """

    operational = frozenset({"batch_size", "device", "precision"})

    def __init__(
        self, name: str, batch_size: int = 64, device: str = "auto", precision: Precision = "auto"
    ) -> None:
        self._name, self._batch_size = locate(name), batch_size
        self._device_wanted, self._precision_wanted = device, precision

    @property
    def modalities(self) -> frozenset[Modality]:
        """The modalities that the model reads, by its `config.json`."""
        config = read_config(self._name, "config.json") or {}
        of_pictures = config.keys() & {"image_size", "num_channels"}
        if of_pictures and not config.keys() & {"text_config", "vocab_size"}:
            return frozenset({"image"})
        return frozenset({"image", "text"})

    def weights(self) -> str:
        """Checksum of a local folder or revision of a hub repository."""
        return fingerprint(self._name)

    @cached_property
    def _device(self) -> str:
        return resolve_device(self._device_wanted)

    @cached_property
    def precision(self) -> str:
        """`fp32-cpu`, `bf16-cuda`, ...: part of what identifies a vector."""
        return resolve_precision(self._precision_wanted, self._device)

    def load(self) -> None:
        """Load the weights now, downloading them if need be."""
        _ = self._model

    @cached_property
    def _model(self) -> tuple[Any, Any]:
        from transformers import AutoImageProcessor, AutoModel, AutoProcessor

        silence_progress_bars()
        try:
            model, report = load_pretrained(AutoModel, self._name, use_safetensors=True)
            if "text" in self.modalities:
                _refuse_without_common_space(self._name, model)
                processor = AutoProcessor.from_pretrained(self._name)
            else:
                processor = AutoImageProcessor.from_pretrained(self._name)
        except (OSError, ValueError, RuntimeError) as error:
            raise SuiteError(
                f"transformers cannot load {self._name!r}: {first_line(error)}{suggested_use(self._name)}"
            ) from error
        # ViT's pooler, which DINO's checkpoints lack, comes after the class token.
        refuse_missing_weights(self._name, [report], r"pooler\." if _class_token(model) else None)
        return model.to(self._device).eval(), processor

    def encode_images(self, images: Sequence[Image]) -> Vectors:
        """(n, d) float32, L2-normalised."""
        import torch

        model, processor = self._model
        image_processor = getattr(processor, "image_processor", processor)

        def load(image: Image) -> Inputs:
            pixels: Inputs = image_processor(images=[image.open()], return_tensors="pt")
            return pixels

        vectors = []
        with computing(self.precision):
            for batch in batches(read_ahead(load, images), self._batch_size):
                stacked = {name: torch.cat([one[name] for one in batch]) for name in batch[0]}
                vectors.append(normalised(_image_features(model, self._on_device(stacked))))
        return np.concatenate(vectors) if vectors else np.zeros((0, 0), np.float32)

    def encode_texts(self, texts: Sequence[Text]) -> Vectors:
        """(n, d) float32, L2-normalised; texts beyond the context length are truncated. Each is padded to
        the context, as these models were trained; padding that does not matter is left out.

        Raises:
            NotApplicable: the model reads pictures alone.
        """
        if "text" not in self.modalities:
            raise NotApplicable(f"{self._name} encodes pictures, not texts")
        if not texts:
            return np.zeros((0, 0), np.float32)
        tokens = self._tokens([text.content for text in texts])
        lengths = _lengths(tokens) if self._truncates else [_context(tokens)] * len(texts)
        vectors: dict[int, Vectors] = {}
        with computing(self.precision):
            for positions in by_length(lengths, self._batch_size):
                rows = self._encode(tokens, positions, max(lengths[i] for i in positions))
                vectors.update(zip(positions, rows, strict=True))
        return np.stack([vectors[i] for i in range(len(texts))])

    @cached_property
    def _truncates(self) -> bool:
        """Whether padding may be left out: the tokenizer marks it, and two short texts have the same
        vectors without it."""
        tokens = self._tokens(PROBES)
        if "attention_mask" not in tokens:
            return False
        with computing(self.precision):
            whole = self._encode(tokens, [0, 1], _context(tokens))
            short = self._encode(tokens, [0, 1], max(_lengths(tokens)))
        return bool(np.abs(whole - short).max() <= TOLERANCE[self.precision.partition("-")[0]])

    def _encode(self, tokens: Inputs, positions: list[int], length: int) -> Vectors:
        inputs = {name: rows[positions, :length] for name, rows in tokens.items()}
        rows: Vectors = normalised(
            _pooled(self._model[0].get_text_features(**self._on_device(inputs)))
        )
        return rows

    def _tokens(self, texts: Sequence[str]) -> Inputs:
        model, processor = self._model
        context = getattr(model.config.text_config, "max_position_embeddings", 512)
        tokens: Inputs = processor.tokenizer(
            list(texts),
            padding="max_length",
            truncation=True,
            max_length=min(context, processor.tokenizer.model_max_length),
            return_tensors="pt",
        )
        return tokens

    def _on_device(self, inputs: Inputs) -> Inputs:
        return {name: tensor.to(self._device) for name, tensor in inputs.items()}


register(Component("encoder", "transformers", TransformersEncoder))


def _refuse_without_common_space(name: str, model: Any) -> None:
    """Refuse a model without a common space of images and texts, or whose towers have two kinds of GELU.

    A model is trained with one kind.

    Raises:
        SuiteError: says which.
    """
    if not hasattr(model, "get_image_features") or not hasattr(model, "get_text_features"):
        raise SuiteError(
            f"{name} is a {type(model).__name__}, which has no common space of images and texts; "
            "sentence_transformers loads text encoders"
        )
    config = model.config
    towers = {"text": config.text_config, "vision": config.vision_config}
    kinds = {tower: getattr(own, "hidden_act", None) for tower, own in towers.items()}
    if len({kind == "quick_gelu" for kind in kinds.values()}) > 1:
        raise SuiteError(
            f"{name}: hidden_act is {kinds['text']} for texts and {kinds['vision']} for images; "
            "CLIP's weights were trained with one of them (OpenAI's with quick_gelu): correct its "
            "config.json"
        )


def _class_token(model: Any) -> bool:
    """Whether a model of pictures alone has a class token."""
    return not hasattr(model, "get_image_features") and any(
        name.endswith("cls_token") for name, _ in model.named_parameters()
    )


def _image_features(model: Any, inputs: Inputs) -> Any:
    """The rows (n, d) of pictures."""
    if hasattr(model, "get_image_features"):
        return _pooled(model.get_image_features(**inputs))
    output = model(**inputs)
    return output.last_hidden_state[:, 0] if _class_token(model) else _pooled(output).flatten(1)


def _pooled(output: Any) -> Any:
    """The pooled rows (n, d) of a tower's output, which `transformers` 5 wraps and earlier ones did not."""
    return getattr(output, "pooler_output", output)


def _lengths(tokens: Inputs) -> list[int]:
    """The number of tokens of each row without padding; at least 1."""
    lengths: list[int] = tokens["attention_mask"].sum(dim=1).clamp(min=1).tolist()
    return lengths


def _context(tokens: Inputs) -> int:
    return int(tokens["input_ids"].shape[1])
