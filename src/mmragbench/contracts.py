"""The contracts: Protocols of one or two methods. A plain class satisfies them; nothing to inherit.

Every method gets a chunk of work and decides itself how to batch it. The order of the answers is
the order of the inputs, and an answer does not depend on its neighbours in the chunk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from mmragbench.records import (
    Document,
    Drawing,
    Exclusion,
    Failure,
    Hit,
    Image,
    Measure,
    Modality,
    Output,
    OutputKind,
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


Origin = Literal["toy", "classic", "trained", "made elsewhere"]
"""Where a model's answers come from. A toy is shipped, and has learned from a drawn world alone."""


class Requirement(NamedTuple):
    """What a component needs from outside of the suite.

    Attributes:
        kind: `put` files somewhere, `download` something, `call` a server; or what a run would `leave
            out` and go on.
        what: the place and what lies there; the name on the hub; the server's address and model.
        missing: why a run cannot begin (`there is no such folder`); empty where it can.
    """

    kind: Literal["put", "download", "call", "leave out"]
    what: str
    missing: str = ""

    @property
    def lacks_files(self) -> bool:
        """Whether files are missing that nobody else can get."""
        return self.kind == "put" and bool(self.missing)


@dataclass(frozen=True)
class Traits:
    """What a component may say of itself beside its methods: attributes of these names, on its class
    or on an instance, all optional.

    A plain class without any of them has the defaults. Each is read when it is asked for, since a
    model may have to be loaded to know its `precision` or `resize`.
    """

    component: Any

    @property
    def operational(self) -> frozenset[str]:
        """Arguments that change no answer (a batch size, a time limit); none by default. They are in
        no cache key. On the class."""
        return frozenset(getattr(self.component, "operational", ()))

    @property
    def reads(self) -> int | None:
        """For a generator, how many documents it reads at most; None for any number. On the class."""
        reads: int | None = getattr(self.component, "reads", None)
        return reads

    @property
    def copies(self) -> bool:
        """Whether a generator's answers are documents as they are, so that nothing is generated; False
        by default. On the class."""
        return bool(getattr(self.component, "copies", False))

    @property
    def modalities(self) -> frozenset[Modality]:
        """What a model reads; a reranker texts by default."""
        return frozenset(getattr(self.component, "modalities", {"text"}))

    @property
    def by_id(self) -> bool:
        """Whether an encoder looks its inputs up by their ids, which then stand in cache keys in
        place of contents; False by default."""
        return bool(getattr(self.component, "by_id", False))

    @property
    def samples(self) -> bool:
        """Whether a chat model's answer depends on the prompt's seed; False by default."""
        return bool(getattr(self.component, "samples", False))

    @property
    def drops_documents(self) -> bool:
        """Whether a chat model or painter drops the last documents of a prompt that is longer than it
        reads; False by default. On the class."""
        return bool(getattr(self.component, "drops_documents", False))

    @property
    def weights(self) -> str | None:
        """What identifies a model's weights, as its method `weights()` says; None where it has
        none."""
        weights = getattr(self.component, "weights", None)
        known = weights() if callable(weights) else weights
        return known if isinstance(known, str) else None

    @property
    def origin(self) -> Origin | None:
        """Where a model's answers come from, where that is not weights that were trained: `classic`
        features, or files that were `made elsewhere`; None by default. On the class."""
        origin: Origin | None = getattr(self.component, "origin", None)
        return origin

    @property
    def outputs(self) -> Mapping[str, OutputKind] | None:
        """For a dataset, its tasks, each with what is produced in it, as far as that is known without
        its files; None by default. On the class."""
        outputs: Mapping[str, OutputKind] | None = getattr(self.component, "outputs", None)
        return outputs

    @property
    def requirements(self) -> Sequence[Requirement]:
        """What a dataset or a model needs from outside and lacks, or calls, as its method
        `requirements()` says; nothing by default."""
        requirements = getattr(self.component, "requirements", None)
        return requirements() if requirements else ()

    @property
    def precision(self) -> str | None:
        """The numbers that a model computes in, such as `bf16-cuda`; None where it does not say."""
        precision: str | None = getattr(self.component, "precision", None)
        return precision

    @property
    def resize(self) -> str | None:
        """How an encoder resizes pictures, for signatures; None where it does not say."""
        resize: str | None = getattr(self.component, "resize", None)
        return resize

    @property
    def concurrency(self) -> int | None:
        """How many calls may be under way at once, for a model that waits for a server; None for one
        that is called in chunks."""
        concurrency: int | None = getattr(self.component, "concurrency", None)
        return concurrency

    @property
    def elsewhere(self) -> bool:
        """Whether the answers of a strategy or generator were made by another system, so that what
        they took is not known; False by default."""
        return bool(getattr(self.component, "elsewhere", False))

    @property
    def exclusions(self) -> tuple[Exclusion, ...]:
        """What a strategy or generator that reads files could not use of them, once it has answered;
        nothing by default."""
        return tuple(getattr(self.component, "exclusions", ()))

    @property
    def halt(self) -> Callable[[], None] | None:
        """A method for a run that ends early: no further tries; None where there is none."""
        halt: Callable[[], None] | None = getattr(self.component, "halt", None)
        return halt

    def load(self) -> None:
        """Load the model now, before any clock starts, by its method `load()` if it has one."""
        if load := getattr(self.component, "load", None):
            load()


