"""Intervals, comparisons and their corrections, against independent ways to the same numbers."""

from __future__ import annotations

import time
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import linalg, stats
from scipy.optimize import brentq

from mmragbench.statistics import (
    bootstrap_interval,
    compare,
    compare_all,
    compare_differences,
    compare_distances,
    distance_values,
    fid_bias,
    fid_interval,
    holm,
    indistinguishable_groups,
    kid_interval,
    pseudo_values,
    queries_needed,
    verdict,
)
from mmragbench.statistics.feature_sets import FeatureSets
from mmragbench.statistics.rates import PairedRates
from mmragbench.statistics.resampling import Clusters, resampled_totals
from mmragbench.statistics.studentised import TAIL, studentised, t_values

FEW = 500
numbers = st.floats(-100, 100, allow_subnormal=False).map(lambda x: round(x, 3))
samples = st.integers(4, 30).flatmap(lambda n: arrays(float, n, elements=numbers))


def clustered(seed: int, g: int = 60) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(g), rng.integers(1, 8, g))
    return rng.gamma(2, 1, g)[labels] + rng.gamma(1, 1, len(labels)), labels


def correlated_features(seed: int, n: int, d: int = 6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d))
    return x, 0.6 * x + rng.normal(size=(n, d)) + 0.2


# Intervals


def test_resampled_totals_are_those_of_index_loops():
    """The counts-times-sums shortcut has the distribution of drawing clusters by index."""
    values, labels = clustered(1)
    data = Clusters.of(values, labels)
    fast = resampled_totals(np.stack([data.sums, data.sizes], 1), 4000, 3)
    rng = np.random.default_rng(4)
    members = [values[labels == label] for label in range(60)]
    slow = []
    for _ in range(4000):
        drawn = np.concatenate([members[i] for i in rng.integers(0, 60, 60)])
        slow.append((drawn.sum(), len(drawn)))
    slow = np.array(slow)
    for column in (0, 1):
        assert stats.ks_2samp(fast[:, column], slow[:, column]).pvalue > 0.01
    means = fast[:, 0] / fast[:, 1], slow[:, 0] / slow[:, 1]
    assert np.std(means[0]) == pytest.approx(np.std(means[1]), rel=0.06)


def test_resampled_means_have_scipys_percentiles():
    """Without clusters the resampled means are scipy.stats.bootstrap's."""
    values, _ = clustered(2)
    theirs = stats.bootstrap((values,), np.mean, n_resamples=10_000, method="percentile", rng=5)
    means = t_values([Clusters.of(values)], 10_000, 6)[1][:, 0]
    expected = theirs.confidence_interval
    width = expected.high - expected.low
    np.testing.assert_allclose(np.quantile(means, [0.025, 0.975]), expected, atol=0.04 * width)


def test_interval_is_near_scipys_bca():
    """Bootstrap-t and BCa agree to second order, so on mild data they are close."""
    values = np.random.default_rng(7).gamma(3, 1, 400)
    theirs = stats.bootstrap((values,), np.mean, n_resamples=10_000, method="BCa", rng=8)
    ours = bootstrap_interval(values)
    expected = theirs.confidence_interval
    np.testing.assert_allclose(ours, expected, atol=0.07 * (expected.high - expected.low))


def test_t_is_the_one_of_the_resample_itself():
    """t* from five totals is the mean's distance over the sandwich error of the resample; columns
    that are resampled together have what each has alone."""
    values, labels = clustered(9, g=12)
    data = [Clusters.of(values, labels), Clusters.of(values**2, labels)]
    fast, _ = t_values(data, 50, 10)
    counts = resampled_totals(np.eye(12), 50, 10)
    for column, each in enumerate(data):
        slow = []
        for row in counts.astype(int):
            again = Clusters(np.repeat(each.sums, row), np.repeat(each.sizes, row))
            sandwich = np.sqrt(12 / 11 * (again.residuals**2).sum()) / again.sizes.sum()
            slow.append((again.mean - each.mean) / sandwich)
        np.testing.assert_allclose(fast[:, column], slow, rtol=1e-9)


def test_standard_error_is_the_jackknifes():
    """From the means without each cluster, which is what CV3 is for a mean."""
    values, labels = clustered(11)
    without = np.array([values[labels != label].mean() for label in range(60)])
    expected = np.sqrt(59 / 60 * ((without - values.mean()) ** 2).sum())
    assert Clusters.of(values, labels).standard_error == pytest.approx(expected, rel=1e-9)


def test_standard_error_of_unclustered_values_is_the_textbooks():
    values, _ = clustered(11)
    expected = stats.sem(values)
    assert Clusters.of(values).standard_error == pytest.approx(expected, rel=1e-12)


def test_clusters_widen_the_interval():
    """Five copies of each value are not five times the evidence."""
    values = np.random.default_rng(12).normal(size=100)
    five, labels = np.repeat(values, 5), np.repeat(np.arange(100), 5)
    plain = bootstrap_interval(values, seed=1)
    np.testing.assert_allclose(bootstrap_interval(five, labels, seed=1), plain, rtol=1e-9)
    naive = bootstrap_interval(five, seed=1)
    assert naive.high - naive.low < 0.5 * (plain.high - plain.low)


