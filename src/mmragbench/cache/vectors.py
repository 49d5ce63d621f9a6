"""A model's vectors on disk: appended to a file of rows, locations through an index, memory-mapped.

A row is written before the index names it, under the index's write lock: a run that is killed in
between leaves bytes that nobody refers to and the next writer writes over. Nothing is unpickled. The
index has a checksum of each row, which is tested when a process first looks the row up.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmragbench.cache.items import Item
from mmragbench.cache.sqlite import Database
from mmragbench.contracts import Vectors
from mmragbench.errors import DataError

COPIED = 32 * 2**20
"""Bytes. A smaller selection of rows is copied into memory, a larger one in a file that is mapped."""

_BLOCK = 8192
_QUESTIONS = 500


class Locations(NamedTuple):
    """Where the vectors of some keys are; -1 where a key is not known.

    Attributes:
        rows: (n,) row numbers.
        widths: (n,) floats a row.
        seconds: (n,) the cost of each.
    """

    rows: NDArray[np.int64]
    widths: NDArray[np.int64]
    seconds: NDArray[np.float64]


class VectorFile:
    """One model's vectors, by the digest of the input.

    `<name>.sqlite` is the index, `<name>-<width>.f32` are the rows. Two runs may share them.
    """

    TABLES = (
        "CREATE TABLE IF NOT EXISTS rows (key TEXT PRIMARY KEY, row INTEGER, width INTEGER,"
        " seconds REAL, checksum INTEGER) WITHOUT ROWID",
        "CREATE TABLE IF NOT EXISTS ends (width INTEGER PRIMARY KEY, rows INTEGER)",
    )

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db = Database(path, self.TABLES)
        self._db.run(lambda db: None)  # so that a folder of no use is refused at once
        self._tested: dict[int, NDArray[np.bool_]] = {}

    def find(self, keys: Sequence[str]) -> Locations:
        """Look keys up; a row that its file has lost, or that is not as it was written, is not
        known."""
        rows, widths = np.full(len(keys), -1), np.full(len(keys), -1)
        seconds, checksums = np.zeros(len(keys)), np.zeros(len(keys), np.int64)
        for start in range(0, len(keys), _QUESTIONS):
            known = self._db.run(partial(_known, keys[start : start + _QUESTIONS]))
            for at, key in enumerate(keys[start : start + _QUESTIONS], start):
                if key in known:
                    rows[at], widths[at], seconds[at], checksums[at] = known[key]
        for width in np.unique(widths[widths > 0]).tolist():
            lost = (widths == width) & (rows >= self._rows(width))
            places = np.flatnonzero((widths == width) & ~lost)
            lost[
                self._damaged(width, places, keys, Locations(rows, widths, seconds), checksums)
            ] = True
            rows[lost], seconds[lost] = -1, 0.0
        return Locations(rows, widths, seconds)

    def _damaged(
        self,
        width: int,
        places: NDArray[np.int64],
        keys: Sequence[str],
        locations: Locations,
        checksums: NDArray[np.int64],
    ) -> list[int]:
        """The places whose rows are not as they were written; a row is read once in a process."""
        size = self._rows(width)
        tested = np.zeros(size, bool)
        before = self._tested.get(width, tested)
        tested[: len(before)] = before[:size]
        damaged = []
        data = self._mapped(width) if size else np.zeros((0, width), np.float32)
        for at in places[~tested[locations.rows[places]]].tolist():
            item = Item(data[locations.rows[at]].data, float(locations.seconds[at]))
            if item.checksum(keys[at]) == checksums[at]:
                tested[locations.rows[at]] = True
            else:
                damaged.append(at)
        self._tested[width] = tested
        if damaged:
            warnings.warn(
                f"{self._path}: {len(damaged):,} damaged vectors are computed again", stacklevel=3
            )
        return damaged

    def clear(self) -> None:
        """Forget all: for an index that does not keep what it is given."""
        self._db.delete("it does not keep what it is given")

    def put(self, vectors: Mapping[str, Vectors], seconds: float) -> None:
        """Store a chunk of vectors, each (d,) float32 under its key; all of it or nothing.

        Args:
            vectors: key -> vector.
            seconds: what each of them cost.
        """
        by_width: dict[int, dict[str, Vectors]] = {}
        for key, vector in vectors.items():
            by_width.setdefault(len(vector), {})[key] = vector
        for group in by_width.values():
            rows = np.stack(list(group.values()))
            self._db.write(partial(self._write, list(group), rows, seconds))

    def _write(
        self, keys: Sequence[str], vectors: Vectors, seconds: float, db: sqlite3.Connection
    ) -> None:
        width = vectors.shape[1]
        first = self._end(db, width)
        self._file(width).touch()
        with self._file(width).open("r+b") as file:
            file.seek(first * width * 4)
            file.write(vectors.tobytes())
            file.flush()
            os.fsync(file.fileno())
        rows = [
            (key, row, width, seconds, Item(vector.tobytes(), seconds).checksum(key))
            for row, (key, vector) in enumerate(zip(keys, vectors, strict=True), first)
        ]
        db.executemany("INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?, ?)", rows)
        db.execute("INSERT OR REPLACE INTO ends VALUES (?, ?)", [width, first + len(keys)])

    def _end(self, db: sqlite3.Connection, width: int) -> int:
        """Where the next row goes. Rows that the file has lost are forgotten first, so that those
        in their places are not taken for them."""
        end = db.execute("SELECT rows FROM ends WHERE width = ?", [width]).fetchone()
        count = self._rows(width)
        if end and count < end[0]:
            db.execute("DELETE FROM rows WHERE width = ? AND row >= ?", [width, count])
        return min(end[0], count) if end else 0

    def read(self, locations: Locations) -> Vectors:
        """The rows that were locations, in their order: (n, width) float32, read-only.

        Neighbours in the file are a view of it, memory-mapped. Others are gathered; where they are
        many, into a file without a name that is mapped, and gone with the last view of it.

        Raises:
            DataError: the rows are of several widths, or a key was not known.
        """
        if (locations.rows < 0).any():
            raise DataError(
                f"{self._path} was damaged while it was used; run the same command again"
            )
        widths = np.unique(locations.widths)
        if len(widths) != 1:
            raise DataError(f"vectors of several widths ({', '.join(map(str, widths))}) do not mix")
        width, rows = int(widths[0]), locations.rows
        if (np.diff(rows) == 1).all():
            return self._mapped(width)[rows[0] : rows[-1] + 1]
        if len(rows) * width * 4 <= COPIED:
            copied: Vectors = self._mapped(width)[rows]
            copied.flags.writeable = False
            return copied
        with tempfile.TemporaryFile(dir=self._path.parent) as file:
            return self._gathered(width, rows, file)

    def _gathered(self, width: int, rows: NDArray[np.int64], file: IO[bytes]) -> Vectors:
        for start in range(0, len(rows), _BLOCK):
            # Mapped anew for each block, so that the pages of the last one are let go.
            file.write(self._mapped(width)[rows[start : start + _BLOCK]].tobytes())
        file.flush()
        return np.asarray(np.memmap(file, np.float32, "r", shape=(len(rows), width)))

    def _mapped(self, width: int) -> Vectors:
        shape = (self._rows(width), width)
        return np.asarray(np.memmap(self._file(width), np.float32, "r", shape=shape))

    def _rows(self, width: int) -> int:
        try:
            return self._file(width).stat().st_size // (width * 4)
        except FileNotFoundError:
            return 0

    def _file(self, width: int) -> Path:
        return self._path.with_name(f"{self._path.stem}-{width}.f32")


def _known(keys: Sequence[str], db: sqlite3.Connection) -> dict[str, list[Any]]:
    """Key -> row, width, seconds, checksum; none that a damaged file has made something else of."""
    marks = ",".join("?" * len(keys))
    answers = db.execute(
        f"SELECT key, row, width, seconds, checksum FROM rows WHERE key IN ({marks})"
        " AND row >= 0 AND width > 0 AND typeof(row) || typeof(width) || typeof(checksum)"
        " || typeof(seconds) = 'integerintegerintegerreal'",
        keys,
    )
    return {key: rest for key, *rest in answers}
