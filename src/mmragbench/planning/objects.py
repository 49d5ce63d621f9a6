"""Components that a Python program hands over as objects, where a suite has names."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from mmragbench.cache.fingerprint import known_digest
from mmragbench.cache.identity import is_local, unknown_digest
from mmragbench.errors import SuiteError
from mmragbench.registry import Component, has_methods, needed_methods, registered, renamed

PLAIN = (str, int, float, Path, date, type(None))
"""What a suite's YAML can hold beside lists and mappings, and paths."""

BUILT_ONCE = ("dataset", "encoder", "captioner", "chat", "painter", "reranker")
"""Kinds of which a run builds one object; of the others, one for each memory or cell."""


class PythonObject:
    """An object, a class or a function that stands where a suite names a component.

    Its `digest` identifies its code and state at the time when the suite was planned. An object whose state
    cannot be read (it holds a lock, a connection, …) has a digest that no other run has: nothing of
    an earlier run is taken for its answers, which a warning says.

    Args:
        value: what was handed over.
    """

    def __init__(self, value: Any) -> None:
        self.value = value
        self._is_definition = inspect.isclass(value) or inspect.isroutine(value)
        definition = value if self._is_definition else type(value)
        name = f"{definition.__module__}:{definition.__qualname__}"
        if not self._is_definition:
            name = f"<object of {name}>"
        elif is_local(definition):
            name = f"<{'class' if inspect.isclass(value) else 'function'} {name}>"
        self.name = name
        known = known_digest(value, name)
        self._is_known, self.digest = known is not None, known or unknown_digest()

    def offers(self, kind: str) -> bool:
        """Whether it is a component of a kind, or a class or a function that makes one."""
        if any(component.kind == kind for component in registered(self.value)):
            return True
        return has_methods(kind, self.value if self._is_definition else type(self.value))

    def component(self, kind: str) -> Component:
        """The component that it is.

        Raises:
            SuiteError: it has not the methods of that kind.
        """
        if not self.offers(kind):
            raise SuiteError(f"{self.name} is no {kind}: {needed_methods(kind)}")
        if getattr(self.value, "__module__", "").startswith("mmragbench."):
            for component in registered(self.value):  # one of the catalogues' own
                if component.kind == kind:
                    return component
        definition = self.value if self._is_definition else type(self.value)
        make = self.value if self._is_definition else self._maker(kind)
        return replace(renamed(kind, self.name, definition), make=make, code=self.digest)

    def _maker(self, kind: str) -> Any:
        """A function that returns the object; or a copy of it, so that what one memory leaves in it
        is not there for the next, and the object itself stays as it was handed over."""

        def make() -> Any:
            copied = self._is_known and kind not in BUILT_ONCE
            return copy.deepcopy(self.value) if copied else self.value

        make.__module__ = type(self.value).__module__
        for trait in ("reads", "operational"):
            if hasattr(self.value, trait):
                setattr(make, trait, getattr(self.value, trait))
        return make


def wrapped(value: Any) -> Any:
    """A value of a suite with every object in it as a `PythonObject`, identified anew."""
    if isinstance(value, PythonObject):
        return PythonObject(value.value)
    if isinstance(value, dict):
        return {name: wrapped(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [wrapped(part) for part in value]
    return value if isinstance(value, PLAIN) else PythonObject(value)


def named(value: Any) -> Any:
    """The same value as plain data: objects by what they are called."""
    if isinstance(value, dict):
        return {name: named(part) for name, part in value.items()}
    if isinstance(value, list):
        return [named(part) for part in value]
    return value.name if isinstance(value, PythonObject) else value


def objects(
    value: Any, place: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], PythonObject]]:
    """The objects in a value of a suite, with their places in it."""
    if isinstance(value, PythonObject):
        yield place, value
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from objects(part, (*place, name))
    elif isinstance(value, list):
        for part in value:
            yield from objects(part, place)


def named_function(function: Any) -> str:
    """A measure that is handed over as its function, by the path that leads to it.

    Raises:
        ValueError: it is no function with `@measures`, or was defined inside of another one.
    """
    name = (
        f"{function.__module__}:{function.__qualname__}"
        if inspect.isroutine(function)
        else repr(function)
    )
    if not any(component.kind == "measure" for component in registered(function)):
        raise ValueError(f"{name} is no measure: {needed_methods('measure')}")
    if "<locals>" in name:
        raise ValueError(f"{name} was defined inside of another function; define it in the module")
    return name