def test_a_rate_of_unclustered_queries_has_wilsons_interval():
    for k in (0, 1, 30, 50):
        rate = np.arange(50) < k
        expected = stats.binomtest(k, 50).proportion_ci(method="wilson")
        np.testing.assert_allclose(bootstrap_interval(rate), expected, atol=1e-12)


def test_a_clustered_rate_without_exceptions_still_has_width():
    """30 images with all captions found: only the images count as evidence."""
    found, labels = np.ones(150), np.repeat(np.arange(30), 5)
    expected = stats.binomtest(30, 30).proportion_ci(method="wilson")
    np.testing.assert_allclose(bootstrap_interval(found, labels), expected, atol=1e-12)


def test_a_rate_stays_between_zero_and_one():
    found = np.ones(200)
    found[[3, 77, 78, 120, 121]] = 0
    low, high = bootstrap_interval(found, np.repeat(np.arange(40), 5))
    assert 0 < low < 0.975 < high <= 1


def test_recall_at_1_of_five_is_a_rate():
    """R@1 with five relevant documents is Success@1 / 5, and so is its interval."""
    for hits in (0, 3, 40):
        found = np.arange(40) < hits
        expected = np.array(bootstrap_interval(found)) / 5
        actual = bootstrap_interval(found / 5, bounds=(0, 0.2))
        np.testing.assert_allclose(actual, expected, atol=1e-12)


def test_recall_at_1_of_four_or_five_is_a_rate_too():
    """Of its own best value each query has all or nothing: Wilson's interval of the shares."""
    best = np.tile([0.2, 0.25], 20)
    low, high = bootstrap_interval(best, bounds=(0, 0.25), best=best)
    expected = stats.binomtest(40, 40).proportion_ci(method="wilson")
    np.testing.assert_allclose((low, high), (0.225 * expected.low, 0.225), atol=1e-12)


def test_few_queries_have_students_interval():
    """Two to five clusters are too few to draw from."""
    for n in (2, 3, 4, 5):
        values = np.random.default_rng(n).normal(5, 1, n)
        expected = stats.ttest_1samp(values, 0).confidence_interval()
        np.testing.assert_allclose(bootstrap_interval(values), expected, rtol=1e-9)


def test_an_interval_stays_on_the_scale():
    assert bootstrap_interval([0.1, 0.3], bounds=(0, 1)) == (0, 1)
    influences = np.zeros(60)  # of a Bleu: some lie beyond its scale
    influences[:2] = 40.0
    low, high = bootstrap_interval(influences, bounds=(0, 1))
    assert 0 <= low < high == 1


def test_values_that_all_agree_have_an_interval_only_at_an_end_of_a_known_scale():
    """All zero on 0 to 10: at most Wilson's share of 10; all alike elsewhere: nothing is known."""
    assert bootstrap_interval(np.full(20, 0.3)) == (None, None)
    assert bootstrap_interval(np.full(20, 0.3), bounds=(0, 1)) == (None, None)
    guards = [1e-9, 3e-9, 2e-9]  # a Bleu_4 of no match at all
    assert bootstrap_interval(guards, bounds=(0, 1)) == (None, None)
    assert bootstrap_interval(np.zeros(40)) == (0, pytest.approx(0.0876, abs=1e-4))
    assert bootstrap_interval(np.zeros(40), bounds=(0, 10)) == (0, pytest.approx(0.876, abs=1e-3))


@pytest.mark.parametrize("n, share", [(100, 0.02), (50, 0.05), (25, 0.1)])
def test_sparse_scores_are_covered(n, share):
    """A score that few queries have at all: 64 to 87 % with the percentiles of resamples."""
    rng = np.random.default_rng(n)
    covered = 0
    for seed in range(300):
        values = np.where(rng.random(n) < share, rng.gamma(2, 1, n), 0)
        low, high = bootstrap_interval(values, resamples=400, seed=seed, bounds=(0, 10))
        covered += low <= 2 * share <= high
    assert covered >= 0.9 * 300


def test_labels_may_be_of_any_kind_and_order():
    values, labels = clustered(13)
    order = np.random.default_rng(0).permutation(len(values))
    names = np.array([f"image {label:03}" for label in labels])
    np.testing.assert_allclose(
        bootstrap_interval(values[order], names[order], resamples=FEW),
        bootstrap_interval(values, labels, resamples=FEW),
    )


@pytest.mark.parametrize("values, labels", [([], None), ([1.0], None), ([1.0, 2.0], ["a", "a"])])
def test_fewer_than_two_clusters_have_no_interval(values, labels):
    assert bootstrap_interval(values, labels) == (None, None)


@pytest.mark.parametrize("bad", [[1.0, np.nan], [np.inf, 0.0], [[1.0], [2.0]]])
def test_bad_values_are_refused(bad):
    with pytest.raises(ValueError, match="finite"):
        bootstrap_interval(bad)


