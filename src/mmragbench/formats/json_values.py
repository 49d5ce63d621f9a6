"""Readers of JSON and JSON Lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from mmragbench._printable import quoted
from mmragbench.errors import DataError
from mmragbench.formats.text_lines import not_utf8, read_bytes, read_lines, resemblance


def parse(text: str) -> Any:
    """The value of a text in JSON.

    Raises:
        DataError: it is no JSON, is nested too deeply, or has an object with a repeated key.
    """
    return _decoded(text, json.JSONDecoder(object_pairs_hook=_object))


def read_json(path: Path, expected: str, without: str = "") -> Any:
    """The content of a JSON file, with objects' member `without` left out.

    Raises:
        DataError: the file cannot be read, or is not JSON that `parse` accepts.
    """
    data = read_bytes(path, expected)
    if not data.strip():
        raise DataError(f"{path} is empty; expected {expected}")
    try:
        text = data.decode(json.detect_encoding(data))
    except UnicodeDecodeError as error:
        raise not_utf8(path, data, expected) from error

    def thinned(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = _object(pairs)
        members.pop(without, None)
        return members

    try:
        return _decoded(text, json.JSONDecoder(object_pairs_hook=thinned if without else _object))
    except DataError as error:
        other = resemblance(text.partition("\n")[0])
        what = f" ({other})" if other and "JSON" not in other else ""
        raise DataError(f"{path} is {error}{what}; expected {expected}") from error


class ObjectLine(NamedTuple):
    """A line of a JSON Lines file: its number, and its object or the reason why it has none."""

    number: int
    value: dict[str, Any] | None
    reason: str


def read_objects(path: Path, expected: str) -> Iterator[ObjectLine]:
    """The lines of a JSON Lines file that are not blank.

    Raises:
        DataError: the file cannot be read, or is not UTF-8.
    """
    decoder = json.JSONDecoder(object_pairs_hook=_object)
    for number, line in read_lines(path, expected):
        if not line.strip():
            continue
        try:
            value = _decoded(line, decoder)
        except DataError as error:
            yield ObjectLine(number, None, str(error))
            continue
        if isinstance(value, dict):
            yield ObjectLine(number, value, "")
        else:
            yield ObjectLine(number, None, "not an object in JSON")


def _decoded(text: str, decoder: json.JSONDecoder) -> Any:
    try:
        return decoder.decode(text)
    except RecursionError:
        raise DataError("not JSON that can be read: nested too deeply") from None
    except ValueError as error:
        raise DataError(f"not JSON ({error})") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in members if keys.count(key) > 1)
        raise ValueError(f"an object says the key {quoted(repeated)} twice")
    return members
