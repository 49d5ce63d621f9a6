"""Finds the component that a name, a dotted path, a class or a function means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mmragbench.errors import MmragbenchError, SuiteError, unknown
from mmragbench.records import Measure
from mmragbench.registry import FOLDERS, Component, every, find, imported, registered


def component(target: str | Callable[..., Any], kind: str | None = None) -> Component:
    """The component that a target means.

    Args:
        target: a registered name (`shared-space`), a dotted path (`package.module:Name`), or the class
            or function itself.
        kind: which kind; needed for what is not registered, or as several kinds.

    Raises:
        SuiteError: there is nothing of that name, or its kind has to be said.
    """
    if kind is not None and kind not in FOLDERS:
        raise SuiteError(unknown("kind", kind, FOLDERS))
    if isinstance(target, str) and ":" not in target:
        return _named(target, kind)
    make = imported(kind or "component", target) if isinstance(target, str) else target
    name = target if isinstance(target, str) else getattr(target, "__qualname__", repr(target))
    by_kind = {c.kind: c for c in reversed(registered(make)) if kind in (None, c.kind)}
    if by_kind:
        return _only(by_kind, name)
    if kind == "measure":
        raise SuiteError(
            f"{name} is not registered, so that nobody knows which measure it computes; put "
            "@measures('Name') above it (from mmragbench.registry import measures)"
        )
    if kind is None:
        kinds = ", ".join(FOLDERS)
        raise SuiteError(f"{name} is not registered; say which kind it is, --kind KIND: {kinds}")
    return Component(kind, name, make)


def _named(name: str, kind: str | None) -> Component:
    if kind:
        return find(kind, _registered_name(kind, name))
    components = {kind: _registered(kind, name) for kind in FOLDERS}
    by_kind = {kind: component for kind, component in components.items() if component}
    if not by_kind:
        names = sorted({component.name for kind in FOLDERS for component in every(kind)})
        raise SuiteError(f"{unknown('component', name, names)} Or write package.module:Name.")
    return _only(by_kind, name)


def _registered(kind: str, name: str) -> Component | None:
    try:
        return find(kind, _registered_name(kind, name))
    except MmragbenchError:
        return None


def _registered_name(kind: str, name: str) -> str:
    """`R@5` and `FID(clip)` are registered as `R@k` and `FID`."""
    if kind != "measure":
        return name
    try:
        measure = Measure.parse(name)
    except ValueError:
        return name
    return f"{measure.name}@k" if measure.cutoff or name.endswith("@k") else measure.name


def _only(by_kind: Mapping[str, Component], name: str) -> Component:
    first, *others = by_kind
    if others:
        kinds = ", ".join(by_kind)
        raise SuiteError(f"{name} is registered as {kinds}; say which: --kind {first}")
    return by_kind[first]
