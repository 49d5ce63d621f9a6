"""Small pictures, so that a run folder can be read where the data is not."""

from __future__ import annotations

import io
from pathlib import Path
from zlib import crc32

from mmragbench.cache import write_atomically
from mmragbench.errors import BadImage
from mmragbench.records import Image

SIDE = 160
"""Pixels along a thumbnail's longer side."""


def thumbnail(run: Path, image: Image | None) -> str | None:
    """A small JPEG of a picture, stored once; its path in the run folder. None where there is no
    picture, or it can't be read (that was counted where it was taken in)."""
    if image is None:
        return None
    name = f"thumbnails/{(image.digest or f'{crc32(image.id.encode()):08x}')[:24]}.jpg"
    if not (run / name).is_file():
        try:
            picture = image.open()
        except BadImage:
            return None
        picture.thumbnail((SIDE, SIDE))
        content = io.BytesIO()
        picture.save(content, "JPEG", quality=80)
        write_atomically(run / name, content.getvalue())
    return name
