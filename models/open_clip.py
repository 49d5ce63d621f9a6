"""CLIP and its kin through open_clip."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Literal, NamedTuple

import numpy as np
from safetensors import SafetensorError

from mmragbench._batching import batches, by_length, read_ahead
from mmragbench.backends.devices import (
    Precision,
    computing,
    normalised,
    resolve_device,
    resolve_precision,
)
from mmragbench.backends.padding import (
    PROBES,
    TOLERANCE,
    Truncation,
    text_encoder,
    truncation_of,
    verified,
)
from mmragbench.backends.transformers.missing_weights import describe_load_error, suggested_use
from mmragbench.backends.weights import fingerprint, locate
from mmragbench.contracts import Vectors
from mmragbench.errors import SuiteError, listed
from mmragbench.records import Image, Modality, Text
from mmragbench.registry import encoder

LIBRARY_ERRORS = (RuntimeError, OSError, ValueError, KeyError, UnpicklingError, SafetensorError)
"""Errors that open_clip raises for files that are missing, damaged or another model's."""


class Loaded(NamedTuple):
    """A model of open_clip with its preprocessing of pictures and its tokenizer."""

    model: Any
    preprocess: Any
    tokenize: Any


class TextTower(NamedTuple):
    """A function (tokens, truncation) -> vectors, and the truncation that does not change them."""

    encode: Callable[[Any, Truncation], Any]
    truncation: Truncation


@encoder
class OpenClip:
    """Image and text encoder: any open_clip architecture with a pretrained tag, hf-hub: or local-dir:.

    Args:
        name: an architecture (`ViT-B-32`), `hf-hub:<repository>`, `local-dir:<folder>` or
            `shipped:<folder>`.
        pretrained: the tag of an architecture's weights (`laion2b_s34b_b79k`).
        batch_size: images or texts in one forward pass.
        device: `auto`, `cpu`, `cuda`, `mps`.
        precision: `auto`, `fp32`, `bf16`, `fp16`; `auto` is 32 bits on a CPU.
        decode: `full`, or `draft`: a large JPEG is decoded at a half, a quarter or an eighth, to at
            least twice the size that the model needs. Pays where photographs are much larger than
            that; vectors move a little (70 photographs of COCO, decoded to 2.5 times the size:
            cosine 0.9999 on average, 0.996 at worst).
    """

    modalities: frozenset[Modality] = frozenset({"image", "text"})
    operational = frozenset({"batch_size", "device", "precision"})

    def __init__(
        self,
        name: str,
        pretrained: str | None = None,
        batch_size: int = 64,
        device: str = "auto",
        precision: Precision = "auto",
        decode: Literal["full", "draft"] = "full",
    ) -> None:
        self._name, self._pretrained = _local(name), pretrained
        self._batch_size, self._device_wanted = batch_size, device
        self._precision_wanted: Precision = precision
        self._decode = decode

    def weights(self) -> str:
        """Checksum of a local folder, revision of a hub repository, or the file's address (it holds a checksum)."""
        scheme, _, rest = self._name.partition(":")
        if scheme in ("local-dir", "hf-hub"):
            return fingerprint(rest)
        if self._pretrained and Path(self._pretrained).is_file():
            return fingerprint(self._pretrained)
        config = _open_clip().get_pretrained_cfg(self._name, self._pretrained or "")
        if repository := config.get("hf_hub"):
            return fingerprint("/".join(repository.split("/")[:2]))
        return str(config.get("url") or f"random:{self._name}")

    @property
    def _side(self) -> int | None:
        """The shortest side that a JPEG may be decoded to; None for its own size."""
        size = getattr(self._model.model.visual, "preprocess_cfg", {}).get("size")
        if self._decode == "full" or not size:
            return None
        return 2 * max([size] if isinstance(size, int) else size)

    @property
    def resize(self) -> str | None:
        """The resizing of pictures: `bicubic-antialias-shortest-224` (then cropped)."""
        config = getattr(self._model.model.visual, "preprocess_cfg", None)
        if not config:
            return None
        size = config["size"]
        side = "x".join(map(str, dict.fromkeys([size] if isinstance(size, int) else size)))
        return f"{config['interpolation']}-antialias-{config['resize_mode']}-{side}"

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
    def _model(self) -> Loaded:
        library = _open_clip()
        if ":" not in self._name and self._pretrained is None:
            tags = library.list_pretrained_tags_by_model(self._name)
            raise SuiteError(
                f"{self._name} is an architecture, and its weights would be random; say pretrained: "
                f"with a file or a tag; it has {listed(tags) or 'none'}"
            )
        _check_activation(self._name, self._pretrained)
        try:
            model, _, preprocess = library.create_model_and_transforms(
                self._name,
                pretrained=self._pretrained,
                device=self._device,
                weights_only=True,
                require_pretrained=True,  # else the library takes random ones where there are none
            )
        except LIBRARY_ERRORS as error:
            raise SuiteError(
                f"open_clip cannot load {self._name!r} (pretrained: {self._pretrained}): "
                f"{describe_load_error(error)}{suggested_use(self._name.partition(':')[2])}"
            ) from error
        _check_published_activation(self._name, model)
        return Loaded(model.eval(), preprocess, library.get_tokenizer(self._name))

    @cached_property
    def _text_tower(self) -> TextTower:
        """The text tower with the truncation that was verified for it."""
        model, _, tokenize = self._model
        encode = text_encoder(model)
        with computing(self.precision):
            tokens = tokenize(PROBES).to(self._device)
            tolerance = TOLERANCE[self.precision.partition("-")[0]]
            return TextTower(encode, verified(encode, tokens, truncation_of(model), tolerance))

    def encode_images(self, images: Sequence[Image]) -> Vectors:
        """(n, d) float32, L2-normalised."""
        import torch

        model, preprocess, _ = self._model
        side = self._side
        vectors = []
        with computing(self.precision):
            pixels = read_ahead(lambda image: preprocess(image.open(side)), images)
            for batch in batches(pixels, self._batch_size):
                stacked = torch.stack(batch).to(self._device)
                vectors.append(normalised(model.encode_image(stacked)))
        return np.concatenate(vectors) if vectors else np.zeros((0, 0), np.float32)

    def encode_texts(self, texts: Sequence[Text]) -> Vectors:
        """(n, d) float32, L2-normalised; texts beyond the context length are truncated. Padding is
        left out where the tower allows it (`mmragbench.backends.padding`)."""
        if not texts:
            return np.zeros((0, 0), np.float32)
        encode, truncation = self._text_tower
        tokens = self._model.tokenize([text.content for text in texts])
        order: list[int] = []
        vectors: list[Vectors] = []
        with computing(self.precision):
            for positions in by_length(truncation.lengths(tokens).tolist(), self._batch_size):
                order += positions
                rows = encode(tokens[positions].to(self._device), truncation)
                vectors.append(normalised(rows))
        return np.concatenate(vectors)[np.argsort(order)]


