"""Writer of CSV that spreadsheets open as text and numbers, never as formulas."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Any

from mmragbench._printable import printable

FORMULAS = tuple("=+-@\t\n\uff1d\uff0b\uff0d\uff20")
"""First characters of formulas in some program; the last four are the same signs in full width."""


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """CSV with a header, without control characters.

    A text that a spreadsheet would take for a formula gets a `'` in front; numbers, those in texts
    too, stay as they are.
    """
    stream = StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return stream.getvalue()


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, int | float):
        return value
    text = printable(str(value))
    return f"'{text}" if text.startswith(FORMULAS) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.isascii() and text == text.strip()
