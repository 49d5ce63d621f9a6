"""The interval of a mean of per-query values, bootstrapped by cluster."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri, stdtrit

from mmragbench.statistics.resampling import Array, Clusters, resampled_totals

RESAMPLES = 10_000


class Interval(NamedTuple):
    """Both ends, on the measure's own scale; both None where fewer than two clusters were seen."""

    low: float | None
    high: float | None


def bootstrap_interval(
    values: npt.ArrayLike,
    clusters: npt.ArrayLike | None = None,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """The interval of the mean of `values`; `clusters` holds each value's image.

    Studentised (bootstrap-t): each resample of whole clusters gives t* = (mean* - mean) / se*, with
    the cluster-robust standard error of that resample, and the interval is
    [mean - t*(1 - a) se, mean - t*(a) se]. Source: Efron 1981; Davison and Hinkley 1997, section
    5.2.1; clustered: Cameron, Gelbach and Miller 2008. Chosen over percentile and BCa because those
    cover too little with 50 to 100 clusters (docs/calibration.md).

    Two cases where resampling has too little to go by:
    - a rate (all values 0 or 1) of unclustered queries, or with too few exceptions for t* to be
      finite: Wilson's interval, on the effective number of queries;
    - other values of which so few differ that t* is not finite: the percentile interval.

    No end lies outside the range of the values, so a rate's interval stays in [0, 1].

    Raises:
        ValueError: a value is not finite, or labels and values differ in number.
    """
    x = np.asarray(values, dtype=np.float64)
    data = Clusters.of(x, clusters)
    if len(data) < 2:
        return Interval(None, None)
    rate = bool(np.isin(x, (0.0, 1.0)).all())
    if rate and (len(data) == data.n or data.standard_error == 0):
        return wilson(data, level)
    t, means = studentised(data, resamples, seed)
    tails = (1 - level) / 2, (1 + level) / 2
    if np.isfinite(ends := _quantiles(t, *tails)).all():
        low, high = data.mean - data.standard_error * ends[::-1]
    elif rate:
        return wilson(data, level)
    else:
        low, high = np.quantile(means, tails)
    return _within(low, high, data.mean, x)


def difference_interval(differences: Array, data: Clusters, resamples: int, seed: int) -> Interval:
    """The 95 % interval of a mean difference: mean -+ (95 % quantile of |t*|) * se.

    The symmetric studentised interval (Hall 1988; Davison and Hinkley 1997, section 5.2.1): it
    mirrors when the two systems change places, and it holds its level where few queries differ.
    Where so few differ that the quantile is not finite, Student's with G - 1 degrees takes its place.
    """
    if len(data) < 2:
        return Interval(None, None)
    t, _ = studentised(data, resamples, seed)
    reach = float(_quantiles(np.abs(t), 0.95)[0])
    if not np.isfinite(reach):
        reach = float(stdtrit(len(data) - 1, 0.975))
    half = reach * data.standard_error
    return _within(data.mean - half, data.mean + half, data.mean, differences)


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


def studentised(data: Clusters, resamples: int, seed: int) -> tuple[Array, Array]:
    """Each resample's t* (infinite where the resample has no spread) and its mean.

    With residuals r and sizes m, mean* - mean = sum r* / sum m* = d, and se*^2 is proportional to
    sum (r* - d m*)^2, so that five totals of each resample are enough.
    """
    r, m = data.residuals, data.sizes
    columns = np.stack([r, m, r * r, r * m, m * m], axis=1)
    sum_r, sum_m, rr, rm, mm = resampled_totals(columns, resamples, seed).T
    d = sum_r / sum_m
    spread = rr - 2 * d * rm + d * d * mm
    spread[spread <= 1e-12 * (rr + d * d * mm)] = 0.0  # what rounding left
    g = len(data)
    se = np.sqrt(g / (g - 1) * spread) / sum_m
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(sum_r == 0, 0.0, d / se)
    return t, data.mean + d


def wilson(data: Clusters, level: float) -> Interval:
    """Wilson's score interval (1927) of a rate, on the effective number of queries.

    With clusters that number is p(1 - p) / se^2, se cluster-robust (the design effect taken out:
    Dean and Pagano, Journal of Survey Statistics and Methodology 2015); if all queries agree the
    design effect can't be seen, and only clusters are counted.
    """
    p, se = data.mean, data.standard_error
    n = float(data.n)
    if len(data) < n:
        n = p * (1 - p) / se**2 if se > 0 else float(len(data))
    z = float(ndtri((1 + level) / 2))
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return Interval(min(p, max(0.0, float(centre - half))), max(p, min(1.0, float(centre + half))))


def _quantiles(t: Array, *at: float) -> Array:
    # Between an ordinary and an infinite t* there is nothing to interpolate.
    return np.asarray(np.quantile(t, at, method="inverted_cdf"), dtype=np.float64)


def _within(low: float, high: float, mean: float, values: Array) -> Interval:
    return Interval(
        float(min(mean, max(low, values.min()))), float(max(mean, min(high, values.max())))
    )
