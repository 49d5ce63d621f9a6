"""SQLite files of the cache, which several runs share; a damaged one is created anew."""

from __future__ import annotations

import sqlite3
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from mmragbench.errors import MmragbenchError

T = TypeVar("T")

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
    """Switch a file to write-ahead logging, which is needed once.

    Of several processes that switch a new file at the same time SQLite refuses all but one at once,
    so that the others try again.
    """
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


class Database:
    """A SQLite file of the cache; one that is damaged is deleted, with a warning, and created anew.

    All that was in it is computed again.

    Args:
        path: the file.
        tables: its `CREATE TABLE IF NOT EXISTS` statements.
    """

    def __init__(self, path: Path, tables: Sequence[str]) -> None:
        self.path, self._tables = path, tables
        self._db: sqlite3.Connection | None = None

    def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """The result of `work` on the open file; a damaged file is created anew before a second try.

        Raises:
            MmragbenchError: the disk is full, or the file cannot be read or written.
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
                f"{self.path} cannot be used ({error}); free some space or repair the file; "
                "the same command goes on from here"
            ) from error

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """The result of `work` in one transaction: all of its changes are made, or none."""

        def in_transaction(db: sqlite3.Connection) -> T:
            db.execute("BEGIN IMMEDIATE")
            try:
                result = work(db)
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
            return result

        return self.run(in_transaction)

    def close(self) -> None:
        """Close the file; it is opened again when it is used."""
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
        """Delete the file, with a warning, unless another run has replaced it since it was opened."""
        warnings.warn(
            f"{self.path} is damaged ({error}); what was in it is computed again", stacklevel=4
        )
        same_file = self._db is None or self._file == self.path.stat().st_ino
        self.close()
        if same_file:
            for ending in ("", "-wal", "-shm"):
                self.path.with_name(self.path.name + ending).unlink(missing_ok=True)


def _is_damage(error: Exception) -> bool:
    """Whether an error says that a file is no database, or damaged; a full disk or a lock is neither."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    damage = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
    return code == sqlite3.SQLITE_IOERR_SHORT_READ or code & 0xFF in damage
