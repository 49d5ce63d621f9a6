"""Checks of ids, numbers and texts, the same for all formats."""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Iterable

from mmragbench._printable import one_line, quoted
from mmragbench.errors import DataError, listed

MAX_ID = 1_000
"""The most characters of an id."""


def as_id(value: object) -> str | None:
    """A value as an id, `7` for 7 and "7"; None for what cannot be one.

    An id is a whole number or a text of 1 to `MAX_ID` characters that UTF-8 can write, without NUL.
    """
    if type(value) is int:  # not a bool
        return str(value)
    if not isinstance(value, str):
        return None
    return value if 0 < len(value) <= MAX_ID and "\0" not in value and is_unicode(value) else None


def is_unicode(text: str) -> bool:
    """Whether a text can be written in UTF-8, which half a surrogate pair cannot."""
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def as_number(text: str) -> float | None:
    """A finite decimal number in ASCII digits (`1`, `-0.5`, `1e-3`); None for any other text."""
    if text.strip("0123456789.+-eE"):
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def not_a_text(value: object) -> str:
    """The reason why a value cannot be scored as a caption or answer; empty where it can.

    A list or an object that was written as text (`"['a dog', 'a cat']"`) cannot: tables that have no
    lists write them so.
    """
    if value is None:
        return "it is null or not there"
    if not isinstance(value, str):
        return f"it is of type {type(value).__name__}"
    if not is_unicode(value):
        return "half a surrogate pair, which no file can hold"
    if _is_structure(value.strip()):
        return f"{quoted(value)} is a list or object written as text; write one text a row, or JSON"
    return ""


def _is_structure(text: str) -> bool:
    if text[:1] + text[-1:] not in ("[]", "{}"):
        return False
    for read in (json.loads, ast.literal_eval):
        try:
            return isinstance(read(text), list | dict | set)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    return False


def described(value: object) -> str:
    """What a value of JSON or YAML is: `a list of 2`, `an object with 'info', 'images'`."""
    if isinstance(value, dict):
        return f"an object with {listed(value, 5)}" if value else "an object without keys"
    if isinstance(value, list):
        return f"a list of {len(value):,}"
    return "empty" if value is None else quoted(value)


def refuse_contradictions(source: str, noun: str, ids: Iterable[str]) -> None:
    """Refuse ids that have two different answers in one source.

    Raises:
        DataError: there is at least one such id.
    """
    distinct = list(dict.fromkeys(ids))
    if distinct:
        raise DataError(
            f"{source}: {len(distinct)} {noun} with more than one answer, not the same one: "
            f"{', '.join(one_line(id, 100) for id in distinct[:3])}"
            f"{', ...' if len(distinct) > 3 else ''}; keep one of each"
        )
