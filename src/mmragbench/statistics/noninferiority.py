"""Is a loss smaller than a margin, or larger than zero? And would so many queries have told?

The test is empirical likelihood (Owen 1988; Owen, Empirical Likelihood, 2001, sections 2 and 3) on
whole groups of queries: of all ways to weight the groups so that the mean loss is the one that is
tested, how likely is the likeliest? Unlike t it follows the skewness of the losses, it needs no
resampling, and so it has neither a seed nor a smallest p-value. One imagined group is added to the
sample, which lost as much as a group can lose (or gained as much, where a loss is to be shown):
without it, a sample in which nothing was lost would prove that nothing ever is. With a rate, this
is about what Clopper and Pearson's exact bound says. (Chen, Variyath and Abraham 2008 add an
observation too, to make the likelihood exist.) `benchmarks/gate_calibration.py` shows that the
levels are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, hypot, log, sqrt

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import bdtrc, ndtr, ndtri

from mmragbench.statistics.resampling import Array, Clusters

ALPHA = 0.05
MOST = 100_000_000
"""Queries above which no number is named."""


@dataclass(frozen=True, slots=True)
class Loss:
    """What was lost on the same queries, `before - after` (turned round where lower is better).

    Attributes:
        mean: the mean loss; negative is a gain.
        p_holds: one-sided p-value of "the loss is the margin or more".
        p_lost: one-sided p-value of "nothing was lost".
        error: the mean's standard error, by group.
    """

    mean: float
    p_holds: float
    p_lost: float
    error: float


def loss(
    losses: npt.ArrayLike, margin: float, worst: float, groups: npt.ArrayLike | None = None
) -> Loss:
    """Test a mean loss against a margin, and against zero.

    Args:
        losses: one for each query, on the measure's scale.
        margin: the smallest loss that matters; above zero.
        worst: the most that a query can lose, which is the width of the measure's scale where that
            is known; above zero. A sample may hold none of the queries that lose the most, so that
            a smaller number, such as what these queries had, lets rare large losses pass.
        groups: each query's group, as everywhere in this package.

    Raises:
        ValueError: no losses, one that is not finite, or a margin that is not above zero.
    """
    data = Clusters.of(losses, groups)
    if not data.n or not margin > 0 or not worst > 0:
        raise ValueError("a loss is tested on at least one query, against a margin above zero")
    size = data.n / len(data)
    imagined = max(worst * size, float(np.abs(data.sums).max()))
    below = np.append(margin * data.sizes - data.sums, margin * size - imagined)
    above = np.append(data.sums, -imagined)
    error = data.standard_error if len(data) > 1 else float("inf")
    return Loss(data.mean, mean_is_positive(below), mean_is_positive(above), error)


def mean_is_positive(values: Array) -> float:
    """One-sided p-value of "the mean is zero or less": signed root of the likelihood ratio.

    The weights are 1 / (n (1 + t x)), with the t at which their mean is zero; minus twice the log
    ratio is 2 sum log(1 + t x), chi-squared with one degree in the limit. A sample on one side of
    zero has no such weights: the ratio is 0 then, and the p-value 0 or 1.
    """
    low, high = float(values.min()), float(values.max())
    if low >= 0 or high <= 0:
        return 0.0 if low >= 0 and high > 0 else 1.0
    n = len(values)
    ends = (1 / n - 1) / high, (1 / n - 1) / low  # all weights lie between 0 and 1
    t = brentq(lambda t: float((values / (1 + t * values)).sum()), *ends, xtol=1e-14 / high)
    ratio = max(0.0, 2 * float(np.log1p(t * values).sum()))
    root = sqrt(ratio) if values.mean() > 0 else -sqrt(ratio)
    return float(ndtr(-root))


@dataclass(frozen=True, slots=True)
class Design:
    """What decides whether a loss of the margin's size can be told from none.

    Attributes:
        groups, queries: how many there are.
        margin, worst: as in `loss`.
        largest: what a query has lost, on average, in the group of this sample that has the most to
            lose, when that loses all; above zero, at most `worst`.
        error: standard error of the mean loss that was seen; 0 where nothing changed.
        alpha: the level after correction.
    """

    groups: int
    queries: int
    margin: float
    worst: float
    largest: float
    error: float = 0.0
    alpha: float = ALPHA

    def power(self) -> float:
        """The chance that a loss of the margin's size would be shown to be one: the lower of two.

        - The loss is as sparse as it can be here: each group loses `largest` with probability
          margin / largest. The number of groups that do is binomial, and as many are needed as make
          `loss` say so at `alpha`. This is exact for a rate, and all there is where the two runs
          agree, since their spread says nothing.
        - The loss is spread as the differences that were seen: normal, with their error, and with
          the imagined group that gained.
        """
        return self._power(self.groups)

    def needed(self, power: float = 0.8) -> int | None:
        """Queries, in groups of this size, with that power; None above a hundred million."""
        size = self.queries / self.groups
        few, many = 1, ceil(MOST / size)
        if self._power(many) < power:
            return None
        while few < many:
            middle = (few + many) // 2
            reached = self._power(middle) >= power
            few, many = (few, middle) if reached else (middle + 1, many)
        return ceil(few * size)

    def _power(self, groups: int) -> float:
        return min(self._sparse(groups), self._spread(groups))

    def _sparse(self, groups: int) -> float:
        share = min(1.0, self.margin / self.largest)
        fewest = _fewest(self.alpha, max(1.0, self.worst / self.largest))
        return float(bdtrc(fewest - 1, groups, share)) if fewest <= groups else 0.0

    def _spread(self, groups: int) -> float:
        if self.error == 0:
            return 1.0
        error, imagined = self.error * sqrt(self.groups / groups), self.worst / groups
        critical = imagined + ndtri(1 - self.alpha) * hypot(error, imagined)
        return float(ndtr((self.margin - critical) / error))


@lru_cache(maxsize=256)
def _fewest(alpha: float, gain: float) -> int:
    """Groups that must have lost 1 each, and none gained, for `loss` to call it a loss at `alpha`,
    where the imagined group gained `gain`.

    With k such groups, the likeliest weights give them gain / (1 + gain) of their weight together.
    """
    lost, gained = gain / (1 + gain), 1 / (1 + gain)
    k = ceil(gain) + 1
    while ndtr(-sqrt(-2 * (k * log(lost * (k + 1) / k) + log(gained * (k + 1))))) > alpha:
        k += 1
    return k
