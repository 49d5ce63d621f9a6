"""Caching and metering around the model contracts: written once, unknown to models and strategies."""

from __future__ import annotations

import io
import json
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
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
from mmragbench.cache.items import Item, Items
from mmragbench.cache.vectors import Found, VectorFile
from mmragbench.contracts import Captioner, Chat, Encoder, Painter, Reranker, Traits, Vectors
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
Answer = bytes | Failure

COST = ("tokens_in", "tokens_out", "dollars", "retries")
"""What replies, drawings and failures say of their cost, and usage sums up."""


class _Remembered:
    """Ask a model only for what is not known yet, chunk by chunk, each chunk stored at once."""

    role = ""
    chunk = 512
    weights = "none"
    """What identifies the model's weights (`mmragbench.backends.weights`)."""

    def __init__(self, inner: Any, name: str, items: Any, meter: Meter) -> None:
        """Without `items` nothing is looked up: a model that is made of others, which remember."""
        self._inner, self._name, self._meter = inner, name, meter
        self._traits = Traits(inner)
        self._items: Items | None = items

    @property
    def inner(self) -> Any:
        """The model itself, which nothing is asked of here."""
        return self._inner

    def known(self, keys: Sequence[str]) -> dict[str, Item]:
        """What is known under those keys; asks nothing."""
        return self._items.get(keys) if self._items else {}

    def _face(self, item: Image | Text) -> str:
        """What the model looks at: the content, or the id where answers are looked up by id."""
        return item.id if self._traits.by_id else item.digest

    def _answers(
        self, keys: Sequence[str], inputs: Sequence[T], ask: Callable[[list[T]], list[Answer]]
    ) -> list[Answer]:
        usage = self._meter.usage(self.role, self._name)
        distinct = dict(zip(keys, inputs, strict=True))
        if self._items is None:
            return self._passed_on(keys, distinct, ask, usage)
        known = self.known(list(distinct))
        missing = [key for key in distinct if key not in known]
        usage.items += len(distinct)
        usage.cached += len(known)
        usage.seconds += sum(item.seconds for item in known.values())
        self._meter.begin(f"{self._name} ({self.role})", len(missing))
        answers: dict[str, Answer] = {key: item.value for key, item in known.items()}
        for answer in answers.values():
            self._count(usage, answer)
        for new, seconds in self._asked({key: distinct[key] for key in missing}, ask):
            self._keep(new, seconds, usage)
            answers.update(new)
        return [answers[key] for key in keys]

    def _passed_on(
        self,
        keys: Sequence[str],
        distinct: Mapping[str, T],
        ask: Callable[[list[T]], list[Answer]],
        usage: Usage,
    ) -> list[Answer]:
        """All at once; time, calls and tokens are counted by the models below."""
        answers = self._paired(list(distinct), ask(list(distinct.values())))
        usage.items += len(distinct)
        usage.failed += sum(isinstance(answer, Failure) for answer in answers.values())
        return [answers[key] for key in keys]

    def _paired(self, keys: Sequence[str], answers: Sequence[Answer]) -> dict[str, Answer]:
        if len(answers) != len(keys):
            count = f"{len(answers)} answers for {len(keys)} items"
            raise ContractError(f"{self._name} ({self.role}) gave {count}")
        return dict(zip(keys, answers, strict=True))

    def _asked(
        self,
        inputs: Mapping[str, T],
        ask: Callable[[list[T]], list[Answer]],
        size: int | None = None,
    ) -> Iterator[tuple[dict[str, Answer], float]]:
        """Chunk after chunk with its seconds; one by one and several at once where the model waits
        for a server (`concurrency`), each as soon as it is there."""

        def work(part: list[str]) -> tuple[dict[str, Answer], float]:
            began = time.perf_counter()
            new = self._paired(part, ask([inputs[key] for key in part]))
            return new, time.perf_counter() - began

        keys, at_once = list(inputs), self._traits.concurrency
        if at_once is None:
            size = size or self.chunk
            chunks = (keys[i : i + size] for i in range(0, len(keys), size))
            yield from map(work, chunks)
            return
        shared = max(1, min(at_once, len(keys)))  # so many calls share each second
        parts = [[key] for key in keys]
        for new, seconds in overlapping(work, parts, at_once, self._traits.halt):
            yield new, seconds / shared

    def _keep(self, new: Mapping[str, Answer], seconds: float, usage: Usage) -> None:
        """Store what was answered, and count it."""
        assert self._items is not None  # for the type checker: else nothing is kept
        each = seconds / len(new)
        good = {k: Item(a, each) for k, a in new.items() if not isinstance(a, Failure)}
        self._items.put(good)
        for answer in new.values():
            self._count(usage, answer)
        usage.seconds += seconds
        usage.spent += seconds
        usage.failed += len(new) - len(good)
        self._meter.called(usage, len(new))

    def _count(self, usage: Usage, answer: Answer) -> None:
        """What an answer adds to the usage besides its seconds; nothing for most models."""


