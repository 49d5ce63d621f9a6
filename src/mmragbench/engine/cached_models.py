"""Caching and metering around the model contracts: written once, unknown to models and strategies."""

from __future__ import annotations

import io
import json
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from mmragbench._batching import in_halves
from mmragbench._files import write_atomically
from mmragbench._validation import (
    UNUSABLE,
    as_modalities,
    as_rows,
    other_lengths,
    same_width,
    unusable,
)
from mmragbench.backends.selftest import check
from mmragbench.backends.thoughts import without_thoughts
from mmragbench.cache.identity import digest
from mmragbench.cache.items import Item
from mmragbench.cache.vectors import Locations
from mmragbench.contracts import Traits, Vectors
from mmragbench.engine.meter import Meter, Usage
from mmragbench.engine.threads import overlapping
from mmragbench.errors import ContractError, DataError, listed
from mmragbench.records import (
    Document,
    Drawing,
    Failure,
    Image,
    Modality,
    Prompt,
    Query,
    Reply,
    Text,
)

T = TypeVar("T")

COST = ("tokens_in", "tokens_out", "dollars", "retries")
"""What replies, drawings and failures say of their cost, and usage sums up."""

EVENTS = ("thoughts", "truncated", "dropped")
"""What may have happened to a reply or drawing, by which usage counts them."""


class CachedModel:
    """A model that computes only what is not known yet, chunk by chunk, each chunk stored at once.

    Args:
        inner: the model itself.
        name: what the suite calls it.
        store: where its answers are stored; None for a model that is made of others, which store
            theirs: it is asked each time.
        meter: counts its usage.
    """

    role = ""
    chunk = 512
    weights = "none"
    """What identifies the model's weights (`mmragbench.backends.weights`)."""

    def __init__(self, inner: Any, name: str, store: Any, meter: Meter) -> None:
        self._inner, self._name, self._store, self._meter = inner, name, store, meter
        self._traits = Traits(inner)

    @property
    def inner(self) -> Any:
        """The model itself, which is not called here."""
        return self._inner

    def _content_key(self, item: Image | Text) -> str:
        """What the model looks at: the content, or the id where answers are looked up by id."""
        return item.id if self._traits.by_id else item.digest

    def _usage(self) -> Usage:
        return self._meter.usage(self.role, self._name)

    def _paired(self, keys: Sequence[str], answers: Sequence[T]) -> dict[str, T]:
        if len(answers) != len(keys):
            count = f"{len(answers)} answers for {len(keys)} items"
            raise ContractError(f"{self._name} ({self.role}) gave {count}")
        return dict(zip(keys, answers, strict=True))

    def _computed(
        self, items: Mapping[str, Any], compute: Callable[[list[Any]], list[Any]], size: int
    ) -> Iterator[dict[str, Any]]:
        """The answers by key, each chunk stored and counted before it comes; one by one and several
        at once where the model waits for a server (`concurrency`), each as soon as it is there."""

        def work(part: list[str]) -> tuple[dict[str, Any], float]:
            start = time.perf_counter()
            answers = self._paired(part, compute([items[key] for key in part]))
            return answers, time.perf_counter() - start

        self._meter.begin(f"{self._name} ({self.role})", len(items))
        keys, at_once = list(items), self._traits.concurrency
        chunks, sharing = [keys[i : i + size] for i in range(0, len(keys), size)], 1
        timed: Iterator[tuple[dict[str, Any], float]] = map(work, chunks)
        if at_once is not None:
            sharing = max(1, min(at_once, len(keys)))  # so many calls share each second
            timed = overlapping(work, [[key] for key in keys], at_once, self._traits.halt)
        for answers, seconds in timed:
            self._keep(answers, seconds / sharing)
            yield answers

    def _keep(self, answers: Mapping[str, Any], seconds: float) -> None:
        """Store new answers, and count them."""
        usage = self._usage()
        good = {key: a for key, a in answers.items() if not isinstance(a, Failure)}
        self._put(good, seconds / len(answers))
        for answer in answers.values():
            self._count(usage, answer)
        usage.seconds += seconds
        usage.spent += seconds
        usage.failed += len(answers) - len(good)
        self._meter.called(usage, len(answers))

    def _put(self, answers: Mapping[str, Any], seconds: float) -> None:
        """Store answers, each of which took so many seconds."""
        self._store.put({key: Item(answer, seconds) for key, answer in answers.items()})

    def _count(self, usage: Usage, answer: bytes | Failure) -> None:
        """Add to the usage what an answer cost besides its seconds; nothing for most models."""


