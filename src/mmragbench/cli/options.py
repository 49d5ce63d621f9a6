"""Options that several commands share, each said once: as the fields of a dataclass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import is_dataclass
from inspect import Parameter, signature
from typing import Any, get_type_hints


def expanded(command: Callable[..., None]) -> Callable[..., None]:
    """A command for typer: in place of each parameter that is a dataclass it has the fields as
    options, of which it makes the object."""
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: hint for name, hint in hints.items() if is_dataclass(hint)}
    parameters = [p for p in signature(command).parameters.values() if p.name not in groups]
    annotations = {p.name: hints[p.name] for p in parameters}
    for group in groups.values():
        annotations |= get_type_hints(group, include_extras=True)
        parameters += signature(group).parameters.values()

    def run(**given: Any) -> None:
        objects = {
            name: group(**{field: given.pop(field) for field in signature(group).parameters})
            for name, group in groups.items()
        }
        command(**given, **objects)

    run.__name__, run.__doc__, run.__module__ = (
        command.__name__,
        command.__doc__,
        command.__module__,
    )
    run.__annotations__ = annotations
    own = [
        p.replace(kind=Parameter.KEYWORD_ONLY, annotation=annotations[p.name]) for p in parameters
    ]
    run.__signature__ = signature(run).replace(parameters=own)  # type: ignore[attr-defined]
    return run
