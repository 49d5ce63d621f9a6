"""The cached answers of a model, item by item, in a SQLite file."""

from __future__ import annotations

import sqlite3
import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from mmragbench.cache.sqlite import Database


class Item(NamedTuple):
    """A model's answer for one input, and its cost in seconds (its share of its chunk's time)."""

    value: bytes
    seconds: float

    def checksum(self, key: str) -> int:
        """CRC-32 of the answer with its key and cost."""
        return crc32(self.value, crc32(f"{key} {self.seconds!r}".encode()))


class Items:
    """The answers of one model by the digest of the input; a SQLite file."""

    TABLE = (
        "CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, value BLOB, seconds REAL,"
        " checksum INTEGER) WITHOUT ROWID"
    )

    def __init__(self, path: Path) -> None:
        self.folder = path.parent
        self._db = Database(path, [self.TABLE])
        self._db.run(lambda db: None)  # so that a file that cannot be used is an error at once

    def get(self, keys: Sequence[str]) -> dict[str, Item]:
        """The answers that are stored under some of the keys; damaged ones count as missing."""
        known: dict[str, Item] = {}
        damaged = 0
        for start in range(0, len(keys), 500):
            chunk = keys[start : start + 500]
            for key, item, checksum in self._db.run(partial(_rows, chunk)):
                if checksum == item.checksum(key):
                    known[key] = item
                else:
                    damaged += 1
        if damaged:
            warnings.warn(
                f"{self._db.path}: {damaged:,} damaged answers are asked for again", stacklevel=2
            )
        return known

    def put(self, items: Mapping[str, Item]) -> None:
        """Store a chunk, all of it or nothing."""
        rows = [(key, *item, item.checksum(key)) for key, item in items.items()]
        self._db.write(
            lambda db: db.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)", rows)
        )


def _rows(keys: Sequence[str], db: sqlite3.Connection) -> list[tuple[str, Item, int]]:
    """Key, item and checksum of the rows under some of the keys."""
    marks = ",".join("?" * len(keys))
    rows = db.execute(
        f"SELECT key, value, seconds, checksum FROM answers WHERE key IN ({marks})", keys
    )
    return [
        (key, Item(value if isinstance(value, bytes) else b"", seconds), checksum)
        for key, value, seconds, checksum in rows
    ]
