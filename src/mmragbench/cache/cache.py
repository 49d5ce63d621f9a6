"""What was computed once is looked up: model answers item by item, and stages as files.

Everything is keyed by identity (`mmragbench.cache.identity`), so reuse needs no flag. Writes are atomic:
a killed run loses the chunk that it was computing. Two runs may share a cache. Nothing is unpickled.
All that is kept carries a checksum: what does not fit it is as good as not there, and is made again.
"""

from __future__ import annotations

import os
import platform
import sqlite3
import stat
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from threading import get_ident
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, TypeVar
from zlib import crc32

from mmragbench._places import unusable_folder
from mmragbench.errors import MmragbenchError

if TYPE_CHECKING:
    from mmragbench.cache.vectors import VectorFile

T = TypeVar("T")


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
    try:
        _write_ahead(db)
        db.execute("PRAGMA synchronous=NORMAL")
    except BaseException:
        db.close()
        raise
    return db


def _write_ahead(db: sqlite3.Connection) -> None:
    """Switch a file to write-ahead logging, as happens once. SQLite does not queue those who switch a
    new file at the same time: it refuses all but one at once, so that the others ask again."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            db.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


class Item(NamedTuple):
    """A model's answer for one input, and what it cost (seconds, its share of its chunk's time)."""

    value: bytes
    seconds: float

    def checksum(self, key: str) -> int:
        """CRC-32 of the answer with its key and cost."""
        return crc32(self.value, crc32(f"{key} {self.seconds!r}".encode()))


class Database:
    """A SQLite file of the cache. One that is damaged is deleted, with a warning, and made anew: all
    that was in it is computed again.

    Args:
        path: the file.
        tables: its `CREATE TABLE IF NOT EXISTS` statements.
    """

    def __init__(self, path: Path, tables: Sequence[str]) -> None:
        self.path, self._tables = path, tables
        self._db: sqlite3.Connection | None = None

    def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do something with the open file; from the start again where the file was damaged.

        Raises:
            MmragbenchError: the disk is full, or the file can't be read or written.
        """
        try:
            try:
                return work(self._opened())
            except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
                if not _is_damage(error):
                    raise
                self.delete(error)
            return work(self._opened())
        except (sqlite3.Error, OSError) as error:
            raise MmragbenchError(
                f"{self.path} cannot be used ({error}); make room or mend it, and the same command "
                "goes on from here"
            ) from error

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """The same in one transaction: all of it or nothing."""

        def whole(db: sqlite3.Connection) -> T:
            db.execute("BEGIN IMMEDIATE")
            try:
                result = work(db)
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
            return result

        return self.run(whole)

    def close(self) -> None:
        """Until it is used again."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def _opened(self) -> sqlite3.Connection:
        if self._db is None:
            self._db = connect(self.path)
            self._file = self.path.stat().st_ino
            for table in self._tables:
                self._db.execute(table)
        return self._db

    def delete(self, error: object) -> None:
        """Start anew. Only the file that was opened: another run may have replaced it by now."""
        warnings.warn(
            f"{self.path} is damaged ({error}); what was in it is computed again", stacklevel=4
        )
        ours = self._db is None or self._file == self.path.stat().st_ino
        self.close()
        if ours:
            for ending in ("", "-wal", "-shm"):
                self.path.with_name(self.path.name + ending).unlink(missing_ok=True)


def _is_damage(error: Exception) -> bool:
    """Whether a file is no database, or not as it was written; a full disk or a lock is neither."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    damage = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
    return code == sqlite3.SQLITE_IOERR_SHORT_READ or code & 0xFF in damage


class Items:
    """One model's answers, by the digest of the input; a SQLite file."""

    TABLE = (
        "CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, value BLOB, seconds REAL,"
        " checksum INTEGER) WITHOUT ROWID"
    )

    def __init__(self, path: Path) -> None:
        self.folder = path.parent
        self._db = Database(path, [self.TABLE])
        self._db.run(lambda db: None)  # so that a place that is of no use is told at once

    def get(self, keys: Sequence[str]) -> dict[str, Item]:
        """Those of the keys that are known; what no longer fits its checksum is not."""
        found: dict[str, Item] = {}
        lost = 0
        for start in range(0, len(keys), 500):
            chunk = keys[start : start + 500]
            for key, item, checksum in self._db.run(partial(_rows, chunk)):
                if checksum == item.checksum(key):
                    found[key] = item
                else:
                    lost += 1
        if lost:
            warnings.warn(
                f"{self._db.path}: {lost:,} damaged answers are asked for again", stacklevel=2
            )
        return found

    def put(self, items: Mapping[str, Item]) -> None:
        """Store a chunk, all of it or nothing."""
        rows = [(key, *item, item.checksum(key)) for key, item in items.items()]
        self._db.write(
            lambda db: db.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)", rows)
        )


