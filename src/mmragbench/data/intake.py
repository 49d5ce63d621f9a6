"""How image files come in: checked before they are decoded, read once, refused by name."""

from __future__ import annotations

import mimetypes
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

from mmragbench._decoding import FORMATS, UNMARKED, RefusedImage, decode, read_file
from mmragbench._printable import one_line, shortened
from mmragbench.cache.sqlite import Database
from mmragbench.errors import DataError, MmragbenchError
from mmragbench.records import Exclusion, Image

OUTSIDE = "outside the dataset's folder"

_RULES = 2  # part of what the index remembers by: raise it when a verdict here would change
_OTHERS = frozenset(("PDF", "MPEG", "HDF5", "FITS", "GRIB", "BUFR", "IPTC"))
"""What Pillow knows by its ending and is no picture."""
_CHUNK = 512


class _Verdict(NamedTuple):
    """What reading a file has shown: its digest, or the kind of refusal and the detail."""

    digest: str = ""
    kind: str = ""
    detail: str = ""


@cache
def endings() -> frozenset[str]:
    """The endings, in lower case, of files that should be pictures: all that Pillow knows or that
    are registered as images, so that a `.heic` is not left out unsaid."""
    import PIL.Image

    known = PIL.Image.registered_extensions().items()
    named = {ending for ending, format in known if format not in _OTHERS}
    kinds = mimetypes.MimeTypes().types_map  # the library's own, whatever the machine adds
    return frozenset(named).union(e for some in kinds for e, k in some.items() if "image/" in k)


def is_picture(path: Path) -> bool:
    """Whether a file should be a picture by its ending, or has the header of one.

    A file that should be one may turn out not to be: `take_in` says so.
    """
    import PIL.Image

    if path.suffix.lower() in endings():
        return True
    if not path.is_file():
        return False
    try:
        with PIL.Image.open(path, formats=[f for f in FORMATS if f not in UNMARKED]):
            return True
    except MemoryError:
        raise
    except Exception:  # on the bytes of another format a decoder may raise anything
        return False


def inside(root: Path, name: str) -> Path:
    """The path of a file that annotations name, below the folder where it must lie.

    Raises:
        DataError: an absolute path, a way out by `..`, or a symbolic link that leads out.
    """
    if not name or "\0" in name or os.path.isabs(name):
        raise DataError(f"{shortened(name, 200)!r} is not the name of a file below {root.name}/")
    path = root / name
    if name == path.name and name != ".." and not os.path.islink(path):  # noqa: PTH114 - no error for a name that is too long
        return path  # a folder's own file: nothing to follow, which takes time where there are many
    home = os.path.realpath(root)
    if not os.path.realpath(path).startswith(home.rstrip(os.sep) + os.sep):
        raise DataError(
            f"{shortened(name, 200)!r} leads out of {root.name}/; if it is a link, copy the folder with "
            "what its links lead to: cp -rL"
        )
    return path


def take_in(
    images: Sequence[Image], index: Path | None = None, workers: int = 2
) -> tuple[list[Image], list[Exclusion]]:
    """Read every file once: those that decode, with their digest, and the others by name.

    Args:
        images: what annotations promise; the order is kept.
        index: a SQLite file that remembers verdicts by path, size and times, so that an
            unchanged file is not read again. Any number of runs may share it.
        workers: threads that read and decode.
    """
    taken: list[Image] = []
    excluded: list[Exclusion] = []
    known = _Index(index)
    with ThreadPoolExecutor(workers) as pool, warnings.catch_warnings():
        # What Pillow warns of is harmless here, or refused.
        warnings.filterwarnings("ignore", module=r"PIL\.")
        for start in range(0, len(images), _CHUNK):
            chunk = images[start : start + _CHUNK]
            for image, verdict in zip(chunk, _verdicts(chunk, known, pool), strict=True):
                if verdict.digest:
                    taken.append(replace(image, digest=verdict.digest))
                else:
                    reason = f"{one_line(image.path.name, 200)}: {verdict.detail}"
                    excluded.append(Exclusion(verdict.kind, image.id, reason))
    known.close()
    return taken, excluded


def _verdicts(
    images: Sequence[Image], known: _Index, pool: ThreadPoolExecutor
) -> Sequence[_Verdict]:
    keys = [(os.path.abspath(image.path), _stamp(image.path)) for image in images]
    remembered = known.look_up([path for path, stamp in keys if stamp])
    fresh = [key for key in dict.fromkeys(keys) if key not in remembered]
    judged = dict(zip(fresh, pool.map(_judge, (Path(path) for path, _ in fresh)), strict=True))
    known.remember({key: verdict for key, verdict in judged.items() if key[1]})
    return [remembered.get(key) or judged[key] for key in keys]


def _judge(path: Path) -> _Verdict:
    try:
        data = read_file(path)
        decode(data, side=1)
    except RefusedImage as refusal:
        return _Verdict(kind=refusal.kind, detail=refusal.detail)
    return _Verdict(sha256(data).hexdigest())


def _stamp(path: Path) -> str:
    """What changes when a file does (and when these rules do); empty for no such file."""
    import PIL

    try:
        str(path).encode()  # what is no UTF-8 can't be remembered
        found = os.stat(path)
    except (OSError, ValueError):
        return ""
    return f"{_RULES} {PIL.__version__} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}"


def _checksum(*columns: object) -> int:
    """CRC-32 of a row: one that a damaged file has changed is not known."""
    return crc32(repr(columns).encode())


class _Index:
    """Verdicts that outlive a run. A file that cannot be used costs speed, never a result."""

    TABLE = (
        "CREATE TABLE IF NOT EXISTS verdicts (path TEXT PRIMARY KEY, stamp TEXT, digest TEXT,"
        " kind TEXT, detail TEXT, checksum INTEGER) WITHOUT ROWID"
    )

    def __init__(self, path: Path | None) -> None:
        self._db = Database(path, [self.TABLE]) if path else None

    def look_up(self, paths: Sequence[str]) -> dict[tuple[str, str], _Verdict]:
        """(path, stamp) -> verdict, for those that are known."""
        marks = ",".join("?" * len(paths))
        select = f"SELECT * FROM verdicts WHERE path IN ({marks})"
        rows = self._try(lambda file: file.run(lambda db: db.execute(select, paths).fetchall()))
        return {
            (path, stamp): _Verdict(*rest)
            for path, stamp, *rest, checksum in rows or []
            if checksum == _checksum(path, stamp, *rest)
        }

    def remember(self, verdicts: Mapping[tuple[str, str], _Verdict]) -> None:
        rows = [(*key, *verdict, _checksum(*key, *verdict)) for key, verdict in verdicts.items()]
        if rows:
            insert = "INSERT OR REPLACE INTO verdicts VALUES (?, ?, ?, ?, ?, ?)"
            self._try(lambda file: file.write(lambda db: db.executemany(insert, rows).fetchall()))

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _try(self, work: Callable[[Database], list[Any]]) -> list[Any] | None:
        if self._db is None:
            return None
        try:
            return work(self._db)
        except MmragbenchError as error:
            self.close()
            warnings.warn(f"pictures are read again: {error}", stacklevel=4)
            return None
