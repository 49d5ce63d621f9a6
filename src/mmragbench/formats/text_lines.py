"""Reader of text files: UTF-8, in lines that end at a newline (or carriage return and newline) alone.

Other characters that end a line elsewhere (U+2028, U+0085, a carriage return alone) belong to the
text, as in JSON Lines.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from pathlib import Path

from mmragbench.errors import DataError

_BOMS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}

_PACKED = {
    b"\x1f\x8b": ("a gzip file", "unpack it: gunzip"),
    b"PK\3\4": ("a zip file", "unpack it: unzip"),
    b"BZh": ("a bzip2 file", "unpack it: bunzip2"),
    b"\xfd7zXZ": ("an xz file", "unpack it: unxz"),
    b"\x28\xb5\x2f\xfd": ("a zstandard file", "unpack it: unzstd"),
    b"PAR1": ("a parquet file", "use: huggingface reads it"),
}
"""First bytes of files that are no text -> their kind, and what to do."""


def read_bytes(path: Path, expected: str) -> bytes:
    """A file's content.

    Raises:
        DataError: it cannot be read; names what was expected.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise unreadable(path, error, expected) from error


def read_lines(path: Path, expected: str) -> Iterator[tuple[int, str]]:
    """The lines without their ends, with their numbers (from 1).

    Raises:
        DataError: the file cannot be read, or is not UTF-8.
    """
    number, line = 0, b""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                content = _first_line(path, line, expected) if number == 1 else line
                yield number, content.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8")
    except OSError as error:
        raise unreadable(path, error, expected) from error
    except UnicodeDecodeError as error:
        raise not_utf8(path, line, expected, f", line {number},") from error


def unreadable(path: Path, error: OSError, expected: str) -> DataError:
    """The error for a file that cannot be opened or read."""
    return DataError(f"{path} cannot be read ({error.strerror}); expected {expected}")


def not_utf8(path: Path, data: bytes, expected: str, where: str = "") -> DataError:
    """The error for bytes that are no UTF-8: their likely encoding, and how to convert them.

    For a packed file it says how to unpack it.
    """
    packed = next((kind for magic, kind in _PACKED.items() if data.startswith(magic)), None)
    if packed:
        name, program = packed
        return DataError(f"{path} is {name}, no text; {program}; expected {expected}")
    encoding = _encoding(data)
    return DataError(
        f"{path}{where} is not UTF-8 text, it seems to be {encoding}; convert it: iconv -f "
        f"{encoding} -t UTF-8 {path.name} > utf8-{path.name}; expected {expected}"
    )


def _first_line(path: Path, line: bytes, expected: str) -> bytes:
    """The first line without its byte order mark.

    Raises:
        DataError: it is in UTF-16 or UTF-32, with a mark or without.
    """
    if line.startswith(tuple(_BOMS)) or not json.detect_encoding(line).startswith("utf-8"):
        raise not_utf8(path, line, expected)
    return line.removeprefix(codecs.BOM_UTF8)


def _encoding(data: bytes) -> str:
    """The likely encoding of bytes that are no UTF-8."""
    named = next((name for mark, name in _BOMS.items() if data.startswith(mark)), None)
    if named:
        return named
    guess = json.detect_encoding(data[:4])
    if not guess.startswith("utf-8"):
        return guess.upper()
    try:
        data.decode("cp1252")
    except UnicodeDecodeError:
        return "ISO-8859-1"
    return "CP1252"
