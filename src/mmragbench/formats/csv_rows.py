"""CSV as people write it: with quotation marks that quote, and with others."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from mmragbench._printable import quoted
from mmragbench.errors import DataError, listed
from mmragbench.formats.text_lines import read_lines

NULLS = frozenset(("nan", "NaN", "None", "null", "NULL", "<NA>"))
"""What programs write into CSV for a value that is not there; pandas reads these as missing, too."""

_ENDINGS = frozenset((".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"))
_MOST_LINES = 100
"""Lines of one row."""


def read_csv(
    path: Path, expected: str, name: str
) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """The names in the first line, and the rows by line number; blank lines are none.

    A quoted field may hold line breaks. A quotation mark that opens a field and is not closed, or
    only on a later line that names a picture of its own, quotes nothing: its line is taken as it
    stands, and no line becomes part of another's caption.

    Args:
        expected: what should be in the file, for errors.
        name: the column of pictures' file names.

    Raises:
        DataError: the file cannot be read, is not UTF-8, or ends its lines with carriage returns
            alone; the header lacks the column, or has a name twice.
    """
    lines = list(read_lines(path, expected))
    first = next((place for place, (_, line) in enumerate(lines) if line.strip()), None)
    title = "" if first is None else lines[first][1]
    header = [column.strip() for column in split(title) or title.split(",")]
    lowered = [column.lower() for column in header]
    if "\r" in title:
        raise DataError(f"{path}: lines end in \\r alone; convert it: tr '\\r' '\\n' < {path.name}")
    if first is None or name not in lowered:
        raise DataError(f"{path}: its columns are {quoted(', '.join(header))}; expected {expected}")
    header[lowered.index(name)] = name
    if twice := [column for column, n in Counter(header).items() if n > 1 and column]:
        raise DataError(
            f"{path}: several columns are called {listed(twice)}; give each a name of its own"
        )
    return header, _rows(lines[first + 1 :], lowered.index(name))


def split(line: str, delimiter: str = ",") -> list[str] | None:
    """The fields of one row of CSV; None where a quotation mark quotes no whole field."""
    if '"' not in line:
        return line.split(delimiter)
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error:
        return None


def _rows(lines: Sequence[tuple[int, str]], at: int) -> Iterator[tuple[int, list[str]]]:
    start = 0
    while start < len(lines):
        number, line = lines[start]
        fields, used = split(line), 1
        if fields is None:
            texts = [text for _, text in lines[start : start + _MOST_LINES]]
            fields, used = _spanning(texts, at) or (line.split(","), 1)
        if line.strip():
            yield number, fields
        start += used


def _spanning(lines: Sequence[str], at: int) -> tuple[list[str], int] | None:
    """The fields of a row of several lines, and how many it takes."""
    row, own = lines[0], _name(lines[0], at)
    for used, line in enumerate(lines[1:], 2):
        if not _is_open(row) or _names_a_picture(_name(line, at), own):
            return None
        row = f"{row}\n{line}"
        fields = split(row)
        if fields is not None:
            return fields, used
    return None


def _is_open(row: str) -> bool:
    """Whether a quoted field goes on behind the end."""
    return row.count('"') % 2 == 1


def _name(line: str, at: int) -> str:
    """What stands in the column of file names; empty where the line has none."""
    fields = line.split(",")
    return fields[at].strip().strip('"') if len(fields) > at else ""


def _names_a_picture(name: str, own: str) -> bool:
    """Whether a line has a picture's name, by a usual ending or by that of the row's own picture;
    names without endings are known where they are the row's own."""
    ending = PurePosixPath(name).suffix.lower()
    endings = _ENDINGS | {PurePosixPath(own).suffix.lower()}
    return ending in endings if ending else bool(name) and name == own