class CachedAnswers(CachedModel):
    """A model whose answers are stored as bytes: a role is its method, the key of an item, and how
    an answer becomes bytes and comes back."""

    chunk = 64
    method = ""

    def key(self, *item: Any) -> str:
        """Under which the answer to an item is known."""
        raise NotImplementedError

    def _encode(self, answer: Any) -> bytes | Failure:
        raise NotImplementedError

    def _decode(self, value: bytes) -> Any:
        raise NotImplementedError

    def known(self, keys: Sequence[str]) -> dict[str, Item]:
        """What is known under those keys; computes nothing."""
        return self._store.get(keys) if self._store else {}

    def _answers(self, *columns: Sequence[Any]) -> list[Any]:
        """The answer to each item, or its Failure; an item is one value of each column."""
        items = list(zip(*columns, strict=True))
        keys = [self.key(*item) for item in items]
        distinct = dict(zip(keys, items, strict=True))
        usage = self._usage()
        usage.items += len(distinct)
        answers = self._asked(distinct) if self._store is None else self._looked_up(distinct)
        decoded = {k: a if isinstance(a, Failure) else self._decode(a) for k, a in answers.items()}
        return [decoded[key] for key in keys]

    def _asked(self, items: Mapping[str, Any]) -> dict[str, bytes | Failure]:
        """All at once; time, calls and tokens are counted by the models that it is made of."""
        answers = self._paired(list(items), self._compute(list(items.values()))) if items else {}
        self._usage().failed += sum(isinstance(answer, Failure) for answer in answers.values())
        return answers

    def _looked_up(self, items: Mapping[str, Any]) -> dict[str, bytes | Failure]:
        known, usage = self.known(list(items)), self._usage()
        usage.cached += len(known)
        usage.seconds += sum(item.seconds for item in known.values())
        answers: dict[str, bytes | Failure] = {key: item.value for key, item in known.items()}
        for answer in answers.values():
            self._count(usage, answer)
        missing = {key: item for key, item in items.items() if key not in known}
        for computed in self._computed(missing, self._compute, self.chunk):
            answers |= computed
        return answers

    def _compute(self, items: list[Any]) -> list[bytes | Failure]:
        return in_halves(self._call, items)

    def _call(self, items: list[Any]) -> list[bytes | Failure]:
        answers = getattr(self._inner, self.method)(*map(list, zip(*items, strict=True)))
        return [a if isinstance(a, Failure) else self._encode(a) for a in answers]


class CachedCaptioner(CachedAnswers):
    """Captions by picture and prompt."""

    role, method = "captioner", "caption"
    modalities: frozenset[Modality] = frozenset({"image"})

    def caption(self, images: Sequence[Image], prompts: Sequence[str]) -> list[str | Failure]:
        _check_types(images, Image, "caption")
        return self._answers(images, prompts)

    def key(self, image: Image, prompt: str = "") -> str:
        """Under which the caption of an image, with that prompt, is known."""
        return digest([self._content_key(image), prompt])

    def _encode(self, answer: str) -> bytes | Failure:
        reply = without_thoughts(Reply(answer))
        return reply if isinstance(reply, Failure) else reply.text.encode()

    def _decode(self, value: bytes) -> str:
        return value.decode()