def test_a_label_for_each_value():
    with pytest.raises(ValueError, match="2 values have 3"):
        bootstrap_interval([1.0, 2.0], [1, 2, 3])


@settings(max_examples=60, deadline=None)
@given(samples)
def test_an_interval_contains_its_mean(values):
    low, high = bootstrap_interval(values, resamples=FEW)
    if np.isin(values, (0, 1)).all():
        assert 0 <= low <= values.mean() <= high <= 1
    elif np.ptp(values) == 0:
        assert (low, high) == (None, None)
    else:
        slack = 1e-9 * (1 + np.abs(values).max())
        assert low - slack <= values.mean() <= high + slack


@settings(max_examples=40, deadline=None)
@given(samples, st.floats(-50, 50), st.floats(0.1, 50))
def test_an_interval_moves_and_grows_with_its_values(values, shift, scale):
    moved = values * scale + shift
    if any(np.isin(x, (0, 1)).all() for x in (values, moved)) or np.ptp(values) < 1e-3:
        return
    expected = np.array(bootstrap_interval(values, resamples=FEW)) * scale + shift
    actual = bootstrap_interval(moved, resamples=FEW)
    np.testing.assert_allclose(actual, expected, atol=1e-6 * np.ptp(moved))


def test_ten_thousand_resamples_of_25_000_queries_take_seconds():
    values = np.random.default_rng(0).random(25_000)
    labels = np.repeat(np.arange(5_000), 5)
    start = time.process_time()
    bootstrap_interval(values, labels)
    assert time.process_time() - start < 10  # some 2 s


def test_pseudo_values_of_a_mean_are_the_values():
    values, _ = clustered(14)
    columns = np.stack([values, np.ones(len(values))], 1)
    actual = pseudo_values(columns, lambda totals: totals[:, 0] / totals[:, 1])
    np.testing.assert_allclose(actual, values)


def test_pseudo_values_spread_like_a_corpus_measure():
    """A Bleu-like geometric mean of ratios of totals: same spread as resampling the corpus."""
    rng = np.random.default_rng(15)
    length = rng.integers(6, 14, 300)
    columns = np.stack([rng.binomial(length, 0.6), rng.binomial(length, 0.3), length], 1)

    def bleu(t):
        return np.sqrt(t[:, 0] * t[:, 1]) / t[:, 2]

    values = pseudo_values(columns, bleu)
    assert values.mean() == pytest.approx(bleu(columns.sum(0)[None])[0])
    resampled = bleu(resampled_totals(columns.astype(float), 10_000, 1))
    assert stats.sem(values) == pytest.approx(resampled.std(), rel=0.05)


# Comparisons


@settings(max_examples=150, deadline=None)
@given(samples, st.integers(0, 1000), st.booleans())
def test_a_p_value_and_its_interval_never_disagree(values, seed, rates):
    """p is at most 0.05 exactly if the 95 % interval leaves 0 out, whatever the values."""
    rng = np.random.default_rng(seed)
    a = np.sign(values) if rates else values
    b = rng.permutation(a) * (rng.random(len(a)) < 0.5)
    labels = None if seed % 2 else rng.integers(0, len(a), len(a))
    found = compare(a, b, labels, FEW, seed)
    if found.low is None:
        assert found.p_value == 1
    else:
        assert (found.p_value <= 0.05) == (not found.low <= 0 <= found.high)
        assert found.low < found.high


def test_paired_rates_have_tangos_interval():
    """Tango 1998: the differences whose score z, at the likeliest rates that have them (found on a
    grid here), is at most 1.96; the p-value is McNemar's."""
    a, b = np.zeros(60), np.zeros(60)
    a[:12] = 1
    b[10:14] = 1
    grid = np.linspace(-0.5, 0.5, 20_001)
    n, wins, losses = 60, 10, 2

    def likelihood_z(d):
        q = np.linspace(max(0, -d), (1 - d) / 2, 4_001)[1:-1]
        ways = (
            wins * np.log(q + d) + losses * np.log(q) + (n - wins - losses) * np.log1p(-2 * q - d)
        )
        rate = q[np.argmax(ways)]
        return (wins - losses - n * d) / np.sqrt(n * (2 * rate + d * (1 - d)))

    kept = [d for d in grid[::40] if abs(likelihood_z(d)) <= stats.norm.ppf(0.975)]
    found = compare(a, b)
    assert (found.low, found.high) == pytest.approx((min(kept), max(kept)), abs=0.003)
    mcnemar = 2 * stats.norm.sf(8 / np.sqrt(12))
    assert found.p_value == pytest.approx(mcnemar)


def test_no_interval_of_a_difference_is_a_point():
    """Not even where nothing differs: an effect too rare to have been seen is possible."""
    hits = np.ones(25)
    same = compare(hits, hits)
    assert same.identical and same.conservative and same.p_value == 1
    z2 = stats.norm.ppf(0.975) ** 2
    assert same.high == -same.low == pytest.approx(z2 / (25 + z2))
    unknown = compare(hits * 0.3, hits * 0.3)
    assert (unknown.low, unknown.high, unknown.identical) == (None, None, True)
    assert compare(hits * 3, hits * 3, bounds=(0, 10)).high == pytest.approx(10 * same.high)


