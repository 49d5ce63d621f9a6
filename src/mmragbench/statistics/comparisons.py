"""Two systems on the same queries: how far apart, how sure, and how many queries would tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log2

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from mmragbench.statistics.intervals import RESAMPLES, difference_interval, studentised
from mmragbench.statistics.resampling import Clusters, sign_flip_p_value


@dataclass(frozen=True, slots=True)
class Comparison:
    """The paired difference `a - b`.

    Attributes:
        difference: on the measure's own scale.
        low, high: its 95 % interval; None where fewer than two clusters were compared.
        p_value: two-sided, before any correction for the size of the family.
        n: queries (images, for a distance) compared.
        n_clusters: the clusters that they form.
        needed: queries for 80 % power at this difference; None if the difference is zero.
        identical: no value of one differs from the other's, so that there is nothing to be told.
    """

    difference: float
    low: float | None
    high: float | None
    p_value: float
    n: int
    n_clusters: int
    needed: int | None = None
    identical: bool = False
    note: str | None = None


def compare(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    clusters: npt.ArrayLike | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Comparison:
    """The mean of `a` less the mean of `b`, value by value on the same queries.

    The interval is `difference_interval` (studentised cluster bootstrap of the differences). The
    p-value is a paired permutation's: on each image the two systems may change places, which turns
    the sign of that image's sum of differences (`sign_flip_p_value`).

    Raises:
        ValueError: no queries, unequal numbers of them, or a value that is not finite.
    """
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if x.shape != y.shape or not len(x):
        raise ValueError(f"a paired comparison needs the same queries; got {len(x)} and {len(y)}")
    differences = x - y
    data = Clusters.of(differences, clusters)
    low, high = difference_interval(differences, data, resamples, seed)
    return Comparison(
        difference=data.mean,
        low=low,
        high=high,
        p_value=sign_flip_p_value(data.sums, resamples, seed),
        n=data.n,
        n_clusters=len(data),
        needed=queries_needed(differences, clusters),
        identical=not differences.any(),
    )


def queries_needed(
    differences: npt.ArrayLike,
    clusters: npt.ArrayLike | None = None,
    power: float = 0.8,
    alpha: float = 0.05,
) -> int | None:
    """Queries, in clusters of the shape seen, with which a two-sided test finds this difference.

    n = v (z[1 - alpha/2] + z[power])^2 / difference^2, with v = n se^2 the variance that one query
    contributes, cluster-robust. At least as many clusters as a sign-flip test needs to reach
    `alpha` at all. None if the difference is zero or fewer than two clusters were seen.

    It takes the difference seen for the true one: a plan for the next experiment, not a statement
    about this one (Hoenig and Heisey, The American Statistician 2001).
    """
    data = Clusters.of(differences, clusters)
    if len(data) < 2 or data.mean == 0:
        return None
    variance = data.n * data.standard_error**2
    reach = float(ndtri(1 - alpha / 2) + ndtri(power))
    fewest = ceil(log2(2 / alpha)) * data.n / len(data)
    return ceil(max(fewest, variance * (reach / data.mean) ** 2))


def compare_all(
    columns: Sequence[npt.ArrayLike],
    clusters: npt.ArrayLike | None = None,
    bounds: None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> list[Comparison]:
    """A stand-in."""
    found = []
    for column in columns:
        x = np.asarray(column, dtype=np.float64)
        data = Clusters.of(x, clusters)
        if not x.any():
            found.append(Comparison(0.0, None, None, 1.0, data.n, len(data), identical=True))
            continue
        t, _ = studentised(data, resamples, seed)
        reach = float(np.quantile(np.abs(t), 0.95, method="inverted_cdf"))
        half, statistic = reach * data.standard_error, abs(data.mean) / data.standard_error
        p = (1 + int((np.abs(t) >= statistic).sum())) / (1 + resamples)
        ends = data.mean - half, data.mean + half
        found.append(Comparison(data.mean, *ends, p, data.n, len(data)))
    return found