class CachedReranker(CachedAnswers):
    """Scores by what the model sees of a query and a document."""

    role, method = "reranker", "score"
    chunk = 2048

    @property
    def modalities(self) -> frozenset[Modality]:
        """What the model reads; texts alone where it does not say."""
        modalities: frozenset[Modality] = self._traits.modalities
        return modalities

    def score(
        self, queries: Sequence[Query], documents: Sequence[Document]
    ) -> list[float | Failure]:
        return self._answers(queries, documents)

    def key(self, query: Query, document: Document) -> str:
        """Under which the score of a pair is known."""
        return f"{_pair_side_key(query)}:{_pair_side_key(document)}"

    def _compute(self, items: list[Any]) -> list[bytes | Failure]:
        """All pairs of a chunk fail together: a reranker says itself which of them cannot be read."""
        return self._call(items)

    def _encode(self, answer: Any) -> bytes | Failure:
        number = np.asarray(answer)
        if number.shape or number.dtype.kind not in "fiu" or not np.isfinite(number):
            return Failure(f"the score is no finite number: {str(answer)[:40]}")
        return np.float64(answer).tobytes()

    def _decode(self, value: bytes) -> float:
        return float(np.frombuffer(value)[0])


class CachedPrompts(CachedAnswers):
    """A model whose answers are known by the prompt."""

    def _prompt_key(self, prompt: Prompt, seed: int | None) -> str:
        """The prompt byte for byte, its pictures' digests, and the seed; where its documents end, too,
        for a model that may drop some."""
        parts = [["text", p] if isinstance(p, str) else ["image", p.digest] for p in prompt.parts]
        documents = [prompt.documents] if self._traits.drops_documents else []
        return digest([prompt.system, parts, seed, *documents])

    def _count(self, usage: Usage, answer: bytes | Failure) -> None:
        stored: dict[str, Any] = json.loads(answer) if isinstance(answer, bytes) else asdict(answer)
        for name in COST:
            setattr(usage, name, getattr(usage, name) + stored[name])
        for name in EVENTS:
            setattr(usage, name, getattr(usage, name) + bool(stored.get(name)))


class CachedChat(CachedPrompts):
    """Replies by prompt, their thoughts apart from their text."""

    role = method = "chat"

    def chat(self, prompts: Sequence[Prompt]) -> list[Reply | Failure]:
        return self._answers(prompts)

    def recall(self, prompts: Sequence[Prompt]) -> list[Reply | None]:
        """The replies that are known; computes nothing."""
        keys = [self.key(prompt) for prompt in prompts]
        known = self.known(list(dict.fromkeys(keys)))
        return [self._decode(known[key].value) if key in known else None for key in keys]

    def key(self, prompt: Prompt) -> str:
        """Under which the reply to a prompt is known; its seed counts where the model samples."""
        return self._prompt_key(prompt, prompt.seed if self._traits.samples else None)

    def _encode(self, answer: Reply) -> bytes | Failure:
        reply = without_thoughts(answer)
        if isinstance(reply, Failure):
            return reply
        return _json(reply, text=reply.text, thoughts=reply.thoughts, truncated=reply.truncated)

    def _decode(self, value: bytes) -> Reply:
        return Reply(**json.loads(value))


