"""From bound components to objects, with models in their places."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic_core import to_jsonable_python

from mmragbench import _crashes as crashes
from mmragbench._validation import CheckedStore
from mmragbench.backends.weights import ABSENT, UNRESOLVED, world
from mmragbench.cache.cache import Cache
from mmragbench.cache.identity import code_digest, content_digest, digest
from mmragbench.cache.items import Items
from mmragbench.cache.vectors import VectorFile
from mmragbench.contracts import NewStore, Origin, Paid, Requirement, Traits
from mmragbench.engine.cached_models import (
    CachedCaptioner,
    CachedChat,
    CachedEncoder,
    CachedPainter,
    CachedReranker,
)
from mmragbench.engine.meter import Meter
from mmragbench.errors import MmragbenchError, NotApplicable
from mmragbench.planning.binding import Bound, bind_model
from mmragbench.planning.suite import Suite, SuiteFieldError

CACHED: dict[str, Any] = {
    "encoder": CachedEncoder,
    "captioner": CachedCaptioner,
    "chat": CachedChat,
    "painter": CachedPainter,
    "reranker": CachedReranker,
}


DATASET_PREFIX = "dataset:"

NO_WEIGHTS = "none"
"""What identifies the weights of a model that has no such notion."""
ModelKey = tuple[str, str, Any, tuple[Any, ...]]
"""Role, name, the seed that the model takes, and the same of the models below it."""


class Assembly:
    """Builds a suite's components; models are built once, wrapped in the cache and the meter."""

    def __init__(self, suite: Suite, cache: Cache, meter: Meter) -> None:
        self._suite, self._cache, self._meter = suite, cache, meter
        self._bound: dict[tuple[str, str], Bound] = {}
        self._models: dict[ModelKey, Any] = {}
        self._raw: dict[ModelKey, Any] = {}
        self._weights: dict[ModelKey, str] = {}

    def with_seed(self, seed: int) -> Assembly:
        """The assembly of the same suite under another seed; models that take no seed are shared."""
        other = copy(self)
        other._suite, other._bound = self._suite.model_copy(update={"seed": seed}), {}
        return other

    def build(self, bound: Bound, **given: Any) -> Any:
        """The object itself; `given` are `task`, `output` and `strategy`, passed if it asks for them,
        and stand-ins for its models."""
        arguments: dict[str, Any] = {name: self._local(value) for name, value in bound.args.items()}
        arguments |= {name: given[name] for name in bound.given if name in given}
        for parameter, model in bound.models.items():
            arguments[parameter] = given.get(parameter) or self.model(*model)
        arguments |= {p: _store_maker(self, store) for p, store in bound.stores.items()}
        arguments |= {p: self.build(inner, **given) for p, inner in bound.generators.items()}
        return bound.component.make(**arguments)

    def model(self, role: str, name: str) -> Any:
        """A model of the suite in a role, remembered and metered."""
        key = self._key(role, name)
        if key not in self._models:
            raw = self._instance(role, name)
            items = self._items(role, name)
            self._models[key] = CACHED[role](raw, name, items, self._meter)
            self._models[key].weights = self.weights(role, name)
        return self._models[key]

    def _key(self, role: str, name: str) -> ModelKey:
        """A model, and the seeds that it and the models below it take."""
        bound = self._bind_model(role, name)
        below = tuple(self._key(*model) for model in bound.models.values())
        return role, name, bound.args.get("seed"), below

    def _items(self, role: str, name: str) -> Items | VectorFile | None:
        """Where its answers are kept; nowhere for one that is made of others, which keep theirs."""
        if self._bind_model(role, name).models:
            return None
        answers = self._cache.vectors if role == "encoder" else self._cache.items
        return answers(digest(self.model_identity(role, name)))

    def model_identity(self, role: str, name: str) -> dict[str, Any]:
        """What the answers of a model depend on; `precision` is what `device: auto` came to."""
        bound = self._bind_model(role, name)
        identity = {**self.identity(bound), "role": role, "weights": self.weights(role, name)}
        if identity["weights"].startswith(ABSENT):
            return identity
        precision = Traits(self._instance(role, name)).precision
        return {**identity, "precision": precision} if precision else identity

    def weights(self, role: str, name: str) -> str:
        """What identifies a model's weights."""
        key = self._key(role, name)
        if key not in self._weights:
            self._weights[key] = self._known_weights(role, name)
        return self._weights[key]

    def _known_weights(self, role: str, name: str) -> str:
        if files := [need for need in self.requirements(role, name) if need.lacks_files]:
            return f"{ABSENT}{files[0].what}"
        try:
            return Traits(self._instance(role, name)).weights or NO_WEIGHTS
        except NotApplicable as error:
            return f"{ABSENT}{error}"

    def requirements(self, role: str, name: str) -> Sequence[Requirement]:
        """What a model itself says that it needs from outside."""
        try:
            return Traits(self._instance(role, name)).requirements
        except NotApplicable:  # its weights are absent, which `weights` says
            return ()

    def origin(self, role: str, name: str) -> Origin | None:
        """Where a model's answers come from; of one that is made of others, where theirs do. None
        where nothing says so."""
        bound = self._bind_model(role, name)
        if bound.models:
            return self.origin(*next(iter(bound.models.values())))
        if any(world(value) for value in bound.args.values()):
            return "toy"
        has_weights = self.weights(role, name) != NO_WEIGHTS
        return Traits(bound.component.make).origin or ("trained" if has_weights else None)

    def fetch(self, models: Iterable[tuple[str, str]]) -> None:
        """Load those models whose weights are not on this machine yet: only then is it known
        which revision they are, and with it the identity of their answers."""
        for role, name in models:
            if self.weights(role, name).startswith(UNRESOLVED):
                self._instance(role, name).load()
                del self._weights[self._key(role, name)]

    def identity(self, bound: Bound) -> dict[str, Any]:
        """The component, its code and its arguments, and the same of all below it. Arguments that
        its class lists as `operational` (a batch size, a time limit) change no answer. A file that a
        strategy or generator reads counts by its content; models say what identifies their own."""
        is_reader = bound.component.kind in ("strategy", "generator")
        operational = Traits(bound.component.make).operational
        args = {name: value for name, value in bound.args.items() if name not in operational}
        return {
            "component": [bound.component.kind, bound.component.name],
            "code": bound.component.code or code_digest(bound.component.make),
            "args": self._identified(args) if is_reader else to_jsonable_python(args),
            "models": {p: self.model_identity(*model) for p, model in bound.models.items()},
            "stores": {p: self.identity(store) for p, store in bound.stores.items()},
            "generators": {p: self.identity(inner) for p, inner in bound.generators.items()},
        }

    def files(self, bound: Bound) -> dict[str, str]:
        """The files and folders that a component's arguments name -> the digest of their content."""
        return {str(path): content_digest(self._local(path)) for path in _paths(dict(bound.args))}

    def _identified(self, value: Any) -> Any:
        """A value as plain data, in which a path is the digest of what it leads to."""
        if isinstance(value, Path):
            return content_digest(self._local(value))
        if isinstance(value, Mapping):
            return {name: self._identified(part) for name, part in value.items()}
        if isinstance(value, list | tuple):
            return [self._identified(part) for part in value]
        return to_jsonable_python(value)

    @cached_property
    def _root(self) -> Path:
        return Path(str(self._suite.dataset.get("root", "."))).expanduser()

    def _local(self, value: Any) -> Any:
        """`dataset:file` is a file in the dataset's folder."""
        if isinstance(value, dict):
            return {name: self._local(part) for name, part in value.items()}
        text = str(value)
        if isinstance(value, str | Path) and text.startswith(DATASET_PREFIX):
            return type(value)(self._root / text.removeprefix(DATASET_PREFIX))
        return value

    def _bind_model(self, role: str, name: str) -> Bound:
        if (role, name) not in self._bound:
            self._bound[role, name] = bind_model(role, name, self._suite)
        return self._bound[role, name]

    def _instance(self, role: str, name: str) -> Any:
        key = self._key(role, name)
        if key not in self._raw:
            try:
                bound = self._bind_model(role, name)
                with crashes.reported(bound.component.name, bound.component.make):
                    raw = self._raw[key] = self.build(bound)
                if isinstance(raw, Paid):
                    raw.budget = self._meter.budget
            except NotApplicable:
                raise
            except MmragbenchError as error:
                raise SuiteFieldError(("models", name), str(error)) from error
        return self._raw[key]


def _paths(value: Any) -> Iterator[Path]:
    """The paths in an argument's value."""
    if isinstance(value, Path):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _paths(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _paths(part)


def _store_maker(assembly: Assembly, bound: Bound) -> NewStore:
    return lambda: CheckedStore(assembly.build(bound), bound.component.name)
