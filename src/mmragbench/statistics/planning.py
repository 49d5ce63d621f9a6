"""Power of tests: how many clusters a test needs to show a difference of the observed size."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Protocol

import numpy as np
from scipy.special import bdtr, bdtrc, ndtr, ndtri, stdtr, stdtrit

from mmragbench.statistics.intervals import RESAMPLES
from mmragbench.statistics.rates import PairedRates
from mmragbench.statistics.resampling import Array
from mmragbench.statistics.studentised import TAIL

MOST = 100_000_000
"""Clusters above which `fewest` gives no number."""

COUNTED = (TAIL + 1) / (RESAMPLES + 1)
"""The smallest p-value that is counted from resamples; smaller ones are extrapolated."""

FEW = 1_000
"""Discordant queries below which the power of a test of rates is summed instead of approximated."""


class Plan(Protocol):
    """A test, and the true difference that its power is computed for."""

    def power(self, clusters: int, alpha: float) -> float:
        """The chance that the test shows the difference, 0 to 1, at a two-sided level."""
        ...


def fewest(plan: Plan, alpha: float, power: float) -> int | None:
    """The fewest clusters with this power; None above a hundred million."""
    few, many = 2, MOST
    while few < many:
        middle = (few + many) // 2
        enough = plan.power(middle, alpha) >= power
        few, many = (few, middle) if enough else (middle + 1, many)
    return few if few < MOST else None


@dataclass(frozen=True, slots=True)
class MeanPlan:
    """The power of Student's t for clusters' values, corrected for their skewness and kurtosis.

    Attributes:
        effect: the mean over the standard deviation of one cluster.
        skewness, kurtosis: of the clusters' values; 0 and 3 for normal ones.
    """

    effect: float
    skewness: float
    kurtosis: float

    @classmethod
    def of(cls, residuals: Array, effect: float) -> MeanPlan:
        z = residuals / residuals.std()
        return cls(effect, float((z**3).mean()), float((z**4).mean()))

    def power(self, clusters: int, alpha: float) -> float:
        """By a normal t around sqrt(G) effect, with the variance 1 - effect skewness +
        effect^2 (kurtosis - 1) / 4 (delta method)."""
        variance = 1 - self.effect * self.skewness + self.effect**2 * (self.kurtosis - 1) / 4
        above = sqrt(clusters) * abs(self.effect) - self._critical(clusters, alpha)
        return float(ndtr(above / sqrt(max(variance, 1e-12))))

    def _critical(self, g: int, alpha: float) -> float:
        """The critical |t|: Student's quantile, corrected for skewness.

        The correction is the term in 1 / G of the Edgeworth expansion of |t| (Hall, The Bootstrap and
        Edgeworth Expansion, 1992, section 2.6). For levels below `COUNTED`, Student's tail continues
        from there.
        """
        counted = max(alpha, COUNTED)
        x, z = float(stdtrit(g - 1, 1 - counted / 2)), float(ndtri(1 - counted / 2))
        term = (self.kurtosis - 3) / 12 * (z**2 - 3)
        term -= self.skewness**2 / 18 * (z**4 + 2 * z**2 - 3)
        reach = x + min(x, max(0.0, -z * term / g))
        if alpha >= COUNTED:
            return reach
        share = counted / (2 * float(stdtr(g - 1, -reach)))
        return float(stdtrit(g - 1, 1 - min(1.0, alpha / share) / 2))


@dataclass(frozen=True, slots=True)
class RatesPlan:
    """The power of McNemar's test of paired rates.

    Attributes:
        differ: the share of the queries that only one of the two has.
        better: the share of these that the better one has, 0.5 to 1.
    """

    differ: float
    better: float

    @classmethod
    def of(cls, rates: PairedRates) -> RatesPlan:
        differ = rates.wins + rates.losses
        return cls(differ / rates.n, max(rates.wins, rates.losses) / differ)

    def power(self, clusters: int, alpha: float) -> float:
        """The sum over how many queries differ, where these are few.

        Else by a normal z around sqrt(n) gap / sqrt(differ), with the variance 1 - 3/4 r^2 -
        r gap / 4, where r = gap / differ.
        """
        z = float(ndtri(1 - alpha / 2))
        if clusters * self.differ < FEW:
            return self._summed(clusters, z)
        ratio = 2 * self.better - 1
        gap = ratio * self.differ
        variance = 1 - 0.75 * ratio**2 - 0.25 * ratio * gap
        above = sqrt(clusters) * gap / sqrt(self.differ) - z
        return float(ndtr(above / sqrt(max(variance, 1e-12))))

    def _summed(self, n: int, z: float) -> float:
        """The power as a sum over the number of queries that differ, which is binomial."""
        expected = n * self.differ
        reach = 8 * sqrt(expected) + 8
        count = np.arange(max(0, int(expected - reach)), min(n, int(expected + reach)) + 1)
        chance = bdtr(count, n, self.differ) - np.where(
            count > 0, bdtr(np.maximum(count - 1, 0), n, self.differ), 0.0
        )
        wanted = np.ceil((count + z * np.sqrt(count)) / 2 - 1e-9)
        possible = (wanted <= count) & (count > 0)
        power = np.where(possible, bdtrc(np.where(possible, wanted - 1, 0), count, self.better), 0)
        return float((chance * power).sum())