def _rows(keys: Sequence[str], db: sqlite3.Connection) -> list[tuple[str, Item, int]]:
    marks = ",".join("?" * len(keys))
    rows = db.execute(
        f"SELECT key, value, seconds, checksum FROM answers WHERE key IN ({marks})", keys
    )
    return [
        (key, Item(value if isinstance(value, bytes) else b"", seconds), checksum)
        for key, value, seconds, checksum in rows
    ]


class Cache:
    """A cache folder: `items/<model>.sqlite`, `vectors/<model>…` and `stages/<ab>/<key>`.

    It is the user's alone when it is made here; a folder that is there stays as it is.

    Raises:
        MmragbenchError: nothing can be written there.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or folder()
        reason = unusable_folder(self.root)
        if reason is None:
            self.root.parent.mkdir(parents=True, exist_ok=True)
            self.root.mkdir(mode=0o700, exist_ok=True)
        else:
            raise MmragbenchError(
                f"the cache {self.root} is of no use ({reason}); let MMRAGBENCH_CACHE name a folder "
                "that can be written"
            )

    def items(self, model: str) -> Items:
        """The answers of the model with that identity."""
        return Items(self.root / "items" / f"{model[:32]}.sqlite")

    def vectors(self, model: str) -> VectorFile:
        """The vectors of the model with that identity."""
        from mmragbench.cache.vectors import VectorFile

        return VectorFile(self.root / "vectors" / f"{model[:32]}.sqlite")

    def _stage(self, key: str) -> Path:
        return self.root / "stages" / key[:2] / f"{key}.{STAGE}"

    def load(self, key: str) -> bytes | None:
        """A finished stage's bytes; None where there are none, or not those that were stored."""
        return read_checked(self._stage(key))

    def save(self, key: str, value: bytes) -> None:
        """Store a finished stage."""
        write_checked(self._stage(key), value)


STAGE = "2"
"""The form of a stage's file: a line with the SHA-256 of the rest, and the rest."""


def write_checked(path: Path, content: bytes) -> None:
    """Write a file of the cache with its checksum, for `read_checked`."""
    write_atomically(path, sha256(content).hexdigest().encode() + b"\n" + content)


def read_checked(path: Path) -> bytes | None:
    """The content that `write_checked` wrote; None where there is no such file, or (with a warning)
    where its content is not what was written."""
    try:
        checksum, _, content = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return None
    if sha256(content).hexdigest().encode() == checksum:
        return content
    warnings.warn(f"{path} is damaged; what was in it is computed again", stacklevel=3)
    return None


def write_atomically(path: Path, content: bytes | str | Iterable[str]) -> None:
    """Write a file, also piece by piece, so that it is there as a whole or not at all. A device, a
    pipe, or a name of standard output is written to: it is never replaced by a file.

    Raises:
        OSError: it cannot be written; the error names the file, and no draft of it is left.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{HOST}-{os.getpid()}-{get_ident()}{DRAFT}")
    pieces = [content] if isinstance(content, bytes | str) else content
    try:
        stream = _stream(path)
        with stream or draft.open("wb") as file:
            file.writelines(p.encode() if isinstance(p, str) else p for p in pieces)
        if stream is None:
            os.replace(draft, path)
    except BaseException as error:
        draft.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = str(path)
        raise


def _stream(path: Path) -> BinaryIO | None:
    """What takes bytes and keeps none, opened: a pipe, `/dev/null`; and `/dev/stdout`, which may stand
    for a file that is being written. None for a file, or for nothing."""
    own = Path(f"/proc/{os.getpid()}/fd")
    for name in (path, path.readlink()) if path.is_symlink() else ():
        if name.name.isdigit() and name.parent.resolve() == own:
            return os.fdopen(os.dup(int(name.name)), "wb", buffering=0)
    try:
        mode = path.stat().st_mode
    except OSError:  # nothing is there
        return None
    return path.open("ab", buffering=0) if stat.S_ISCHR(mode) or stat.S_ISFIFO(mode) else None


DRAFT = ".draft"
HOST = f"{crc32(platform.node().encode()):08x}"
"""In the names of drafts, since a process' number says nothing on another machine."""


def sweep(root: Path) -> None:
    """Remove the drafts below a folder that runs on this machine left when they were killed."""
    for draft in root.rglob(f".{HOST}-*{DRAFT}"):
        process = draft.name.split("-")[1]
        if not (process.isdigit() and _is_alive(int(process))):
            draft.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True
