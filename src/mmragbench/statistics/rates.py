"""Score intervals of rates and of differences of paired rates, valid near 0 and 1 and for few queries."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from mmragbench.statistics.resampling import Array, Clusters


def wilson(data: Clusters, level: float) -> tuple[float, float]:
    """Wilson's score interval (1927) of a rate, on the effective number of queries.

    Of the mean of other values in 0 to 1 it is conservative. With clusters the effective number is
    p(1 - p) / se^2 with a cluster-robust se, so that the design effect is taken out (Dean and Pagano,
    Journal of Survey Statistics and Methodology 2015); it is at most the number of queries. If all
    queries agree the design effect cannot be estimated, and clusters are counted.
    """
    p, se = data.mean, data.standard_error
    n = float(data.n)
    if not data.single:
        n = min(n, p * (1 - p) / se**2) if se > 0 else float(len(data))
    z = float(ndtri((1 + level) / 2))
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return min(p, max(0.0, centre - half)), max(p, min(1.0, centre + half))


@dataclass(frozen=True)
class PairedRates:
    """The difference of two rates on the same queries.

    Of n queries, `wins` are hits of the first system alone and `losses` of the second alone; they are
    no whole numbers where queries form clusters.

    The score test and interval of Tango (Statistics in Medicine 1998), which are dual. At a
    difference of 0 it is McNemar's test.

    Attributes:
        scale: what one query's win adds to the measure: 1 for hits, 0.2 for R@1 of five.
    """

    wins: float
    losses: float
    n: float
    scale: float

    @classmethod
    def of(cls, differences: Array, data: Clusters, scale: float) -> PairedRates:
        """Paired rates that stand for differences in -scale to scale.

        Where the differences are not all at the ends or 0, or several queries form a cluster, this is
        conservative: no distribution in that range with this mean varies more, nor do queries that
        always agree within their cluster.
        """
        share = len(data) / data.n / scale
        wins, losses = (float(np.maximum(s * differences, 0).sum()) * share for s in (1, -1))
        return cls(wins, losses, len(data), scale)

    @property
    def mean(self) -> float:
        return (self.wins - self.losses) / self.n * self.scale

    def p_value(self, null: float = 0.0) -> float:
        """Two-sided p-value of "the difference is `null`"."""
        return 2 * float(ndtr(-self.statistic(null)))

    def statistic(self, null: float = 0.0) -> float:
        """|z| of the score test."""
        return abs(self._score(null / self.scale))

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """The differences that `p_value` does not reject at 1 - level."""
        middle, z = self.mean / self.scale, self.critical(1 - level)

        def end(sign: int) -> float:
            if abs(self._score(sign * 1.0)) <= z or middle == sign:
                return sign * self.scale
            return self.scale * float(
                brentq(lambda d: abs(self._score(d)) - z, middle, sign * 1.0, xtol=1e-12)
            )

        return end(-1), end(1)

    def critical(self, alpha: float) -> float:
        """The |z| above which the p-value is at most `alpha`."""
        return float(ndtri(1 - alpha / 2))

    def _score(self, d: float) -> float:
        """z of a difference d of rates; the second cell's rate is the likeliest that has it."""
        n, gap = self.n, self.wins - self.losses - self.n * d
        if abs(gap) <= 1e-12 * n:
            return 0.0
        b = -self.wins - self.losses + (2 * n - self.wins + self.losses) * d
        c = -self.losses * d * (1 - d)
        rate = (sqrt(max(b * b - 8 * n * c, 0.0)) - b) / (4 * n)
        variance = n * (2 * rate + d * (1 - d))
        return gap / sqrt(variance) if variance > 0 else float(np.copysign(np.inf, gap))
