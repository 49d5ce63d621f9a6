"""The files of a run folder: read here, and nowhere else, and compared with what the run wrote.

A run's last file is `files.json`, which lists the SHA-256 of all others that results are read from. A
folder without that list is of an older version, or was made by hand: it is read as far as it goes.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from mmragbench._files import file_digest, sweep, write_atomically
from mmragbench._printable import one_line
from mmragbench.errors import DataError, MmragbenchError
from mmragbench.records import MeasureInfo
from mmragbench.run_folder import paths

if TYPE_CHECKING:
    import pyarrow as pa

    from mmragbench.contracts import Vectors

LIST = "files.json"
RESULTS = (paths.TASKS, paths.CELLS, paths.SEEDS)
"""The folders that a run writes anew."""

FILES = (
    paths.SUITE, paths.MANIFEST, paths.SUMMARY, paths.COMPARISONS, paths.FAILURES,
    paths.EXCLUSIONS, paths.AUDITS, paths.SPENDING,
)  # fmt: skip
"""The files beside these folders."""

AGAIN = "run the suite again (what is cached is looked up)"


class NotStored(DataError):
    """The run wrote no such file."""


@dataclass(frozen=True)
class Files:
    """The files of one run.

    Attributes:
        folder: the run folder.
        digests: name below the folder -> SHA-256 of each file that the run wrote; None where the
            folder has no list, so that any file is taken as it is.
    """

    folder: Path
    digests: Mapping[str, str] | None = None
    _compared: set[str] = field(default_factory=set, compare=False, repr=False)

    @classmethod
    def of(cls, folder: Path) -> Files:
        """The files of a run that ended.

        Raises:
            DataError: it did not end, or its list is damaged.
        """
        path = folder / LIST
        if not path.exists():
            return cls(folder)
        with reading(path):
            content = json.loads(path.read_bytes())
            digests = {str(name): str(digest) for name, digest in content["files"].items()}
            if content["checksum"] != _checksum(digests):
                raise DataError(f"{path} is damaged; {AGAIN}")
        if not digests:
            raise DataError(f"{folder} is a run that did not end; {AGAIN}")
        return cls(folder, digests)

    def path(self, name: str) -> Path | None:
        """The path of a file, which is compared with the list once; None where the run wrote no such file.

        Raises:
            DataError: it is gone, or is not what the run wrote.
        """
        path = self.folder / name
        with reading(path):
            if self.digests is None:
                return path if path.is_file() else None
            if name not in self.digests:
                return None
            if name not in self._compared and file_digest(path) != self.digests[name]:
                raise DataError(f"{path} is not as the run wrote it; {AGAIN}")
        self._compared.add(name)
        return path

    def below(self, folder: str, file: str) -> list[str]:
        """The names of all files `<folder>/*/<file>`, sorted."""
        if self.digests is None:
            paths = (self.folder / folder).glob(f"*/{file}")
            return sorted(path.relative_to(self.folder).as_posix() for path in paths)
        return sorted(
            name
            for name in self.digests
            if PurePosixPath(name).name == file and str(PurePosixPath(name).parent.parent) == folder
        )

    def listed(self, folder: str) -> list[str]:
        """The names of all files below a folder, sorted."""
        if self.digests is None:
            below = (path for path in (self.folder / folder).rglob("*") if path.is_file())
            return sorted(path.relative_to(self.folder).as_posix() for path in below)
        return sorted(name for name in self.digests if name.startswith(f"{folder}/"))

    def digest(self, name: str) -> str:
        """A text that changes when a file does; empty where the run wrote no such file."""
        path = self.path(name)
        if path is None:
            return ""
        return self.digests[name] if self.digests else f"{path.stat().st_mtime_ns}"

    def json(self, name: str) -> Any:
        """The content of a JSON file; None where the run wrote no such file. Raises as `path` and
        `read_json` do."""
        path = self.path(name)
        return None if path is None else read_json(path)

    def rows(self, name: str) -> list[dict[str, Any]]:
        """The objects of a JSON list; an empty list where the run wrote no such file. Raises as `json`."""
        path = self.path(name)
        if path is None:
            return []
        with reading(path):
            rows = json.loads(path.read_bytes())
            if not isinstance(rows, list):
                raise TypeError("no list")
            return [_object(row) for row in rows]

    def lines(self, name: str) -> Iterator[dict[str, Any]]:
        """The objects of a JSON Lines file; nothing where the run wrote no such file. Raises as `json`."""
        path = self.path(name)
        if path is None:
            return
        with reading(path), path.open("rb") as file:  # in bytes, lines end at \n alone
            for line in file:
                if line.strip():
                    yield _object(json.loads(line))


def stored_info(row: Mapping[str, Any]) -> MeasureInfo:
    """The facts of a measure (direction, unit, margin, ...) that a row of `summary.json` has.

    Raises:
        DataError: an older version wrote the row, which does not have them.
    """
    try:
        return MeasureInfo.of(row)
    except KeyError as error:
        raise DataError(
            f"summary.json does not say {error} of {row.get('measure')}, so that an older version wrote "
            f"it; {AGAIN}"
        ) from error


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        DataError: it is not there, or not JSON.
    """
    with reading(path):
        return json.loads(path.read_bytes())


