"""Means over queries and seeds: intervals and tests with both sources of variation.

Every query is answered under every seed, so that values have two crossed random factors: a value is
mean + query + seed + their interaction (Searle, Casella and McCulloch, Variance Components, 1992,
chapter 4; for seeds of machine learning Bouthillier et al., MLSys 2021). The variance of the mean over
both is `queries - interaction + seeds`, where `queries` is that of the mean over queries of the values
averaged over seeds, `seeds` is sd^2 / S of the S seeds' means, and each of these contains the interaction
once.

With three seeds `seeds` has two degrees of freedom, and one cannot know that there is no seed effect.
So the half-widths of the two intervals are combined, not the variances: Banerjee (Sankhya A 1961) shows
that the mean lies within sqrt(t1^2 v1 + t2^2 v2) at least as often as stated, whatever the two true
variances are. A Satterthwaite t covers too little here: down to 87 % with two seeds and 92 % with
three (`docs/calibration.md`). Where the interval of the queries is not symmetric, each of its sides is
combined on its own (MOVER: Zou and Donner, Statistics in Medicine 2008).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, sqrt
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri, stdtrit

from mmragbench.statistics.intervals import (
    NONE,
    Bounds,
    Interval,
    bootstrap_interval,
    clamped,
    scale_of,
)
from mmragbench.statistics.resampling import Array, Clusters

SMALLEST = 1e-12
"""The smallest p-value over seeds; smaller ones are given as this."""


class Procedure(Protocol):
    """A test of a mean over queries, and the interval that is dual to it."""

    @property
    def mean(self) -> float: ...

    def interval(self, level: float = 0.95) -> tuple[float, float]: ...

    def p_value(self, null: float = 0.0) -> float: ...


@dataclass(frozen=True, slots=True)
class SeedVariation:
    """How much a mean over queries varies between seeds.

    Attributes:
        error: the standard error of the mean over seeds, sd / sqrt(seeds).
        seeds: how many there are, two at least.
        interaction: the share of the queries' variance that is interaction with seeds, 0 to 1, which
            `error` contains too.
    """

    error: float
    seeds: int
    interaction: float

    @classmethod
    def of(cls, values: Array, clusters: npt.ArrayLike | None = None) -> SeedVariation:
        """From values of shape (seeds, queries)."""
        count = len(values)
        mean = values.mean(axis=0)
        errors = [Clusters.of(own - mean, clusters).standard_error for own in values]
        interaction = sum(error**2 for error in errors) / (count - 1) / count
        of_queries = Clusters.of(mean, clusters).standard_error ** 2
        share = min(1.0, interaction / of_queries) if of_queries > 0 else 0.0
        return cls(float(values.mean(axis=1).std(ddof=1)) / sqrt(count), count, share)

    def critical(self, alpha: float) -> float:
        """Student's t with seeds - 1 degrees of freedom, two-sided."""
        return float(stdtrit(self.seeds - 1, 1 - alpha / 2))

    def widened(self, half: float, alpha: float = 0.05) -> float:
        """The distance from the mean to the interval's end, of which `half` is that of the queries
        alone; never shorter than `half`."""
        return combined(half, self.critical(alpha) * self.error, self.interaction)


def combined(queries: float, seeds: float, interaction: float = 0.0) -> float:
    """The half-width of the interval that has both sources of variation.

    Args:
        queries, seeds: the half-widths of the intervals that have one of them.
        interaction: the share of the queries' variance that the seeds' contains too.
    """
    return sqrt(max(queries**2, (1 - interaction) * queries**2 + seeds**2))


@dataclass(frozen=True, slots=True)
class OverSeeds:
    """The test and the interval of a mean over queries and seeds.

    Attributes:
        queries: those of the values averaged over seeds.
        seeds: the variation that these leave out.
    """

    queries: Procedure
    seeds: SeedVariation

    @property
    def mean(self) -> float:
        return self.queries.mean

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """The means that `p_value` does not reject at 1 - level."""
        low, high = self.queries.interval(level)
        down, up = (
            self.seeds.widened(half, 1 - level) for half in (self.mean - low, high - self.mean)
        )
        return self.mean - down, self.mean + up

    def p_value(self, null: float = 0.0) -> float:
        """Two-sided p-value of "the mean is `null`": the level at which the interval ends there."""
        if null == self.mean:
            return 1.0
        usual = 0.05  # begins there, so that a p-value of 0.05 and a 95 % interval never disagree
        low, high = (usual, 0.9999) if self._holds(null, usual) else (SMALLEST, usual)
        if self._holds(null, 0.9999):
            return 1.0
        while high / low > 1 + 1e-7:
            middle = exp((log(low) + log(high)) / 2)
            low, high = (middle, high) if self._holds(null, middle) else (low, middle)
        return high

    def _holds(self, null: float, alpha: float) -> bool:
        low, high = self.interval(1 - alpha)
        return low <= null <= high


