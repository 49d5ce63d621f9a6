"""Ratios of means against tests that know nothing of them, and against a known truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import t, ttest_1samp

from mmragbench.statistics import ratio
from mmragbench.statistics.resampling import Clusters


def sample(rng: np.random.Generator, n: int, headroom: float, per: int = 1):
    """Gains of 40 % of a headroom whose spread is about 1, skewed, in groups of `per` queries."""
    image = rng.gamma(0.7, 1, n // per).repeat(per) - 0.7
    gained = 0.4 * headroom + 0.4 * image + 0.6 * (rng.gamma(0.7, 1, n) - 0.7)
    return gained, headroom + 0.6 * image + 0.7 * (rng.gamma(0.7, 1, n) - 0.7)


def test_the_ends_are_where_the_t_test_turns():
    """At both ends the mean of numerators - r * denominators has p = 0.05 by scipy's t-test."""
    gained, headroom = sample(np.random.default_rng(1), 80, 1.0)
    result = ratio(gained, headroom)

    def excess(r: float) -> float:
        return ttest_1samp(gained - r * headroom, 0).pvalue - 0.05

    ends = brentq(excess, result.value - 5, result.value), brentq(excess, result.value, 5)
    assert result[1:] == pytest.approx(ends)
    assert result.value == pytest.approx(gained.mean() / headroom.mean())


def test_queries_of_one_image_count_once():
    """Repeating each query five times, in its image, changes nothing."""
    gained, headroom = sample(np.random.default_rng(2), 60, 1.0)
    five = ratio(gained.repeat(5), headroom.repeat(5), np.arange(60).repeat(5))
    assert five == pytest.approx(ratio(gained, headroom))


def test_there_is_no_ratio_to_what_is_not_shown():
    """Where the t-test does not tell the denominators' mean from zero, there is no ratio."""
    shown = []
    for seed in range(40):
        gained, headroom = sample(np.random.default_rng(seed), 50, 0.3)
        shown.append(ratio(gained, headroom).value is not None)
        assert shown[-1] == bool(ttest_1samp(headroom, 0).pvalue < 0.05)
    assert 0 < sum(shown) < 40


def test_a_ratio_that_all_queries_have_has_no_interval():
    """A width of zero would say that it is known exactly."""
    x = np.random.default_rng(3).gamma(2, 1, 30)
    assert ratio(0.5 * x, x) == (pytest.approx(0.5), None, None)
    assert ratio(np.zeros(30), x) == (0, None, None)
    assert ratio([1.0, 2.0], [1.0, 3.0], ["a", "a"]) == (None, None, None)
    with pytest.raises(ValueError, match="same queries; got 1 and 2"):
        ratio([1.0], [1.0, 2.0])


@pytest.mark.parametrize(("n", "headroom", "per"), [(50, 1.0, 1), (200, 0.5, 1), (1000, 0.5, 5)])
def test_a_ratio_is_covered(n: int, headroom: float, per: int):
    """The interval holds the true share in about 95 % of 1,000 data sets (Monte Carlo error 0.7)."""
    rng = np.random.default_rng(n)
    labels = np.arange(n // per).repeat(per)
    intervals = [ratio(*sample(rng, n, headroom, per), labels) for _ in range(1_000)]
    known = [(low, high) for _, low, high in intervals if low is not None and high is not None]
    assert len(known) > 950
    assert 0.93 <= np.mean([low <= 0.4 <= high for low, high in known]) <= 0.97


def test_its_error_is_that_of_all_means():
    """Also with images of unequal size: at both ends the difference is t standard errors from zero."""
    rng = np.random.default_rng(5)
    labels = np.repeat(np.arange(30), rng.integers(1, 9, 30))
    gained, headroom = sample(rng, len(labels), 1.0)
    for end in ratio(gained, headroom, labels)[1:]:
        data = Clusters.of(gained - end * headroom, labels)
        assert abs(data.mean) / data.standard_error == pytest.approx(t.ppf(0.975, 29))
