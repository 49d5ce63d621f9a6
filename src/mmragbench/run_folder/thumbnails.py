"""The thumbnails of a run: its pictures made small, so that a report can be made where the data is not."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from zlib import crc32

from mmragbench._files import write_atomically
from mmragbench.errors import BadImage
from mmragbench.records import Image

SIDE = 112
"""Pixels along a thumbnail's longer side: some 2 kB for a photograph."""

LARGE = 640
"""Pixels along the longer side of what a full report shows."""


def thumbnail(run: Path, image: Image | None) -> str | None:
    """The path of a picture's thumbnail in the run folder, a small WebP that is stored once. None
    where there is no picture, or it cannot be read (it was excluded where it was taken in)."""
    return _shrunk(run, "thumbnails", SIDE, image) if image else None


def write_thumbnails(run: Path, images: Iterable[Image | None]) -> None:
    """Store the thumbnails of many pictures, in threads."""
    _write_all(run, "thumbnails", SIDE, images)


def write_large_pictures(run: Path, images: Iterable[Image | None]) -> None:
    """Store the pictures in a larger size, in `pictures/` under their thumbnails' names."""
    _write_all(run, "pictures", LARGE, images)


def _write_all(run: Path, folder: str, side: int, images: Iterable[Image | None]) -> None:
    by_name = {_name(image): image for image in images if image is not None}
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        list(threads.map(partial(_shrunk, run, folder, side), by_name.values()))


def _name(image: Image) -> str:
    return (image.digest or f"{crc32(image.id.encode()):08x}")[:24]


def _shrunk(run: Path, folder: str, side: int, image: Image) -> str | None:
    """The path of a picture's smaller copy, which is made where it is not stored yet; None where the
    picture cannot be read."""
    name = f"{folder}/{_name(image)}.webp"
    if not (run / name).is_file():
        try:
            picture = image.open(side)
        except BadImage:
            return None
        picture.thumbnail((side, side))
        content = io.BytesIO()
        picture.save(content, "WEBP", quality=50 if side == SIDE else 75, method=2)
        write_atomically(run / name, content.getvalue())
    return name
