"""Odd values, and bytes that something happened to: what the doors make their inputs out of."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

NUMBERS = [
    "1", "0", "2", "-1", "+1", "1.0", "2.00", "0.5", "1e0", "1e400", "-1e400", "inf", "-inf", "nan",
    "NaN", "1,5", "1_000", "１", "0x1", " 1 ", "", "1000", "1001", "-1000", "2147483647",
    "3000000000", "99999999999999999999", "9" * 400, "9" * 5_000, "1e-320", "true", "None", "1.",
    ".5", "--1", "½",
]  # fmt: skip
TEXTS = [
    "a dog", "", " ", "\t", "a\tb", "a b", "ä", "日本", "😀", "a\u2028b", "a\u2029b", "a\x85b", "a\x0bb",
    "a\x0cb", "a\rb", "a\nb", "a\r\nb", "\ufeffa", "a\u00a0b", "a\0b", "\x1b[2J", "\ud800", "x" * 999,
    "x" * 1_001, "x" * 140_000, '"', '""', '"a', 'a"', '"a"', 'a, "b", c', "'", "['a', 'b']",
    '["a"]', "[]", "{}", "{'raw': 'a'}", "[" * 5_000, "None", "nan", "null", "a,b,c", ",", ";",
    "../a", "/etc/hostname", "=1+1", "<b>", "a#0", "%20", "a%20b", "id", "query", "e\u0301", "\u202ea",
]  # fmt: skip
VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 7, 1.0, 1.5, float("nan"), float("inf"), 10**30, [], {}, [1], ["a"],
    ["a", None], [[]], {"a": 1}, {"raw": "a"}, [["a"]],
]  # fmt: skip


def text(rng: random.Random) -> str:
    """A text, odd as a rule."""
    return rng.choice(TEXTS) if rng.random() < 0.9 else "".join(rng.choices(TEXTS[:20], k=3))


def value(rng: random.Random) -> Any:
    """A value that JSON can hold."""
    return text(rng) if rng.random() < 0.4 else rng.choice(VALUES)


def now_and_then(rng: random.Random, good: Any, odd: Any, share: float = 0.04) -> Any:
    """The good value as a rule, else what the function `odd` makes."""
    return odd(rng) if rng.random() < share else good


def as_json(content: Any) -> str:
    """JSON as various writers have it: in ASCII, or not."""
    return json.dumps(content, ensure_ascii=len(str(content)) % 2 == 0)


def damaged(rng: random.Random, data: bytes) -> bytes:
    """The bytes with something done to them."""
    at = rng.randrange(len(data) + 1)
    noise = rng.choice(
        [b"\xff", b"\0", b'"', b"\n", b"\r", b"\xe9", b"\xed\xa0\x80", b"\t", b"{", b"[" * 9_999]
    )
    changes = [
        lambda: data[:at],
        lambda: data[:at] + noise + data[at:],
        lambda: data[:at] + rng.randbytes(4) + data[at + 4 :],
        lambda: data[:at] + bytes(rng.randrange(40)) + data[at:],
        lambda: data.decode("utf-8", "replace").encode(
            rng.choice(["utf-16", "utf-16-le", "utf-32"])
        ),
        lambda: data.decode("utf-8", "replace").encode(
            rng.choice(["cp1252", "latin-1"]), "replace"
        ),
        lambda: b"\xef\xbb\xbf" + data,
        lambda: data.replace(b"\n", rng.choice([b"\r\n", b"\r", b"\n\n", b"\xe2\x80\xa8"])),
        lambda: data * 2,
        lambda: b"",
    ]
    return rng.choice(changes)()


def write(rng: random.Random, path: Path, content: str, share: float = 0.15) -> None:
    """A file with this text, damaged with some probability; half a surrogate pair becomes bytes."""
    data = content.encode("utf-8", "surrogatepass")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(damaged(rng, data) if rng.random() < share else data)
