"""Non-inferiority test of a mean loss (empirical likelihood), and the power of the design.

The test (Owen 1988; Owen, Empirical Likelihood, 2001, sections 2 and 3) works on whole groups of
queries. It compares the likeliest weights of the groups under which the mean loss is the one that is
tested with equal weights. Unlike t it follows the skewness of the losses, it needs no resampling, and
so it has neither a seed nor a smallest p-value. One imagined group is added to the sample, which lost
as much as a group can lose (or gained as much, where a loss is to be shown): without it, a sample
without any loss would prove that there is none. For a rate the result is about Clopper and Pearson's
exact bound. (Chen, Variyath and Abraham 2008 add an observation too, to make the likelihood exist.)
`benchmarks/gate_calibration.py` shows that the levels are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, inf, log, sqrt

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import bdtrc, ndtr, ndtri

from mmragbench.statistics.resampling import Array, Clusters

ALPHA = 0.05
MOST = 100_000_000
"""Queries above which `Design.needed` gives no number."""


@dataclass(frozen=True, slots=True)
class Loss:
    """A mean loss on the same queries, `before - after` (with the other sign where lower is better).

    Attributes:
        mean: the mean loss; negative is a gain.
        p_holds: one-sided p-value of "the loss is the margin or more".
        p_lost: one-sided p-value of "nothing was lost".
    """

    mean: float
    p_holds: float
    p_lost: float


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
        groups: the label of each query's group; without labels every query is its own.

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
    return Loss(data.mean, mean_is_positive(below), mean_is_positive(above))


def mean_is_positive(values: Array) -> float:
    """One-sided p-value of "the mean is zero or less": signed root of the likelihood ratio."""
    return float(ndtr(-_root(values, np.ones(len(values)))))


def _root(values: Array, counts: Array) -> float:
    """The signed root of minus twice the log likelihood ratio of mean zero.

    It is standard normal in the limit, if the mean is zero. `counts` says how often each value occurs.

    The weights are 1 / (n (1 + t x)), with the t at which their mean is zero; minus twice the log
    ratio is 2 sum log(1 + t x). A sample on one side of zero has no such weights.
    """
    low, high = float(values.min()), float(values.max())
    if low >= 0 or high <= 0:
        return inf if low >= 0 and high > 0 else -inf
    rarest = float(counts.min()) / float(counts.sum())
    ends = (rarest - 1) / high, (rarest - 1) / low  # all weights lie between 0 and 1
    t = brentq(lambda t: float(counts @ (values / (1 + t * values))), *ends, xtol=1e-14 / high)
    root = sqrt(max(0.0, 2 * float(counts @ np.log1p(t * values))))
    return root if counts @ values > 0 else -root


@dataclass(frozen=True, slots=True)
class Design:
    """The design of a test: what its power to show a loss of the margin's size depends on.

    Attributes:
        groups, queries: how many there are.
        margin, worst: as in `loss`.
        largest: the mean loss of a query in the group of this sample that has the most to lose, if it
            loses all; above zero, at most `worst`.
        losses: the losses of this sample, by group; None where nothing changed.
        alpha: the level after correction.
    """

    groups: int
    queries: int
    margin: float
    worst: float
    largest: float
    losses: Clusters | None = None
    alpha: float = ALPHA

    def power(self) -> float:
        """The chance that a loss of the margin's size is shown to be one: the lower of two.

        - The loss is as sparse as it can be here: each group loses `largest` with probability
          margin / largest. The number of groups that do is binomial, and `loss` at `alpha` needs a
          certain number of them. This is exact for a rate. Where the two runs agree, or all losses
          are equally large, there is only this chance, since their spread says nothing more.
        - The loss is spread as the losses of this sample: the mean from which on `loss` shows one is
          computed from them, and the chance of such a mean by a normal distribution.
        """
        return min(self._sparse(self.groups), self._spread(self.groups))

    def needed(self, power: float = 0.8) -> int | None:
        """Queries, in groups of this size, with that power; None above a hundred million."""
        size = self.queries / self.groups
        few, many = 1, ceil(MOST / size)
        if not self._reaches(many, power):
            return None
        while few < many:
            middle = (few + many) // 2
            few, many = (few, middle) if self._reaches(middle, power) else (middle + 1, many)
        return ceil(few * size)

    def _reaches(self, groups: int, power: float) -> bool:
        """Whether so many groups have that power."""
        if self._sparse(groups) < power:
            return False
        losses = self._spread_losses
        if losses is None:
            return True
        lost = self.margin - float(ndtri(power)) * self._error(losses, groups)
        return self._excess(losses, lost, groups) >= 0

    @property
    def _spread_losses(self) -> Clusters | None:
        """The losses of this sample, if their spread says something."""
        return None if self.losses is None or _all_alike(self.losses) else self.losses

    def _sparse(self, groups: int) -> float:
        """The power against the sparse loss."""
        share = min(1.0, self.margin / self.largest)
        fewest = _fewest(self.alpha, max(1.0, self.worst / self.largest))
        return float(bdtrc(fewest - 1, groups, share)) if fewest <= groups else 0.0

    def _spread(self, groups: int) -> float:
        """The power against the loss that is spread as this sample's."""
        losses = self._spread_losses
        if losses is None:
            return 1.0
        error = self._error(losses, groups)
        low, high = self.margin - 9 * error, self.margin + 9 * error
        if self._excess(losses, low, groups) >= 0:
            return 1.0
        if self._excess(losses, high, groups) <= 0:
            return 0.0
        fewest = brentq(
            lambda lost: self._excess(losses, lost, groups), low, high, xtol=1e-4 * error
        )
        return float(ndtr((self.margin - fewest) / error))

    def _error(self, losses: Clusters, groups: int) -> float:
        """The standard error of the mean loss of so many groups."""
        return losses.standard_error * sqrt(self.groups / groups)

    def _excess(self, losses: Clusters, lost: float, groups: int) -> float:
        """By how much the statistic of a sample with these residuals and this mean exceeds its
        critical value."""
        size = self.queries / self.groups
        imagined = max(self.worst * size, float(np.abs(losses.sums).max()))
        values = np.append(losses.residuals + lost * losses.sizes, -imagined)
        counts = np.append(np.full(self.groups, groups / self.groups), 1.0)
        return max(-40.0, min(40.0, _root(values, counts))) - float(ndtri(1 - self.alpha))


def _all_alike(losses: Clusters) -> bool:
    """Whether all groups that lost anything lost equally much, as where hits are lost and none gained."""
    lost = losses.sums[losses.sums != 0]
    return not len(lost) or bool(lost.min() > 0 and np.ptp(lost) <= 1e-9 * lost.max())


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
