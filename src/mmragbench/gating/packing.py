"""Columns of a baseline as short text: zlib, then base64."""

from __future__ import annotations

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]
"""One for each query of a task; nan where there is none."""

LARGEST = 1 << 28
"""Bytes of an unpacked column."""


def pack_values(values: Values) -> str:
    """Single precision, the first bytes of all numbers first, which is shorter."""
    columns = np.asarray(values, dtype="<f4").view(np.uint8).reshape(-1, 4).T
    return _pack(columns.tobytes())


def unpack_values(text: str) -> Values:
    """The inverse of `pack_values`.

    Raises:
        ValueError: the text is not a packed column.
    """
    columns = np.frombuffer(_unpack(text), dtype=np.uint8).reshape(4, -1)
    return np.ascontiguousarray(columns.T).view("<f4").ravel()


def pack_ids(ids: Sequence[str]) -> str:
    """Ids in order."""
    return _pack(json.dumps(list(ids), separators=(",", ":")).encode())


def unpack_ids(text: str) -> list[str]:
    """The inverse of `pack_ids`; raises as `unpack_values` does."""
    ids = json.loads(_unpack(text))
    if not isinstance(ids, list) or not all(isinstance(id, str) for id in ids):
        raise ValueError("not a list of ids")
    return ids


def pack_digests(digests: Sequence[str], digits: int) -> str:
    """The first hexadecimal digits (an even number) of each digest: chance does not compress."""
    return b64encode(bytes.fromhex("".join(digest[:digits] for digest in digests))).decode()


def unpack_digests(text: str, digits: int) -> list[str]:
    """The inverse of `pack_digests`, shortened; raises as `unpack_values` does."""
    joined = b64decode(text, validate=True).hex()
    return [joined[at : at + digits] for at in range(0, len(joined), digits)]


def _pack(content: bytes) -> str:
    return b64encode(zlib.compress(content, 9)).decode()


def _unpack(text: str) -> bytes:
    inflate = zlib.decompressobj()
    try:
        content = inflate.decompress(b64decode(text, validate=True), LARGEST)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if not inflate.eof:
        raise ValueError("a column is cut short, or too large")
    return content
