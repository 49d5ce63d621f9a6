"""FID extrapolated to an unlimited number of images (Chong and Forsyth, CVPR 2020), and FID of halves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mmragbench.statistics import frechet
from mmragbench.statistics.feature_sets import LEAST, FeatureSets, Mask
from mmragbench.statistics.frechet import Gaussian
from mmragbench.statistics.memo import Memo, digest
from mmragbench.statistics.resampling import Array

PARTS = 3
"""FID is extrapolated from n, n/2 and n/3 images."""
LEAST_PER_DIMENSION = 2
"""Images for each dimension that extrapolation needs: one for each in the halves."""
SPLITS = 3
"""Random splits over which FIDs of halves are averaged."""


@dataclass(frozen=True, slots=True)
class Halves:
    """FID of half as many images, means over random splits of the queries.

    Attributes:
        generated: of the generated images of one half and the real ones of the other, so that a
            generated image gains nothing from being like the real one of its own query.
        real: of the real images of one half and of the other: a perfect generator's.
    """

    generated: float
    real: float


@dataclass(frozen=True)
class Line:
    """The least-squares line through FID of n, n/2, ... images over the reciprocal of their number.

    Attributes:
        levels: for n, n/2, ... images: values for each query whose mean is the mean FID of so many.
    """

    levels: list[Array]

    @property
    def fids(self) -> Array:
        return np.array([values.mean() for values in self.levels])

    @property
    def limit(self) -> Array:
        """Values for each query whose mean is the line's value at 1/n = 0, and whose spread is its spread."""
        return np.tensordot(self._weights[0], np.stack(self.levels), axes=1)

    @property
    def bias(self) -> float:
        """The line's value at n less its limit: the slope / n."""
        return float(self._weights[1] @ self.fids)

    @property
    def r_squared(self) -> float | None:
        """The coefficient of determination; None where the line goes through two points, or equal ones."""
        fids, count = self.fids, len(self.levels)
        total = float(((fids - fids.mean()) ** 2).sum())
        if count == LEAST or not total:
            return None
        fitted = self._weights[0] @ fids + self.bias * np.arange(1, count + 1)
        return 1 - float(((fids - fitted) ** 2).sum()) / total

    @property
    def _weights(self) -> Array:
        """(2, levels): the weights of the FIDs in the limit and in the bias, by least squares.

        In units of 1/n the FIDs' positions are 1, 2, ...
        """
        places = np.arange(1, len(self.levels) + 1)
        return np.asarray(np.linalg.pinv(np.stack([np.ones(len(places)), places], axis=1)))


def extrapolate(sets: FeatureSets, clusters: npt.ArrayLike | None) -> Line | None:
    """The line through FID of n, n/2 and n/3 images, of n and n/2 where thirds have fewer images than
    dimensions; None where halves have."""
    most = independent(sets, clusters) // max(sets.dimensions, LEAST)
    if most < LEAST_PER_DIMENSION:
        return None
    splits = [sets.split(count, clusters, seed=0) for count in range(1, min(PARTS, most) + 1)]
    return Line([_mean_of_parts(sets, parts) for parts in splits])


def independent(sets: FeatureSets, clusters: npt.ArrayLike | None) -> int:
    """Images of the smaller set, or clusters where there are fewer."""
    return sets.n if clusters is None else min(sets.n, len(np.unique(np.asarray(clusters))))


def values_of(sets: FeatureSets) -> Array:
    """Values for each query whose mean is FID, and whose spread is its spread."""
    return _mean_of_parts(sets, [np.ones(sets.queries, dtype=bool)])


def halves(sets: FeatureSets, clusters: npt.ArrayLike | None) -> Halves:
    """FID of halves against halves; at least four images of each kind."""
    crossed, real = [], []
    for seed in range(1, SPLITS + 1):
        one, two = (sets.part(half) for half in sets.split(2, clusters, seed))
        (x, y), (other_x, other_y) = (
            (_fitted(half.real), Gaussian.of(half.generated)) for half in (one, two)
        )
        crossed += [frechet.distance(x, other_y), frechet.distance(other_x, y)]
        real.append(frechet.distance(x, other_x))
    return Halves(float(np.mean(crossed)), float(np.mean(real)))


_VALUES: Memo[Array] = Memo(1024)
_REAL: Memo[Gaussian] = Memo(24)
"""Cached since a generator is compared with several others, and all with the same real images."""


def _fitted(real: Array) -> Gaussian:
    """The Gaussian of real images, cached."""
    return _REAL.get(digest(real), lambda: Gaussian.of(real))


def _mean_of_parts(sets: FeatureSets, parts: list[Mask]) -> Array:
    """Values for each query whose mean is the mean of the parts' FIDs."""
    key = (*sets.digests, sets.paired, digest(*parts))
    return _VALUES.get(key, lambda: _parts_values(sets, parts))


def _parts_values(sets: FeatureSets, parts: list[Mask]) -> Array:
    values = np.empty(sets.queries)
    for chosen in parts:
        part = sets.part(chosen)
        x, y = _fitted(part.real), Gaussian.of(part.generated)
        values[chosen] = part.values(frechet.influences(x, part.real, y, part.generated))
    return values
