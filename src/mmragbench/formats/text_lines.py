"""Reader of text files: UTF-8, in lines that end at a newline (or carriage return and newline) alone.

Other characters that end a line elsewhere (U+2028, U+0085, a carriage return alone) belong to the
text, as in JSON Lines.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from mmragbench._printable import quoted
from mmragbench.errors import DataError

_BOMS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}

_SINGLE_BYTE = ("CP1252", "ISO-8859-1")
"""Encodings of a byte a character: that of most such files, and one that any bytes fit."""

LINE_FEED = b"\n"

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
                content = _marked_utf8(path, line, expected) if number == 1 else line
                yield number, content.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8")
    except OSError as error:
        raise unreadable(path, error, expected) from error
    except UnicodeDecodeError as error:
        raise not_utf8(path, line, expected, number) from error


def resemblance(line: str) -> str:
    """The format that the first line of a file looks like, as a clause; empty where it is no format
    that could be mistaken for another."""
    fields = line.split()
    if line.lstrip().startswith(("{", "[")):
        return "it looks like JSON"
    if len(fields) == 6 and fields[1].upper() == "Q0":
        return "it looks like a TREC run"
    if len(fields) == 4 and fields[1] == "0":
        return "it looks like TREC's judgements"
    return ""


def unreadable(path: Path, error: OSError, expected: str) -> DataError:
    """The error for a file that cannot be opened or read."""
    return DataError(f"{path} cannot be read ({error.strerror}); expected {expected}")


def decoded(path: Path, data: bytes, expected: str) -> str:
    """The text of a file's content, without its byte order mark.

    Raises:
        DataError: it is not UTF-8.
    """
    try:
        return _marked_utf8(path, data, expected).decode("utf-8")
    except UnicodeDecodeError as error:
        raise not_utf8(path, data, expected) from error


def not_utf8(path: Path, data: bytes, expected: str, number: int = 1) -> DataError:
    """The error for bytes that are no UTF-8: their likely encoding, and how to convert them.

    For a packed file it says how to unpack it.

    Args:
        number: the number of the first line of `data`.
    """
    packed = next((kind for magic, kind in _PACKED.items() if data.startswith(magic)), None)
    if packed:
        name, program = packed
        return DataError(f"{path} is {name}, no text; {program}; expected {expected}")
    encoding, where, reads = _encoding(data), "", ""
    if encoding in _SINGLE_BYTE:
        at = _first_invalid(data)
        where = f", line {number + data.count(LINE_FEED, 0, at)},"
        reads = f", in which it reads {quoted(_excerpt(data, at).decode(encoding))}"
    return DataError(
        f"{path}{where} is not UTF-8 text, it seems to be {encoding}{reads}; convert it: iconv -f "
        f"{encoding} -t UTF-8 {quote(str(path))} > {quote(f'utf8-{path.name}')}; expected {expected}"
    )


def _first_invalid(data: bytes) -> int:
    """The position of the first byte that is no UTF-8."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return 0


def _excerpt(data: bytes, at: int) -> bytes:
    """The part of a line around a byte."""
    before, after = data[max(0, at - 20) : at], data[at : at + 20]
    return before.split(LINE_FEED)[-1] + after.splitlines()[0]


def _marked_utf8(path: Path, data: bytes, expected: str) -> bytes:
    """The beginning of a file, or all of it, without its byte order mark.

    Raises:
        DataError: it is in UTF-16 or UTF-32, with a mark or without.
    """
    if data.startswith(tuple(_BOMS)) or not json.detect_encoding(data[:4]).startswith("utf-8"):
        raise not_utf8(path, data, expected)
    return data.removeprefix(codecs.BOM_UTF8)


def _encoding(data: bytes) -> str:
    """The likely encoding of bytes that are no UTF-8."""
    named = next((name for mark, name in _BOMS.items() if data.startswith(mark)), None)
    if named:
        return named
    guess = json.detect_encoding(data[:4])
    if not guess.startswith("utf-8"):
        return guess.upper().replace("-LE", "LE").replace("-BE", "BE")  # as iconv writes it
    try:
        data.decode(_SINGLE_BYTE[0])
    except UnicodeDecodeError:
        return _SINGLE_BYTE[1]
    return _SINGLE_BYTE[0]
