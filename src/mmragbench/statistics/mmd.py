"""The squared maximum mean discrepancy of two sets of features, and each image's influence on it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mmragbench.statistics.feature_sets import FeatureSets, Influences
from mmragbench.statistics.memo import Memo
from mmragbench.statistics.resampling import Array

_ROWS = 512
"""Rows of a kernel matrix that are computed at a time."""

ROUNDING = 1e-12
"""The share of the kernels' means below which their difference is rounding."""


def values_of(sets: FeatureSets) -> Array:
    """Values for each query whose mean is the unbiased squared MMD, and whose spread is its spread."""
    key = (*sets.digests, sets.paired)
    return _VALUES.get(key, lambda: _values(sets))


_VALUES: Memo[Array] = Memo(1024)
_REAL: Memo[Array] = Memo(16)


def _values(sets: FeatureSets) -> Array:
    x, y = sets.real, sets.generated
    within_x = _REAL.get(sets.digests[0], lambda: mean_kernels(x, x, len(x)).of_x)
    within_y = mean_kernels(y, y, len(y)).of_x
    return sets.values(influences(within_x, within_y, mean_kernels(x, y, sets.paired)))


class MeanKernels(NamedTuple):
    """Mean kernels of each x with the y, of each y with the x, and of all pairs."""

    of_x: Array
    of_y: Array
    overall: float


def mean_kernels(x: Array, y: Array, paired: int) -> MeanKernels:
    """Means of the kernels (x.y / d + 1)^3.

    The first `paired` rows of both are pairs, whose kernels are left out.
    """
    rows, columns = np.empty(len(x)), np.zeros(len(y))
    for start in range(0, len(x), _ROWS):
        block = _cubed(x[start : start + _ROWS] @ y.T / x.shape[1] + 1)
        rows[start : start + _ROWS] = block.sum(axis=1)
        columns += block.sum(axis=0)
    of_pairs = _cubed(np.einsum("ij,ij->i", x[:paired], y[:paired]) / x.shape[1] + 1)
    rows[:paired] -= of_pairs
    columns[:paired] -= of_pairs
    terms_x, terms_y = np.full(len(x), float(len(y))), np.full(len(y), float(len(x)))
    terms_x[:paired] -= 1
    terms_y[:paired] -= 1
    return MeanKernels(rows / terms_x, columns / terms_y, float(rows.sum() / terms_x.sum()))


def influences(within_x: Array, within_y: Array, between: MeanKernels) -> Influences:
    """The unbiased squared MMD (Gretton et al. 2012), and the influence on it of each x and y.

    The arguments are mean kernels: of each x with the other x, of each y with the other y, and
    `mean_kernels` of both. The influence is the first-order (Hájek) part of the U-statistic; zero
    in sum.
    """
    squared = float(within_x.mean() + within_y.mean() - 2 * between.overall)
    scale = float(within_x.mean() + within_y.mean())
    first, second = 2 * (within_x - between.of_x), 2 * (within_y - between.of_y)
    both = [side - side.mean() for side in (first, second)]
    for side in both:
        side[np.abs(side) <= ROUNDING * scale] = 0.0
    return Influences(squared if abs(squared) > ROUNDING * scale else 0.0, *both)


def _cubed(k: Array) -> Array:
    return np.asarray(k * k * k)  # many times faster than k**3
