"""Binding: a component with its arguments, checked against its signature; nothing is built."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from mmragbench.contracts import (
    Captioner,
    Chat,
    Encoder,
    Generator,
    KeysOf,
    NewStore,
    Painter,
    Reranker,
)
from mmragbench.errors import SuiteError, unknown
from mmragbench.planning.objects import PythonObject, objects
from mmragbench.planning.suite import Place, Suite, SuiteFieldError, component_spec
from mmragbench.planning.wrong_values import wrong_value
from mmragbench.registry import Component, exists, find

ROLES: dict[Any, str] = {
    Encoder: "encoder",
    Captioner: "captioner",
    Chat: "chat",
    Painter: "painter",
    Reranker: "reranker",
}


CHATTING = {"captioner": "described", "reranker": "judge"}
"""Role -> the component that makes it out of a chat model, where one is named in its place."""


GIVEN = ("task", "output", "strategy")
"""Parameters that the loop fills in, not the suite."""


@dataclass(frozen=True)
class Bound:
    """A component with its arguments: checked, defaults filled in, nothing built yet."""

    component: Component
    args: Mapping[str, Any]
    models: Mapping[str, tuple[str, str]]
    stores: Mapping[str, Bound]
    generators: Mapping[str, Bound]
    given: tuple[str, ...]

    def resolved(self) -> dict[str, Any]:
        """The spec with every default, as plain data."""
        named = {parameter: name for parameter, (_, name) in self.models.items()}
        parts = {**self.stores, **self.generators}
        resolved = {parameter: bound.resolved() for parameter, bound in parts.items()}
        plain: dict[str, Any] = to_jsonable_python(dict(self.args))
        return {"use": self.component.name, **plain, **named, **resolved}

    @property
    def every_model(self) -> set[tuple[str, str]]:
        """The models of the component and of the generators that it asks, as (role, name)."""
        inner = (model for part in self.generators.values() for model in part.every_model)
        return {*self.models.values(), *inner}


def bind(kind: str, spec: Mapping[str, Any], place: Place, suite: Suite) -> Bound:
    """Check a spec against its component's signature.

    Raises:
        SuiteFieldError: an unknown component, argument or model, a missing argument, a value that does not
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
            raise SuiteFieldError((*place, name), message)
    args: dict[str, Any] = {}
    models: dict[str, tuple[str, str]] = {}
    stores: dict[str, Bound] = {}
    generators: dict[str, Bound] = {}
    for name in takes:
        annotation, default = parameters[name]
        seeded = name == "seed" and component.kind != "dataset"  # the data are the same under all
        value = spec.get(name, suite.seed if seeded else default)
        role, here = _role(annotation), (*place, name)
        if annotation is NewStore:
            stores[name] = _store(value, here, suite)
        elif value is inspect.Parameter.empty:
            raise SuiteFieldError(place, f"{component.name} needs {name!r}{_choices(role, suite)}")
        elif Generator in _options(annotation) and value is not None:
            generators[name] = _generator(value, here, suite)
        elif role and value is not None:
            models[name] = (role, _model_name(role, value, here, suite))
        else:
            args[name] = value if role or value is None else _checked(annotation, value, here)
            _check_names(annotation, args[name], here, suite)
    given = tuple(name for name in GIVEN if name in parameters)
    return Bound(component, args, models, stores, generators, given)


def bind_model(role: str, name: str, suite: Suite) -> Bound:
    """A model of the suite, in a role. A chat model may stand where a captioner or a reranker is
    wanted: it is put into the component that makes one of it. Arguments that its `use` takes in
    another role alone are left to that (`check_model_arguments`).

    Raises:
        SuiteFieldError: as `bind`.
    """
    spec, place = suite.models[name], ("models", name)
    use = spec.get("use", name)
    if role in CHATTING and not offers(role, use) and offers("chat", use):
        return bind(role, {"use": CHATTING[role], "chat": name}, place, suite)
    component = _find(role, spec, place)
    own = {
        argument: value
        for argument, value in spec.items()
        if argument in _parameters(component) or not _roles_with(argument, use)
    }
    return bound(component, own, place, suite)


def check_model_arguments(models: Mapping[tuple[str, str], Bound], suite: Suite) -> None:
    """Refuse arguments of a model that it takes in none of the roles that the suite uses it in.

    Args:
        models: (role, name) -> every model that is used.
        suite: the suite.

    Raises:
        SuiteFieldError: there is one; names the roles that take it.
    """
    for name in dict.fromkeys(name for _, name in models):
        used = {role: bound for (role, other), bound in models.items() if other == name}
        taken = {argument for bound in used.values() for argument in _parameters(bound.component)}
        for argument in set(suite.models[name]) - taken:
            roles_with = _roles_with(argument, suite.models[name].get("use", name))
            if roles_with and not set(used) & set(roles_with):
                raise SuiteFieldError(
                    ("models", name, argument),
                    f"{argument} is for a {' or '.join(roles_with)}, and the suite uses {name} as "
                    f"{' and '.join(sorted(used))}; leave it out",
                )