@dataclass(frozen=True, slots=True)
class SeedsPlan:
    """The power of a test over seeds with more queries and the same seeds.

    Attributes:
        effect: the true difference.
        of_queries: the variance of the mean over `clusters` clusters of queries.
        between: the variance of the mean over seeds that no number of queries makes smaller.
    """

    effect: float
    of_queries: float
    between: float
    clusters: int
    seeds: SeedVariation

    @classmethod
    def of(cls, data: Clusters, seeds: SeedVariation) -> SeedsPlan:
        of_queries = data.standard_error**2
        between = max(0.0, seeds.error**2 - seeds.interaction * of_queries)
        return cls(data.mean, of_queries, between, len(data), seeds)

    def power(self, clusters: int, alpha: float) -> float:
        """By a normal mean around the effect, and the expected half-width."""
        queries = self.of_queries * self.clusters / clusters
        error = sqrt(self.between + self.seeds.interaction * queries)
        z = float(ndtri(1 - alpha / 2))
        reach = combined(
            z * sqrt(queries), self.seeds.critical(alpha) * error, self.seeds.interaction
        )
        spread = sqrt(queries + self.between)
        return float(ndtr((abs(self.effect) - reach) / spread)) if spread > 0 else 1.0


def averaged(
    values: npt.ArrayLike, clusters: npt.ArrayLike | None = None
) -> tuple[Array, SeedVariation | None]:
    """Values (seeds, queries) averaged over seeds, and how the seeds differ: None where they do not.

    Values of shape (queries,) are those of one seed.

    Raises:
        ValueError: a value is not finite.
    """
    x = np.asarray(values, dtype=np.float64)
    if x.ndim < 2:
        return x, None
    if not np.isfinite(x).all():
        raise ValueError("values must be one finite number for each query and seed")
    if (x == x[0]).all():
        return x[0], None
    return x.mean(axis=0), SeedVariation.of(x, clusters)


def seeds_interval(
    values: npt.ArrayLike, clusters: npt.ArrayLike | None = None, bounds: Bounds | None = None
) -> Interval:
    """The 95 % interval of the mean of values (seeds, queries), of other queries and other seeds.

    `clusters` and `bounds` are those of `bootstrap_interval`, whose interval is returned where all
    seeds have the same values.

    Raises:
        ValueError: a value is not finite, or labels and values differ in number.
    """
    mean, variation = averaged(values, clusters)
    scale = bounds or scale_of(np.ravel(values))
    interval = bootstrap_interval(mean, clusters, bounds=scale)
    if variation is None or interval.low is None or interval.high is None:
        return interval
    middle = float(mean.mean())
    down, up = (variation.widened(half) for half in (middle - interval.low, interval.high - middle))
    return clamped(middle - down, middle + up, scale)


def interval_of_means(
    estimates: Sequence[float], intervals: Sequence[tuple[float | None, float | None]]
) -> Interval:
    """The same from each seed's estimate and 95 % interval, where there is no value per query (FID).

    The mean of the seeds' half-widths stands for the queries' part, which is conservative: averaging
    over seeds takes a part of the interaction out.
    """
    if any(low is None or high is None for low, high in intervals):
        return NONE
    middle, count = float(np.mean(estimates)), len(estimates)
    error = float(np.std(estimates, ddof=1)) / sqrt(count)
    variation = SeedVariation(error, count, 0.0)
    lows, highs = (np.mean(ends) for ends in zip(*intervals, strict=True))
    return Interval(
        middle - variation.widened(max(0.0, middle - float(lows))),
        middle + variation.widened(max(0.0, float(highs) - middle)),
    )
