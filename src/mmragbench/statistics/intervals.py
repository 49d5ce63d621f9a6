"""Intervals of a mean of per-query values, by the bootstrap of clusters."""

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
"""Clusters below which Student's t is used, since resampling has too few to draw from."""

NO_SPREAD = 1e-7
"""The share of the scale up to which a standard error is taken for 0: Bleu has guards against division
by zero, which differ from query to query where nothing matches."""

Bounds = tuple[float, float]
"""The ends of a measure's scale."""


class Interval(NamedTuple):
    """The ends of an interval, on the measure's own scale; both None where there is no interval."""

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
    """The interval of the mean of `values`; `clusters` has the label of each value's cluster (image).

    Studentised (bootstrap-t): each resample of whole clusters gives t* = (mean* - mean) / se*, with
    the cluster-robust standard error of that resample, and the interval is
    [mean - t*(1 - a) se, mean - t*(a) se]. Source: Efron 1981; Davison and Hinkley 1997, section
    5.2.1; clustered: Cameron, Gelbach and Miller 2008. Chosen over percentile and BCa because those
    cover too little with 50 to 100 clusters (docs/calibration.md).

    Other intervals, where resamples say too little:
    - a rate (every value at one end of the scale) of unclustered queries, or one whose t* is not
      finite: Wilson's interval, on the effective number of queries;
    - other values of which so few differ that t* is not finite: Wilson's for their position between
      the smallest and the largest value, which is conservative;
    - fewer than six clusters: Student's t;
    - values that are all alike, within the scale or on one that is not known: none.

    `bounds` is the measure's scale, within which the interval's ends lie; by default 0 to 1 for
    values that are all 0 or 1, else unknown. `best` is each value's own upper end, where these differ
    (recall at 1 where one query has four relevant documents and another five).

    Raises:
        ValueError: a value is not finite, or labels and values differ in number.
    """
    x = np.asarray(values, dtype=np.float64)
    data = Clusters.of(x, clusters)
    if len(data) < 2:
        return NONE
    scale = bounds or scale_of(x)
    tops = np.full(len(x), scale[1] if scale else x.max()) if best is None else np.asarray(best)
    base, width = (scale[0], scale[1] - scale[0]) if scale is not None else (0.0, 0.0)
    is_rate = scale is not None and bool(np.logical_or(x == base, x == tops).all())
    varies = data.standard_error > max(1e-12 * np.abs(x).max(), NO_SPREAD * width)
    if is_rate and (data.single or not varies):
        return Interval(*_wilson_on_scale(x, clusters, level, base, tops))
    if not varies:
        return NONE
    if len(data) < FEW:
        low, high = Student(data.mean, data.standard_error, len(data)).interval(level)
        return clamped(low, high, scale)
    studentised = _studentised(data, level, resamples, seed)
    if studentised is not None:
        return clamped(*studentised, scale)
    if not is_rate:
        base, tops = float(x.min()), np.full(len(x), x.max())
    return clamped(*_wilson_on_scale(x, clusters, level, base, tops), scale)


def _studentised(data: Clusters, level: float, resamples: int, seed: int) -> Bounds | None:
    """The studentised interval; None where its t* are not finite."""
    t, _ = t_values([data], resamples, seed)
    # no interpolation: between a finite and an infinite t* there is no value
    quantiles = np.quantile(t, [(1 + level) / 2, (1 - level) / 2], method="inverted_cdf")
    if not np.isfinite(quantiles).all():
        return None
    low, high = data.mean - data.standard_error * quantiles
    return float(low), float(high)


def scale_of(*columns: Array) -> Bounds | None:
    """The scale 0 to 1 where all values are 0 or 1; else None, since values do not tell their scale."""
    return (0.0, 1.0) if all(np.isin(x, (0.0, 1.0)).all() for x in columns) else None


def clamped(low: float, high: float, bounds: Bounds | None) -> Interval:
    """The part of the interval that lies on the scale."""
    if bounds is None:
        return Interval(float(low), float(high))
    return Interval(float(max(low, bounds[0])), float(min(high, bounds[1])))


def _wilson_on_scale(
    x: Array, clusters: npt.ArrayLike | None, level: float, base: float, tops: Array
) -> Bounds:
    """Wilson's interval of the values' position between `base` and their tops, on the scale."""
    width = float((tops - base).mean())
    weights = (tops - base) / width
    low, high = wilson(Clusters.of((x - base) / width, clusters, weights), level)
    return base + width * low, base + width * high


def pseudo_values(columns: npt.ArrayLike, statistic: Callable[[Array], Array]) -> Array:
    """Per-query values whose mean is a statistic of the set's totals, and whose spread is its spread.

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
