"""Errors of pydantic about a suite's values, in the words of a suite."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from mmragbench._printable import shortened
from mmragbench._redacting import without_keys
from mmragbench.errors import unknown

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "text",
    "path": "a path",
    "list": "a list",
    "tuple": "a list",
    "dict": "names with values",
    "dataclass": "names with values",
    "model": "names with values",
}
"""Type of an error up to its first underscore -> what the value should be."""

LIMITS = {
    "greater_than_equal": "{ge:g} or more",
    "greater_than": "more than {gt:g}",
    "less_than_equal": "{le:g} or less",
    "less_than": "less than {lt:g}",
    "literal_error": "{expected}",
    "finite_number": "a finite number",
}
"""Type of an error -> what the value should be, by the error's context."""

MISSPELT = ("extra_forbidden", "unexpected_keyword_argument")

Known = Callable[[tuple[str, ...]], Iterable[str]]
"""A place in a suite to the keys that can stand there."""


class WrongValue(NamedTuple):
    """A problem in words, and its place within the content that was validated."""

    place: tuple[str, ...]
    message: str


def wrong_value(error: ValidationError, content: Any, known: Known) -> WrongValue:
    """The first problem of an error; a key that is misspelt comes before one that is missing for it.

    Args:
        content: what was validated.
        known: the keys that can stand at a place, for one that is misspelt.
    """
    details = error.errors()
    first = next((detail for detail in details if detail["type"] in MISSPELT), details[0])
    place, key = _place(first, content), str(first["loc"][-1]) if first["loc"] else ""
    if first["type"] in MISSPELT:
        return WrongValue((*place, key), unknown("key", key, known(place)))
    if first["type"] == "missing":
        return WrongValue(place, f"the key {key!r} is missing")
    alternatives = [detail for detail in details if _place(detail, content) == place]
    return WrongValue(place, _expectation(alternatives))


def _place(detail: ErrorDetails, content: Any) -> tuple[str, ...]:
    """The keys that lead to a problem; a step of an error may also name a type or a position."""
    steps: list[str] = []
    for step in detail["loc"][:-1] if detail["type"] in MISSPELT else detail["loc"]:
        if isinstance(content, Mapping) and step in content:
            steps.append(str(step))
            content = content[step]
    return tuple(steps)


def _expectation(details: Iterable[ErrorDetails]) -> str:
    """What a value should be, and what it is; several kinds of value may be possible."""
    expected: dict[str, None] = {}
    for detail in details:
        if detail["type"] == "too_short":
            return "it is empty; name one at least"
        if detail["type"] == "value_error":
            return detail["msg"].removeprefix("Value error, ")
        kind = KINDS.get(detail["type"].partition("_")[0], detail["msg"])
        limit = LIMITS.get(detail["type"])
        expected[limit.format(**detail.get("ctx", {})) if limit else kind] = None
        value = detail["input"]
    shown = shortened(without_keys(repr(value)), 100)
    return f"expected {' or '.join(expected)}, but it is {'empty' if value is None else shown}"
