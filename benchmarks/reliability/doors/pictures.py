"""Picture files of every format, whole, damaged, cut off, or of another kind than they say."""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

from doors import Outcome

MODES = {
    "JPEG": ("RGB", "L", "CMYK"),
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "WEBP": ("RGB", "RGBA"),
    "GIF": ("P", "L", "RGB"),
    "BMP": ("1", "L", "P", "RGB", "RGBA"),
    "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "I", "F", "LAB"),
    "AVIF": ("RGB", "RGBA"),
    "JPEG2000": ("L", "LA", "RGB", "RGBA", "I;16"),
    "PPM": ("1", "L", "RGB", "I;16", "F"),
    "QOI": ("RGB", "RGBA"),
    "ICO": ("RGB", "RGBA"),
    "PCX": ("1", "L", "P", "RGB"),
    "SGI": ("L", "RGB", "RGBA"),
    "DIB": ("1", "L", "P", "RGB"),
    "TGA": ("1", "L", "P", "RGB", "RGBA"),
    "IM": ("RGB", "F", "YCbCr"),
    "EPS": ("RGB", "L"),
    "PDF": ("RGB",),
    "DDS": ("RGB", "RGBA"),
    "SPIDER": ("F",),
}
OTHERS = ("IM", "EPS", "PDF", "DDS", "SPIDER")
STARTS = (b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"II*\0", b"MM\0*", b"P6\n",
          b"RIFF\xff\xff\xff\xffWEBP", b"\0\0\0\x1cftypavif", b"\0\0\0\x18ftypheic", b"qoif", b"%!PS",
          b"\0\0\1\0\1\0", b"\0\0\0\x0cjP  \r\n\x87\n", b"<svg>", b"P3\n9 9\n255\n", b"PK\3\4")  # fmt: skip


def make(rng: random.Random, folder: Path) -> None:
    """Up to three files; those whose name begins with `good` are whole and of ordinary size."""
    for number in range(rng.randint(1, 3)):
        kind = rng.choice(list(MODES))
        mode = rng.choice(MODES[kind])
        data = _drawn(rng, kind, mode)
        harm = rng.choice([None, None, _cut, _flip, _zeros, _splice, _numbers, _other, _header])
        whole = harm is None and kind not in OTHERS and mode != "LAB"
        if harm:
            data = harm(rng, data)
        name = (
            f"{'good' if whole else 'bad'}{number}.{rng.choice(['png', 'jpg', 'x', kind.lower()])}"
        )
        (folder / name).write_bytes(data)


def enter(folder: Path) -> Outcome:
    """As a data set takes its pictures in, and then opens them."""
    from mmragbench._decoding import open_image
    from mmragbench.data.intake import take_in
    from mmragbench.records import Image

    files = sorted(folder.iterdir())
    taken, excluded = take_in([Image(file.name, file) for file in files])
    for image in taken:
        picture = open_image(image.path)
        assert picture.mode == "RGB"
    assert not [e for e in excluded if e.id.startswith("good")], excluded
    assert all(e.reason.isprintable() and len(e.reason) < 500 for e in excluded), excluded
    return Outcome(len(files), len(taken), len(excluded))


def _drawn(rng: random.Random, kind: str, mode: str) -> bytes:
    w, h = rng.randint(1, 40), rng.randint(1, 40)
    dice = np.random.default_rng(rng.randrange(2**32))
    picture = PIL.Image.fromarray(dice.integers(0, 256, (h, w, 3), dtype=np.uint8))
    if mode == "I;16":
        picture = PIL.Image.fromarray(dice.integers(0, 65536, (h, w), dtype=np.uint16))
    else:
        picture = (
            picture.convert("L").convert(mode) if mode in ("LA", "I", "F") else _as(picture, mode)
        )
    content = io.BytesIO()
    picture.save(content, kind, **_options(rng, kind, picture))
    return content.getvalue()


def _as(picture: PIL.Image.Image, mode: str) -> PIL.Image.Image:
    if mode != "LAB":
        return picture.convert(mode)
    return PIL.Image.frombytes("LAB", picture.size, picture.tobytes())


def _options(rng: random.Random, kind: str, picture: PIL.Image.Image) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if kind in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF") and rng.random() < 0.4:
        exif = PIL.Image.Exif()
        exif[0x0112] = rng.randint(1, 8) if kind == "TIFF" else rng.randint(0, 9)
        options["exif"] = exif
        if kind == "JPEG" and rng.random() < 0.5:
            options["exif"] = b"Exif\0\0" + rng.randbytes(rng.randint(0, 60))
    # Not AVIF, whose encoder ends the process on some animations.
    if kind in ("GIF", "PNG", "WEBP", "TIFF") and rng.random() < 0.2:
        options |= {"save_all": True, "append_images": [picture.copy(), picture.rotate(90)]}
    if kind == "PNG" and picture.mode in ("1", "L", "RGB", "P", "I;16") and rng.random() < 0.3:
        options["transparency"] = (1, 2, 3) if picture.mode == "RGB" else rng.randint(0, 1)
    if kind == "TIFF" and picture.mode in ("RGB", "L"):
        options["compression"] = rng.choice([None, "tiff_lzw", "jpeg", "packbits", "tiff_deflate"])
    if kind == "ICO":
        options["sizes"] = [picture.size]
    return options


def _cut(rng: random.Random, data: bytes) -> bytes:
    return data[: rng.randint(0, len(data))]


def _flip(rng: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randint(1, 12) if changed else 0):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def _header(rng: random.Random, data: bytes) -> bytes:
    return _flip(rng, data[:64]) + data[64:]


def _zeros(rng: random.Random, data: bytes) -> bytes:
    at = rng.randint(0, len(data))
    return data[:at] + bytes(rng.randint(1, 200)) + data[at + rng.randint(0, 200) :]


def _splice(rng: random.Random, data: bytes) -> bytes:
    at, to = (rng.randint(0, len(data)) for _ in range(2))
    return data[:at] + data[to:] + rng.randbytes(rng.randint(0, 40))


def _numbers(rng: random.Random, data: bytes) -> bytes:
    """A huge or negative number somewhere: sizes, offsets and counts are such."""
    at = rng.randint(0, min(len(data), 200))
    value = rng.choice(
        [b"\xff" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\xff\xff", bytes(4)]
    )
    return data[:at] + value + data[at + len(value) :]


def _other(rng: random.Random, data: bytes) -> bytes:
    return rng.choice(STARTS) + rng.choice(
        [b"", data, rng.randbytes(rng.randint(0, 500)), b"1 " * 99]
    )
