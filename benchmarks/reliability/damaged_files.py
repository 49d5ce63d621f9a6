"""What becomes of files: cut, flipped, emptied, overwritten, or another file's content."""

from __future__ import annotations

import random
from collections.abc import Callable

Damage = Callable[[random.Random, bytes], bytes]


def _cut(rng: random.Random, content: bytes) -> bytes:
    return content[: rng.randrange(len(content) + 1)]


def _headless(rng: random.Random, content: bytes) -> bytes:
    return content[rng.randrange(len(content) + 1) :]


def _flipped(rng: random.Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 10])):
        if changed:
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _zeroed(rng: random.Random, content: bytes) -> bytes:
    start = rng.randrange(len(content) + 1)
    length = min(len(content) - start, rng.choice([1, 64, 4096]))
    return content[:start] + bytes(length) + content[start + length :]


def _doubled(rng: random.Random, content: bytes) -> bytes:
    start = rng.randrange(len(content) + 1)
    return content[:start] + content[start : start + 500] * 2 + content[start + 500 :]


def _digits(rng: random.Random, content: bytes) -> bytes:
    """Still readable, with another number: what only a checksum finds."""
    places = [at for at, byte in enumerate(content) if chr(byte).isdigit()]
    if not places:
        return _flipped(rng, content)
    at = rng.choice(places)
    return content[:at] + str(rng.randrange(10)).encode() + content[at + 1 :]


def _noise(rng: random.Random, content: bytes) -> bytes:
    return rng.randbytes(rng.choice([1, 16, 1000]))


WORDS = (b"", b"null", b"[]", b"{}", b"[1]", b'"x"', b"\xff\xfe", b"1e999", b"[" * 3000, b"PK\x03\x04",
         b"PAR1", b"\n\n", b'{"files": {}}', b"SQLite format 3\0", b"\xef\xbb\xbf{}")  # fmt: skip


def _word(rng: random.Random, content: bytes) -> bytes:
    return rng.choice(WORDS)


KINDS: tuple[Damage, ...] = (
    _cut, _headless, _flipped, _flipped, _zeroed, _doubled, _digits, _digits, _noise, _word,
)  # fmt: skip


def damaged(rng: random.Random, content: bytes) -> bytes:
    """The content after one of these accidents; now and then it is what it was."""
    return rng.choice(KINDS)(rng, content)