@pytest.mark.parametrize(
    "p, q, n", [(1, 0.97, 25), (1, 0.97, 100), (0.98, 0.95, 50), (0.5, 0.5, 50)]
)
def test_rates_near_the_end_are_covered(p, q, n):
    rng = np.random.default_rng(n)
    covered = 0
    for _ in range(400):
        found = compare(rng.random(n) < p, rng.random(n) < q)
        covered += found.low <= p - q <= found.high
    assert covered >= 0.92 * 400


def test_where_few_clusters_differ_the_interval_is_conservative():
    """Two of 60 images, unequally: as if each of their queries differed by the most that any does."""
    differences, labels = np.zeros(120), np.repeat(np.arange(60), 2)
    differences[:4] = 1, 0.5, 1, 0.2
    found = compare_differences(differences, labels)
    whole = PairedRates(1.35, 0, 60, 1.0)
    assert found.conservative
    assert (found.low, found.high) == pytest.approx(whole.interval())


def test_the_tail_goes_on_below_the_resamples():
    """Where fewer than 20 resamples are as extreme: continuous, falling, and near Student's t for
    normal differences."""
    data = Clusters.of(np.random.default_rng(4).normal(0, 1, 80))
    (found,) = studentised([data], 10_000, 0)
    counted = found.draws[-TAIL]
    here = found.mean - counted * found.error
    assert found.p_value(here * (1 + 1e-9)) == pytest.approx(found.p_value(here), rel=1e-3)
    far = found.p_value(found.mean - 7 * found.error)
    assert 0 < far < 1e-7
    assert far == pytest.approx(2 * stats.t.sf(7, 79), rel=1.5)
    for alpha in (0.05, 0.01, 1e-4, 1e-6):
        edge = found.mean - found.critical(alpha) * (1 + 1e-9) * found.error
        assert found.p_value(edge) == pytest.approx(alpha, rel=0.01)


def test_columns_compared_together_are_compared_as_alone():
    rng = np.random.default_rng(5)
    labels = np.repeat(np.arange(30), 2)
    columns = [rng.normal(size=60), rng.integers(-1, 2, 60).astype(float), np.zeros(60)]
    together = compare_all(columns, labels, None, FEW, 1)
    assert together == [compare_differences(x, labels, None, FEW, 1) for x in columns]


def test_equal_systems_are_identical():
    result = compare([0.2, 0.7, 0.1], [0.2, 0.7, 0.1])
    assert (result.difference, result.low, result.high, result.p_value) == (0, None, None, 1)
    assert result.needed() is None and result.identical


def test_one_cluster_is_no_evidence():
    result = compare([3.0, 4.0], [1.0, 1.0], ["a", "a"])
    assert (result.p_value, result.low, result.high, result.needed()) == (1, None, None, None)
    assert (result.difference, result.n, result.n_clusters) == (2.5, 2, 1)


@pytest.mark.parametrize("a, b", [([], []), ([1.0], [1.0, 2.0])])
def test_only_the_same_queries_are_compared(a, b):
    with pytest.raises(ValueError, match="the same queries"):
        compare(a, b)


@settings(max_examples=60, deadline=None)
@given(samples, st.integers(0, 1000))
def test_a_comparison_mirrors(values, seed):
    """Exchanging the systems turns the difference and the interval round, and keeps the p-value."""
    other = np.random.default_rng(seed).permutation(values)
    labels = np.arange(len(values)) // 2
    one, two = (compare(*pair, labels, FEW, seed) for pair in ((values, other), (other, values)))
    assert one.p_value == two.p_value
    assert one.needed() == two.needed()
    if one.low is None:
        return
    ends = [two.difference, two.high, two.low]
    np.testing.assert_allclose([one.difference, one.low, one.high], np.negative(ends), atol=1e-9)
    assert one.low <= one.difference + 1e-9 and one.high >= one.difference - 1e-9


def test_the_interval_of_differences_is_near_students():
    differences = np.random.default_rng(20).normal(0.3, 1, 300)
    expected = stats.ttest_1samp(differences, 0).confidence_interval()
    result = compare(differences, 0 * differences)
    np.testing.assert_allclose((result.low, result.high), expected, atol=0.01)


@pytest.mark.parametrize("tests", [1, 20, 500])
@pytest.mark.parametrize("kind", ["normal", "skewed", "hits"])
def test_as_many_queries_as_needed_give_that_power(kind, tests):
    """With `needed` queries a fresh experiment finds the difference in about 80 % of cases, at the
    level where Holm's correction of a family begins."""
    rng = np.random.default_rng(21)

    def draw(g):
        if kind == "hits":
            return (rng.random(g) < 0.9) * 1.0 - (rng.random(g) < 0.75)
        return rng.normal(0.4, 1, g) if kind == "normal" else rng.gamma(1, 1, g) - 0.6

    needed = queries_needed(draw(100_000), alpha=0.05 / tests)
    found = 0
    for seed in range(200):
        found += compare_differences(draw(needed), None, None, 10_000, seed).p_value <= 0.05 / tests
    assert 0.7 <= found / 200 <= 0.9


