"""How image files come in: checked before they are decoded, read once, refused by name."""

from __future__ import annotations

import io
import os
import stat
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

from mmragbench.cache import Database
from mmragbench.errors import BadImage, DataError, MmragbenchError
from mmragbench.records import Exclusion, Image

if TYPE_CHECKING:
    import PIL.Image

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
MAX_PIXELS = 64_000_000
MAX_ASPECT = 50
MAX_BYTES = 512 * 2**20
OUTSIDE = "outside the dataset's folder"

_RULES = 1  # part of what the index remembers by: raise it when a verdict here would change
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"II*\0", b"MM\0*", b"RIFF")
_CHUNK = 512


class _Refused(BadImage):
    """A file that cannot be used: `kind` is what exclusions are counted by."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.detail = detail


class _Verdict(NamedTuple):
    """What reading a file has shown: its digest, or the kind of refusal and the detail."""

    digest: str = ""
    kind: str = ""
    detail: str = ""


def open_image(path: Path, side: int | None = None) -> PIL.Image.Image:
    """Decode a file: RGB, upright by its EXIF orientation, transparency laid on white.

    Of an animation or a multi-page file it is the first picture. Colour profiles are not applied.
    With `side`, a JPEG may be decoded at a half, a quarter or an eighth of its size, with both sides
    at least that long.

    Raises:
        BadImage: missing, empty, truncated, no image, over `MAX_PIXELS`, or more elongated than
            `MAX_ASPECT`; one line that names the file.
    """
    try:
        return _rgb(_upright(_decode(_read(path), side)))
    except _Refused as refusal:
        raise BadImage(f"{path}: {refusal}") from refusal


def decode_image(data: bytes) -> PIL.Image.Image:
    """The same for bytes that came from elsewhere (a server that draws).

    Raises:
        BadImage: as `open_image`.
    """
    try:
        return _rgb(_upright(_decode(data, side=None)))
    except _Refused as refusal:
        raise BadImage(str(refusal)) from refusal


def inside(root: Path, name: str) -> Path:
    """The path of a file that annotations name, below the folder where it must lie.

    Raises:
        DataError: an absolute path, a way out by `..`, or a symbolic link that leads out.
    """
    if not name or "\0" in name or os.path.isabs(name):
        raise DataError(f"{name!r} is not the name of a file below {root.name}/")
    path = root / name
    if name == path.name and name != ".." and not path.is_symlink():
        return path  # a folder's own file: nothing to follow, which takes time where there are many
    home = os.path.realpath(root)
    if not os.path.realpath(path).startswith(home.rstrip(os.sep) + os.sep):
        raise DataError(f"{name!r} leads out of {root.name}/")
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
                    reason = f"{image.path.name}: {verdict.detail}"
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
        data = _read(path)
        _decode(data, side=1)
    except _Refused as refusal:
        return _Verdict(kind=refusal.kind, detail=refusal.detail)
    return _Verdict(sha256(data).hexdigest())


def _stamp(path: Path) -> str:
    """What changes when a file does (and when these rules do); empty for no such file."""
    import PIL

    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return ""
    return f"{_RULES} {PIL.__version__} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}"


def _read(path: Path) -> bytes:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        raise _Refused("missing image", "there is no such file") from None
    if not stat.S_ISREG(found.st_mode):
        raise _Refused("not an image", "it is not a regular file")
    if found.st_size == 0:
        raise _Refused("empty file", "it has no bytes")
    if found.st_size > MAX_BYTES:
        raise _Refused("image too large", f"{found.st_size:,} bytes, at most {MAX_BYTES:,}")
    try:
        return path.read_bytes()
    except OSError as error:
        raise _Refused("unreadable file", error.strerror or str(error)) from error


def _decode(data: bytes, side: int | None) -> PIL.Image.Image:
    """Decode completely, after a look at the header; `side` lets a JPEG come smaller."""
    picture = _header(data)
    try:
        if side:
            picture.draft(picture.mode, (side, side))
        picture.load()
    except MemoryError:
        raise
    except Exception as error:  # on broken bytes a decoder may raise anything
        detail = " ".join(str(error).split()) or type(error).__name__
        cut = isinstance(error, EOFError) or "truncated" in detail
        raise _Refused("truncated image" if cut else "damaged image", detail) from error
    if picture.format == "PNG" and b"IEND" not in data:
        raise _Refused("truncated image", "its last chunk is missing")
    return picture


def _header(data: bytes) -> PIL.Image.Image:
    import PIL.Image

    try:
        picture = PIL.Image.open(io.BytesIO(data), formats=FORMATS)
    except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning):
        raise _Refused("image too large", f"more than {MAX_PIXELS:,} pixels") from None
    except MemoryError:
        raise
    except Exception as error:
        if data.startswith(_MAGIC):
            raise _Refused("truncated image", "its header is cut off or damaged") from error
        raise _Refused("not an image", f"none of {', '.join(FORMATS)}") from error
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise _Refused("image too large", f"{width} x {height}, at most {MAX_PIXELS:,} pixels")
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise _Refused("image too elongated", f"{width} x {height}, at most {MAX_ASPECT}:1")
    if picture.mode == "LAB":
        raise _Refused("not an image", "colours in LAB, which nothing here reads")
    return picture


def _upright(picture: PIL.Image.Image) -> PIL.Image.Image:
    from PIL import ImageOps

    try:
        return ImageOps.exif_transpose(picture)
    except Exception:  # broken EXIF says nothing about which side is up; the pixels are intact
        return picture


def _rgb(picture: PIL.Image.Image) -> PIL.Image.Image:
    import PIL.Image

    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        picture = _eight_bits(picture)
    if picture.has_transparency_data:
        white = PIL.Image.new("RGBA", picture.size, "white")
        picture = PIL.Image.alpha_composite(white, picture.convert("RGBA"))
    return picture.convert("RGB")


def _eight_bits(picture: PIL.Image.Image) -> PIL.Image.Image:
    """Grey values in 16 bits, 32 bits or floats, scaled to 0-255 (Pillow would clip them)."""
    import numpy as np
    import PIL.Image

    values = np.nan_to_num(np.asarray(picture, dtype=np.float32))
    highest = float(values.max())
    steps = (1.0, 255.0, 65535.0) if picture.mode == "F" else (255.0, 65535.0)
    top = next((step for step in steps if highest <= step), highest)
    top = 65535.0 if picture.mode.startswith("I;16") else top
    return PIL.Image.fromarray(np.clip(values * (255.0 / top), 0, 255).astype(np.uint8))


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
