"""Clusters of queries: their totals, their bootstrap draws, their sign flips."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Counts = npt.NDArray[np.uint8]

_AT_ONCE = 4_000_000  # numbers held at a time: some 32 MB
_CLOSE = 250_000  # numbers that a processor keeps close to it: 2 MB
_REMEMBERED = 100_000_000  # bytes of counts that may be kept


@dataclass(frozen=True)
class Clusters:
    """Per-query values summed within clusters; their mean is a ratio: total / number of queries."""

    sums: Array
    sizes: Array

    @classmethod
    def of(cls, values: npt.ArrayLike, labels: npt.ArrayLike | None = None) -> Clusters:
        """Group the values by label; without labels every query is a cluster of its own.

        Raises:
            ValueError: a value is not finite, or there is not one label for each value.
        """
        x = np.asarray(values, dtype=np.float64)
        if x.ndim != 1 or not np.isfinite(x).all():
            raise ValueError("values must be one finite number for each query")
        if labels is None:
            return cls(x, np.ones(len(x)))
        names = np.asarray(labels)
        if names.shape != x.shape:
            raise ValueError(f"{len(x)} values have {len(names)} cluster labels")
        _, which = np.unique(names, return_inverse=True)
        sums = np.bincount(which, weights=x).astype(np.float64)
        return cls(sums, np.bincount(which).astype(np.float64))

    def __len__(self) -> int:
        return len(self.sums)

    @property
    def n(self) -> int:
        """How many queries."""
        return int(self.sizes.sum())

    @property
    def mean(self) -> float:
        return float(self.sums.sum() / self.sizes.sum())

    @property
    def residuals(self) -> Array:
        """What each cluster adds to the total above its share: zero in sum."""
        return self.sums - self.mean * self.sizes

    @property
    def standard_error(self) -> float:
        """Cluster-robust standard error of the mean, sqrt(G/(G-1) * sum of residuals^2) / n.

        Source: Cameron and Miller, A Practitioner's Guide to Cluster-Robust Inference (2015), the
        sandwich for a regression on a constant; the same as the ratio estimator's in Cochran.
        """
        g = len(self)
        if g < 2:
            return float("nan")
        return float(np.sqrt(g / (g - 1) * (self.residuals**2).sum()) / self.n)


def resampled_totals(columns: Array, resamples: int, seed: int) -> Array:
    """Totals of the columns (clusters, k) in each bootstrap resample: (resamples, k).

    Whole clusters are drawn with replacement, as many as there are (the cluster bootstrap: Davison
    and Hinkley 1997, section 3.8; Field and Welsh, JRSS B 2007). How often each one is drawn, a
    multinomial, times the columns gives the totals; the counts are made some rows at a time.
    """
    g = len(columns)
    if 8 * g * resamples <= _REMEMBERED:
        return np.concatenate([counts @ columns for counts in _as_floats(g, resamples, seed)])
    draws = _remembered if g * resamples <= _REMEMBERED else _draws
    return np.concatenate([counts @ columns for counts in map(_float, draws(g, resamples, seed))])


def _draws(g: int, resamples: int, seed: int) -> Iterator[Counts]:
    """How often each of `g` clusters is drawn in each resample, some resamples at a time."""
    rng = np.random.default_rng(seed)
    for rows in _chunks(resamples, g, _CLOSE):
        drawn = rng.integers(0, g, (rows, g), dtype=np.int64)
        drawn += (np.arange(rows) * g)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=rows * g)
        yield counts.astype(np.uint8).reshape(rows, g)  # a count over 255 never happens


@lru_cache(maxsize=1)
def _remembered(g: int, resamples: int, seed: int) -> tuple[Counts, ...]:
    """The last draws: the many measures of a run are resampled by the same images."""
    return tuple(_draws(g, resamples, seed))


@lru_cache(maxsize=2)
def _as_floats(g: int, resamples: int, seed: int) -> tuple[Array, ...]:
    """The last draws (of all queries and of a slice), ready to be multiplied: half of the time goes
    into making floats of them."""
    return tuple(map(_float, _draws(g, resamples, seed)))


def _float(counts: Counts) -> Array:
    return counts.astype(np.float64)


def sign_flip_p_value(sums: Array, resamples: int, seed: int) -> float:
    """Two-sided p-value of the sum, the sign of each cluster's part being a coin's.

    If the two systems compared are exchangeable, exchanging them on one image turns the sign of
    that image's sum of differences; the images' signs are independent (Fisher's randomisation test;
    signs by cluster: Cameron, Gelbach and Miller 2008). All signs are tried where there are no more
    of them than `resamples`, else that many are drawn and one is added to both sides of the
    fraction, which makes it a valid p-value (Phipson and Smyth 2010). Equal sums count as extreme.
    """
    parts = sums[sums != 0]
    if 2 ** len(parts) <= resamples:
        totals, added = _all_signs(parts), 0
    else:
        totals, added = _random_signs(parts, resamples, seed), 1
    rounding = 1e-12 * float(np.abs(parts).sum())
    extreme = int((np.abs(totals) >= abs(float(parts.sum())) - rounding).sum())
    return (extreme + added) / (len(totals) + added)


def _all_signs(parts: Array) -> Array:
    totals = np.zeros(1)
    for part in parts:
        totals = np.concatenate([totals + part, totals - part])
    return totals


def _random_signs(parts: Array, resamples: int, seed: int) -> Array:
    rng = np.random.default_rng(seed)
    g = len(parts)
    width = -(-g // 8)
    totals = []
    for rows in _chunks(resamples, g):
        bits = rng.integers(0, 256, (rows, width), dtype=np.uint8)
        heads = np.unpackbits(bits, axis=1, count=g)
        totals.append(2 * (_float(heads) @ parts) - parts.sum())
    return np.concatenate(totals)


def _chunks(rows: int, width: int, at_once: int = _AT_ONCE) -> Iterator[int]:
    most = max(1, at_once // max(1, width))
    for start in range(0, rows, most):
        yield min(most, rows - start)
