"""Figures of a page, written as picture files."""

from __future__ import annotations

import io
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmragbench._decoding import MAX_PIXELS
from mmragbench._files import write_atomically
from mmragbench.data.pdf.page_layout import Matrix, Placement
from mmragbench.data.pdf.refusal import Refused

if TYPE_CHECKING:
    import PIL.Image


def save_figure(page: Any, placement: Placement, folder: Path, side: int) -> str:
    """Write a figure, as the page shows it, to a file that is named by its content.

    Args:
        page: a page of pypdf's.
        placement: the picture on it.
        folder: where the file is written.
        side: pixels of its shorter side, at least.

    Returns:
        the file's name.

    Raises:
        Refused: too large, too small, or it does not decode; on broken bytes pypdf may raise
            anything besides.
    """
    *_, name = placement.key
    declared = _declared(page, placement)
    if declared and declared[0] * declared[1] > MAX_PIXELS:
        raise Refused("image too large", f"{_size(declared)}, at most {MAX_PIXELS:,} pixels")
    if declared and min(declared) < side:
        raise _small(declared, side)
    embedded = page.images[name if len(placement.key) == 1 else placement.key]
    if embedded.image is None:
        raise Refused("damaged figure", "it does not decode")
    shown = _cropped(_turned(embedded.image, placement.matrix), placement)
    if min(shown.size) < side:
        raise _small(shown.size, side)
    content = _png(shown)
    file = f"{sha256(content).hexdigest()}.png"
    if not (folder / file).is_file():
        write_atomically(folder / file, content)
    return file


def _small(size: tuple[int, int], side: int) -> Refused:
    return Refused("small figure", f"{_size(size)}, at least {side} along each side")


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]:,} x {size[1]:,} pixels"


def _declared(page: Any, placement: Placement) -> tuple[int, int] | None:
    """The size that a picture declares, known before it is decoded; None for an inline one."""
    holder = page
    for name in placement.key:
        if name.startswith("~"):
            return None
        holder = holder["/Resources"]["/XObject"][name].get_object()
    return int(holder["/Width"]), int(holder["/Height"])


def _turned(picture: PIL.Image.Image, matrix: Matrix) -> PIL.Image.Image:
    """The picture turned by quarters and mirrored as its matrix lays it on the page.

    Of the picture's axes, (a, b) is where its right side points to, and (c, d) its upper side.
    """
    import PIL.Image

    a, b, c, d, *_ = matrix
    flip = PIL.Image.Transpose
    sideways = abs(b) > abs(a)
    if sideways:
        picture = picture.transpose(flip.TRANSPOSE)
    if c > 0 if sideways else a < 0:
        picture = picture.transpose(flip.FLIP_LEFT_RIGHT)
    if b > 0 if sideways else d < 0:
        picture = picture.transpose(flip.FLIP_TOP_BOTTOM)
    return picture


def _cropped(picture: PIL.Image.Image, placement: Placement) -> PIL.Image.Image:
    """The visible part of an upright picture; all of one that stands askew.

    Raises:
        Refused: no part is visible.
    """
    a, b, c, d, *_ = placement.matrix
    whole, box = placement.whole, placement.box
    w, h = whole.right - whole.left, whole.top - whole.bottom
    if max(min(abs(a), abs(b)), min(abs(c), abs(d))) > 0.01 * max(w, h) or not (w and h):
        return picture
    left, right = ((x - whole.left) / w * picture.width for x in (box.left, box.right))
    top, bottom = ((whole.top - y) / h * picture.height for y in (box.top, box.bottom))
    edges = (round(left), round(top), round(right), round(bottom))
    if edges[0] >= edges[2] or edges[1] >= edges[3]:
        raise Refused("hidden figure", "nothing of it shows on the page")
    return picture if edges == (0, 0, *picture.size) else picture.crop(edges)


def _png(picture: PIL.Image.Image) -> bytes:
    """The picture as PNG."""
    if picture.mode not in ("1", "L", "LA", "P", "RGB", "RGBA"):
        picture = picture.convert("RGB")
    content = io.BytesIO()
    picture.save(content, "PNG", compress_level=3)
    return content.getvalue()