class RememberedEncoder(_Remembered):
    """Vectors are kept in a file of rows, and come back memory-mapped (read-only)."""

    role = "encoder"
    texts = 4096
    """Texts in a chunk: the more of them are sorted by length, the less padding is encoded."""

    def __init__(self, inner: Encoder, name: str, items: VectorFile, meter: Meter) -> None:
        super().__init__(inner, name, items, meter)
        self._vectors = items
        self.modalities: frozenset[Modality] = as_modalities(inner, name)
        self._tried = self._warned = False
        self._widths: dict[str, int] = {}

    @property
    def resize(self) -> str | None:
        """How the model resizes pictures, if it says so; to know it, it may have to be loaded."""
        return self._traits.resize

    @property
    def precision(self) -> str | None:
        """In what numbers the model computes, if it says so: `bf16-cuda`."""
        return self._traits.precision

    def _prepare(self) -> None:
        """Once, before any clock starts: a model of pictures and texts is tried, which loads it too;
        another that loads weights is loaded. One that looks vectors up by id has none of the
        self-test's pictures."""
        if self._tried:
            return
        self._tried = True
        if self.modalities >= {"image", "text"} and not self._traits.by_id:
            for warning in check(self._inner, self._name):
                warnings.warn(warning, stacklevel=2)
        else:
            self._traits.load()

    def encode_images(self, images: Sequence[Image]) -> Vectors:
        return self._encode("image", images, self._inner.encode_images)

    def encode_texts(self, texts: Sequence[Text]) -> Vectors:
        return self._encode("text", texts, self._inner.encode_texts)

    def key(self, item: Image | Text) -> str:
        """Under which the vector of an image or a text is known."""
        modality = "image" if isinstance(item, Image) else "text"
        return f"{modality}:{self._face(item)}"

    def known(self, keys: Sequence[str]) -> dict[str, Item]:
        """What each known vector cost; the vectors themselves stay where they are."""
        rows, _, seconds = self._vectors.find(keys)
        each = zip(keys, rows.tolist(), seconds.tolist(), strict=True)
        return {key: Item(b"", cost) for key, row, cost in each if row >= 0}

    def _encode(
        self, modality: str, inputs: Sequence[Any], encode: Callable[[list[Any]], Vectors]
    ) -> Vectors:
        if not inputs:
            return np.zeros((0, 0), np.float32)
        _check(inputs, Image if modality == "image" else Text, f"encode_{modality}s")
        keys = [self.key(item) for item in inputs]
        places: dict[str, int] = {}
        order = np.array([places.setdefault(key, len(places)) for key in keys])
        distinct = list(places)
        found = self._vectors.find(distinct)
        missing = {distinct[at] for at in np.flatnonzero(found.rows < 0)}
        usage = self._meter.usage(self.role, self._name)
        usage.items += len(distinct)
        usage.cached += len(distinct) - len(missing)
        usage.seconds += sum(found.seconds.tolist())
        if missing:
            self._prepare()
            wanted = {k: i for k, i in zip(keys, inputs, strict=True) if k in missing}
            self._ask(modality, wanted, encode, usage)
            found = self._vectors.find(distinct)
        if (found.rows < 0).any():  # damaged where SQLite does not see it
            self._vectors.clear()
            self._ask(modality, dict(zip(keys, inputs, strict=True)), encode, usage)
            found = self._vectors.find(distinct)
        del keys, places, distinct  # there may be hundreds of thousands
        rows: Vectors = self._vectors.read(Found(*(column[order] for column in found)))
        if len(bad := unusable(rows)):  # kept by an earlier version, or damaged since
            self._prepare()
            again = {self.key(inputs[at]): inputs[at] for at in bad.tolist()}
            self._ask(modality, again, encode, usage)
            rows = self._vectors.read(self._vectors.find([self.key(item) for item in inputs]))
        self._widths[modality] = rows.shape[1]
        same_width(self._widths, self._name)
        return rows

    def _ask(
        self,
        modality: str,
        inputs: Mapping[str, Any],
        encode: Callable[[list[Any]], Vectors],
        usage: Usage,
    ) -> None:
        """Encode and store, chunk by chunk; the inputs without a vector are named at the end, when
        all others are stored."""

        def ask(chunk: list[Any]) -> list[Answer]:
            rows = as_rows(encode(chunk), len(chunk), f"{self._name} (encoder)")
            answers: list[Answer] = [row.tobytes() for row in rows]
            bad = unusable(rows)
            for at in bad.tolist():
                answers[at] = Failure(UNUSABLE)
            self._warn_of_lengths(np.delete(rows, bad, axis=0) if len(bad) else rows)
            return answers

        self._meter.begin(f"{self._name} ({self.role})", len(inputs))
        refused: dict[str, str] = {}
        size = self.texts if modality == "text" else self.chunk
        for new, seconds in self._asked(inputs, lambda chunk: in_halves(ask, chunk), size):
            self._keep(new, seconds, usage)
            refused |= {key: a.reason for key, a in new.items() if isinstance(a, Failure)}
        if refused:
            ids = listed([inputs[key].id for key in refused])
            count = f"{len(refused)} of {len(inputs)} {modality}s"
            first = next(iter(refused.values()))
            raise DataError(f"{self._name} cannot encode {count}: {ids}: {first}")

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


