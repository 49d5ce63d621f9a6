"""Clusters of queries: their totals, and the totals of their bootstrap draws."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Counts = npt.NDArray[np.uint8]

_BLOCK = 250_000  # numbers that are drawn at a time: 2 MB, which fit a processor's cache
_CACHE_BYTES = 100_000_000  # bytes of counts that are cached


@dataclass(frozen=True)
class Clusters:
    """Per-query values summed within clusters; their mean is a ratio: total / number of queries."""

    sums: Array
    sizes: Array

    @classmethod
    def of(
        cls,
        values: npt.ArrayLike,
        labels: npt.ArrayLike | None = None,
        weights: Array | None = None,
    ) -> Clusters:
        """Group the values by label; without labels every query is a cluster of its own. `weights`
        say how much of a query each one is, 1 by default.

        Raises:
            ValueError: a value is not finite, or there is not one label for each value.
        """
        x = np.asarray(values, dtype=np.float64)
        if x.ndim != 1 or not np.isfinite(x).all():
            raise ValueError("values must be one finite number for each query")
        sizes = np.ones(len(x)) if weights is None else weights
        which = _cluster_of(x, labels)
        if which is None:
            return cls(x, sizes)
        sums, totals = (np.bincount(which, weights=column) for column in (x, sizes))
        return cls(sums.astype(np.float64), totals.astype(np.float64))

    def __len__(self) -> int:
        return len(self.sums)

    @property
    def n(self) -> int:
        """The number of queries."""
        return round(float(self.sizes.sum()))

    @property
    def single(self) -> bool:
        """Whether every cluster is one query."""
        return len(self) == self.n

    @cached_property
    def mean(self) -> float:
        return float(self.sums.sum() / self.sizes.sum())

    @property
    def residuals(self) -> Array:
        """Each cluster's total less its size times the mean; they sum to zero."""
        return self.sums - self.mean * self.sizes

    @cached_property
    def standard_error(self) -> float:
        """Cluster-robust standard error of the mean by the jackknife over clusters.

        It is sqrt((G - 1) / G * sum of (mean without a cluster - mean)^2).

        For clusters of one size it is the sandwich, sqrt(G / (G - 1) * sum of residuals^2) / n. With
        unequal ones it is larger, and nearer to the truth where a few large clusters decide (CV3:
        MacKinnon, Nielsen and Webb, Journal of Applied Econometrics 2023).
        """
        g = len(self)
        if g < 2:
            return float("nan")
        moved = self.residuals / (self.n - self.sizes)
        return float(np.sqrt((g - 1) / g * (moved**2).sum()))


def _cluster_of(values: Array, labels: npt.ArrayLike | None) -> npt.NDArray[np.intp] | None:
    """The number of each value's cluster, from 0; None where every value is its own.

    Raises:
        ValueError: there is not one label for each value.
    """
    if labels is None:
        return None
    names = np.asarray(labels)
    if names.shape != values.shape:
        raise ValueError(f"{len(values)} values have {len(names)} cluster labels")
    return np.unique(names, return_inverse=True)[1]


def resampled_totals(columns: Array, resamples: int, seed: int) -> Array:
    """Totals of the columns (clusters, k) in each bootstrap resample: (resamples, k).

    Whole clusters are drawn with replacement, as many as there are (the cluster bootstrap: Davison
    and Hinkley 1997, section 3.8; Field and Welsh, JRSS B 2007). How often each one is drawn, a
    multinomial, times the columns gives the totals; the counts are made some rows at a time.
    """
    g = len(columns)
    if 8 * g * resamples <= _CACHE_BYTES:
        return np.concatenate(
            [counts @ columns for counts in _cached_float_draws(g, resamples, seed)]
        )
    draws = _cached_draws if g * resamples <= _CACHE_BYTES else _draws
    return np.concatenate([counts @ columns for counts in map(_float, draws(g, resamples, seed))])


def _draws(g: int, resamples: int, seed: int) -> Iterator[Counts]:
    """Counts of how often each of `g` clusters is drawn in each resample, some resamples at a time."""
    rng = np.random.default_rng(seed)
    most = max(1, _BLOCK // g)
    for start in range(0, resamples, most):
        rows = min(most, resamples - start)
        drawn = rng.integers(0, g, (rows, g), dtype=np.int64)
        drawn += (np.arange(rows) * g)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=rows * g)
        yield counts.astype(np.uint8).reshape(rows, g)  # a count over 255 never happens


@lru_cache(maxsize=1)
def _cached_draws(g: int, resamples: int, seed: int) -> tuple[Counts, ...]:
    """The last draws, cached since the many measures of a run are resampled by the same images."""
    return tuple(_draws(g, resamples, seed))


@lru_cache(maxsize=2)
def _cached_float_draws(g: int, resamples: int, seed: int) -> tuple[Array, ...]:
    """The last draws (of all queries and of a slice) as floats, cached since the conversion takes half
    of the time."""
    return tuple(map(_float, _draws(g, resamples, seed)))


def _float(counts: Counts) -> Array:
    return counts.astype(np.float64)