class CachedPainter(CachedPrompts):
    """Drawings by prompt and seed; their pictures are PNG files beside the answers."""

    role, method = "painter", "paint"
    chunk = 16

    def paint(self, prompts: Sequence[Prompt]) -> list[Drawing | Failure]:
        """Drawings whose pictures are files."""
        return self._answers(prompts)

    def key(self, prompt: Prompt) -> str:
        """Under which the picture for a prompt is known; its seed counts."""
        return self._prompt_key(prompt, prompt.seed)

    def known(self, keys: Sequence[str]) -> dict[str, Item]:
        """Those whose pictures are there as they were drawn; the others are drawn again."""
        known = super().known(keys)
        return {k: item for k, item in known.items() if self._decode(item.value).picture.is_intact}

    def _encode(self, answer: Drawing) -> bytes:
        content = io.BytesIO()
        picture: Any = answer.picture  # painters give pixels, not files
        picture.convert("RGB").save(content, "PNG")
        name = sha256(content.getvalue()).hexdigest()
        write_atomically(self._file(name), content.getvalue())
        return _json(answer, picture=name)

    def _decode(self, value: bytes) -> Any:
        stored = json.loads(value)
        name = stored.pop("picture")
        return Drawing(Image(name[:24], self._file(name), name), **stored)

    def _file(self, name: str) -> Path:
        folder: Path = self._store.folder
        return folder / "pictures" / name[:2] / f"{name}.png"

    def _count(self, usage: Usage, answer: bytes | Failure) -> None:
        super()._count(usage, answer)
        usage.pictures += isinstance(answer, bytes)


