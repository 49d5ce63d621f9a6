"""From a name, a dotted path, a class or a function to a component of a kind."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from mmragbench.errors import MmragbenchError, SuiteError, unknown
from mmragbench.records import Measure
from mmragbench.registry import (
    FOLDERS,
    METHODS,
    Component,
    every,
    find,
    has_methods,
    imported,
    registered,
)

PARAMETERS = {"measure": {"measures", "task", "rankings", "outputs"}, "report": {"run", "target"}}
"""Kind -> what its functions take."""


def component(target: str | Callable[..., Any], kind: str | None = None) -> Component:
    """What is meant.

    Args:
        target: a registered name (`shared-space`), a dotted path (`package.module:Name`), or the class
            or function itself.
        kind: which kind, where that is not clear from the target.

    Raises:
        SuiteError: there is nothing of that name, or it may be of several kinds or of none.
    """
    if kind is not None and kind not in FOLDERS:
        raise SuiteError(unknown("kind", kind, FOLDERS))
    if not isinstance(target, str):
        return _defined(target, getattr(target, "__qualname__", repr(target)), kind)
    if ":" in target:
        return _defined(imported(kind or "component", target), target, kind)
    return _named(target, kind)


def _named(name: str, kind: str | None) -> Component:
    kinds = [kind] if kind else [kind for kind in FOLDERS if _is_registered(kind, name)]
    if not kinds:
        names = sorted({component.name for kind in FOLDERS for component in every(kind)})
        message = unknown("component", name, names)
        raise SuiteError(f"{message} Or write package.module:Name.")
    chosen = _only(kinds, f"{name!r} names")
    return find(chosen, _written(name) if chosen == "measure" else name)


def _is_registered(kind: str, name: str) -> bool:
    if kind == "measure":
        return any(component.name == _written(name) for component in every(kind))
    try:
        find(kind, name)
    except MmragbenchError:
        return False
    return True


def _written(name: str) -> str:
    """`R@5` and `FID(clip)` as they are registered: `R@k`, `FID`."""
    try:
        measure = Measure.parse(name)
    except ValueError:
        return name
    return f"{measure.name}@k" if measure.cutoff or name.endswith("@k") else measure.name


def _defined(make: Callable[..., Any], name: str, kind: str | None) -> Component:
    """By its registration; else by its methods or parameters."""
    known = [found for found in registered(make) if kind in (None, found.kind)]
    if known:
        chosen = _only(
            list(dict.fromkeys(found.kind for found in known)), f"{name} is registered as"
        )
        return next(found for found in known if found.kind == chosen)
    chosen = kind or _only(kinds_of(make), f"{name} looks like")
    if chosen == "measure":
        raise SuiteError(
            f"{name} is not registered, so that nobody knows which measure it computes; put "
            "@measures('Name') above it (from mmragbench.registry import measures)"
        )
    return Component(chosen, name, make)


def kinds_of(make: Callable[..., Any]) -> list[str]:
    """The kinds whose methods a class has, or whose parameters a function takes; of a function that
    makes a component, by what it makes."""
    if not inspect.isclass(make):
        takes = set(inspect.signature(make).parameters)
        found = [kind for kind, wanted in PARAMETERS.items() if wanted <= takes]
        if found or takes:
            return found
        make = type(make())
    return [kind for kind in METHODS if has_methods(kind, make)]


def _only(kinds: list[str], what: str) -> str:
    if len(kinds) == 1:
        return kinds[0]
    if kinds:
        raise SuiteError(f"{what} {', '.join(kinds)}; say which: --kind {kinds[0]}")
    wanted = "; ".join(f"{kind}: {', '.join(names)}" for kind, names in METHODS.items())
    raise SuiteError(f"{what} no component; say --kind, or give it the methods of one ({wanted})")
