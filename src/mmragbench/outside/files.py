"""Files that somebody else wrote, read with errors that say which, where and what was expected."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmragbench.errors import DataError


def read_json(path: Path, expected: str) -> Any:
    """The content of a JSON file.

    Raises:
        DataError: it cannot be read, or it is not JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); expected {expected}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is not JSON ({error}); expected {expected}") from error


def read_lines(path: Path, expected: str) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, with their numbers, without their ends.

    Raises:
        DataError: it cannot be read, or it is not UTF-8.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, line.rstrip("\r\n")
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); expected {expected}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text; expected {expected}") from error


def as_id(value: object) -> str | None:
    """An id by its text, `7` for 7 and "7"; None for what cannot be an id."""
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        return None
    return str(value)
