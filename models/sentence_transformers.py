"""Text encoders and cross-encoders through sentence-transformers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from mmragbench.contracts import Vectors
from mmragbench.devices import best_device, quiet
from mmragbench.errors import MissingExtra, NotApplicable, SuiteError
from mmragbench.records import Document, Image, Modality, Query, Text
from mmragbench.registry import encoder, reranker
from mmragbench.weights import fingerprint, locate


@encoder
class SentenceTransformers:
    """Text encoder: any sentence-transformers model, by hub name or folder.

    Args:
        name: `all-MiniLM-L6-v2`, a path, or `shipped:<folder>`.
        batch_size: texts in one forward pass.
        device: `auto`, `cpu`, `cuda`, `mps`.
    """

    modalities: frozenset[Modality] = frozenset({"text"})

    def __init__(self, name: str, batch_size: int = 64, device: str = "auto") -> None:
        self._name, self._batch_size, self._device = locate(name), batch_size, device

    def weights(self) -> str:
        """Checksum of a local folder or revision of a hub repository."""
        return fingerprint(_hub_name(self._name))

    def load(self) -> None:
        """Load the weights now, downloading them if need be."""
        _ = self._model

    @cached_property
    def _model(self) -> Any:
        return _load("SentenceTransformer", self._name, self._device)

    def encode_images(self, images: Sequence[Image]) -> Vectors:
        raise NotApplicable(f"the sentence encoder {self._name!r} reads texts only")

    def encode_texts(self, texts: Sequence[Text]) -> Vectors:
        """(n, d) float32, L2-normalised."""
        vectors = self._model.encode(
            [text.content for text in texts],
            batch_size=self._batch_size,
            normalize_embeddings=True,
            show_progress_bar=False,
        )
        return np.asarray(vectors, np.float32).reshape(len(texts), -1 if texts else 0)


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


def _hub_name(name: str) -> str:
    """The library's own models may be named without their organisation."""
    return name if "/" in name else f"sentence-transformers/{name}"


def _load(kind: str, name: str, device: str) -> Any:
    try:
        import sentence_transformers
    except ImportError as error:
        raise MissingExtra("sentence_transformers", "sentence-transformers") from error
    quiet()
    try:
        return getattr(sentence_transformers, kind)(
            name, device=best_device(device), model_kwargs={"use_safetensors": True}
        )
    except (OSError, ValueError) as error:
        raise SuiteError(
            f"sentence_transformers cannot load {name!r}: {str(error).splitlines()[0]}"
        ) from error
