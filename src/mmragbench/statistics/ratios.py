"""Ratios of two means on the same queries, with Fieller's interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from mmragbench.statistics.resampling import Array, Clusters
from mmragbench.statistics.seeds import averaged


class Ratio(NamedTuple):
    """A ratio of means and the ends of its interval.

    Attributes:
        value: None where the denominators' mean is not shown to differ from zero: then no interval
            of the ratio is bounded.
        low, high: None also where all queries have the same ratio, since its error cannot be
            estimated then.
    """

    value: float | None
    low: float | None
    high: float | None


def ratio(
    numerators: npt.ArrayLike,
    denominators: npt.ArrayLike,
    clusters: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> Ratio:
    """mean(numerators) / mean(denominators), a value of each for each query, with Fieller's interval.

    The interval (Fieller 1954) holds every ratio r for which the mean of numerators - r *
    denominators does not differ from zero by Student's t with G - 1 degrees of freedom and the
    cluster-robust standard error (`Clusters.standard_error`). Unlike the delta method's it allows for
    an imprecise denominator. Of values (seeds, queries) it also allows for seeds, by Student's t of their
    means (`mmragbench.statistics.seeds`; the interaction is counted twice).

    Raises:
        ValueError: a value is not finite, or numerators, denominators and labels differ in number.
    """
    counts = [np.shape(x)[-1] for x in (numerators, denominators)]
    if counts[0] != counts[1]:
        raise ValueError(f"a ratio needs the same queries; got {counts[0]} and {counts[1]}")
    by_seed = np.broadcast_arrays(numerators, denominators)
    top, bottom = (Clusters.of(averaged(x)[0], clusters) for x in by_seed)
    g, y, x = len(top), top.mean, bottom.mean
    if g < 2:
        return Ratio(None, None, None)
    moved = np.stack([data.residuals / (data.n - data.sizes) for data in (top, bottom)])
    critical = float(stdtrit(g - 1, (1 + level) / 2))
    of_queries = critical**2 * (g - 1) / g * (moved @ moved.T)
    (vyy, vxy), (_, vxx) = of_queries + _of_seeds(by_seed, level)
    a, b, c = x * x - vxx, y * x - vxy, y * y - vyy  # a r^2 - 2 b r + c <= 0
    if a <= 0:
        return Ratio(None, None, None)
    root = b * b - a * c
    if root <= 1e-12 * b * b:  # zero but for rounding
        return Ratio(y / x, None, None)
    half = float(np.sqrt(root))
    return Ratio(y / x, float((b - half) / a), float((b + half) / a))


def _of_seeds(by_seed: Sequence[Array], level: float) -> Array:
    """The covariances of the two means over seeds, times the squared critical t; 0 for one seed."""
    if by_seed[0].ndim < 2:
        return np.zeros((2, 2))
    means = np.stack([values.mean(axis=1) for values in by_seed])
    seeds = means.shape[1]
    return np.asarray(stdtrit(seeds - 1, (1 + level) / 2) ** 2 / seeds * np.cov(means))
