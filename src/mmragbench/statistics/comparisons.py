"""Comparison of two systems on the same queries: difference, interval, p-value, and queries needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import ceil, sqrt

import numpy as np
import numpy.typing as npt

from mmragbench.statistics.intervals import FEW, RESAMPLES, Bounds, clamped, scale_of
from mmragbench.statistics.planning import MeanPlan, Plan, RatesPlan, fewest
from mmragbench.statistics.rates import PairedRates
from mmragbench.statistics.resampling import Array, Clusters
from mmragbench.statistics.seeds import OverSeeds, SeedsPlan, SeedVariation, averaged
from mmragbench.statistics.studentised import Student, studentised

Procedure = Student | PairedRates
RARE = 4
"""Number of queries that differ, below which an interval of paired rates is called conservative."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The paired difference `a - b`.

    Attributes:
        difference: on the measure's own scale.
        low, high: its 95 % interval; None where fewer than two clusters were compared, or nothing
            differs and the scale is not known.
        p_value: two-sided, before any correction for the size of the family; at most 0.05 exactly
            if the interval leaves 0 out.
        n: queries (images, for a distance) compared.
        n_clusters: the clusters that they form.
        identical: no value of one differs from the other's, so that there is nothing to be tested.
        conservative: the interval is wider than it need be, since few clusters differ.
        note: why there is no test, where the numbers alone do not say.
        plan: the power of the test, from which `needed` is computed.
    """

    difference: float
    low: float | None
    high: float | None
    p_value: float
    n: int
    n_clusters: int
    identical: bool = False
    conservative: bool = False
    note: str | None = None
    plan: Plan | None = field(default=None, repr=False, compare=False)

    def needed(self, tests: float = 1, power: float = 0.8) -> int | None:
        """The number of queries, in clusters like these, with which a test shows this difference.

        The level is 0.05 / tests, with which Holm's correction of so many begins. The number is above
        `n`, wherever the p-value is above that level; None if there is no difference, or above a
        hundred million. It takes the observed difference for the true one: a plan for the next
        experiment, not a statement about this one (Hoenig and Heisey, The American Statistician
        2001).
        """
        if self.plan is None:
            return None
        clusters = fewest(self.plan, 0.05 / tests, power)
        if clusters is None:
            return None
        queries = ceil(clusters * self.n / self.n_clusters)
        return max(queries, self.n + 1) if self.p_value > 0.05 / tests else queries


def compare(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    clusters: npt.ArrayLike | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    bounds: Bounds | None = None,
) -> Comparison:
    """The mean of `a` less the mean of `b`, value by value on the same queries.

    `bounds` is the measure's scale, as far as it is known; by default 0 to 1 for values that are all
    0 or 1. Else as `compare_differences`.

    Raises:
        ValueError: no queries, unequal numbers of them, or a value that is not finite.
    """
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if x.shape != y.shape or not len(x):
        raise ValueError(f"a paired comparison needs the same queries; got {len(x)} and {len(y)}")
    scale = bounds or scale_of(x, y)
    return compare_differences(x - y, clusters, of_difference(scale), resamples, seed)


def queries_needed(
    differences: npt.ArrayLike,
    clusters: npt.ArrayLike | None = None,
    power: float = 0.8,
    alpha: float = 0.05,
) -> int | None:
    """The number of queries, in clusters like these, with which a two-sided test shows this difference:
    `Comparison.needed` of a pilot study."""
    return compare_differences(differences, clusters).needed(0.05 / alpha, power)


def of_difference(bounds: Bounds | None) -> Bounds | None:
    """The scale of the difference of two values of a measure."""
    if bounds is None:
        return None
    width = bounds[1] - bounds[0]
    return -width, width


def compare_differences(
    differences: npt.ArrayLike,
    clusters: npt.ArrayLike | None = None,
    bounds: Bounds | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Comparison:
    """A test of "the mean of paired differences is 0", with its 95 % interval.

    p is at most 0.05 exactly if the interval leaves 0 out.

    - Differences that all have the same size, or are 0, each of a query that is its own cluster (as
      of hits): the score test and interval of Tango (1998) for paired rates.
    - Else the symmetric studentised bootstrap of whole clusters (Hall 1988; Davison and Hinkley
      1997, section 5.2.1); Student's t with fewer than six clusters.
    - Where so few clusters differ that resamples have no spread: Tango's with the largest difference
      as the size of all, which is conservative. Where nothing differs, with the scale's width.

    `bounds` is the scale of the difference, within which the interval's ends lie.

    Raises:
        ValueError: a value is not finite, or labels and values differ in number.
    """
    return compare_all([differences], clusters, [bounds], resamples, seed)[0]


def compare_all(
    columns: Sequence[npt.ArrayLike],
    clusters: npt.ArrayLike | None = None,
    bounds: Sequence[Bounds | None] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> list[Comparison]:
    """`compare_differences` of several columns of differences on the same queries.

    They are resampled together: the many measures of a run take hardly longer than one. A column may
    have the differences of several seeds, (seeds, queries): then the interval and the test of their
    mean have both sources of variation (`mmragbench.statistics.seeds`).
    """
    scales = bounds or [None] * len(columns)
    over_seeds = [averaged(column, clusters) for column in columns]
    arrays = [column for column, _ in over_seeds]
    data = [Clusters.of(x, clusters) for x in arrays]
    columns_with_scales = zip(arrays, data, scales, strict=True)
    procedures = [_without_resampling(x, d, scale) for x, d, scale in columns_with_scales]
    undecided = [i for i, own in enumerate(procedures) if own is None and arrays[i].any()]
    resampled = [i for i in undecided if len(data[i]) >= FEW]
    bootstraps = studentised([data[i] for i in resampled], resamples, seed)
    for i, bootstrap in zip(resampled, bootstraps, strict=True):
        procedures[i] = bootstrap if bootstrap.finite else _largest_as_rates(arrays[i], data[i])
    parts = zip(arrays, data, scales, procedures, strict=True)
    comparisons = [_comparison(x, d, scale, procedure) for x, d, scale, procedure in parts]
    tested = zip(comparisons, data, scales, procedures, over_seeds, strict=True)
    return [
        _with_seeds(comparison, d, scale, procedure, variation)
        for comparison, d, scale, procedure, (_, variation) in tested
    ]


def _with_seeds(
    comparison: Comparison,
    data: Clusters,
    bounds: Bounds | None,
    procedure: Procedure | None,
    variation: SeedVariation | None,
) -> Comparison:
    """The comparison with the seeds' variation in its interval and test."""
    if variation is None:
        return comparison
    if procedure is None:  # nothing can be said of other queries
        return replace(comparison, identical=False)
    both = OverSeeds(procedure, variation)
    low, high = clamped(*both.interval(), bounds)
    plan = SeedsPlan.of(data, variation) if data.mean else None
    return replace(
        comparison, low=low, high=high, p_value=both.p_value(), identical=False, plan=plan
    )