@settings(max_examples=60, deadline=None)
@given(samples, st.integers(1, 2_000))
def test_what_was_not_found_needs_more_queries(values, tests):
    found = compare_differences(values, None, None, FEW, 0)
    needed = found.needed(tests)
    if found.p_value > 0.05 / tests and needed is not None:
        assert needed > found.n


# Families


def test_holm_by_hand():
    """0.01 x 4, 0.02 x 3, then the running maximum: 0.03 x 2 = 0.06, 0.04 x 1 -> 0.06."""
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.6, 0.7]) == [1, 1]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_rejects_as_its_definition_does(p_values):
    """Step down: reject the smallest while it is at most alpha / (hypotheses left)."""
    adjusted = holm(p_values)
    ranked = sorted(range(len(p_values)), key=lambda i: p_values[i])
    for alpha in (0.01, 0.05, 0.2):
        rejected = set()
        for left, i in zip(range(len(ranked), 0, -1), ranked):
            if p_values[i] * left > alpha:
                break
            rejected.add(i)
        assert {i for i, p in enumerate(adjusted) if p <= alpha} == rejected


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_keeps_the_order_and_never_lowers(p_values):
    adjusted = holm(p_values)
    ranked = sorted(range(len(p_values)), key=lambda i: p_values[i])
    assert all(adjusted[i] <= adjusted[j] for i, j in zip(ranked, ranked[1:]))
    assert all(p <= q <= 1 for p, q in zip(p_values, adjusted))


def test_verdicts():
    assert verdict(0.1, 0.01) == "better"
    assert verdict(-0.1, 0.01) == "worse"
    assert verdict(-3.0, 0.01, lower_is_better=True) == "better"
    assert verdict(3.0, 0.05, lower_is_better=True) == "worse"
    assert verdict(0.1, 0.051) == "can't tell"
    assert verdict(0.1, float("nan")) == "can't tell"


def test_marks_by_hand():
    """a and c differ, b is between: b shares a mark with each."""
    p = np.ones((3, 3))
    p[0, 2] = p[2, 0] = 0.01
    assert indistinguishable_groups(["a", "b", "c"], p) == ["a", "ab", "b"]
    assert indistinguishable_groups(["a", "b"], np.full((2, 2), 0.01)) == ["a", "b"]
    assert indistinguishable_groups(["a", "b"], np.full((2, 2), np.nan)) == ["a", "a"]
    assert indistinguishable_groups([], np.ones((0, 0))) == []


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 8), st.integers(0, 10_000))
def test_two_share_a_mark_exactly_if_they_cannot_be_told_apart(count, seed):
    p = np.random.default_rng(seed).uniform(0, 0.1, (count, count))
    p = np.maximum(p, p.T)
    marks = indistinguishable_groups([str(i) for i in range(count)], p)
    assert all(marks)
    for i, j in product(range(count), repeat=2):
        if i != j:
            assert bool(set(marks[i]) & set(marks[j])) == (p[i, j] > 0.05)


# Distances


def closed_form_fid(x, y):
    root = linalg.sqrtm(np.cov(x.T) @ np.cov(y.T)).real
    shift = x.mean(0) - y.mean(0)
    return shift @ shift + np.trace(np.cov(x.T) + np.cov(y.T) - 2 * root)


def kernel(x, y):
    return (x @ y.T / x.shape[1] + 1) ** 3


def mmd(x, y):
    n, m = len(x), len(y)
    xx, yy = kernel(x, x), kernel(y, y)
    within = (xx.sum() - np.trace(xx)) / (n * (n - 1)) + (yy.sum() - np.trace(yy)) / (m * (m - 1))
    return within - 2 * kernel(x, y).mean()


@pytest.mark.parametrize("n, m", [(200, 200), (90, 150)])
def test_distances_are_their_closed_forms(n, m):
    x, _ = correlated_features(23, n)
    _, y = correlated_features(24, m)
    assert fid_interval(x, y, resamples=9).estimate == pytest.approx(closed_form_fid(x, y))
    assert kid_interval(x, y, resamples=9, paired=0).estimate == pytest.approx(mmd(x, y))


def test_fid_with_fewer_images_than_dimensions():
    """Singular covariances: the eigenvalues of the product, its rounding's negatives cut off. What
    lies beyond is not extrapolated."""
    x, y = correlated_features(25, 30, d=80)
    eigenvalues = linalg.eigvals(np.cov(x.T) @ np.cov(y.T)).real.clip(0)
    shift = x.mean(0) - y.mean(0)
    expected = shift @ shift + np.trace(np.cov(x.T) + np.cov(y.T)) - 2 * np.sqrt(eigenvalues).sum()
    found = fid_interval(x, y, resamples=FEW)
    assert found.estimate == pytest.approx(expected, rel=1e-4)
    assert found.low < found.estimate < found.high
    assert found.limit is None and fid_bias(x, y) is None
    assert found.refusal.endswith("2 images for each of 80 dimensions, 160, and there are 30")
    assert found.refusal in found.warning


