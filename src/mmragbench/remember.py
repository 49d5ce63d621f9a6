"""Caching and metering around the model contracts: written once, unknown to models and strategies."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import numpy as np

from mmragbench.cache import Item, Items
from mmragbench.contracts import Captioner, Encoder, Reranker, Vectors
from mmragbench.errors import BadImage, DataError, MmragbenchError
from mmragbench.identity import digest
from mmragbench.meter import Meter
from mmragbench.records import Document, Failure, Image, Modality, Query, Text
from mmragbench.selftest import check

T = TypeVar("T")
Answer = bytes | Failure


class _Remembered:
    """Ask a model only for what is not known yet, chunk by chunk, each chunk stored at once."""

    role = ""
    chunk = 512
    weights = "none"
    """What identifies the model's weights (`mmragbench.weights`)."""

    def __init__(self, inner: Any, name: str, items: Items, meter: Meter) -> None:
        self._inner, self._name, self._items, self._meter = inner, name, items, meter

    def _face(self, item: Image | Text) -> str:
        """What the model looks at: the content, or the id where answers are looked up by id."""
        return item.id if getattr(self._inner, "by_id", False) else item.digest

    def _prepare(self) -> None:
        """What has to be done before the model is asked; its time is not the answers'."""

    def _answers(
        self, keys: Sequence[str], inputs: Sequence[T], ask: Callable[[list[T]], list[Answer]]
    ) -> list[Answer]:
        usage = self._meter.usage(self.role, self._name)
        distinct = dict(zip(keys, inputs, strict=True))
        known = self._items.get(list(distinct))
        missing = [key for key in distinct if key not in known]
        usage.items += len(distinct)
        usage.cached += len(known)
        usage.seconds += sum(item.seconds for item in known.values())
        self._meter.begin(f"{self._name} ({self.role})", len(missing))
        answers: dict[str, Answer] = {key: item.value for key, item in known.items()}
        if missing:
            self._prepare()
        for start in range(0, len(missing), self.chunk):
            part = missing[start : start + self.chunk]
            began = time.perf_counter()
            new = dict(zip(part, ask([distinct[key] for key in part]), strict=True))
            seconds = time.perf_counter() - began
            self._items.put(
                {
                    key: Item(answer, seconds / len(part))
                    for key, answer in new.items()
                    if not isinstance(answer, Failure)
                }
            )
            answers.update(new)
            usage.seconds += seconds
            usage.spent += seconds
            usage.failed += sum(isinstance(answer, Failure) for answer in new.values())
            self._meter.called(usage, len(part))
        return [answers[key] for key in keys]


def _one_by_one(ask: Callable[[list[T]], list[Answer]], inputs: list[T]) -> list[Answer]:
    """Ask for all; when that fails, for each alone, so that one bad item fails alone."""
    try:
        return ask(inputs)
    except Exception as error:
        if isinstance(error, MmragbenchError) and not isinstance(error, BadImage):
            raise
        if len(inputs) == 1:
            return [Failure(f"{type(error).__name__}: {error}")]
    return [answer for item in inputs for answer in _one_by_one(ask, [item])]


class RememberedEncoder(_Remembered):
    role = "encoder"

    def __init__(self, inner: Encoder, name: str, items: Items, meter: Meter) -> None:
        super().__init__(inner, name, items, meter)
        self.modalities: frozenset[Modality] = inner.modalities
        self._tried = False

    @property
    def resize(self) -> str | None:
        """How the model resizes pictures, if it says so; to know it, it may have to be loaded."""
        found: str | None = getattr(self._inner, "resize", None)
        return found

    @property
    def precision(self) -> str | None:
        """In what numbers the model computes, if it says so: `bf16-cuda`."""
        found: str | None = getattr(self._inner, "precision", None)
        return found

    def _prepare(self) -> None:
        """A model of pictures and texts that loads weights is loaded and tried, once."""
        load = getattr(self._inner, "load", None)
        if self._tried or load is None:
            return
        self._tried = True
        load()
        if self.modalities >= {"image", "text"}:
            for warning in check(self._inner, self._name):
                warnings.warn(warning, stacklevel=2)

    def encode_images(self, images: Sequence[Image]) -> Vectors:
        return self._encode("image", images, self._inner.encode_images)

    def encode_texts(self, texts: Sequence[Text]) -> Vectors:
        return self._encode("text", texts, self._inner.encode_texts)

    def key(self, item: Image | Text) -> str:
        """Under which the vector of an image or a text is known."""
        modality = "image" if isinstance(item, Image) else "text"
        return f"{modality}:{self._face(item)}"

    def _encode(
        self, modality: str, inputs: Sequence[Any], encode: Callable[[list[Any]], Vectors]
    ) -> Vectors:
        if not inputs:
            return np.zeros((0, 0), np.float32)
        keys = [self.key(item) for item in inputs]

        def ask(chunk: list[Any]) -> list[Answer]:
            return [row.tobytes() for row in np.asarray(encode(chunk), np.float32)]

        answers = self._answers(keys, inputs, lambda chunk: _one_by_one(ask, chunk))
        for item, answer in zip(inputs, answers, strict=True):
            if isinstance(answer, Failure):
                raise DataError(
                    f"{self._name} cannot encode {modality} {item.id!r}: {answer.reason}"
                )
        joined = b"".join(answer for answer in answers if isinstance(answer, bytes))
        return np.frombuffer(joined, np.float32).reshape(len(answers), -1)


class RememberedCaptioner(_Remembered):
    role = "captioner"
    chunk = 64

    def __init__(self, inner: Captioner, name: str, items: Items, meter: Meter) -> None:
        super().__init__(inner, name, items, meter)

    def caption(self, images: Sequence[Image], prompts: Sequence[str]) -> list[str | Failure]:
        keys = [self.key(i, prompt) for i, prompt in zip(images, prompts, strict=True)]

        def ask(chunk: list[tuple[Image, str]]) -> list[Answer]:
            captions = self._inner.caption([i for i, _ in chunk], [p for _, p in chunk])
            return [c if isinstance(c, Failure) else c.encode() for c in captions]

        pairs = list(zip(images, prompts, strict=True))
        answers = self._answers(keys, pairs, lambda chunk: _one_by_one(ask, chunk))
        return [a if isinstance(a, Failure) else a.decode() for a in answers]

    def key(self, image: Image, prompt: str = "") -> str:
        """Under which the caption of an image, with that prompt, is known."""
        return digest([self._face(image), prompt])


class RememberedReranker(_Remembered):
    role = "reranker"
    chunk = 2048

    def __init__(self, inner: Reranker, name: str, items: Items, meter: Meter) -> None:
        super().__init__(inner, name, items, meter)

    def score(self, queries: Sequence[Query], documents: Sequence[Document]) -> list[float]:
        pairs = list(zip(queries, documents, strict=True))
        keys = [f"{_face(query)}:{_face(document)}" for query, document in pairs]

        def ask(chunk: list[tuple[Query, Document]]) -> list[Answer]:
            scores = self._inner.score([q for q, _ in chunk], [d for _, d in chunk])
            return [np.float64(score).tobytes() for score in scores]

        answers = self._answers(keys, pairs, ask)
        # `ask` has no failures: a pair without a score would shift all that follow.
        joined = b"".join(cast("list[bytes]", answers))
        return [float(score) for score in np.frombuffer(joined, np.float64)]


def _face(item: Query | Document) -> str:
    """What a reranker sees of an item."""
    if isinstance(item, Document):
        texts = [text.digest for text in item.texts]
    else:
        texts = [item.text.digest] if item.text else []
    return digest([item.image.digest if item.image else None, *texts])[:32]
