"""How many clusters a test needs to find a difference of the size seen."""

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
"""Clusters above which no number is named."""

COUNTED = (TAIL + 1) / (RESAMPLES + 1)
"""The smallest p-value that is counted from resamples."""

FEW = 1_000
"""Discordant queries below which the power of a test of rates is summed instead of approximated."""


class Plan(Protocol):
    """A test and the truth that it would meet."""

    def power(self, clusters: int, alpha: float) -> float:
        """The chance that the difference is found, 0 to 1, at a two-sided level."""
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
    """Student's t of clusters' values, and what their skewness does to it.

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
        """t is normal around sqrt(G) effect, with the variance 1 - effect skewness +
        effect^2 (kurtosis - 1) / 4 (delta method)."""
        variance = 1 - self.effect * self.skewness + self.effect**2 * (self.kurtosis - 1) / 4
        above = sqrt(clusters) * abs(self.effect) - self._critical(clusters, alpha)
        return float(ndtr(above / sqrt(max(variance, 1e-12))))

    def _critical(self, g: int, alpha: float) -> float:
        """Student's quantile, and what skewed values add to it: the term in 1 / G of the Edgeworth
        expansion of |t| (Hall, The Bootstrap and Edgeworth Expansion, 1992, section 2.6), as far as
        a p-value is counted from resamples; below, Student's tail from there on."""
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
    """McNemar's test of paired rates.

    Attributes:
        differ: the share of the queries that only one of the two has.
        better: the share of these that the better one has, 0.5 to 1.
    """

    differ: float
    better: float

    @classmethod
    def of(cls, rates: PairedRates) -> RatesPlan:
        found = rates.wins + rates.losses
        return cls(found / rates.n, max(rates.wins, rates.losses) / found)

    def power(self, clusters: int, alpha: float) -> float:
        """Summed over how many queries differ, where these are few; else z is normal around
        sqrt(n) gap / sqrt(differ), with the variance 1 - 3/4 r^2 - r gap / 4, r = gap / differ."""
        z = float(ndtri(1 - alpha / 2))
        if clusters * self.differ < FEW:
            return self._summed(clusters, z)
        ratio = 2 * self.better - 1
        gap = ratio * self.differ
        variance = 1 - 0.75 * ratio**2 - 0.25 * ratio * gap
        above = sqrt(clusters) * gap / sqrt(self.differ) - z
        return float(ndtr(above / sqrt(max(variance, 1e-12))))

    def _summed(self, n: int, z: float) -> float:
        expected = n * self.differ
        reach = 8 * sqrt(expected) + 8
        count = np.arange(max(0, int(expected - reach)), min(n, int(expected + reach)) + 1)
        chance = bdtr(count, n, self.differ) - np.where(
            count > 0, bdtr(np.maximum(count - 1, 0), n, self.differ), 0.0
        )
        wanted = np.ceil((count + z * np.sqrt(count)) / 2 - 1e-9)
        possible = (wanted <= count) & (count > 0)
        found = np.where(possible, bdtrc(np.where(possible, wanted - 1, 0), count, self.better), 0)
        return float((chance * found).sum())
