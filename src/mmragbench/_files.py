"""Atomic writing of files: a file is there as a whole or not at all."""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path
from threading import get_ident
from typing import TYPE_CHECKING, Any, BinaryIO
from zlib import crc32

if TYPE_CHECKING:
    import pyarrow as pa

Row = dict[str, Any]

DRAFT = ".draft"
HOST = f"{crc32(platform.node().encode()):08x}"
"""A part of drafts' names, since a process' number means nothing on another machine."""


def write_atomically(path: Path, content: bytes | str | Iterable[str]) -> None:
    """Write a file atomically, also piece by piece.

    A device, a pipe, or a name of standard output is written to: it is never replaced by a file.

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
    """An open stream for a path that stores no bytes (a pipe, `/dev/null`) or is `/dev/stdout`.

    The latter may be redirected to a file that is being written. None for a file, and for a path that
    does not exist.
    """
    own = Path(f"/proc/{os.getpid()}/fd")
    for name in (path, path.readlink()) if path.is_symlink() else ():
        if name.name.isdigit() and name.parent.resolve() == own:
            return os.fdopen(os.dup(int(name.name)), "wb", buffering=0)
    try:
        mode = path.stat().st_mode
    except OSError:  # nothing is there
        return None
    return path.open("ab", buffering=0) if stat.S_ISCHR(mode) or stat.S_ISFIFO(mode) else None


def sweep(root: Path) -> None:
    """Remove the drafts below a folder that killed runs of this machine have left behind."""
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


def file_digest(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: Path, value: Any) -> None:
    """Write indented JSON, atomically."""
    write_atomically(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write a JSON list with a row a line, atomically: it can be read and compared as a table."""
    lines = (json.dumps(row, ensure_ascii=False) for row in rows)
    write_atomically(path, "[\n" + ",\n".join(lines) + "\n]\n")


def write_lines(path: Path, rows: Iterable[Row]) -> None:
    """Write JSON lines, atomically."""
    write_atomically(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def write_table(path: Path, table: pa.Table) -> None:
    """Write Parquet, atomically."""
    import pyarrow.parquet as pq

    content = io.BytesIO()
    pq.write_table(table, content)
    write_atomically(path, content.getvalue())
