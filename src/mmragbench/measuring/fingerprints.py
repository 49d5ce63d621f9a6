"""Fingerprints of pictures, by which the same one is found again; computed once per file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmragbench._decoding import open_image
from mmragbench._files import file_digest
from mmragbench.cache.cache import Cache
from mmragbench.cache.identity import code_digest, digest
from mmragbench.cache.items import Item
from mmragbench.contracts import Encoder, Progress, Vectors
from mmragbench.errors import BadImage
from mmragbench.records import Image

SIDE = 16
"""A thumb is SIDE x SIDE RGB values, each the mean of its part of the picture."""

WORKERS = 2
_CHUNK = 256
_PIXELS, _HASH = 32, 8

Bytes = NDArray[np.uint8]


class Fingerprint(NamedTuple):
    """A picture's fingerprint: the SHA-256 of its decoded pixels, its perceptual hash (64 bits), its
    thumb."""

    pixels: bytes
    hash: bytes
    thumb: bytes

    @classmethod
    def of(cls, image: Image) -> Fingerprint:
        """Decode a picture and take its fingerprint.

        Raises:
            BadImage: it can't be read.
        """
        import imagehash
        import PIL.Image

        picture = open_image(image.path)
        size = f"{picture.width}x{picture.height}:".encode()
        bits = np.packbits(imagehash.phash(picture).hash)
        thumb = picture.resize((SIDE, SIDE), PIL.Image.Resampling.BOX)
        pixels = sha256(size + picture.tobytes()).digest()
        return cls(pixels, bits.tobytes(), thumb.tobytes())

    @classmethod
    def from_bytes(cls, stored: bytes) -> Fingerprint:
        """The inverse of joining the fields."""
        rest = stored[_PIXELS:]
        return cls(stored[:_PIXELS], rest[:_HASH], rest[_HASH:])


@dataclass(frozen=True)
class Pictures:
    """Distinct picture files with their fingerprints, as columns.

    Attributes:
        images: one for each file.
        files: their SHA-256.
        pixels: checksums of the decoded pixels.
        hashes: (n, 8) packed perceptual hashes.
        thumbs: (n, SIDE * SIDE * 3).
        vectors: an encoder's, where one was given.
        unreadable: files that can't be decoded; they have no row.
    """

    images: list[Image]
    files: list[str]
    pixels: list[bytes]
    hashes: Bytes
    thumbs: Bytes
    vectors: Vectors | None = None
    unreadable: int = 0

    def __len__(self) -> int:
        return len(self.images)

    @cached_property
    def row(self) -> dict[str, int]:
        """A file's SHA-256 -> its row number."""
        return {file: row for row, file in enumerate(self.files)}

    @classmethod
    def of(
        cls,
        images: Sequence[Image],
        encoder: Encoder | None = None,
        cache: Cache | None = None,
        progress: Progress | None = None,
    ) -> Pictures:
        """Take the fingerprints of pictures; those that are known are looked up."""
        named = {image.path: file_of(image) for image in images}
        distinct = {file: image for image in images if (file := named[image.path])}
        prints = _fingerprints(distinct, cache or Cache(), progress)
        files = [file for file in distinct if file in prints]
        readable = [distinct[file] for file in files]
        taken = [prints[file] for file in files]
        return cls(
            images=readable,
            files=files,
            pixels=[p.pixels for p in taken],
            hashes=_columns([p.hash for p in taken], _HASH),
            thumbs=_columns([p.thumb for p in taken], SIDE * SIDE * 3),
            vectors=encoder.encode_images(readable) if encoder and readable else None,
            unreadable=sum(file not in prints for file in named.values()),
        )


def file_of(image: Image) -> str:
    """SHA-256 of the file's bytes; empty where there is no file."""
    if image.digest:
        return image.digest
    try:
        return file_digest(image.path)
    except OSError:
        return ""


def _columns(rows: list[bytes], width: int) -> Bytes:
    return np.frombuffer(b"".join(rows), np.uint8).reshape(-1, width)


def _fingerprints(
    images: Mapping[str, Image], cache: Cache, progress: Progress | None
) -> dict[str, Fingerprint]:
    import PIL

    code = [code_digest(Fingerprint), code_digest(open_image)]
    store = cache.items(digest(["fingerprints", *code, PIL.__version__]))
    known = {
        key: Fingerprint.from_bytes(item.value) for key, item in store.get(list(images)).items()
    }
    missing = [file for file in images if file not in known]
    if progress and missing:
        progress.begin("fingerprints", len(missing))
    with ThreadPoolExecutor(WORKERS) as pool:
        for start in range(0, len(missing), _CHUNK):
            part = missing[start : start + _CHUNK]
            taken = pool.map(_fingerprint, [images[file] for file in part])
            new = {file: p for file, p in zip(part, taken, strict=True) if p}
            store.put({file: Item(b"".join(p), 0.0) for file, p in new.items()})
            known |= new
            if progress:
                progress.advance(len(part))
    return known


def _fingerprint(image: Image) -> Fingerprint | None:
    try:
        return Fingerprint.of(image)
    except BadImage:
        return None