@pytest.mark.parametrize("distance", ["FID", "KID"])
def test_an_influence_is_the_derivative_in_an_images_weight(distance):
    """Moments and kernels weighted by hand, one image's weight changed by a little."""
    x, y = correlated_features(41, 30, d=3)
    y = 1.2 * y + 0.3
    whole = weighted_fid if distance == "FID" else weighted_kid
    step = 1e-6
    slopes = []
    for i in range(30):
        weights = np.full(30, 1 / 30)
        there, back = weights.copy(), weights.copy()
        there[i] += step
        back[i] -= step
        up, down = (whole(x, y, w / w.sum()) for w in (there, back))
        slopes.append((up - down) / (2 * step))
    values = distance_values(x, y, distance)
    np.testing.assert_allclose(values - values.mean(), np.array(slopes) * 30 / 29, rtol=1e-4)


def weighted_fid(x, y, weights):
    """FID of weighted images, covariances divided by n."""
    means = [weights @ rows for rows in (x, y)]
    a, b = (((r - m).T * weights) @ (r - m) for r, m in zip((x, y), means, strict=True))
    shift = means[0] - means[1]
    return shift @ shift * 29 / 30 + np.trace(a + b - 2 * linalg.sqrtm(a @ b).real)


def weighted_kid(x, y, weights):
    """The U-statistic of weighted pairs, to first order."""
    h = kernel(x, x) + kernel(y, y) - kernel(x, y) - kernel(y, x)
    np.fill_diagonal(h, 0.0)
    return weights @ h @ weights


@pytest.mark.parametrize("interval, whole", [(fid_interval, closed_form_fid), (kid_interval, mmd)])
def test_a_distances_interval_is_as_wide_as_its_brute_force_bootstrap(interval, whole):
    """Resampling the images, centred: the same width as through the influences."""
    x, y = correlated_features(26, 120, d=3)
    y += 0.5
    rng = np.random.default_rng(27)
    drawn = (rng.integers(0, 120, 120) for _ in range(500))
    resampled = [whole(x[rows], y[rows]) for rows in drawn]
    found = interval(x, y)
    assert found.high - found.low == pytest.approx(2 * 1.96 * np.std(resampled), rel=0.15)
    assert found.low < found.estimate < found.high


def test_distances_of_unequal_sets_are_resampled_apart():
    x, _ = correlated_features(28, 500, d=4)
    _, y = correlated_features(29, 800, d=4)
    rng = np.random.default_rng(30)
    resampled = [
        closed_form_fid(x[rng.integers(0, 500, 500)], y[rng.integers(0, 800, 800)])
        for _ in range(400)
    ]
    found = fid_interval(x, y)
    assert found.high - found.low == pytest.approx(2 * 1.96 * np.std(resampled), rel=0.15)


def test_kid_of_pairs_leaves_the_pairs_out():
    """The mean of h over all two different queries (Gretton et al. 2012), and of some without a
    generated image over what is left."""
    x, y = correlated_features(42, 40, d=3)
    h = kernel(x, x) + kernel(y, y) - kernel(x, y) - kernel(y, x)
    expected = (h.sum() - np.trace(h)) / (40 * 39)
    assert kid_interval(x, y, resamples=9).estimate == pytest.approx(expected)
    xx, yy, xy = kernel(x, x), kernel(y[:30], y[:30]), kernel(x, y[:30])
    within = (xx.sum() - np.trace(xx)) / (40 * 39) + (yy.sum() - np.trace(yy)) / (30 * 29)
    mixed = (xy.sum() - np.trace(xy[:30])) / (40 * 30 - 30)
    found = kid_interval(x, y[:30], resamples=9, paired=30)
    assert found.estimate == pytest.approx(within - 2 * mixed)


@pytest.mark.parametrize("n", [100, 400])
def test_kid_of_pairs_that_are_alike_is_zero_on_average(n):
    """Generated images of the real ones' distribution, each correlated with its own: the mean of
    300 data sets is 0, and the interval covers it in 95 %."""
    rng = np.random.default_rng(43)
    found = []
    for seed in range(300):
        x = rng.normal(size=(n, 8))
        y = 0.5 * x + np.sqrt(0.75) * rng.normal(size=x.shape)
        found.append(kid_interval(x, y, None, 300, seed))
    estimates = np.array([each.estimate for each in found])
    assert abs(estimates.mean()) < 3 * estimates.std() / np.sqrt(300)
    assert np.mean([each.low <= 0 <= each.high for each in found]) > 0.91


def test_more_than_1000_images_have_one_kid():
    """The reported value, its interval's and the comparison's are the same quantity."""
    x, y = correlated_features(44, 1_100, d=2)
    whole = kid_interval(x, y, resamples=9).estimate
    assert whole == pytest.approx(distance_values(x, y, "KID").mean())
    other = 1.1 * y
    gap = whole - kid_interval(x, other, resamples=9).estimate
    assert compare_distances(x, y, other, "KID").difference == pytest.approx(gap)