class RememberedCaptioner(_Remembered):
    role = "captioner"
    chunk = 64
    modalities: frozenset[Modality] = frozenset({"image"})

    def __init__(self, inner: Captioner, name: str, items: Items | None, meter: Meter) -> None:
        super().__init__(inner, name, items, meter)

    def caption(self, images: Sequence[Image], prompts: Sequence[str]) -> list[str | Failure]:
        _check(images, Image, "caption")
        keys = [self.key(i, prompt) for i, prompt in zip(images, prompts, strict=True)]

        def ask(chunk: list[tuple[Image, str]]) -> list[Answer]:
            captions = self._inner.caption([i for i, _ in chunk], [p for _, p in chunk])
            answers = [
                c if isinstance(c, Failure) else without_thoughts(Reply(c)) for c in captions
            ]
            return [a if isinstance(a, Failure) else a.text.encode() for a in answers]

        pairs = list(zip(images, prompts, strict=True))
        answers = self._answers(keys, pairs, lambda chunk: in_halves(ask, chunk))
        return [a if isinstance(a, Failure) else a.decode() for a in answers]

    def key(self, image: Image, prompt: str = "") -> str:
        """Under which the caption of an image, with that prompt, is known."""
        return digest([self._face(image), prompt])


class RememberedReranker(_Remembered):
    role = "reranker"
    chunk = 2048

    def __init__(self, inner: Reranker, name: str, items: Items | None, meter: Meter) -> None:
        super().__init__(inner, name, items, meter)
        self.modalities = self._traits.modalities

    def score(
        self, queries: Sequence[Query], documents: Sequence[Document]
    ) -> list[float | Failure]:
        pairs = list(zip(queries, documents, strict=True))
        keys = [f"{_face(query)}:{_face(document)}" for query, document in pairs]

        def ask(chunk: list[tuple[Query, Document]]) -> list[Answer]:
            scores = self._inner.score([q for q, _ in chunk], [d for _, d in chunk])
            return [_score(score) for score in scores]

        answers = self._answers(keys, pairs, ask)
        return [a if isinstance(a, Failure) else float(np.frombuffer(a)[0]) for a in answers]


class RememberedChat(_Remembered):
    role = "chat"
    chunk = 64

    def __init__(self, inner: Chat, name: str, items: Items | None, meter: Meter) -> None:
        super().__init__(inner, name, items, meter)

    def chat(self, prompts: Sequence[Prompt]) -> list[Reply | Failure]:
        def ask(chunk: list[Prompt]) -> list[Answer]:
            return [_stored(reply) for reply in self._inner.chat(chunk)]

        keys = [self.key(prompt) for prompt in prompts]
        answers = self._answers(keys, prompts, lambda chunk: in_halves(ask, chunk))
        return [a if isinstance(a, Failure) else Reply(**json.loads(a)) for a in answers]

    def recall(self, prompts: Sequence[Prompt]) -> list[Reply | None]:
        """The replies that are known; asks nothing."""
        keys = [self.key(prompt) for prompt in prompts]
        known = self.known(list(dict.fromkeys(keys)))
        return [Reply(**json.loads(known[k].value)) if k in known else None for k in keys]

    def key(self, prompt: Prompt) -> str:
        """Under which the reply to a prompt is known: the prompt byte for byte, its pictures'
        digests, and the seed where the model draws lots."""
        seed = prompt.seed if self._traits.samples else None
        return _prompt_key(prompt, seed)

    def _count(self, usage: Usage, answer: Answer) -> None:
        told = _count_cost(usage, answer)
        usage.thoughts += bool(told.get("thoughts"))
        usage.truncated += bool(told.get("truncated"))


