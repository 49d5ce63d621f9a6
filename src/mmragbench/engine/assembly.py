"""From names in a suite to objects: arguments checked against signatures, models put in their place."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from mmragbench import _crashes as crashes
from mmragbench._printable import shortened
from mmragbench._redacting import without_keys
from mmragbench._validation import CheckedStore
from mmragbench.backends.weights import ABSENT, UNRESOLVED
from mmragbench.cache.cache import Cache
from mmragbench.cache.identity import code_digest, digest
from mmragbench.cache.items import Items
from mmragbench.cache.vectors import VectorFile
from mmragbench.contracts import Captioner, Chat, Encoder, NewStore, Painter, Reranker
from mmragbench.engine.cached_models import (
    RememberedCaptioner,
    RememberedChat,
    RememberedEncoder,
    RememberedPainter,
    RememberedReranker,
)
from mmragbench.engine.meter import Meter
from mmragbench.errors import MmragbenchError, NotApplicable, SuiteError, unknown
from mmragbench.planning.suite import Misfit, Place, Suite
from mmragbench.registry import Component, exists, find

ROLES: dict[Any, str] = {
    Encoder: "encoder",
    Captioner: "captioner",
    Chat: "chat",
    Painter: "painter",
    Reranker: "reranker",
}
REMEMBERED: dict[str, Any] = {
    "encoder": RememberedEncoder,
    "captioner": RememberedCaptioner,
    "chat": RememberedChat,
    "painter": RememberedPainter,
    "reranker": RememberedReranker,
}
CHATTING = {"captioner": "described", "reranker": "judge"}
"""Role -> the component that makes it out of a chat model, where one is named in its place."""

GIVEN = ("task", "output")
"""Parameters that the loop fills in, not the suite."""

DATASET_PREFIX = "dataset:"


@dataclass(frozen=True)
class Bound:
    """A component with its arguments: checked, defaults filled in, nothing built yet."""

    component: Component
    args: Mapping[str, Any]
    models: Mapping[str, tuple[str, str]]
    stores: Mapping[str, Bound]
    given: tuple[str, ...]

    def resolved(self) -> dict[str, Any]:
        """The spec with every default, as plain data."""
        named = {parameter: name for parameter, (_, name) in self.models.items()}
        stores = {parameter: bound.resolved() for parameter, bound in self.stores.items()}
        plain: dict[str, Any] = to_jsonable_python(dict(self.args))
        return {"use": self.component.name, **plain, **named, **stores}


def bind(kind: str, spec: Mapping[str, Any], place: Place, suite: Suite) -> Bound:
    """Check a spec against its component's signature.

    Raises:
        Misfit: an unknown component, argument or model, a missing argument, a value that does not
            fit; names the choices.
    """
    return bound(_find(kind, spec, place), spec, place, suite)


def bound(component: Component, spec: Mapping[str, Any], place: Place, suite: Suite) -> Bound:
    """The same for a component that is known already."""
    parameters = _parameters(component)
    takes = [name for name in parameters if name not in GIVEN]
    for name in spec:
        if name != "use" and name not in takes:
            message = unknown(f"argument of {component.name}", name, takes)
            raise Misfit((*place, name), message)
    args: dict[str, Any] = {}
    models: dict[str, tuple[str, str]] = {}
    stores: dict[str, Bound] = {}
    for name in takes:
        annotation, default = parameters[name]
        value = spec.get(name, suite.seed if name == "seed" else default)
        role, here = _role(annotation), (*place, name)
        if annotation is NewStore:
            stores[name] = _store(value, here, suite)
        elif value is inspect.Parameter.empty:
            raise Misfit(place, f"{component.name} needs {name!r}{_choices(role, suite)}")
        elif role and value is not None:
            models[name] = (role, _model_name(role, value, here, suite))
        else:
            args[name] = value if role else _checked(annotation, value, here)
    return Bound(component, args, models, stores, tuple(n for n in GIVEN if n in parameters))


def bind_model(role: str, name: str, suite: Suite) -> Bound:
    """A model of the suite, in a role. A chat model may stand where a captioner or a reranker is
    wanted: it is put into the component that makes one of it.

    Raises:
        Misfit: as `bind`.
    """
    spec, place = suite.models[name], ("models", name)
    use = str(spec.get("use", name))
    if role in CHATTING and ":" not in use and not exists(role, use) and exists("chat", use):
        return bind(role, {"use": CHATTING[role], "chat": name}, place, suite)
    return bind(role, spec, place, suite)


def _find(kind: str, spec: Mapping[str, Any], place: Place) -> Component:
    try:
        return find(kind, str(spec.get("use", place[-1])))
    except SuiteError as error:
        raise Misfit((*place, "use") if "use" in spec else place, str(error)) from error


def _store(value: Any, place: Place, suite: Suite) -> Bound:
    """A store by name or spec; faiss if nothing is said."""
    chosen = "faiss" if value is inspect.Parameter.empty else value
    spec = {"use": chosen} if isinstance(chosen, str) else chosen
    return bind("store", spec, place, suite)


def _parameters(component: Component) -> dict[str, tuple[Any, Any]]:
    """Parameter -> its annotation and default."""
    make = component.make
    function = make.__init__ if inspect.isclass(make) else make
    if function is object.__init__:
        return {}
    hints = typing.get_type_hints(function, include_extras=True)
    found = inspect.signature(make).parameters.values()
    named = [p for p in found if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    return {p.name: (hints.get(p.name, Any), p.default) for p in named}


def _role(annotation: Any) -> str | None:
    options = typing.get_args(annotation) if _is_union(annotation) else (annotation,)
    return next((ROLES[option] for option in options if option in ROLES), None)


def _is_union(annotation: Any) -> bool:
    return typing.get_origin(annotation) in (typing.Union, types.UnionType)


def roles(component: Component) -> dict[str, str]:
    """Parameter -> the role of the model that it wants."""
    wanted = {name: _role(annotation) for name, (annotation, _) in _parameters(component).items()}
    return {name: role for name, role in wanted.items() if role}


def _choices(role: str | None, suite: Suite) -> str:
    if not role:
        return ""
    return f": a model of the suite that is an {role}; it has {', '.join(suite.models) or 'none'}"


def _model_name(role: str, value: Any, place: Place, suite: Suite) -> str:
    if not isinstance(value, str) or value not in suite.models:
        raise Misfit(place, unknown("model", str(value), suite.models))
    bind_model(role, value, suite)
    return value


def _checked(annotation: Any, value: Any, place: Place) -> Any:
    try:
        return TypeAdapter(annotation).validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        inner = tuple(str(step) for step in first["loc"])
        given = shortened(without_keys(repr(first["input"])), 100)
        raise Misfit((*place, *inner), f"{first['msg']}, but it is {given}") from None


class Assembly:
    """Builds a suite's components; models are built once, wrapped in the cache and the meter."""

    def __init__(self, suite: Suite, cache: Cache, meter: Meter) -> None:
        self._suite, self._cache, self._meter = suite, cache, meter
        self._models: dict[tuple[str, str], Any] = {}
        self._raw: dict[tuple[str, str], Any] = {}
        self._weights: dict[tuple[str, str], str] = {}

    def build(self, bound: Bound, **given: Any) -> Any:
        """The object itself; `given` are `task` and `output`, passed if it asks for them, and
        stand-ins for its models."""
        arguments: dict[str, Any] = {name: self._local(value) for name, value in bound.args.items()}
        arguments |= {name: given[name] for name in bound.given if name in given}
        for parameter, model in bound.models.items():
            arguments[parameter] = given.get(parameter) or self.model(*model)
        arguments |= {p: _store_maker(self, store) for p, store in bound.stores.items()}
        return bound.component.make(**arguments)

    def model(self, role: str, name: str) -> Any:
        """A model of the suite in a role, remembered and metered."""
        if (role, name) not in self._models:
            raw = self._instance(role, name)
            items = self._items(role, name)
            self._models[role, name] = REMEMBERED[role](raw, name, items, self._meter)
            self._models[role, name].weights = self.weights(role, name)
        return self._models[role, name]

    def _items(self, role: str, name: str) -> Items | VectorFile | None:
        """Where its answers are kept; nowhere for one that is made of others, which keep theirs."""
        if self._bind_model(role, name).models:
            return None
        kept = self._cache.vectors if role == "encoder" else self._cache.items
        return kept(digest(self.model_identity(role, name)))

    def model_identity(self, role: str, name: str) -> dict[str, Any]:
        """What the answers of a model depend on; `precision` is what `device: auto` came to."""
        bound = self._bind_model(role, name)
        identity = {**self.identity(bound), "role": role, "weights": self.weights(role, name)}
        if identity["weights"].startswith(ABSENT):
            return identity
        precision = getattr(self._instance(role, name), "precision", None)
        return {**identity, "precision": precision} if precision else identity

    def weights(self, role: str, name: str) -> str:
        """What identifies a model's weights; `none` for one that has no such notion."""
        if (role, name) not in self._weights:
            try:
                tell = getattr(self._instance(role, name), "weights", None)
                self._weights[role, name] = tell() if callable(tell) else "none"
            except NotApplicable as error:
                self._weights[role, name] = f"{ABSENT}{error}"
        return self._weights[role, name]

    def fetch(self, models: Iterable[tuple[str, str]]) -> None:
        """Load those models whose weights are not on this machine yet: only then is it known
        which revision they are, and with it the identity of their answers."""
        for role, name in models:
            if self.weights(role, name).startswith(UNRESOLVED):
                self._instance(role, name).load()
                del self._weights[role, name]

    def identity(self, bound: Bound) -> dict[str, Any]:
        """The component, its code and its arguments, and the same of all below it. Arguments that
        its class lists as `operational` (a batch size, a time limit) change no answer."""
        operational = getattr(bound.component.make, "operational", ())
        args = {name: value for name, value in bound.args.items() if name not in operational}
        return {
            "component": [bound.component.kind, bound.component.name],
            "code": code_digest(bound.component.make),
            "args": to_jsonable_python(args),
            "models": {p: self.model_identity(*model) for p, model in bound.models.items()},
            "stores": {p: self.identity(store) for p, store in bound.stores.items()},
        }

    @cached_property
    def _root(self) -> Path:
        return Path(str(self._suite.dataset.get("root", "."))).expanduser()

    def _local(self, value: Any) -> Any:
        """`dataset:file` is a file in the dataset's folder."""
        text = str(value)
        if isinstance(value, str | Path) and text.startswith(DATASET_PREFIX):
            return type(value)(self._root / text.removeprefix(DATASET_PREFIX))
        return value

    def _bind_model(self, role: str, name: str) -> Bound:
        return bind_model(role, name, self._suite)

    def _instance(self, role: str, name: str) -> Any:
        if (role, name) not in self._raw:
            try:
                bound = self._bind_model(role, name)
                with crashes.reported(bound.component.name, bound.component.make):
                    raw = self._raw[role, name] = self.build(bound)
                if hasattr(raw, "purse"):
                    raw.purse = self._meter.purse
            except NotApplicable:
                raise
            except MmragbenchError as error:
                raise Misfit(("models", name), str(error)) from error
        return self._raw[role, name]


def _store_maker(assembly: Assembly, bound: Bound) -> NewStore:
    return lambda: CheckedStore(assembly.build(bound), bound.component.name)
