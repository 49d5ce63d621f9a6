"""Decoding of image files, which are checked first; what cannot be used is refused by kind."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from mmragbench._printable import one_line
from mmragbench.errors import BadImage

if TYPE_CHECKING:
    import PIL.Image


FORMATS = (
    *("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000"),
    *("PPM", "QOI", "ICO", "PCX", "SGI", "SUN", "DIB", "TGA"),
)
"""Pillow's names of the formats that are read: those that it decodes itself, without another program.

Not among them are page descriptions that an interpreter draws (EPS, WMF), fields of measurements
(FITS, GRIB, HDF5), and files of layers (PSD), which Pillow shows wrongly or not at all."""


_FRAMED = ("GIF", "PNG", "WEBP", "TIFF", "AVIF")


UNMARKED = ("DIB", "TGA")
"""Formats without a signature, which are recognised by the file's ending alone."""


MAX_PIXELS = 64_000_000


MAX_ASPECT = 50


MAX_BYTES = 512 * 2**20


_MAX_TEXT = 64 * 2**20  # bytes of a PNG's texts and profile, unpacked; Pillow's own limit is 1 MiB


_MAGIC = (
    *(b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"II*\0", b"MM\0*", b"qoif", b"\0\0\1\0"),
    *(b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  \r\n"),
)


_ENDS = {
    b"\xff\xd8\xff": b"\xff\xd9",
    b"\x89PNG\r\n": b"IEND",
    b"GIF8": b"\0;",
    b"\xff\x4f\xff\x51": b"\xff\xd9",
    b"\0\0\0\x0cjP  \r\n": b"\xff\xd9",
}
"""First bytes of a format's files -> what is among their last bytes unless they are truncated."""


_UNREAD = {
    "PostScript": (b"%!PS", b"\xc5\xd0\xd3\xc6"),
    "PDF": (b"%PDF",),
    "Windows metafile": (b"\xd7\xcd\xc6\x9a", b"\1\0\0\0\x6c\0\0\0"),
    "Photoshop": (b"8BPS",),
}


_MODES = frozenset(
    (
        "1",
        "L",
        "LA",
        "La",
        "P",
        "PA",
        "RGB",
        "RGBA",
        "RGBa",
        "RGBX",
        "CMYK",
        "YCbCr",
        "HSV",
        "I",
        "F",
    )
)


class RefusedImage(BadImage):
    """A file that cannot be used: `kind` is what exclusions are counted by."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.detail = detail


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
        return _rgb(_upright(decode(read_file(path), side)))
    except RefusedImage as refusal:
        raise BadImage(f"{path}: {refusal}") from refusal


def decode_image(data: bytes) -> PIL.Image.Image:
    """Decode bytes as `open_image` does a file, such as those of a server that draws.

    Raises:
        BadImage: as `open_image`.
    """
    try:
        return _rgb(_upright(decode(data, side=None)))
    except RefusedImage as refusal:
        raise BadImage(str(refusal)) from refusal


def has_frames(path: Path) -> bool:
    """Whether a file holds several pictures, of which the first is taken (an animation, pages).

    A second one within a JPEG (a depth map, a stereo pair) does not count.
    """
    import PIL.Image

    try:
        with PIL.Image.open(path, formats=_FRAMED) as picture:
            return bool(getattr(picture, "is_animated", False))
    except MemoryError:
        raise
    except Exception:  # it is of another format, or what follows the first is damaged
        return False


def read_file(path: Path) -> bytes:
    """The bytes of an image file.

    Raises:
        RefusedImage: there is no regular file, it is empty or too large, or it cannot be read.
    """
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        raise RefusedImage("missing image", "there is no such file") from None
    if not stat.S_ISREG(status.st_mode):
        raise RefusedImage("not an image", "it is not a regular file")
    if status.st_size == 0:
        raise RefusedImage("empty file", "it has no bytes")
    if status.st_size > MAX_BYTES:
        raise RefusedImage("image too large", f"{status.st_size:,} bytes, at most {MAX_BYTES:,}")
    try:
        return path.read_bytes()
    except OSError as error:
        raise RefusedImage("unreadable file", error.strerror or str(error)) from error


def decode(data: bytes, side: int | None) -> PIL.Image.Image:
    """Decode completely, after a check of the header; `side` allows a JPEG at reduced size."""
    picture = _header(data)
    try:
        if side:
            picture.draft(picture.mode, (side, side))
        picture.load()
    except MemoryError:
        raise
    except Exception as error:  # on broken bytes a decoder may raise anything
        raise _broken(error, data) from error
    if picture.format == "PNG" and b"IEND" not in data:
        raise RefusedImage("truncated image", "its last chunk is missing")
    _check_size(picture)  # once more: an icon holds a picture with a header of its own
    return picture


def _header(data: bytes) -> PIL.Image.Image:
    import PIL.Image

    _allow_texts()
    try:
        picture = PIL.Image.open(io.BytesIO(data), formats=FORMATS)
    except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning):
        raise RefusedImage("image too large", f"more than {MAX_PIXELS:,} pixels") from None
    except MemoryError:
        raise
    except Exception as error:
        raise _unopened(error, data) from error
    _check_size(picture)
    if picture.mode not in _MODES and not picture.mode.startswith("I;16"):
        raise RefusedImage("not an image", f"colours in {picture.mode}, which nothing here reads")
    return picture


def _check_size(picture: PIL.Image.Image) -> None:
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise RefusedImage("image too large", f"{width} x {height}, at most {MAX_PIXELS:,} pixels")
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise RefusedImage("image too elongated", f"{width} x {height}, at most {MAX_ASPECT}:1")


def _broken(error: Exception, data: bytes) -> RefusedImage:
    """The refusal of a file that a decoder failed on."""
    detail = one_line(error, 200) or type(error).__name__
    if "MAX_TEXT" in detail:
        return RefusedImage("image metadata too large", f"more than {_MAX_TEXT:,} bytes of text")
    words = detail.lower()
    short = isinstance(error, EOFError) or "truncated" in words or "not enough" in words
    return RefusedImage("truncated image" if _is_cut(data, short) else "damaged image", detail)


def _is_cut(data: bytes, otherwise: bool) -> bool:
    """Whether a file is truncated, by its format's end mark; `otherwise` for formats without one."""
    end = next((end for magic, end in _ENDS.items() if data.startswith(magic)), None)
    return end not in data[-1024:] if end else otherwise


def _unopened(error: Exception, data: bytes) -> RefusedImage:
    """The refusal of a file that no decoder opened: its actual format, or the defect of its header."""
    if "MAX_TEXT" in str(error):
        return _broken(error, data)
    if name := _unread(data):
        return RefusedImage(f"{name} is not read", "save it as PNG or JPEG")
    if not data.startswith(_MAGIC) and data[8:12] not in (b"WEBP", b"avif", b"avis"):
        return RefusedImage("not an image", f"none of {', '.join(FORMATS)}")
    if _is_cut(data, otherwise=True):
        return RefusedImage("truncated image", "its header is cut off or damaged")
    return RefusedImage("damaged image", "its header cannot be read")


def _unread(data: bytes) -> str:
    """The name of a known format that is not read; empty for any other."""
    start = data[:256].lstrip(b"\xef\xbb\xbf \r\n\t")
    if data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"hevc", b"mif1", b"msf1"):
        return "HEIF"
    if start.startswith((b"<svg", b"<?xml")) and b"<svg" in data[:1024]:
        return "SVG"  # and not any XML, such as a server's error saved as a picture
    return next((name for name, magic in _UNREAD.items() if start.startswith(magic)), "")


def _allow_texts() -> None:
    """Raise Pillow's limits on texts and colour profiles in PNG files, for the whole process.

    Some MiB of them are usual (workflows, XMP), and the limits are variables of Pillow's module.
    """
    from PIL import PngImagePlugin

    PngImagePlugin.MAX_TEXT_CHUNK = max(PngImagePlugin.MAX_TEXT_CHUNK, _MAX_TEXT)
    PngImagePlugin.MAX_TEXT_MEMORY = max(PngImagePlugin.MAX_TEXT_MEMORY, _MAX_TEXT)


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
    shades = np.clip(values * (255.0 / top), 0, 255).astype(np.uint8)
    clear = picture.info.get("transparency")
    if isinstance(clear, int):  # one shade of a PNG's that shows what lies below: white
        shades[values == clear] = 255
    return PIL.Image.fromarray(shades)