def _local(name: str) -> str:
    """A folder, shipped or given by path, is `local-dir:` to open_clip."""
    scheme, _, rest = name.partition(":")
    if scheme == "local-dir":
        return f"local-dir:{locate(rest)}"
    folder = locate(name)
    return f"local-dir:{folder}" if Path(folder).is_dir() else name


def _check_activation(name: str, pretrained: str | None) -> None:
    """Refuse weights that were trained with another GELU than the architecture has.

    open_clip only warns, and every vector would be slightly wrong.

    Raises:
        SuiteError: names the architecture that fits.
    """
    if not pretrained or ":" in name:
        return  # a folder or a hub repository brings its own architecture
    architecture = _open_clip().get_model_config(name) or {}
    weights = _open_clip().get_pretrained_cfg(name, pretrained)
    if not weights:
        return  # open_clip itself says that it does not know the tag
    quick = bool(weights.get("quick_gelu"))
    if quick != bool(architecture.get("quick_gelu")):
        fits = f"{name}-quickgelu" if quick else name.removesuffix("-quickgelu")
        raise SuiteError(
            f"{pretrained} of {name} was trained {'with' if quick else 'without'} QuickGELU; "
            f"use the architecture {fits}"
        )


def _check_published_activation(name: str, model: Any) -> None:
    """Refuse a folder or a hub repository whose configuration has another GELU than its weights.

    The weights' GELU is known from open_clip's list, by the repository's name, below which a
    snapshot's folder lies.

    Raises:
        SuiteError: says what to correct.
    """
    scheme, _, rest = name.partition(":")
    if scheme not in ("local-dir", "hf-hub"):
        return
    quick = any(type(module).__name__ == "QuickGELU" for module in model.modules())
    for repository, published in _published_activations().items():
        own = repository.rpartition("/")[2]
        if published != quick and own in Path(rest.replace("--", "/")).parts:
            raise SuiteError(
                f"{name}: the weights of {repository} were trained {'with' if published else 'without'} "
                f"QuickGELU; set quick_gelu: {str(published).lower()} in its open_clip_config.json"
            )


def _published_activations() -> dict[str, bool]:
    """Hub repository -> whether its weights were trained with QuickGELU; without those that have both."""
    library = _open_clip()
    activations: dict[str, set[bool]] = {}
    for architecture, tag in library.list_pretrained():
        config = library.get_pretrained_cfg(architecture, tag)
        if repository := "/".join(config.get("hf_hub", "").split("/")[:2]).rstrip("/"):
            activations.setdefault(repository, set()).add(bool(config.get("quick_gelu")))
    return {repository: quick.pop() for repository, quick in activations.items() if len(quick) == 1}


def _open_clip() -> Any:
    import open_clip

    return open_clip
