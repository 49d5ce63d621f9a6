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
from math import ceil, inf, log, sqrt

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
    return Loss(data.mean, mean_is_positive(below), mean_is_positive(above))


def mean_is_positive(values: Array) -> float:
    """One-sided p-value of "the mean is zero or less": signed root of the likelihood ratio."""
    return float(ndtr(-_root(values, np.ones(len(values)))))


def _root(values: Array, counts: Array) -> float:
    """The signed root of minus twice the log likelihood ratio of mean zero, for values that are
    there so many times: standard normal in the limit, if the mean is zero.

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
    """What decides whether a loss of the margin's size can be told from none.

    Attributes:
        groups, queries: how many there are.
        margin, worst: as in `loss`.
        largest: what a query has lost, on average, in the group of this sample that has the most to
            lose, when that loses all; above zero, at most `worst`.
        seen: the losses that were seen, by group; None where nothing changed.
        alpha: the level after correction.
    """

    groups: int
    queries: int
    margin: float
    worst: float
    largest: float
    seen: Clusters | None = None
    alpha: float = ALPHA

    def power(self) -> float:
        """The chance that a loss of the margin's size would be shown to be one: the lower of two.

        - The loss is as sparse as it can be here: each group loses `largest` with probability
          margin / largest. The number of groups that do is binomial, and as many are needed as make
          `loss` say so at `alpha`. This is exact for a rate, and all there is where the two runs
          agree or every loss is as large as the others, since their spread says nothing more.
        - The loss is spread as the differences that were seen: what has to be lost for `loss` to
          say so is found from them, and the chance that as much is, by a normal distribution.
        """
        return min(self._sparse(self.groups), self._spread(self.groups))

    def needed(self, power: float = 0.8) -> int | None:
        """Queries, in groups of this size, with that power; None above a hundred million."""
        size = self.queries / self.groups
        few, many = 1, ceil(MOST / size)
        if not self._reached(many, power):
            return None
        while few < many:
            middle = (few + many) // 2
            few, many = (few, middle) if self._reached(middle, power) else (middle + 1, many)
        return ceil(few * size)

    def _reached(self, groups: int, power: float) -> bool:
        if self._sparse(groups) < power:
            return False
        if self.seen is None or _all_alike(self.seen):
            return True
        lost = self.margin - float(ndtri(power)) * self._error(groups)
        return self._excess(lost, groups) >= 0

    def _sparse(self, groups: int) -> float:
        share = min(1.0, self.margin / self.largest)
        fewest = _fewest(self.alpha, max(1.0, self.worst / self.largest))
        return float(bdtrc(fewest - 1, groups, share)) if fewest <= groups else 0.0

    def _spread(self, groups: int) -> float:
        if self.seen is None or _all_alike(self.seen):
            return 1.0
        error = self._error(groups)
        ends = self.margin - 9 * error, self.margin + 9 * error
        if self._excess(ends[0], groups) >= 0 or self._excess(ends[1], groups) <= 0:
            return float(self._excess(ends[0], groups) >= 0)
        fewest = brentq(self._excess, *ends, args=(groups,), xtol=1e-4 * error)
        return float(ndtr((self.margin - fewest) / error))

    def _error(self, groups: int) -> float:
        assert self.seen is not None
        return self.seen.standard_error * sqrt(self.groups / groups)

    def _excess(self, lost: float, groups: int) -> float:
        """How far a sample that is spread as the one seen, with this mean, lies above what `loss`
        asks for."""
        assert self.seen is not None
        size = self.queries / self.groups
        imagined = max(self.worst * size, float(np.abs(self.seen.sums).max()))
        values = np.append(self.seen.residuals + lost * self.seen.sizes, -imagined)
        counts = np.append(np.full(self.groups, groups / self.groups), 1.0)
        return max(-40.0, min(40.0, _root(values, counts))) - float(ndtri(1 - self.alpha))


def _all_alike(losses: Clusters) -> bool:
    """Whether groups lost nothing or all the same, as hits do that are lost and none gained."""
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
