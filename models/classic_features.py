"""Colour and texture of pictures by classic features: histograms and gradients, no trained weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from mmragbench._batching import read_ahead
from mmragbench.contracts import Origin, Vectors
from mmragbench.errors import NotApplicable
from mmragbench.records import Image, Modality, Text
from mmragbench.registry import encoder

Pixels = NDArray[np.uint8]

SIDE = 128
"""Pixels of both sides to which a picture is resized, whatever its shape."""

GRID = 3
"""Rows and columns of the grid whose cells have a histogram each."""

BINS = (8, 4, 4)
"""Of hue, saturation and value."""

POINTS = 8
"""Neighbours of a pixel, at a distance of 1, in its local binary pattern."""


@encoder
class ClassicFeatures:
    """Image encoder without weights: colour histograms, local binary patterns, oriented gradients.

    Pictures alone, through scikit-image. Near each other are pictures of like colours, textures and
    outlines in like places; what they show is not known. A vector has three parts of equal weight:

    - colour: joint HSV histograms (8 × 4 × 4 bins) of a 3 × 3 grid (Swain and Ballard 1991),
    - texture: uniform local binary patterns (8 neighbours, radius 1) of the same grid, as histograms
      (Ojala, Pietikäinen and Mäenpää 2002),
    - outlines: a histogram of oriented gradients, 9 orientations, cells of 32 pixels, blocks of 2 × 2
      cells (Dalal and Triggs 2005).

    Of histograms the square root is taken, whose inner product is the Bhattacharyya coefficient.
    """

    modalities: frozenset[Modality] = frozenset({"image"})
    origin: Origin = "classic"
    resize = f"bicubic-antialias-squash-{SIDE}"

    def encode_images(self, images: Sequence[Image]) -> Vectors:
        """(n, 1566) float32, L2-normalised."""
        rows = list(read_ahead(_features, images))
        return np.stack(rows) if rows else np.zeros((0, 0), np.float32)

    def encode_texts(self, texts: Sequence[Text]) -> Vectors:
        """No text has colours.

        Raises:
            NotApplicable: always.
        """
        raise NotApplicable("classic_features reads pictures, not texts")


def _features(image: Image) -> Vectors:
    """One row."""
    from PIL.Image import Resampling
    from skimage.color import rgb2gray
    from skimage.feature import hog

    pixels = np.asarray(image.open(SIDE).resize((SIDE, SIDE), Resampling.BICUBIC))
    grey = rgb2gray(pixels)
    gradients = hog(grey, orientations=9, pixels_per_cell=(32, 32), cells_per_block=(2, 2))
    parts = (np.sqrt(_colours(pixels)), np.sqrt(_textures(grey)), gradients)
    return _unit(np.concatenate([_unit(part) for part in parts])).astype(np.float32)


def _colours(pixels: Pixels) -> NDArray[np.float64]:
    from skimage.color import rgb2hsv

    bounds = [(0, 1)] * 3
    cells = [cell.reshape(-1, 3) for cell in _cells(rgb2hsv(pixels))]
    return np.concatenate([np.histogramdd(cell, BINS, bounds)[0].ravel() for cell in cells])


def _textures(grey: NDArray[np.float64]) -> NDArray[np.float64]:
    from skimage.feature import local_binary_pattern

    levels = np.round(grey * 255).astype(np.uint8)
    patterns = local_binary_pattern(levels, POINTS, 1, "uniform").astype(int)
    bins = POINTS + 2
    return np.concatenate([np.bincount(c.ravel(), minlength=bins) for c in _cells(patterns)])


def _cells(pixels: NDArray[np.generic]) -> Iterator[NDArray[np.generic]]:
    for row in np.array_split(pixels, GRID):
        yield from np.array_split(row, GRID, axis=1)


def _unit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values / max(np.linalg.norm(values), 1e-12)
