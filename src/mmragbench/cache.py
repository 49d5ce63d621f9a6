"""What was computed once is looked up: model answers item by item, and stages as files.

Everything is keyed by identity (`mmragbench.identity`), so reuse needs no flag. Writes are atomic:
a killed run loses the chunk that it was computing. Two runs may share a cache. Nothing is unpickled.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from threading import get_ident
from typing import TYPE_CHECKING, NamedTuple

from mmragbench.errors import MmragbenchError

if TYPE_CHECKING:
    from mmragbench.vectors import VectorFile


def folder() -> Path:
    """`$MMRAGBENCH_CACHE`, else `$XDG_CACHE_HOME/mmragbench`, else `~/.cache/mmragbench`."""
    if chosen := os.environ.get("MMRAGBENCH_CACHE"):
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "mmragbench"


PATIENCE = 120
"""Seconds that a run waits for another one to finish writing."""


def connect(path: Path) -> sqlite3.Connection:
    """A SQLite file that several runs may read and write at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
    _write_ahead(db)
    db.execute("PRAGMA synchronous=NORMAL")
    return db


def _make(root: Path) -> None:
    reason = "it cannot be written"
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
    if not (root.is_dir() and os.access(root, os.W_OK)):
        raise MmragbenchError(
            f"the cache {root} is of no use ({reason}); let MMRAGBENCH_CACHE name a folder that can "
            "be written"
        )


def _write_ahead(db: sqlite3.Connection) -> None:
    """Switch a file to write-ahead logging, as happens once. SQLite does not queue those who switch a
    new file at the same time: it refuses all but one at once, so that the others ask again."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            db.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


class Item(NamedTuple):
    """A model's answer for one input, and what it cost (seconds, its share of its chunk's time)."""

    value: bytes
    seconds: float


class Items:
    """One model's answers, by the digest of the input; a SQLite file."""

    def __init__(self, path: Path) -> None:
        self.folder = path.parent
        self._db = connect(path)
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS items (key TEXT PRIMARY KEY, value BLOB, seconds REAL)"
            " WITHOUT ROWID"
        )

    def get(self, keys: Sequence[str]) -> dict[str, Item]:
        """Those of the keys that are known."""
        found: dict[str, Item] = {}
        for start in range(0, len(keys), 500):
            chunk = keys[start : start + 500]
            marks = ",".join("?" * len(chunk))
            rows = self._db.execute(
                f"SELECT key, value, seconds FROM items WHERE key IN ({marks})", chunk
            )
            found.update((key, Item(value, seconds)) for key, value, seconds in rows)
        return found

    def put(self, items: Mapping[str, Item]) -> None:
        """Store a chunk, all of it or nothing."""
        rows = [(key, item.value, item.seconds) for key, item in items.items()]
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany("INSERT OR REPLACE INTO items VALUES (?, ?, ?)", rows)
        self._db.execute("COMMIT")


class Cache:
    """A cache folder: `items/<model>.sqlite`, `vectors/<model>…` and `stages/<ab>/<key>`.

    Raises:
        MmragbenchError: nothing can be written there.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or folder()
        _make(self.root)

    def items(self, model: str) -> Items:
        """The answers of the model with that identity."""
        return Items(self.root / "items" / f"{model[:32]}.sqlite")

    def vectors(self, model: str) -> VectorFile:
        """The vectors of the model with that identity."""
        from mmragbench.vectors import VectorFile

        return VectorFile(self.root / "vectors" / f"{model[:32]}.sqlite")

    def _stage(self, key: str) -> Path:
        return self.root / "stages" / key[:2] / key

    def load(self, key: str) -> bytes | None:
        """A finished stage's bytes."""
        try:
            return self._stage(key).read_bytes()
        except FileNotFoundError:
            return None

    def save(self, key: str, value: bytes) -> None:
        """Store a finished stage."""
        write_atomically(self._stage(key), value)


def write_atomically(path: Path, content: bytes | str | Iterable[str]) -> None:
    """Write a file, also piece by piece, so that it is there as a whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{get_ident()}")
    pieces = [content] if isinstance(content, bytes | str) else content
    with draft.open("wb") as file:
        file.writelines(p.encode() if isinstance(p, str) else p for p in pieces)
    os.replace(draft, path)
