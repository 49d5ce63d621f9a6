"""Arrays that are odd, and files whose bytes are damaged: shared by the doors that take arrays."""

from __future__ import annotations

import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Array = Any


def odd_array(rng: random.Random, array: Array) -> Array:
    """The same with something odd about its values, its dtype or its shape."""
    return rng.choice(ODD)(rng, array) if array.ndim else array


def _put(rng: random.Random, array: Array, value: float) -> Array:
    if not array.size or array.dtype.kind not in "fiu":
        return array
    changed = array.astype(np.float64)
    changed.flat[rng.randrange(array.size)] = value
    return changed


ODD: list[Callable[[random.Random, Array], Array]] = [
    lambda rng, a: _put(rng, a, rng.choice([np.nan, np.inf, -np.inf, 1e308, 1e39, 1e-320])),
    lambda rng, a: a * 0 if a.dtype.kind in "fiu" else a,
    lambda rng, a: a.astype(complex) + 1j if a.dtype.kind in "fiu" else a,
    lambda rng, a: a.astype(bool) if a.dtype.kind in "fiu" else a,
    lambda rng, a: a.astype(str) if a.dtype.kind in "fiu" else a.astype(object),
    lambda rng, a: a[:-1],
    lambda rng, a: np.concatenate([a, a[:1]]),
    lambda rng, a: a[None],
    lambda rng, a: a.ravel(),
    lambda rng, a: np.zeros((0, *a.shape[1:]), a.dtype),
    lambda rng, a: a[:, :-1] if a.ndim == 2 else a,
    lambda rng, a: np.array(rng.choice([0, 1.5, "x", b"\xff", None])),
    lambda rng, a: np.asfortranarray(a),
    lambda rng, a: a.astype(a.dtype.newbyteorder(">")),
    lambda rng, a: np.ma.masked_array(a, mask=np.zeros(a.shape, bool)),
    lambda rng, a: np.zeros(len(a) if a.ndim else 1, dtype=[("x", "f4"), ("ü", "i4")]),
    lambda rng, a: np.array(["2024-01-01"] * (len(a) if a.ndim else 1), "M8[D]"),
    lambda rng, a: a[::2],
]


def damage(rng: random.Random, file: Path) -> bool:
    """Half of the time, change a file's bytes, or put another kind of file in its place; whether."""
    if rng.random() < 0.5:
        return False
    content = rng.choice(DAMAGE)(rng, file.read_bytes())
    file.write_bytes(content)
    return True


def _flipped(rng: random.Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice([1, 1, 3, 30]) if changed else 0):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _zeroed(rng: random.Random, content: bytes) -> bytes:
    start = rng.randrange(len(content) or 1)
    length = rng.choice([1, 16, 512])
    return content[:start] + bytes(len(content[start : start + length])) + content[start + length :]


def _claiming(rng: random.Random, content: bytes) -> bytes:
    """An archive whose arrays claim a size that is not there, or a form that nobody knows."""
    from io import BytesIO

    shape = rng.choice(
        ["(4000000000,)", "(2**40,)", "(-1, 4)", "(99999999999999999999,)", "3", "()"]
    )
    descr = rng.choice(["<f4", "|O", "<U999999999", "<c16", "nonsense", "<f4", "|S0"])
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    version = rng.choice([b"\x01\x00", b"\x03\x00", b"\x09\x09"])
    member = b"\x93NUMPY" + version + len(header).to_bytes(2, "little") + header + bytes(64)
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        for name in ("image_ids", "image_embeddings", "mu", "sigma"):
            zipped.writestr(f"{name}.npy", member)
    return archive.getvalue()


DAMAGE: list[Callable[[random.Random, bytes], bytes]] = [
    _flipped,
    _flipped,
    _zeroed,
    _claiming,
    lambda rng, content: content[: rng.randrange(len(content) or 1)],
    lambda rng, content: b"",
    lambda rng, content: rng.randbytes(rng.choice([1, 8, 500])),
    lambda rng, content: rng.choice([b"PK\x03\x04", b"\x93NUMPY", b"\xff" * 8]) + content[:200],
    lambda rng, content: content + rng.randbytes(50),
    lambda rng, content: (rng.choice([2**62, 2**34, 10])).to_bytes(8, "little") + content[8:],
    lambda rng, content: b'{"image_ids": []}',
]