def read_suite(path: Path) -> dict[str, Any]:
    """A run's `suite.yaml`, as plain data. Raises as `read_json`."""
    from mmragbench.formats import yaml_text

    with reading(path):
        return _object(yaml_text.load(path.read_text(encoding="utf-8"), str(path))[0])


def read_table(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """A Parquet file, or some of its columns. Raises as `read_json`."""
    with reading(path):
        import pyarrow.parquet as pq

        table = pq.read_table(path, columns=columns, partitioning=None)
        table.validate(full=True)
        return table


def read_features(path: Path) -> dict[str, Vectors]:
    """`features-<encoder>.npz`: query -> vector. Raises as `read_json`."""
    with reading(path):
        return _features(path)


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("no object with names and values")
    return value


def _features(path: Path) -> dict[str, Vectors]:
    import numpy as np

    with zipfile.ZipFile(path) as archive:
        if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
            raise ValueError("its arrays are compressed")  # which may be larger than memory
    with np.load(path, allow_pickle=False) as arrays:
        queries, rows = arrays["queries"], arrays["features"]
        if queries.dtype.kind != "U" or rows.ndim != 2 or rows.dtype.kind != "f":
            raise ValueError("its arrays are of another type")
        return dict(zip(queries.tolist(), rows, strict=True))


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn whatever is raised meanwhile into an error of the file: broken bytes may raise anything.

    Raises:
        DataError: in one line, with the file's name.
    """
    try:
        yield
    except MmragbenchError:
        raise
    except FileNotFoundError as error:
        raise DataError(f"{path} is not there any more; {AGAIN}") from error
    except Exception as error:
        reason = one_line(f"{type(error).__name__}: {error}", 150)
        raise DataError(f"{path} cannot be read ({reason}); {AGAIN}") from error


@contextmanager
def unlisted(*folders: Path) -> Iterator[None]:
    """Turn what is raised meanwhile into an error of a folder that has no list: it may hold anything.

    Raises:
        DataError: in one line, with the folder's name.
    """
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        for folder in folders:
            if Files.of(folder).digests is None:
                reason = one_line(f"{type(error).__name__}: {error}", 150)
                raise DataError(
                    f"{folder} has no {LIST}, so that an older version wrote it or somebody changed "
                    f"it, and it cannot be read ({reason}); {AGAIN}"
                ) from error
        raise


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Lock a run folder while results are written into it; a second run into it waits.

    An earlier run's results are removed first, and the list of files comes last, so that a run that
    is killed in between is known as one that did not end.

    Raises:
        OSError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        _write_list(folder, {})
        _clear(folder)
        yield
        _write_list(folder, file_digests(folder))


def _clear(folder: Path) -> None:
    sweep(folder)
    for name in RESULTS:
        if (folder / name).exists():
            shutil.rmtree(folder / name)
    for name in (*FILES, "report/index.html"):
        (folder / name).unlink(missing_ok=True)


def file_digests(folder: Path) -> dict[str, str]:
    """Name below the folder -> SHA-256, of all files that results are read from."""
    below = [path for name in RESULTS for path in sorted((folder / name).rglob("*"))]
    return {
        path.relative_to(folder).as_posix(): file_digest(path)
        for path in [*(folder / name for name in FILES), *below]
        if path.is_file()
    }


def _write_list(folder: Path, files: Mapping[str, str]) -> None:
    content = {"checksum": _checksum(files), "files": dict(files)}
    write_atomically(folder / LIST, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def _checksum(files: Mapping[str, str]) -> str:
    return sha256(json.dumps(sorted(files.items())).encode()).hexdigest()