class CachedEncoder(CachedModel):
    """An encoder whose vectors are stored in a file of rows (`mmragbench.cache.vectors.VectorFile`), and
    come back memory-mapped (read-only)."""

    role = "encoder"
    texts = 4096
    """Texts in a chunk: the more of them are sorted by length, the less padding is encoded."""

    def __init__(self, inner: Any, name: str, store: Any, meter: Meter) -> None:
        super().__init__(inner, name, store, meter)
        self.modalities: frozenset[Modality] = as_modalities(inner, name)
        self._is_ready = self._warned = False
        self._widths: dict[str, int] = {}

    @property
    def resize(self) -> str | None:
        """How the model resizes pictures, if it says so; to know it, it may have to be loaded."""
        return self._traits.resize

    @property
    def precision(self) -> str | None:
        """In what numbers the model computes, if it says so: `bf16-cuda`."""
        return self._traits.precision

    def encode_images(self, images: Sequence[Image]) -> Vectors:
        return self._vectors("image", images)

    def encode_texts(self, texts: Sequence[Text]) -> Vectors:
        return self._vectors("text", texts)

    def key(self, item: Image | Text) -> str:
        """Under which the vector of an image or a text is known."""
        modality = "image" if isinstance(item, Image) else "text"
        return f"{modality}:{self._content_key(item)}"

    def known(self, keys: Sequence[str]) -> dict[str, Item]:
        """What each known vector cost; the vectors themselves stay where they are."""
        locations = self._store.find(keys)
        costs = zip(keys, locations.rows.tolist(), locations.seconds.tolist(), strict=True)
        return {key: Item(b"", seconds) for key, row, seconds in costs if row >= 0}

    def _vectors(self, modality: str, inputs: Sequence[Any]) -> Vectors:
        if not inputs:
            return np.zeros((0, 0), np.float32)
        _check_types(inputs, Image if modality == "image" else Text, f"encode_{modality}s")
        rows: Vectors = self._store.read(self._locate(modality, inputs))
        if len(bad := unusable(rows)):  # stored by an earlier version, or damaged since
            self._compute(modality, {self.key(inputs[at]): inputs[at] for at in bad.tolist()})
            rows = self._store.read(self._store.find([self.key(item) for item in inputs]))
        self._widths[modality] = rows.shape[1]
        same_width(self._widths, self._name)
        return rows

    def _locate(self, modality: str, inputs: Sequence[Any]) -> Locations:
        """Where the vectors of the inputs are, when those that were not known are stored."""
        keys = [self.key(item) for item in inputs]
        places: dict[str, int] = {}
        order = np.array([places.setdefault(key, len(places)) for key in keys])
        distinct = list(places)
        locations: Locations = self._store.find(distinct)
        missing = {distinct[at] for at in np.flatnonzero(locations.rows < 0)}
        usage = self._usage()
        usage.items += len(distinct)
        usage.cached += len(distinct) - len(missing)
        usage.seconds += sum(locations.seconds.tolist())
        if missing:
            self._compute(
                modality, {k: i for k, i in zip(keys, inputs, strict=True) if k in missing}
            )
            locations = self._store.find(distinct)
        if (locations.rows < 0).any():  # damaged where SQLite does not see it
            self._store.clear()
            self._compute(modality, dict(zip(keys, inputs, strict=True)))
            locations = self._store.find(distinct)
        return Locations(*(column[order] for column in locations))

    def _compute(self, modality: str, inputs: Mapping[str, Any]) -> None:
        """Encode and store, chunk by chunk.

        Raises:
            DataError: inputs have no vector; they are named when all others are stored.
        """
        self._prepare()
        rows = partial(self._rows, getattr(self._inner, f"encode_{modality}s"))
        size = self.texts if modality == "text" else self.chunk
        reasons: dict[str, str] = {}
        for answers in self._computed(inputs, partial(in_halves, rows), size):
            reasons |= {k: a.reason for k, a in answers.items() if isinstance(a, Failure)}
        if reasons:
            ids = listed([inputs[key].id for key in reasons])
            count = f"{len(reasons)} of {len(inputs)} {modality}s"
            first = next(iter(reasons.values()))
            raise DataError(f"{self._name} cannot encode {count}: {ids}: {first}")

    def _prepare(self) -> None:
        """Once, before any clock starts: a model of pictures and texts is tried, which loads it too;
        another that loads weights is loaded. One that looks vectors up by id has none of the
        self-test's pictures."""
        if self._is_ready:
            return
        self._is_ready = True
        if self.modalities >= {"image", "text"} and not self._traits.by_id:
            for warning in check(self._inner, self._name):
                warnings.warn(warning, stacklevel=2)
        else:
            self._traits.load()

    def _rows(
        self, encode: Callable[[list[Any]], Vectors], inputs: list[Any]
    ) -> list[Vectors | Failure]:
        rows = as_rows(encode(inputs), len(inputs), f"{self._name} (encoder)")
        bad = set(unusable(rows).tolist())
        self._warn_of_lengths(np.delete(rows, list(bad), axis=0) if bad else rows)
        return [Failure(UNUSABLE) if at in bad else row for at, row in enumerate(rows)]

    def _put(self, answers: Mapping[str, Any], seconds: float) -> None:
        self._store.put(answers, seconds)

    def _warn_of_lengths(self, rows: Vectors) -> None:
        """Once; what encodes pictures and texts, and not by id, is refused by its self-test."""
        lengths = other_lengths(rows) if len(rows) else ""
        if lengths and not self._warned:
            self._warned = True
            warnings.warn(
                f"{self._name} (encoder) gives vectors of length {lengths}, not 1: what is near by "
                "inner product is not near by cosine",
                stacklevel=2,
            )


def _check_types(items: Sequence[Any], kind: type, method: str) -> None:
    """Say which item is none: strategies forget that a document may have no image, or no text.

    Raises:
        TypeError: an item is of another type.
    """
    for number, item in enumerate(items, start=1):
        if not isinstance(item, kind):
            given = "None" if item is None else f"a {type(item).__name__}"
            raise TypeError(
                f"{method} was handed {given} as item {number:,} of {len(items):,}, not "
                f"{kind.__name__}: documents and queries may lack one; leave those out"
            )


def _json(answer: Reply | Drawing, **content: Any) -> bytes:
    """An answer as it is stored; its content is given apart."""
    cost = {name: getattr(answer, name) for name in COST}
    stored = {**content, "prompt": answer.prompt, "dropped": answer.dropped, **cost}
    return json.dumps(stored).encode()


def _pair_side_key(item: Query | Document) -> str:
    """What a reranker sees of a query or a document."""
    if isinstance(item, Document):
        texts = [text.digest for text in item.texts]
    else:
        texts = [item.text.digest] if item.text else []
    return digest([item.image.digest if item.image else None, *texts])[:32]
