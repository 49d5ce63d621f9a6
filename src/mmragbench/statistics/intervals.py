"""The interval of a mean of per-query values, by cluster."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mmragbench.statistics.rates import wilson
from mmragbench.statistics.resampling import Array, Clusters
from mmragbench.statistics.studentised import Student, t_values

RESAMPLES = 10_000

FEW = 6
"""Clusters below which resampling has too little to draw from."""

NOTHING = 1e-7
"""A standard error of so small a share of the scale is no spread: Bleu has guards against division by
zero, which differ from query to query where nothing matches."""

Bounds = tuple[float, float]
"""The ends of a measure's scale."""


class Interval(NamedTuple):
    """Both ends, on the measure's own scale; both None where there is none."""

    low: float | None
    high: float | None


NONE = Interval(None, None)


def bootstrap_interval(
    values: npt.ArrayLike,
    clusters: npt.ArrayLike | None = None,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
    bounds: Bounds | None = None,
    best: npt.ArrayLike | None = None,
) -> Interval:
    """The interval of the mean of `values`; `clusters` holds each value's image.

    Studentised (bootstrap-t): each resample of whole clusters gives t* = (mean* - mean) / se*, with
    the cluster-robust standard error of that resample, and the interval is
    [mean - t*(1 - a) se, mean - t*(a) se]. Source: Efron 1981; Davison and Hinkley 1997, section
    5.2.1; clustered: Cameron, Gelbach and Miller 2008. Chosen over percentile and BCa because those
    cover too little with 50 to 100 clusters (docs/calibration.md).

    Where resampling has too little to go by:
    - a rate (every value at one end of the scale) of unclustered queries, or one whose t* is not
      finite: Wilson's interval, on the effective number of queries;
    - other values of which so few differ that t* is not finite: Wilson's for the share of the way
      from the smallest to the largest value seen, which is conservative;
    - fewer than six clusters: Student's t;
    - values that are all alike, within the scale or on one that is not known: none.

    `bounds` is the measure's scale, which no end leaves; by default 0 to 1 for values that are all
    0 or 1, else unknown. `best` is each value's own upper end, where these differ (recall at 1 where
    one query has four relevant documents and another five).

    Raises:
        ValueError: a value is not finite, or labels and values differ in number.
    """
    x = np.asarray(values, dtype=np.float64)
    data = Clusters.of(x, clusters)
    if len(data) < 2:
        return NONE
    scale = bounds or scale_of(x)
    tops = np.full(len(x), scale[1] if scale else x.max()) if best is None else np.asarray(best)
    base = scale[0] if scale is not None else 0.0
    rate = scale is not None and bool(np.logical_or(x == base, x == tops).all())
    width = scale[1] - scale[0] if scale is not None else 0.0
    varies = data.standard_error > max(1e-12 * np.abs(x).max(), NOTHING * width)
    if rate and (data.single or not varies):
        return Interval(*_share(x, clusters, level, base, tops))
    if not varies:
        return NONE
    if len(data) < FEW:
        low, high = Student(data.mean, data.standard_error, len(data)).interval(level)
        return clamped(low, high, scale)
    t, _ = t_values([data], resamples, seed)
    # Between an ordinary and an infinite t* there is nothing to interpolate.
    ends = np.quantile(t, [(1 + level) / 2, (1 - level) / 2], method="inverted_cdf")
    if not np.isfinite(ends).all():
        if not rate:
            base, tops = float(x.min()), np.full(len(x), x.max())
        return clamped(*_share(x, clusters, level, base, tops), scale)
    low, high = data.mean - data.standard_error * ends
    return clamped(low, high, scale)


def scale_of(*columns: Array) -> Bounds | None:
    """0 to 1 where all values are one or the other; else it can't be known from them."""
    return (0.0, 1.0) if all(np.isin(x, (0.0, 1.0)).all() for x in columns) else None


def clamped(low: float, high: float, bounds: Bounds | None) -> Interval:
    """The interval, as far as it lies on the scale."""
    if bounds is None:
        return Interval(float(low), float(high))
    return Interval(float(max(low, bounds[0])), float(min(high, bounds[1])))


def _share(
    x: Array, clusters: npt.ArrayLike | None, level: float, base: float, tops: Array
) -> Bounds:
    """Wilson's interval of the share of the way from `base` to the tops, on the scale."""
    width = float((tops - base).mean())
    weights = (tops - base) / width
    low, high = wilson(Clusters.of((x - base) / width, clusters, weights), level)
    return base + width * low, base + width * high


def pseudo_values(columns: npt.ArrayLike, statistic: Callable[[Array], Array]) -> Array:
    """Per-query values whose mean is a statistic of the set's totals, and whose spread is its own.

    For corpus measures such as Bleu: `columns` (n, k) holds what each query adds to the totals
    (matches, candidates, lengths), and `statistic` turns rows of totals (r, k) into r values. The
    result goes into `bootstrap_interval` and `compare` like any per-query score. These are the
    jackknife's pseudo-values (Tukey 1958; Efron 1982), moved so that their mean is the statistic.
    """
    x = np.asarray(columns, dtype=np.float64)
    total = x.sum(axis=0)
    whole = float(statistic(total[None, :])[0])
    influences = (len(x) - 1) * (whole - statistic(total - x))
    return np.asarray(whole + influences - influences.mean())