def _roles_with(argument: str, use: Any) -> list[str]:
    """The roles of a registered model that take an argument; none for `use` itself, nor for what is not
    registered by a name, which is one class in all its roles."""
    if argument == "use" or isinstance(use, PythonObject) or ":" in str(use):
        return []
    offered = [role for role in ROLES.values() if exists(role, str(use))]
    return [role for role in offered if argument in _parameters(find(role, str(use)))]


def offers(kind: str, use: Any) -> bool:
    """Whether a suite's `use` is of a kind; a dotted path is of the kind that is wanted."""
    if isinstance(use, PythonObject):
        return use.offers(kind)
    return ":" in str(use) or exists(kind, str(use))


def _find(kind: str, spec: Mapping[str, Any], place: Place) -> Component:
    use = spec.get("use", place[-1])
    try:
        return use.component(kind) if isinstance(use, PythonObject) else find(kind, str(use))
    except SuiteError as error:
        raise SuiteFieldError((*place, "use") if "use" in spec else place, str(error)) from error


def _store(value: Any, place: Place, suite: Suite) -> Bound:
    """A store by name, spec or object; faiss if nothing is said."""
    spec = component_spec("faiss" if value is inspect.Parameter.empty else value)
    return bind("store", spec, place, suite)


def _generator(value: Any, place: Place, suite: Suite) -> Bound:
    """A generator of the suite by its name, or another by name, spec or object; never the one that
    names it here."""
    others = {name: spec for name, spec in suite.generators.items() if name != place[-2]}
    named = isinstance(value, str) and value in others
    spec = {"use": value, **others[value]} if named else component_spec(value)
    return bind("generator", spec, place, suite.model_copy(update={"generators": others}))


def _check_names(annotation: Any, value: Any, place: Place, suite: Suite) -> None:
    """Refuse keys of a mapping that name nothing in the section of the suite that they belong to."""
    for section in _sections(annotation) if isinstance(value, Mapping) else ():
        for name in value:
            if name not in (known := getattr(suite, section)):
                noun = {"strategies": "strategy", "tasks": "task"}[section]
                raise SuiteFieldError((*place, name), unknown(f"{noun} of the suite", name, known))


def _sections(annotation: Any) -> Iterator[str]:
    """The sections of a suite that the keys of an annotation's mappings belong to."""
    for part in typing.get_args(annotation):
        yield from [part.section] if isinstance(part, KeysOf) else _sections(part)


def _parameters(component: Component) -> dict[str, tuple[Any, Any]]:
    """Parameter -> its annotation and default."""
    make = component.make
    function = make.__init__ if inspect.isclass(make) else make
    if function is object.__init__:
        return {}
    hints = typing.get_type_hints(function, include_extras=True)
    parameters = inspect.signature(make).parameters.values()
    named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    return {p.name: (hints.get(p.name, Any), p.default) for p in named}


def _role(annotation: Any) -> str | None:
    return next((ROLES[option] for option in _options(annotation) if option in ROLES), None)


def _options(annotation: Any) -> tuple[Any, ...]:
    """The members of a union; of anything else, itself."""
    return typing.get_args(annotation) if _is_union(annotation) else (annotation,)


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
    if isinstance(value, PythonObject):
        raise SuiteFieldError(
            place, f"{value.name} is a model: give it a name under models, and that here"
        )
    if not suite.models:
        raise SuiteFieldError(
            place,
            f"unknown model {str(value)!r}: the suite has none; name it under models:, "
            f"{value}: {{use: ...}}",
        )
    if not isinstance(value, str) or value not in suite.models:
        raise SuiteFieldError(place, unknown("model", str(value), suite.models))
    bind_model(role, value, suite)
    return value


def _checked(annotation: Any, value: Any, place: Place) -> Any:
    for _, given in objects(value):
        raise SuiteFieldError(
            place, f"{given.name} is no plain value; make the object that takes it yourself"
        )
    try:
        return TypeAdapter(annotation).validate_python(value)
    except ValidationError as error:
        inner, message = wrong_value(error, value, lambda _: _keys_of(annotation))
        raise SuiteFieldError((*place, *inner), message) from None


def _keys_of(annotation: Any) -> list[str]:
    """The keys of the dataclass that a value is made into; none where it is no dataclass."""
    options = typing.get_args(annotation) if _is_union(annotation) else (annotation,)
    return [field.name for option in options if is_dataclass(option) for field in fields(option)]
