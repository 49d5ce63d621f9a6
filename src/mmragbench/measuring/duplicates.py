"""Duplicates of pictures between two sets: the same bytes, the same pixels, near-duplicates.

The perceptual hash and the encoder propose, for each picture, those that it may be a duplicate of;
the pixels decide, on thumbs of 16 x 16. So a hash or an encoder that finds all of a world alike
raises no false alarm. On 1,500 x 500 illustrations and on 2,500 photographs, re-encoding at a
quality of 30 to 60 and resizing by 0.7 to 1.3 moves no value of a thumb by more than 26 levels
(of 255); no two different pictures come closer than 50. A copy that is brighter, darker, flatter,
harder or grey is found as one after the two have been given the same light, by the gain and offset
of least squares: 99 % or more of those at +-15 % brightness, +-30 % contrast, in grey; about 90 % of
photographs at +30 % brightness, less where much is white already. No two of the 2,500 photographs,
nor of 2,000 illustrations, are taken for one another so. Crops and mirror images are not found, and
pages of one template can be taken for one another where a coloured head is most of what is on them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mmragbench.measuring.fingerprints import SIDE, Bytes, Pictures

How = Literal["bytes", "pixels", "near", ""]

LEVELS = 32
"""How far a near-duplicate's thumb may be off at its worst value, in levels of 255."""

UNLIKE = 0.1
"""How much of a thumb's variance a near-duplicate may leave unexplained: what tells pages of text
apart, whose thumbs are all of one grey."""

GREY_LEVELS = 16
"""The limit where one of the two is grey: brightness alone distinguishes less, so that it is lower."""

COLOURLESS = 8
"""How far the channels of a grey picture's thumb may be apart."""

GAIN = 2.0
"""The largest factor by which two near-duplicates may differ in contrast."""

ROUNDING = 4.0
"""The variance of values that are off by two levels, as from rounding."""

BY_HASH, BY_ENCODER = 32, 5
"""How many candidates each proposes for a picture."""

SAME = 64
"""At most so many exact copies of one picture are named."""

Rows = NDArray[np.int64]
Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Match:
    """Two pictures by row number, how they are the same (empty: they are not), and how alike.

    Attributes:
        bits: of 64, how many differ between the perceptual hashes.
        levels: the largest difference between the thumbs (of 255).
        cosine: by the encoder, where there is one.
    """

    query: int
    memory: int
    how: How
    bits: int
    levels: int
    cosine: float | None = None


def matches(queries: Pictures, memory: Pictures) -> list[Match]:
    """All candidates, judged: the duplicates, and the closest of those that are none."""
    if not len(queries) or not len(memory):
        return []
    candidates = {
        *_exact(queries.files, memory.files),
        *_exact(queries.pixels, memory.pixels),
        *_by_hash(queries, memory),
        *_by_encoder(queries, memory),
    }
    pairs = np.array(sorted(candidates), np.int64)
    return [match for part in _parts(pairs) for match in _judged(queries, memory, part)]


def _exact(queries: list[Any], memory: list[Any]) -> Iterator[tuple[int, int]]:
    rows = defaultdict(list)
    for row, key in enumerate(memory):
        rows[key].append(row)
    return ((i, j) for i, key in enumerate(queries) for j in rows.get(key, ())[:SAME])


def _by_hash(queries: Pictures, memory: Pictures) -> Iterator[tuple[int, int]]:
    import faiss

    index = faiss.IndexBinaryFlat(64)
    index.add(memory.hashes)
    return _neighbours(index.search(queries.hashes, min(BY_HASH, len(memory)))[1])


def _by_encoder(queries: Pictures, memory: Pictures) -> Iterator[tuple[int, int]]:
    if queries.vectors is None or memory.vectors is None:
        return iter(())
    import faiss

    k = min(BY_ENCODER, len(memory))  # on the rows as they are, which may be memory-mapped
    nearest = faiss.knn(queries.vectors, memory.vectors, k, metric=faiss.METRIC_INNER_PRODUCT)
    return _neighbours(nearest[1])