def test_where_nothing_varies_there_is_no_interval():
    """Constant features, and a set against itself."""
    x, _ = correlated_features(45, 40, d=3)
    for real, generated in ((np.ones((40, 3)), np.ones((40, 3))), (x, x)):
        for interval in (fid_interval, kid_interval):
            found = interval(real, generated)
            assert (found.estimate, found.low, found.high) == (0, None, None)


def test_fid_warns_by_its_bias_and_its_dimensions():
    """Of fewer than 10 images for each dimension, or of a bias above 5 %: not by n alone."""
    x, y = correlated_features(31, 400, d=4)
    assert fid_interval(x, y + 1, resamples=9).warning is None
    few = fid_interval(x[:39], y[:39] + 1, resamples=9).warning
    assert few.startswith("FID of 39 images of 4 dimensions is biased upward")
    alike = fid_interval(x, x[::-1], resamples=9)
    assert alike.limit.bias > 0.05 * alike.estimate
    assert "400 images" in alike.warning
    assert kid_interval(x[:9], y[:9], resamples=9).warning is None


def test_fid_bias_is_what_few_images_add():
    x, y = correlated_features(32, 20_000, d=10)
    few = [closed_form_fid(x[i : i + 200], y[i : i + 200]) for i in range(0, 20_000, 200)]
    bias = np.mean(few) - closed_form_fid(x, y)
    guessed = [fid_bias(x[i : i + 200], y[i : i + 200]) for i in range(0, 4_000, 200)]
    assert np.mean(guessed) == pytest.approx(bias, rel=0.25)


def test_the_line_is_the_least_squares_one():
    """Against numpy's fit to FIDs of the same parts, computed one by one."""
    x, y = correlated_features(46, 90, d=4)
    sets = FeatureSets.of(x, y)
    fids = [
        np.mean([closed_form_fid(x[part], y[part]) for part in sets.split(count, None, seed=0)])
        for count in (1, 2, 3)
    ]
    slope, intercept = np.polyfit([1 / 90, 1 / 45, 1 / 30], fids, 1)
    limit = fid_interval(x, y, resamples=9).limit
    assert limit.estimate == pytest.approx(intercept)
    assert limit.bias == pytest.approx(slope / 90)
    assert limit.r_squared == pytest.approx(np.corrcoef([1, 2, 3], fids)[0, 1] ** 2)
    assert limit.images == (90, 45, 30)


@pytest.mark.parametrize("per_dimension, levels", [(2, 2), (3, 3), (10, 3)])
def test_the_limit_covers_the_populations_fid(per_dimension, levels):
    """Two Gaussians whose FID is known: in at least 91 % of 200 data sets (95 % up to Monte Carlo
    error), while the interval at n does not."""
    rng = np.random.default_rng(47)
    d, covered, at_n = 8, [], []
    truth = d * 0.2**2 + d * 0.3**2
    for seed in range(200):
        x = rng.normal(size=(per_dimension * d, d))
        y = 0.8 * (0.5 * x + np.sqrt(0.75) * rng.normal(size=x.shape)) + 0.3
        found = fid_interval(x, y, None, 300, seed)
        assert len(found.limit.images) == levels
        covered.append(found.limit.low <= truth <= found.limit.high)
        at_n.append(found.low <= truth <= found.high)
    assert np.mean(covered) > 0.91 > np.mean(at_n)


def test_halves_do_not_flatter_likeness():
    """A generator that hands back each query's own real image, and one of a fresh sample: by halves
    both are as good as real images are."""
    rng = np.random.default_rng(48)
    x, fresh = rng.normal(size=(2, 60, 10))
    copied = fid_interval(x, x + 1e-3 * fresh, resamples=9)
    other = fid_interval(x, fresh, resamples=9)
    assert copied.estimate < 0.01 < other.estimate
    assert copied.halves.generated == pytest.approx(copied.halves.real, rel=0.01)
    assert other.halves.real == copied.halves.real
    assert other.halves.generated == pytest.approx(other.halves.real, rel=0.2)


def test_parts_keep_clusters_and_pairs_together():
    """Whole clusters, all queries once, parts as large as can be, the same for every generator."""
    rng = np.random.default_rng(49)
    clusters = np.repeat(np.arange(30), 4)[rng.permutation(120)]
    sets = FeatureSets.of(rng.normal(size=(120, 2)), rng.normal(size=(120, 2)))
    parts = sets.split(3, clusters, seed=0)
    assert np.sum(parts, axis=0).tolist() == [1] * 120
    assert [len(set(clusters[part])) for part in parts] == [10] * 3
    unequal = FeatureSets.of(rng.normal(size=(50, 2)), rng.normal(size=(40, 2)), paired=30)
    sizes = [unequal.part(part) for part in unequal.split(2, None, seed=0)]
    assert [(len(s.real), len(s.generated), s.paired) for s in sizes] == [(25, 20, 15)] * 2