class RememberedPainter(_Remembered):
    """Pictures are kept as PNG files beside the answers."""

    role = "painter"
    chunk = 16

    def __init__(self, inner: Painter, name: str, items: Items | None, meter: Meter) -> None:
        super().__init__(inner, name, items, meter)

    def paint(self, prompts: Sequence[Prompt]) -> list[Drawing | Failure]:
        """Drawings whose pictures are files."""

        def ask(chunk: list[Prompt]) -> list[Answer]:
            drawings = self._inner.paint(chunk)
            return [d if isinstance(d, Failure) else self._stored(d) for d in drawings]

        keys = [self.key(prompt) for prompt in prompts]
        answers = self._answers(keys, prompts, lambda chunk: in_halves(ask, chunk))
        return [a if isinstance(a, Failure) else self._drawing(a) for a in answers]

    def key(self, prompt: Prompt) -> str:
        """Under which the picture for a prompt is known; its seed counts."""
        return _prompt_key(prompt, prompt.seed)

    def known(self, keys: Sequence[str]) -> dict[str, Item]:
        """Those whose pictures are there as they were drawn; the others are drawn again."""
        known = super().known(keys)
        return {k: item for k, item in known.items() if self._picture(item.value).is_intact}

    def _stored(self, drawing: Drawing) -> bytes:
        assert not isinstance(drawing.picture, Image)  # for the type checker: painters give pixels
        content = io.BytesIO()
        drawing.picture.convert("RGB").save(content, "PNG")
        name = sha256(content.getvalue()).hexdigest()
        write_atomically(self._file(name), content.getvalue())
        return _json(drawing, picture=name)

    def _drawing(self, answer: bytes) -> Drawing:
        drawn = json.loads(answer)
        del drawn["picture"]
        return Drawing(self._picture(answer), **drawn)

    def _picture(self, answer: bytes) -> Image:
        name = json.loads(answer)["picture"]
        return Image(name[:24], self._file(name), name)

    def _file(self, name: str) -> Path:
        assert self._items is not None  # for the type checker: painters are not made of others
        return self._items.folder / "pictures" / name[:2] / f"{name}.png"

    def _count(self, usage: Usage, answer: Answer) -> None:
        _count_cost(usage, answer)
        usage.pictures += isinstance(answer, bytes)


def _score(score: Any) -> Answer:
    """A reranker's score as it is stored: a real, finite number, or a Failure."""
    if isinstance(score, Failure):
        return score
    number = np.asarray(score)
    if number.shape or number.dtype.kind not in "fiu" or not np.isfinite(number):
        return Failure(f"the score is no finite number: {str(score)[:40]}")
    return np.float64(score).tobytes()


def _stored(reply: Reply | Failure) -> Answer:
    """A reply as it is stored, its thoughts apart from its text."""
    reply = reply if isinstance(reply, Failure) else without_thoughts(reply)
    if isinstance(reply, Failure):
        return reply
    return _json(reply, text=reply.text, thoughts=reply.thoughts, truncated=reply.truncated)


def _check(items: Sequence[Any], kind: type, method: str) -> None:
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
    return json.dumps({**content, "prompt": answer.prompt, **cost}).encode()


def _count_cost(usage: Usage, answer: Answer) -> dict[str, Any]:
    """Add an answer's cost to the usage; all that is stored of the answer."""
    told: dict[str, Any] = json.loads(answer) if isinstance(answer, bytes) else asdict(answer)
    for name in COST:
        setattr(usage, name, getattr(usage, name) + told[name])
    return told


def _prompt_key(prompt: Prompt, seed: int | None) -> str:
    parts = [["text", p] if isinstance(p, str) else ["image", p.digest] for p in prompt.parts]
    return digest([prompt.system, parts, seed])


def _face(item: Query | Document) -> str:
    """What a reranker sees of an item."""
    if isinstance(item, Document):
        texts = [text.digest for text in item.texts]
    else:
        texts = [item.text.digest] if item.text else []
    return digest([item.image.digest if item.image else None, *texts])[:32]