def _neighbours(rows: Rows) -> Iterator[tuple[int, int]]:
    return ((i, j) for i, neighbours in enumerate(rows.tolist()) for j in neighbours if j >= 0)


def _parts(pairs: Rows, size: int = 8192) -> Iterator[Rows]:
    return (pairs[start : start + size] for start in range(0, len(pairs), size))


def _judged(queries: Pictures, memory: Pictures, pairs: Rows) -> Iterator[Match]:
    a, b = pairs.T
    levels, near = near_duplicates(queries.thumbs[a], memory.thumbs[b])
    bits = np.unpackbits(queries.hashes[a] ^ memory.hashes[b], axis=1).sum(axis=1)
    cosines = None
    if queries.vectors is not None and memory.vectors is not None:
        cosines = np.einsum("nd,nd->n", queries.vectors[a], memory.vectors[b])
    for n, (i, j) in enumerate(pairs.tolist()):
        how: How = "near" if near[n] else ""
        how = "pixels" if queries.pixels[i] == memory.pixels[j] else how
        how = "bytes" if queries.files[i] == memory.files[j] else how
        cosine = float(cosines[n]) if cosines is not None else None
        yield Match(i, j, how, int(bits[n]), int(levels[n]), cosine)


def near_duplicates(a: Bytes, b: Bytes) -> tuple[Floats, NDArray[np.bool_]]:
    """For each pair of thumbs the largest difference, and whether that is a near-duplicate: as they
    are, or after one was given the other's brightness and contrast, and its grey if that is grey."""
    first, second = a.astype(np.float32), b.astype(np.float32)
    apart = np.abs(first - second)
    variance = (first.var(axis=1) + second.var(axis=1)) / 2 + ROUNDING
    levels = apart.max(axis=1)
    near = (levels <= LEVELS) & ((apart**2).mean(axis=1) <= UNLIKE * variance)
    grey = _grey(first) | _grey(second)
    first[grey], second[grey] = _luminance(first[grey]), _luminance(second[grey])
    limits = np.where(grey, GREY_LEVELS, LEVELS)
    for x, y in ((first, second), (second, first)):
        relit, alike = _relit(x, y, limits)
        levels = np.where(alike & ~near, relit, levels)
        near |= alike
    return levels, near


def _relit(a: Floats, b: Floats, limits: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """As `near_duplicates`, after `a` was given the gain and offset that bring it nearest to `b`
    (least squares)."""
    centred = a - a.mean(axis=1, keepdims=True)
    gain = (centred * b).mean(axis=1) / np.maximum((centred**2).mean(axis=1), 1e-6)
    gain = np.clip(gain, 1 / GAIN, GAIN)[:, None]
    apart = np.abs(np.clip(gain * centred + b.mean(axis=1, keepdims=True), 0, 255) - b)
    structure = (
        b.reshape(len(b), SIDE * SIDE, 3).var(axis=1).mean(axis=1)
    )  # plain colours have none
    levels = apart.max(axis=1)
    return levels, (levels <= limits) & ((apart**2).mean(axis=1) < UNLIKE * structure)


def _grey(thumbs: Floats) -> NDArray[np.bool_]:
    pixels = thumbs.reshape(len(thumbs), SIDE * SIDE, 3)
    return np.asarray(np.ptp(pixels, axis=2).max(axis=1) <= COLOURLESS)


def _luminance(thumbs: Floats) -> Floats:
    """The luminance in all three channels, with the weights of ITU-R 601 and Pillow."""
    pixels = thumbs.reshape(len(thumbs), SIDE * SIDE, 3)
    grey = pixels @ np.array([0.299, 0.587, 0.114], np.float32)
    return np.repeat(grey, 3, axis=1)
