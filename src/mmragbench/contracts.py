"""The contracts: Protocols of one or two methods. A plain class satisfies them; nothing to inherit.

Every method gets a chunk of work and decides itself how to batch it. The order of the answers is
the order of the inputs, and an answer does not depend on its neighbours in the chunk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from mmragbench.records import (
    Document,
    Drawing,
    Failure,
    Hit,
    Image,
    Measure,
    Modality,
    Output,
    Prompt,
    Query,
    Ranking,
    Reply,
    Scores,
    Task,
    Text,
)

Vectors = NDArray[np.float32]
"""Shape (n, d), float32, L2-normalised rows unless said otherwise."""


@runtime_checkable
class Dataset(Protocol):
    """Where tasks come from."""

    def tasks(self) -> Mapping[str, Task]:
        """The tasks that this data can pose, by name."""
        ...


@runtime_checkable
class Encoder(Protocol):
    """Images and texts to vectors: (n, d) float32 with L2-normalised rows; nothing to (0, any).

    `modalities` says what it can read; the other method raises `NotApplicable`.
    """

    modalities: frozenset[Modality]

    def encode_images(self, images: Sequence[Image]) -> Vectors: ...

    def encode_texts(self, texts: Sequence[Text]) -> Vectors: ...


@runtime_checkable
class Captioner(Protocol):
    """Images to captions, each with a prompt (empty for none)."""

    def caption(self, images: Sequence[Image], prompts: Sequence[str]) -> list[str | Failure]: ...


@runtime_checkable
class Chat(Protocol):
    """Reads texts and pictures, interleaved, and answers in words. Thoughts may come in the text of
    a reply, between the marks that reasoning models set: they are cut from it for all who read it.

    Optional: `samples`, whether it draws lots (then a prompt's seed counts). For a model that waits
    for a server: `concurrency`, how many calls may be under way at once, and `halt()`, called where
    the run ends early: no further tries. For one that costs money:
    an argument `price`, `budget`, which the run gives it to spend from (`mmragbench.backends.server.budget`), and
    `at_most(prompt)`, what a call can come to (`mmragbench.backends.server.prices`).
    """

    def chat(self, prompts: Sequence[Prompt]) -> list[Reply | Failure]: ...


@runtime_checkable
class Painter(Protocol):
    """Draws a picture from a text and, where it can, from pictures. Optional: as for `Chat`."""

    def paint(self, prompts: Sequence[Prompt]) -> list[Drawing | Failure]: ...


@runtime_checkable
class Reranker(Protocol):
    """How well a document fits a query; unitless, higher is better.

    Pairs, aligned: many queries' candidates make full batches, which one query's would not.
    Optional: `modalities`, what it reads. One that reads texts only is given pairs with a text on
    both sides; one that reads pictures is given every pair as it is.
    """

    def score(
        self, queries: Sequence[Query], documents: Sequence[Document]
    ) -> list[float | Failure]: ...


@runtime_checkable
class Store(Protocol):
    """Vectors under ids; the nearest by inner product."""

    def add(self, ids: Sequence[str], vectors: Vectors) -> None: ...

    def search(self, vectors: Vectors, k: int) -> Sequence[Sequence[Hit]]:
        """The `k` nearest for each row, best first, ties by id descending."""
        ...


@runtime_checkable
class Strategy(Protocol):
    """The retrieval half."""

    def index(self, memory: Sequence[Document]) -> None: ...

    def retrieve(self, queries: Sequence[Query], k: int) -> list[Ranking]:
        """At most `k` hits a query, in the order of the queries."""
        ...


@runtime_checkable
class Generator(Protocol):
    """The other half: answers from what was retrieved (best first), one a query."""

    def generate(
        self, queries: Sequence[Query], contexts: Sequence[Sequence[Document]]
    ) -> list[Output]: ...


class Evaluator(Protocol):
    """A family of measures that are computed together; a function in `evals/`.

    Given by name besides: `features`, the encoder named in `FID(clip)`, if it asks for it; and
    `depth`, the number of hits that were asked for.
    """

    def __call__(
        self,
        measures: Sequence[Measure],
        task: Task,
        rankings: Sequence[Ranking],
        outputs: Sequence[Output],
        **given: Any,
    ) -> list[Scores]: ...


class Report(Protocol):
    """A pure function of a run folder: writes files below `target`, returns the main one."""

    def __call__(self, run: Path, target: Path) -> Path: ...


class NewStore(Protocol):
    """Makes an empty store; what a strategy asks for when it needs one or several."""

    def __call__(self) -> Store: ...