def _without_resampling(x: Array, data: Clusters, bounds: Bounds | None) -> Procedure | None:
    """The procedure that needs no resampling, if there is one for these differences."""
    if len(data) < 2:
        return None
    if not x.any():
        return PairedRates.of(x, data, bounds[1]) if bounds is not None else None
    if (data.single and _of_one_size(x)) or not data.standard_error > 1e-12 * np.abs(x).max():
        return _largest_as_rates(x, data)
    return Student(data.mean, data.standard_error, len(data)) if len(data) < FEW else None


def _of_one_size(x: Array) -> bool:
    """Whether all differences that are not 0 are equally large."""
    return bool(np.allclose(np.abs(x[x != 0]), np.abs(x).max(), rtol=1e-9, atol=0))


def _largest_as_rates(x: Array, data: Clusters) -> PairedRates:
    """Paired rates that take the largest difference for the size of all."""
    return PairedRates.of(x, data, float(np.abs(x).max()))


def _comparison(
    x: Array, data: Clusters, bounds: Bounds | None, procedure: Procedure | None
) -> Comparison:
    identical = not x.any()
    low, high = clamped(*procedure.interval(), bounds) if procedure else (None, None)
    return Comparison(
        difference=data.mean,
        low=low,
        high=high,
        p_value=procedure.p_value() if procedure else 1.0,
        n=data.n,
        n_clusters=len(data),
        identical=identical,
        conservative=isinstance(procedure, PairedRates) and _is_conservative(x, data),
        plan=_plan(data, procedure) if procedure and data.mean else None,
    )


def _is_conservative(x: Array, data: Clusters) -> bool:
    """Whether paired rates stand for differences that vary less, or so few queries differ that their
    interval covers in more than 97 % (docs/calibration.md)."""
    differ = int(np.count_nonzero(x))
    return differ < RARE or not (data.single and _of_one_size(x))


def _plan(data: Clusters, procedure: Procedure) -> Plan:
    """The power of the procedure for these data."""
    if isinstance(procedure, PairedRates):
        return RatesPlan.of(procedure)
    return MeanPlan.of(data.residuals, procedure.mean / procedure.error / sqrt(len(data)))
