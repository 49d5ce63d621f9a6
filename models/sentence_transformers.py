"""Encoders of texts, and of images where the model reads them, and cross-encoders through sentence-transformers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from mmragbench._batching import batches, read_ahead
from mmragbench.backends.devices import (
    Precision,
    computing,
    normalised,
    resolve_device,
    resolve_precision,
    silence_progress_bars,
)
from mmragbench.backends.transformers.missing_weights import (
    recorded_loading,
    refuse_missing_weights,
    saved_as,
    suggested_use,
)
from mmragbench.backends.weights import fingerprint, locate, read_config
from mmragbench.contracts import Vectors
from mmragbench.errors import NotApplicable, SuiteError, first_line
from mmragbench.records import Document, Image, Modality, Query, Text
from mmragbench.registry import encoder, reranker

UNUSED = {"SentenceTransformer": r"pooler\.", "CrossEncoder": None}
"""Class -> pattern of weights that may be missing: sentence encoders pool by themselves, and many are
saved without BERT's pooler."""


@encoder
class SentenceTransformers:
    """Encoder: any sentence-transformers model, by hub name or folder; of images too, if it reads them.

    Args:
        name: `all-MiniLM-L6-v2`, `clip-ViT-B-32`, a path, or `shipped:<folder>`.
        batch_size: texts or images in one forward pass.
        device: `auto`, `cpu`, `cuda`, `mps`.
        precision: `auto`, `fp32`, `bf16`, `fp16`; `auto` is 32 bits on a CPU.
    """

    operational = frozenset({"batch_size", "device", "precision"})

    def __init__(
        self, name: str, batch_size: int = 64, device: str = "auto", precision: Precision = "auto"
    ) -> None:
        self._name, self._batch_size, self._device = locate(name), batch_size, device
        self._precision_wanted = precision

    @property
    def modalities(self) -> frozenset[Modality]:
        """The modalities that the model reads, by the loaded model or else by its files."""
        if "_model" in self.__dict__:
            images = "image" in getattr(self._model, "modalities", ())
        else:
            images = _has_image_processor(_hub_name(self._name))
        return frozenset({"text", "image"} if images else {"text"})

    def weights(self) -> str:
        """Checksum of a local folder or revision of a hub repository."""
        return fingerprint(_hub_name(self._name))

    @cached_property
    def precision(self) -> str:
        """`fp32-cpu`, `bf16-cuda`, ...: part of what identifies a vector."""
        return resolve_precision(self._precision_wanted, resolve_device(self._device))

    def load(self) -> None:
        """Load the weights now, downloading them if need be."""
        _ = self._model

    @cached_property
    def _model(self) -> Any:
        _refuse_cross_encoder(_hub_name(self._name))
        return _load("SentenceTransformer", self._name, self._device)

    def encode_images(self, images: Sequence[Image]) -> Vectors:
        """(n, d) float32, L2-normalised.

        Raises:
            NotApplicable: this model reads texts only.
        """
        if "image" not in self.modalities:
            raise NotApplicable(f"the sentence encoder {self._name!r} reads texts only")
        opened = batches(read_ahead(Image.open, images), self._batch_size)
        vectors = [self._encode(batch) for batch in opened]
        return np.concatenate(vectors) if vectors else np.zeros((0, 0), np.float32)

    def encode_texts(self, texts: Sequence[Text]) -> Vectors:
        """(n, d) float32, L2-normalised. The library itself sorts by length and pads to the longest."""
        if not texts:
            return np.zeros((0, 0), np.float32)
        return self._encode([text.content for text in texts])

    def _encode(self, inputs: Sequence[Any]) -> Vectors:
        with computing(self.precision):
            rows = self._model.encode(
                list(inputs),
                batch_size=self._batch_size,
                convert_to_tensor=True,
                show_progress_bar=False,
            )
            vectors: Vectors = normalised(rows)
        return vectors


@reranker
class CrossEncoder:
    """Reranker: any sentence-transformers cross-encoder; a document's best text counts.

    Args:
        name: `cross-encoder/ms-marco-MiniLM-L6-v2`, a path, or `shipped:<folder>`.
        batch_size: pairs in one forward pass.
        device: `auto`, `cpu`, `cuda`, `mps`.
    """

    def __init__(self, name: str, batch_size: int = 128, device: str = "auto") -> None:
        self._name, self._batch_size, self._device = locate(name), batch_size, device

    def weights(self) -> str:
        """Checksum of a local folder or revision of a hub repository."""
        return fingerprint(self._name)

    def load(self) -> None:
        """Load the weights now, downloading them if need be."""
        _ = self._model

    @cached_property
    def _model(self) -> Any:
        return _load("CrossEncoder", self._name, self._device)

    def score(self, queries: Sequence[Query], documents: Sequence[Document]) -> list[float]:
        """The best score over a document's texts (unitless, higher is better).

        Raises:
            NotApplicable: a query or a document has no text.
        """
        pairs, owners = [], []
        for owner, (query, document) in enumerate(zip(queries, documents, strict=True)):
            if query.text is None or not document.texts:
                raise NotApplicable("a cross-encoder reads texts; give the strategy a captioner")
            pairs += [(query.text.content, text.content) for text in document.texts]
            owners += [owner] * len(document.texts)
        scores = self._model.predict(pairs, batch_size=self._batch_size, show_progress_bar=False)
        best = np.full(len(queries), -np.inf)
        np.maximum.at(best, owners, np.asarray(scores, np.float64))
        return best.tolist()


def _has_image_processor(name: str) -> bool:
    """Whether a folder, or a hub repository in the local cache, holds an image processor for its first
    module."""
    first = (read_config(name, "modules.json") or [{}])[0].get("path", "")
    within = f"{first}/" if first else ""
    processor = read_config(name, f"{within}processor_config.json") or {}
    own = read_config(name, f"{within}preprocessor_config.json") or {}
    return "image_processor" in processor or any(key.startswith("image_") for key in own)


def _hub_name(name: str) -> str:
    """The library's own models may be named without their organisation."""
    return name if "/" in name or Path(name).is_dir() else f"sentence-transformers/{name}"


def _refuse_cross_encoder(name: str) -> None:
    """Refuse a cross-encoder: the library would pool its tokens to vectors that were not trained.

    Raises:
        SuiteError: the checkpoint is one.
    """
    saved = saved_as(name)
    if saved.endswith("ForSequenceClassification") and read_config(name, "modules.json") is None:
        raise SuiteError(f"{name!r} is no sentence encoder{suggested_use(name)}")


def _load(kind: str, name: str, device: str) -> Any:
    import sentence_transformers
    import transformers

    silence_progress_bars()
    try:
        with recorded_loading(transformers.PreTrainedModel) as reports:
            model = getattr(sentence_transformers, kind)(
                name, device=resolve_device(device), model_kwargs={"use_safetensors": True}
            )
    except (OSError, ValueError, RuntimeError) as error:
        raise SuiteError(
            f"sentence_transformers cannot load {name!r}: {first_line(error)}{suggested_use(_hub_name(name))}"
        ) from error
    refuse_missing_weights(_hub_name(name), reports, UNUSED[kind])
    return model