@pytest.mark.parametrize("distance", ["FID", "KID"])
def test_a_comparison_of_distances_mirrors(distance):
    x, a = correlated_features(38, 80)
    _, b = correlated_features(39, 80)
    one = compare_distances(x, a, b + 0.1, distance)
    two = compare_distances(x, b + 0.1, a, distance)
    assert one.p_value == two.p_value
    np.testing.assert_allclose([one.difference, one.low], [-two.difference, -two.high])


@pytest.mark.parametrize("distance", ["FID", "KID"])
def test_a_worse_painter_is_found_out(distance):
    x, a = correlated_features(40, 300)
    found = compare_distances(x, a, a * 1.3 + 0.3, distance)
    assert found.p_value < 0.001
    assert found.high < 0
    assert found.needed() is None  # the difference of distances changes with n
    assert verdict(found.difference, found.p_value, lower_is_better=True) == "better"
    same = compare_distances(x, a, a, distance)
    assert (same.p_value, same.identical) == (1, True)


def test_an_order_by_fid_is_stated_for_this_n_and_beyond():
    """The difference is that at n; the interval holds those at n and of the limits."""
    x, a = correlated_features(50, 200, d=4)
    b = a * 1.2
    found = compare_distances(x, a, b, "FID")
    one, two = (fid_interval(x, y, resamples=9) for y in (a, b))
    beyond = one.limit.estimate - two.limit.estimate
    assert found.difference == pytest.approx(one.estimate - two.estimate)
    assert found.low < min(found.difference, beyond) <= max(found.difference, beyond) < found.high


@pytest.mark.parametrize("distance", ["FID", "KID"])
def test_a_distances_p_value_and_interval_agree(distance):
    """p is at most 0.05 exactly if the interval leaves 0 out, over effects of all sizes."""
    rng = np.random.default_rng(54)
    verdicts = set()
    for seed, effect in enumerate(np.linspace(0, 0.5, 40)):
        x = rng.normal(size=(60, 4))
        a, b = (0.5 * x + rng.normal(size=x.shape) for _ in range(2))
        found = compare_distances(x, a + effect, b, distance, None, 500, seed)
        assert (found.p_value <= 0.05) == (found.low > 0 or found.high < 0)
        verdicts.add(found.p_value <= 0.05)
    assert verdicts == {True, False}


def test_an_order_that_turns_with_n_is_not_stated():
    """A generator that is like the real images query by query has the lower FID of few images; one
    of the right distribution has the lower limit."""
    rng = np.random.default_rng(51)
    x = rng.normal(size=(60, 20))
    alike, right = 0.93 * x, rng.normal(size=(60, 20))
    found = compare_distances(x, alike, right, "FID")
    one, two = (fid_interval(x, y) for y in (alike, right))
    assert one.high < two.low and found.difference < 0
    assert found.p_value > 0.05 and found.low < 0 < found.high


def test_fid_of_few_images_states_no_order():
    """Fewer than two for each dimension: no interval, p = 1, and the reason."""
    x, a = correlated_features(52, 19, d=10)
    found = compare_distances(x, a, a * 3, "FID")
    assert (found.low, found.high, found.p_value) == (None, None, 1)
    assert "2 images for each of 10 dimensions, 20, and there are 19" in found.note
    clustered = compare_distances(x[:18], a[:18], a[:18] * 3, "FID", np.arange(18) // 2)
    assert clustered.note.endswith("and there are 9")
    assert compare_distances(x, a, a, "FID").note is None
    assert compare_distances(x, a, a * 3, "KID").note is None


@pytest.mark.parametrize("distance", ["FID", "KID"])
def test_equal_distances_of_unequal_shapes_are_rarely_told_apart(distance):
    """One generator shifts, the other shrinks, and their expected distances are equal: at most 5 %
    of 200 data sets, up to Monte Carlo error."""
    rng = np.random.default_rng(53)
    d, n = 6, 120
    data = [rng.normal(size=(3, n, d)) for _ in range(200)]
    made = [(x, 0.5 * x + 0.8 * e, 0.7 * (0.5 * x + 0.8 * f)) for x, e, f in data]
    expected = np.mean([distance_values(x, b, distance).mean() for x, _, b in made])
    shift = brentq(
        lambda s: np.mean([distance_values(x, a + s, distance).mean() for x, a, _ in made[:60]])
        - expected, 0, 2, xtol=1e-3
    )  # fmt: skip
    found = [compare_distances(x, a + shift, b, distance) for x, a, b in made]
    assert np.mean([each.p_value <= 0.05 for each in found]) < 0.09


@pytest.mark.parametrize(
    "x, y, said",
    [
        (np.ones((3, 2)), np.ones((3, 4)), "same d"),
        (np.ones((1, 2)), np.ones((1, 2)), "at least two"),
        (np.ones((3, 2)), np.full((3, 2), np.nan), "not finite"),
    ],
)
def test_bad_features_are_refused(x, y, said):
    with pytest.raises(ValueError, match=said):
        fid_interval(x, y)
    with pytest.raises(ValueError, match=said):
        kid_interval(x, y)