@runtime_checkable
class Paid(Protocol):
    """A model that costs money.

    Attributes:
        price: dollars for a million tokens (`mmragbench.backends.server.prices.Price`), an argument of the suite's.
        budget: what it spends from; the run gives it one (`mmragbench.backends.server.budget`).
    """

    price: Any
    budget: Any

    def at_most(self, prompt: Prompt) -> Any:
        """What a call can come to at most (`mmragbench.backends.server.prices.Used`)."""
        ...


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

    What more it may say is in `Traits`; one that costs money is `Paid`.
    """

    def chat(self, prompts: Sequence[Prompt]) -> list[Reply | Failure]: ...


@runtime_checkable
class Painter(Protocol):
    """Draws a picture from a text and, where it can, from pictures. As for `Chat`, see `Traits`."""

    def paint(self, prompts: Sequence[Prompt]) -> list[Drawing | Failure]: ...


@runtime_checkable
class Reranker(Protocol):
    """How well a document fits a query; unitless, higher is better.

    Pairs, aligned: many queries' candidates make full batches, which one query's would not.
    One that reads texts only is given pairs with a text on both sides; one whose `modalities` (see
    `Traits`) have pictures is given every pair as it is.
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
    """A family of measures that are computed together: a function in `evals/`, which returns one
    `Scores` for each measure that is asked for, in that order.

    It is called as `evaluate(measures, task, rankings, outputs, depth=...)`, with `features=` too if
    it has such an argument: the encoder named in `FID(clip)`. `depth` is the number of hits that
    were asked for. Measures of rankings get no outputs. Values are plain floats; a query whose
    output failed or is missing has an error, and a number that cannot be computed at all an
    `Absence`.
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


class Progress(Protocol):
    """Shows how far a run is."""

    def cell(self, number: int, total: int, label: str) -> None:
        """The run begins its cell of that number, from 1."""

    def begin(self, what: str, total: int) -> None:
        """Work on a number of items begins; 0 where there is nothing to count."""

    def advance(self, done: int) -> None:
        """So many items more are done."""


class KeysOf(NamedTuple):
    """Says of a mapping among a constructor's arguments that its keys are names of a suite's section."""

    section: Literal["strategies", "tasks"]


_TASKS, _STRATEGIES = KeysOf("tasks"), KeysOf("strategies")

ByTask = Annotated[dict[str, Path], _TASKS]
"""Name of a task -> a file or folder."""

ByStrategy = Annotated[dict[str, Path], _STRATEGIES]
"""Name of a strategy -> a file or folder."""
