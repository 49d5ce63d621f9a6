"""A model's vectors on disk: appended to a file of rows, found through an index, memory-mapped.

A row is written before the index names it, under the index's write lock: a run that is killed in
between leaves bytes that nobody refers to and the next writer writes over. Nothing is unpickled.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmragbench.cache import Item, connect
from mmragbench.contracts import Vectors
from mmragbench.errors import DataError

HELD = 32 * 2**20
"""Bytes. A smaller selection of rows is held in memory, a larger one in a file that is mapped."""

_BLOCK = 8192
_QUESTIONS = 500


class Found(NamedTuple):
    """Where the vectors of some keys are; -1 where a key is not known.

    Attributes:
        rows: (n,) row numbers.
        widths: (n,) floats a row.
        seconds: (n,) what each cost.
    """

    rows: NDArray[np.int64]
    widths: NDArray[np.int64]
    seconds: NDArray[np.float64]


class VectorFile:
    """One model's vectors, by the digest of the input.

    `<name>.sqlite` is the index, `<name>-<width>.f32` are the rows. Two runs may share them.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db = connect(path)
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS vectors (key TEXT PRIMARY KEY, width INTEGER, row INTEGER,"
            " seconds REAL) WITHOUT ROWID"
        )
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS files (width INTEGER PRIMARY KEY, rows INTEGER)"
        )

    def find(self, keys: Sequence[str]) -> Found:
        """Look keys up; a row that its file has lost is not known."""
        rows, widths = np.full(len(keys), -1), np.full(len(keys), -1)
        seconds = np.zeros(len(keys))
        for start in range(0, len(keys), _QUESTIONS):
            chunk = keys[start : start + _QUESTIONS]
            marks = ",".join("?" * len(chunk))
            answers = self._db.execute(
                f"SELECT key, row, width, seconds FROM vectors WHERE key IN ({marks})", chunk
            )
            known = {key: rest for key, *rest in answers}
            for at, key in enumerate(chunk, start):
                if key in known:
                    rows[at], widths[at], seconds[at] = known[key]
        for width in np.unique(widths[widths > 0]).tolist():
            lost = (widths == width) & (rows >= self._rows(width))
            rows[lost], seconds[lost] = -1, 0.0
        return Found(rows, widths, seconds)

    def put(self, items: Mapping[str, Item]) -> None:
        """Store a chunk of float32 rows (their bytes), all of it or nothing."""
        by_width: dict[int, dict[str, Item]] = {}
        for key, item in items.items():
            by_width.setdefault(len(item.value) // 4, {})[key] = item
        for width, group in by_width.items():
            self._append(width, group)

    def _append(self, width: int, items: Mapping[str, Item]) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            first = self._end(width)
            self._file(width).touch()
            with self._file(width).open("r+b") as file:
                file.seek(first * width * 4)
                file.write(b"".join(item.value for item in items.values()))
                file.flush()
                os.fsync(file.fileno())
            rows = [
                (key, width, row, item.seconds)
                for row, (key, item) in enumerate(items.items(), first)
            ]
            self._db.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?)", rows)
            self._db.execute(
                "INSERT OR REPLACE INTO files VALUES (?, ?)", [width, first + len(items)]
            )
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise

    def _end(self, width: int) -> int:
        """Where the next row goes. Rows that the file has lost are forgotten first, so that those
        in their places are not taken for them."""
        told = self._db.execute("SELECT rows FROM files WHERE width = ?", [width]).fetchone()
        there = self._rows(width)
        if told and there < told[0]:
            self._db.execute("DELETE FROM vectors WHERE width = ? AND row >= ?", [width, there])
        return min(told[0], there) if told else 0

    def read(self, found: Found) -> Vectors:
        """The rows that were found, in their order: (n, width) float32, read-only.

        Neighbours in the file are a view of it, memory-mapped. Others are gathered; where they are
        many, into a file without a name that is mapped, and gone with the last view of it.

        Raises:
            DataError: the rows are of several widths.
        """
        widths = np.unique(found.widths)
        if len(widths) != 1:
            raise DataError(f"vectors of several widths ({', '.join(map(str, widths))}) do not mix")
        width, rows = int(widths[0]), found.rows
        if (np.diff(rows) == 1).all():
            return self._mapped(width)[rows[0] : rows[-1] + 1]
        if len(rows) * width * 4 <= HELD:
            held: Vectors = self._mapped(width)[rows]
            held.flags.writeable = False
            return held
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
