"""The studentised bootstrap of clustered means: one procedure for the interval and the p-value.

Each resample of whole clusters gives t* = (mean* - mean) / se*, with the cluster-robust standard
error of that resample; |t*| says how large |t| becomes by chance. Sources: Efron 1981; Hall 1988;
Davison and Hinkley 1997, section 5.2.1; by cluster: Cameron, Gelbach and Miller 2008.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import floor

import numpy as np
from scipy.special import stdtr, stdtrit

from mmragbench.statistics.resampling import Array, Clusters, resampled_totals

TAIL = 20
"""The fewest resamples at least as extreme from which a p-value is counted; with fewer it is
extrapolated."""

_AT_ONCE = 200
"""Columns that are resampled together: some 30 MB of totals."""


@dataclass(frozen=True)
class Student:
    """A mean of few clusters: Student's t with G - 1 degrees of freedom."""

    mean: float
    error: float
    clusters: int

    def p_value(self, null: float = 0.0) -> float:
        """Two-sided p-value of "the mean is `null`"."""
        return self._two_sided(self.statistic(null))

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """The means that `p_value` does not reject at 1 - level."""
        half = self.critical(1 - level) * self.error
        return self.mean - half, self.mean + half

    def statistic(self, null: float = 0.0) -> float:
        """|t|; infinite where the values have no spread."""
        gap = abs(self.mean - null)
        if gap == 0:
            return 0.0
        return gap / self.error if self.error > 0 else float("inf")

    def critical(self, alpha: float) -> float:
        """The |t| above which the p-value is at most `alpha`."""
        return float(stdtrit(self.clusters - 1, 1 - alpha / 2))

    def _two_sided(self, t: float) -> float:
        return 2 * float(stdtr(self.clusters - 1, -t))


@dataclass(frozen=True)
class Studentised(Student):
    """A mean of clusters, tested by the |t*| of its resamples.

    Attributes:
        draws: (resamples,), ascending; infinite where a resample has no spread.
    """

    draws: Array

    @property
    def finite(self) -> bool:
        """Whether enough resamples have a spread for a 95 % interval."""
        return bool(np.isfinite(self._reach(0.05)))

    def p_value(self, null: float = 0.0) -> float:
        """(1 + #{|t*| >= |t|}) / (1 + resamples), which is at most 0.05 exactly if the 95 % interval
        leaves `null` out.

        Where fewer than `TAIL` resamples are as extreme, Student's t continues from the last that is
        counted, so that a p-value can be as small as a large family of tests needs.
        """
        t = self.statistic(null)
        extreme = len(self.draws) - int(np.searchsorted(self.draws, t, side="left"))
        if extreme >= TAIL or not self._continues:
            return (extreme + 1) / (len(self.draws) + 1)
        return self._share * self._two_sided(t)

    def critical(self, alpha: float) -> float:
        if alpha * (len(self.draws) + 1) < TAIL + 1 and self._continues:
            return super().critical(min(1.0, alpha / self._share))
        reach = self._reach(alpha)
        return reach if np.isfinite(reach) else super().critical(alpha)

    def _reach(self, alpha: float) -> float:
        """The k-th largest |t*|, k = alpha (resamples + 1)."""
        k = max(1, floor(alpha * (len(self.draws) + 1) + 1e-9))
        return float(self.draws[-k])

    @cached_property
    def _continues(self) -> bool:
        """Whether Student's t can extrapolate the tail of the resamples."""
        return len(self.draws) >= TAIL and bool(np.isfinite(self.draws[-TAIL]))

    @cached_property
    def _share(self) -> float:
        """The factor by which Student's tail meets the last resample that is counted."""
        counted = self._two_sided(float(self.draws[-TAIL]))
        return (TAIL + 1) / (len(self.draws) + 1) / counted


def studentised(data: Sequence[Clusters], resamples: int, seed: int) -> list[Studentised]:
    """The studentised bootstrap of several columns whose clusters have the same sizes.

    All of them are resampled together, which takes hardly longer than one.
    """
    bootstraps = []
    for start in range(0, len(data), _AT_ONCE):
        part = data[start : start + _AT_ONCE]
        t, _ = t_values(part, resamples, seed)
        draws = np.sort(np.abs(t), axis=0)
        bootstraps += [
            Studentised(column.mean, column.standard_error, len(column), draws[:, i])
            for i, column in enumerate(part)
        ]
    return bootstraps


def t_values(data: Sequence[Clusters], resamples: int, seed: int) -> tuple[Array, Array]:
    """t* of each resample and column, and the resamples' means: (resamples, columns) each.

    With residuals r and sizes m, mean* - mean = sum r* / sum m* = d, and se*^2 is proportional to
    sum (r* - d m*)^2, so that five totals of each resample are enough. t* is infinite where a
    resample has no spread.
    """
    m = data[0].sizes[:, None]
    r = np.stack([column.residuals for column in data], axis=1)
    columns = np.concatenate([m, m * m, r, r * r, r * m], axis=1)
    totals = resampled_totals(columns, resamples, seed)
    sum_m, mm = totals[:, :1], totals[:, 1:2]
    sum_r, rr, rm = np.split(totals[:, 2:], 3, axis=1)
    d = sum_r / sum_m
    spread = rr - 2 * d * rm + d * d * mm
    spread[spread <= 1e-12 * (rr + d * d * mm)] = 0.0  # zero but for rounding
    g = len(r)
    se = np.sqrt(g / (g - 1) * spread) / sum_m
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(sum_r == 0, 0.0, d / se)
    return t, np.asarray([column.mean for column in data]) + d
