"""What a component's docstrings and signature say of it, read from its source by griffe."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import griffe

Kind = griffe.DocstringSectionKind


@dataclass(frozen=True)
class Parameter:
    """A parameter as a suite's author sees it.

    Attributes:
        type: its annotation, as it is written.
        default: as it is written; None where a value is required.
        text: what the docstring says, in one line; may be empty.
    """

    name: str
    type: str
    default: str | None
    text: str


@dataclass(frozen=True)
class Documentation:
    """The paragraphs of a class's or function's docstrings, and its parameters."""

    paragraphs: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    file: Path


def documentation(make: Callable[..., Any]) -> Documentation:
    """The documentation of a class, with its constructor's, or of a function.

    Raises:
        KeyError: its source does not define it by that name.
        OSError: its source cannot be read.
    """
    module = _visited(make.__module__)
    definition: Any = module[make.__qualname__]
    constructor = definition.members.get("__init__") if definition.is_class else None
    parts = [part for part in (definition, constructor) if part is not None]
    texts = {name: text for part in parts for name, text in _described(part)}
    signature = constructor or definition
    parameters = getattr(signature, "parameters", ()) if signature.is_function else ()
    return Documentation(
        tuple(paragraph for part in parts for paragraph in _paragraphs(part)),
        tuple(
            Parameter(p.name, str(p.annotation or ""), _default(p), texts.get(p.name, ""))
            for p in parameters
            if p.name not in ("self", "cls")
        ),
        Path(str(module.filepath)),
    )


@cache
def _visited(module: str) -> griffe.Module:
    path = Path(str(importlib.import_module(module).__file__))
    return griffe.visit(module, path, path.read_text(encoding="utf-8"))


def _default(parameter: griffe.Parameter) -> str | None:
    return None if parameter.default is None else str(parameter.default)


def _sections(definition: Any) -> Any:
    docstring = definition.docstring
    return docstring.parse("google", warnings=False) if docstring else ()


def _paragraphs(definition: Any) -> Iterator[str]:
    for section in _sections(definition):
        if section.kind is Kind.text:
            yield from section.value.split("\n\n")


def _described(definition: Any) -> Iterator[tuple[str, str]]:
    """Parameter -> what it is."""
    for section in _sections(definition):
        if section.kind in (Kind.parameters, Kind.attributes):
            yield from (
                (row.name.lstrip("*"), " ".join(row.description.split())) for row in section.value
            )
