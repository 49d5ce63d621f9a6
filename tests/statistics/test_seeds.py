"""Means over queries and seeds: variance components, the interval, the test and its level."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from mmragbench.statistics import (
    compare_all,
    compare_distances,
    interval_of_means,
    ratio,
    seeds_interval,
)
from mmragbench.statistics.intervals import bootstrap_interval
from mmragbench.statistics.seeds import SeedVariation


def drawn(rng, seeds, queries, effect=0.0):
    """Differences (seeds, queries) of true mean 0: half of a query's variance is interaction, and
    the seeds' error is `effect` times the queries'."""
    size = effect * np.sqrt((1 + 1 / seeds) / queries * seeds)
    return (
        rng.standard_normal(queries)
        + rng.standard_normal((seeds, queries))
        + size * rng.standard_normal((seeds, 1))
    )


def test_variance_components_are_the_analysis_of_variances():
    """Error and interaction are those of the mean squares of a two-way table, computed by its sums."""
    x = drawn(np.random.default_rng(1), 4, 30, 2.0)
    seeds, queries = x.shape
    between_queries = seeds * ((x.mean(axis=0) - x.mean()) ** 2).sum() / (queries - 1)
    between_seeds = queries * ((x.mean(axis=1) - x.mean()) ** 2).sum() / (seeds - 1)
    rest = x - x.mean(axis=0) - x.mean(axis=1, keepdims=True) + x.mean()
    interaction = (rest**2).sum() / ((queries - 1) * (seeds - 1))
    variation = SeedVariation.of(x)
    assert variation.error**2 == pytest.approx(between_seeds / x.size)
    assert variation.interaction == pytest.approx(interaction / between_queries)


def test_seeds_that_agree_change_nothing():
    """The comparison and the interval of equal seeds are those of one of them, bit by bit."""
    x = np.random.default_rng(2).normal(0.1, 1, 60)
    same = np.stack([x, x, x])
    assert compare_all([same]) == compare_all([x])
    assert seeds_interval(same) == bootstrap_interval(x)


def test_queries_that_agree_leave_the_seeds_interval():
    """With nearly no variation of queries the interval is Student's of the seeds' means."""
    means = np.array([0.2, 0.5, 0.3])
    x = means[:, None] + 1e-6 * np.random.default_rng(3).standard_normal((3, 200))
    expected = student.interval(0.95, 2, means.mean(), means.std(ddof=1) / np.sqrt(3))
    assert seeds_interval(x) == pytest.approx(expected, abs=1e-5)
    assert interval_of_means(means, [(m, m) for m in means]) == pytest.approx(expected)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 5), st.floats(0, 5), st.floats(-1, 1))
def test_a_p_value_and_its_interval_never_disagree(seed, seeds, effect, shift):
    """p is at most 0.05 exactly if the 95 % interval leaves 0 out, which is never narrower than that of
    the values averaged over seeds."""
    x = drawn(np.random.default_rng(seed), seeds, 25, effect) + shift
    over_seeds, of_means = compare_all([x, x.mean(axis=0)])
    assert (over_seeds.p_value <= 0.05) == (over_seeds.low > 0 or over_seeds.high < 0)
    assert over_seeds.low <= of_means.low and of_means.high <= over_seeds.high
    assert over_seeds.p_value >= of_means.p_value * (1 - 1e-6)


def test_a_difference_of_seeds_is_no_identity():
    """Two systems that agree over the mean of seeds, and not under each of them, are not identical."""
    x = np.array([[1.0, -1.0, 0.0, 1.0], [-1.0, 1.0, 0.0, -1.0]])
    assert not compare_all([x])[0].identical
    assert compare_all([np.zeros((2, 4))])[0].identical


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [2, 3, 5])
@pytest.mark.parametrize("effect", [0.0, 1.0, 4.0])
def test_the_level_is_kept(seeds, effect):
    """Where nothing differs, the test at 0.05 finds a difference in at most 5 % of 600 data sets (and
    two Monte Carlo errors), whatever the seeds' effect is. The average over seeds, taken for one
    measurement of each query, does so far more often when seeds matter."""
    rng = np.random.default_rng([seeds, int(effect)])
    columns = [drawn(rng, seeds, 60, effect) for _ in range(600)]
    shares = [
        np.mean([test.p_value <= 0.05 for test in compare_all(tested)])
        for tested in (columns, [x.mean(axis=0) for x in columns])
    ]
    assert shares[0] <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 600)
    if effect >= 1:
        assert shares[1] > 0.12


def test_more_queries_do_not_make_up_for_seeds():
    """Where the seeds' error hides a difference, no number of queries shows it; where the queries'
    does, as many show it as a pilot says, on average over simulated experiments."""
    rng = np.random.default_rng(4)
    (hidden,) = compare_all([drawn(rng, 3, 100, 6.0) + 0.3])
    assert hidden.p_value > 0.05 and hidden.needed() is None
    (pilot,) = compare_all([drawn(rng, 5, 4_000) + 0.2])
    needed = pilot.needed()
    again = compare_all([drawn(rng, 5, needed) + pilot.difference for _ in range(400)])
    assert 0.7 < np.mean([test.p_value <= 0.05 for test in again]) < 0.9


def test_a_ratio_over_seeds_covers():
    """Equal seeds change nothing; where seeds move both means, Fieller's interval with both sources covers
    the true ratio in 95 % of simulated experiments at least, and that of the averages does not."""
    rng = np.random.default_rng(6)
    top, bottom = rng.normal(1, 1, 50), rng.normal(2, 1, 50)
    assert ratio(np.stack([top, top]), bottom) == ratio(top, bottom)
    covered = []
    for _ in range(400):
        bottom = drawn(rng, 3, 60, 4.0) + 8
        both = bottom / 2 + drawn(rng, 3, 60, 4.0), bottom
        intervals = ratio(*both), ratio(*(x.mean(axis=0) for x in both))
        covered.append([own.low is not None and own.low <= 0.5 <= own.high for own in intervals])
    shares = np.mean(covered, axis=0)
    assert shares[0] > 0.93 and shares[1] < 0.8


def test_distances_of_equal_seeds_are_those_of_one():
    """FID and KID compared over seeds: equal seeds change nothing, others move to the mean."""
    rng = np.random.default_rng(5)
    real, a, b, other = (rng.normal(size=(120, 4)) + shift for shift in (0, 0.2, 0.1, 0.3))
    for distance in ("FID", "KID"):
        one = compare_distances(real, a, b, distance)
        assert compare_distances(real, np.stack([a, a]), b, distance) == one
        two = compare_distances(real, other, b, distance)
        both = compare_distances(real, np.stack([a, other]), b, distance)
        assert both.difference == pytest.approx((one.difference + two.difference) / 2)
        assert both.high - both.low > one.high - one.low
