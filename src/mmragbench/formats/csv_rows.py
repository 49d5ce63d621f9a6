"""Lenient reader of CSV, in which a quotation mark may be a part of a text."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from mmragbench._printable import quoted
from mmragbench.errors import DataError, listed
from mmragbench.formats.text_lines import read_lines, resemblance

NULLS = frozenset(("nan", "NaN", "None", "null", "NULL", "<NA>"))
"""Texts that stand for a missing value in CSV; pandas reads these as missing, too."""

_ENDINGS = frozenset((".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"))
_MOST_LINES = 100
"""The most lines of one row."""


class Table(NamedTuple):
    """The names of a file's columns, and its rows with the numbers of their first lines."""

    header: list[str]
    rows: Iterator[tuple[int, list[str]]]


def read_csv(path: Path, expected: str, name: str) -> Table:
    """The table of a CSV file; blank lines are skipped.

    A quoted field may have line breaks. A quotation mark that opens a field and is not closed, or
    only on a later line that names a picture of its own, quotes nothing: its line is split at the
    commas, and no line becomes part of another's caption.

    Args:
        expected: what should be in the file, for errors.
        name: the column of pictures' file names.

    Raises:
        DataError: the file cannot be read, is not UTF-8, or ends its lines with carriage returns
            alone; the header lacks the column, or has a name twice.
    """
    lines = list(read_lines(path, expected))
    first = next((place for place, (_, line) in enumerate(lines) if line.strip()), None)
    header = _header(path, "" if first is None else lines[first][1], expected, name)
    return Table(header, _rows(lines[(first or 0) + 1 :], header.index(name)))


def _header(path: Path, line: str, expected: str, name: str) -> list[str]:
    """The columns of a header line, with the column of file names called as in `name`.

    Raises:
        DataError: as `read_csv`.
    """
    header = [column.strip() for column in split(line) or line.split(",")]
    lowered = [column.lower() for column in header]
    if "\r" in line:
        raise DataError(f"{path}: lines end in \\r alone; convert it: tr '\\r' '\\n' < {path.name}")
    if other := next((sign for sign in ";\t|" if name in lowered[0].split(sign)[:-1]), None):
        raise DataError(
            f"{path}: its columns are separated by {other!r}, not by commas; expected {expected}"
        )
    if not line:
        raise DataError(f"{path} is empty; expected {expected}")
    if name not in lowered:
        what = resemblance(line) or f"its columns are {quoted(', '.join(header))}"
        raise DataError(f"{path}: {what}; expected {expected}")
    header[lowered.index(name)] = name
    if repeated := [column for column, n in Counter(header).items() if n > 1 and column]:
        raise DataError(
            f"{path}: several columns are called {listed(repeated)}; give each a name of its own"
        )
    return header


def split(line: str, delimiter: str = ",") -> list[str] | None:
    """The fields of one row of CSV; None where a quotation mark does not quote a whole field."""
    if '"' not in line:
        return line.split(delimiter)
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error:
        return None


class _Row(NamedTuple):
    """The fields of a row, and the number of lines that it spans."""

    fields: list[str]
    n_lines: int


def _rows(lines: Sequence[tuple[int, str]], column: int) -> Iterator[tuple[int, list[str]]]:
    """Line numbers and fields of the rows; `column` has the pictures' file names."""
    start = 0
    while start < len(lines):
        number, line = lines[start]
        fields, n_lines = split(line), 1
        if fields is None:
            texts = [text for _, text in lines[start : start + _MOST_LINES]]
            fields, n_lines = _multi_line_row(texts, column) or _Row(line.split(","), 1)
        if line.strip():
            yield number, fields
        start += n_lines


def _multi_line_row(lines: Sequence[str], column: int) -> _Row | None:
    """The row of several lines that begins with the first of these; None where there is none."""
    text, own = lines[0], _name(lines[0], column)
    for n_lines, line in enumerate(lines[1:], 2):
        if not _is_open(text) or _names_a_picture(_name(line, column), own):
            return None
        text = f"{text}\n{line}"
        fields = split(text)
        if fields is not None:
            return _Row(fields, n_lines)
    return None


def _is_open(text: str) -> bool:
    """Whether a quoted field of a row's text is not closed."""
    return text.count('"') % 2 == 1


def _name(line: str, column: int) -> str:
    """The field in the column of file names; empty where the line has no such field."""
    fields = line.split(",")
    return fields[column].strip().strip('"') if len(fields) > column else ""


def _names_a_picture(name: str, own: str) -> bool:
    """Whether a field is a picture's name, by a usual ending or by that of the row's own picture.

    A name without an ending counts only if it is the row's own.
    """
    ending = PurePosixPath(name).suffix.lower()
    endings = _ENDINGS | {PurePosixPath(own).suffix.lower()}
    return ending in endings if ending else bool(name) and name == own
