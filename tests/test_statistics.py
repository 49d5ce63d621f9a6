"""Intervals, comparisons and their corrections, against independent ways to the same numbers."""

from __future__ import annotations

import time
from functools import partial
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import linalg, stats

from mmragbench.statistics import (
    bootstrap_interval,
    compare,
    compare_distances,
    fid_bias,
    fid_interval,
    holm,
    indistinguishable_groups,
    kid_interval,
    pseudo_values,
    queries_needed,
    verdict,
)
from mmragbench.statistics.intervals import studentised
from mmragbench.statistics.resampling import Clusters, resampled_totals, sign_flip_p_value

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
    _, means = studentised(Clusters.of(values), 10_000, 6)
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


def test_studentised_is_the_loop_over_resamples():
    """t* from five totals is t* computed on the resample itself."""
    values, labels = clustered(9, g=12)
    data = Clusters.of(values, labels)
    fast, _ = studentised(data, 50, 10)
    counts = resampled_totals(np.eye(12), 50, 10)
    slow = []
    for row in counts.astype(int):
        again = Clusters(np.repeat(data.sums, row), np.repeat(data.sizes, row))
        slow.append((again.mean - data.mean) / again.standard_error)
    np.testing.assert_allclose(fast, slow, rtol=1e-9)


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


def test_values_that_all_agree_have_no_width():
    assert bootstrap_interval(np.full(20, 0.3)) == pytest.approx((0.3, 0.3))


@pytest.mark.parametrize("bad", [[1.0, np.nan], [np.inf, 0.0], [[1.0], [2.0]]])
def test_bad_values_are_refused(bad):
    with pytest.raises(ValueError, match="finite"):
        bootstrap_interval(bad)


def test_a_label_for_each_value():
    with pytest.raises(ValueError, match="2 values have 3"):
        bootstrap_interval([1.0, 2.0], [1, 2, 3])


@settings(max_examples=60, deadline=None)
@given(samples)
def test_an_interval_contains_its_mean_within_the_values(values):
    low, high = bootstrap_interval(values, resamples=FEW)
    slack = 1e-9 * (1 + np.abs(values).max())
    if np.isin(values, (0, 1)).all():
        assert 0 <= low <= values.mean() <= high <= 1
    else:
        assert values.min() - slack <= low <= values.mean() + slack
        assert values.mean() - slack <= high <= values.max() + slack


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


def test_p_value_of_few_clusters_is_scipys_exact_one():
    a, b = np.random.default_rng(16).normal(size=(2, 10))
    test = stats.permutation_test((a, b), lambda x, y: np.mean(x - y), permutation_type="samples")
    assert compare(a, b).p_value == pytest.approx(test.pvalue)


def test_p_value_of_many_clusters_is_near_scipys():
    rng = np.random.default_rng(17)
    a = rng.normal(size=60)
    b = a + rng.normal(0.2, 1, 60)
    draw = partial(stats.permutation_test, permutation_type="samples", n_resamples=20_000, rng=1)
    expected = draw((a, b), lambda x, y, axis: np.mean(x - y, axis=axis), vectorized=True).pvalue
    assert compare(a, b).p_value == pytest.approx(expected, abs=0.012)


def test_clusters_change_sign_together():
    """Exact enumeration over the swaps of whole images."""
    differences, labels = clustered(18, g=8)
    differences -= 2.5
    sums = np.bincount(labels, weights=differences)
    all_sums = [abs(np.dot(signs, sums)) for signs in product((1, -1), repeat=8)]
    expected = np.mean(np.array(all_sums) >= abs(sums.sum()) - 1e-9)
    assert compare(differences, 0 * differences, labels).p_value == pytest.approx(expected)


def test_monte_carlo_p_values_are_near_the_exact_one():
    sums = np.random.default_rng(19).normal(0.5, 1, 12)
    exact = sign_flip_p_value(sums, 4096, 0)
    assert sign_flip_p_value(sums, 4000, 0) == pytest.approx(exact, abs=0.02)


def test_a_drawn_p_value_is_never_zero():
    assert compare(np.ones(100), np.zeros(100)).p_value == 1 / 10_001


def test_ties_count_as_extreme():
    """Three wins and one loss of the same size: 10 of 16 sign patterns are as extreme."""
    assert compare([0.1, 0.1, 0.1, 0], [0, 0, 0, 0.1]).p_value == 10 / 16


def test_equal_systems_cannot_be_told_apart():
    result = compare([0.2, 0.7, 0.1], [0.2, 0.7, 0.1])
    assert (result.difference, result.low, result.high, result.p_value) == (0, 0, 0, 1)
    assert result.needed is None


def test_one_cluster_is_no_evidence():
    result = compare([3.0, 4.0], [1.0, 1.0], ["a", "a"])
    assert (result.p_value, result.low, result.high, result.needed) == (1, None, None, None)
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
    assert one.needed == two.needed
    ends = [two.difference, two.high, two.low]
    np.testing.assert_allclose([one.difference, one.low, one.high], np.negative(ends), atol=1e-9)
    assert one.low <= one.difference + 1e-9 and one.high >= one.difference - 1e-9


def test_the_interval_of_differences_is_near_students():
    differences = np.random.default_rng(20).normal(0.3, 1, 300)
    expected = stats.ttest_1samp(differences, 0).confidence_interval()
    result = compare(differences, 0 * differences)
    np.testing.assert_allclose((result.low, result.high), expected, atol=0.01)


def test_where_few_queries_differ_the_interval_is_students():
    differences = np.zeros(60)
    differences[:2] = 1
    result = compare(differences, 0 * differences)
    half = stats.t.ppf(0.975, 59) * stats.sem(differences)
    assert result.high == pytest.approx(2 / 60 + half)


def test_as_many_queries_as_needed_give_that_power():
    """At `queries_needed` a fresh experiment finds the difference in about 80 % of cases."""
    rng = np.random.default_rng(21)

    def draw(g):
        return np.repeat(rng.normal(0.25, 1, g), 5) + rng.normal(size=5 * g)

    pilot = draw(20_000)
    needed = queries_needed(pilot - pilot.mean() + 0.25, np.repeat(np.arange(20_000), 5))
    g = needed // 5
    found = 0
    for seed in range(400):
        sums = draw(g).reshape(g, 5).sum(1)
        found += sign_flip_p_value(sums, 400, seed) <= 0.05
    assert 0.73 <= found / 400 <= 0.87


def test_queries_needed_is_the_textbooks_number():
    """z-test of one mean, unclustered: ((1.96 + 0.84) sd / difference)^2."""
    differences = np.random.default_rng(22).normal(0.1, 1, 200)
    z = stats.norm.ppf([0.975, 0.8]).sum()
    expected = np.ceil((z * differences.std(ddof=1) / differences.mean()) ** 2)
    assert queries_needed(differences) == expected
    assert queries_needed(np.repeat(differences, 5), np.repeat(np.arange(200), 5)) == pytest.approx(
        5 * expected, abs=5
    )


def test_queries_needed_has_a_floor():
    """Sign flips of fewer than six clusters never reach 0.05."""
    assert queries_needed(np.full(50, 0.2)) == 6


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
    assert kid_interval(x, y, resamples=9).estimate == pytest.approx(mmd(x, y))


def test_fid_with_fewer_images_than_dimensions():
    """Singular covariances: the eigenvalues of the product, its rounding's negatives cut off."""
    x, y = correlated_features(25, 30, d=80)
    eigenvalues = linalg.eigvals(np.cov(x.T) @ np.cov(y.T)).real.clip(0)
    shift = x.mean(0) - y.mean(0)
    expected = shift @ shift + np.trace(np.cov(x.T) + np.cov(y.T)) - 2 * np.sqrt(eigenvalues).sum()
    found = fid_interval(x, y, resamples=FEW)
    assert found.estimate == pytest.approx(expected, rel=1e-4)
    assert found.low < found.estimate < found.high
    assert "fewer images (30) than dimensions (80)" in found.warning


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


def test_fid_warns_of_few_images():
    x, y = correlated_features(31, 2_100, d=2)
    assert fid_interval(x, y, resamples=9).warning is None
    assert "2,047 images" in fid_interval(x[:2_047], y[:2_047], resamples=9).warning
    assert kid_interval(x[:100], y[:100], resamples=9).warning is None


def test_fid_bias_is_what_few_images_add():
    x, y = correlated_features(32, 20_000, d=10)
    few = [closed_form_fid(x[i : i + 200], y[i : i + 200]) for i in range(0, 20_000, 200)]
    bias = np.mean(few) - closed_form_fid(x, y)
    guessed = [fid_bias(x[i : i + 200], y[i : i + 200]) for i in range(0, 4_000, 200)]
    assert np.mean(guessed) == pytest.approx(bias, rel=0.25)


def test_kids_permutation_is_the_exact_one():
    """All 2^7 exchanges of a_i and b_i, KID computed anew each time."""
    x, a = correlated_features(33, 7, d=3)
    _, b = correlated_features(34, 7, d=3)
    b = b + 0.4
    observed = abs(mmd(x, a) - mmd(x, b))
    extreme = 0
    for swap in product((False, True), repeat=7):
        chosen = np.array(swap)[:, None]
        left, right = np.where(chosen, b, a), np.where(chosen, a, b)
        extreme += abs(mmd(x, left) - mmd(x, right)) >= observed - 1e-12
    found = compare_distances(x, a, b, "KID")
    assert found.p_value == pytest.approx(extreme / 2**7)
    assert found.difference == pytest.approx(mmd(x, a) - mmd(x, b))


def test_fids_permutation_is_near_the_one_that_computes_it_anew():
    x, a = correlated_features(35, 60, d=3)
    b = a + 0.5 * np.random.default_rng(36).normal(size=a.shape)
    observed = abs(closed_form_fid(x, a) - closed_form_fid(x, b))
    rng = np.random.default_rng(37)
    extreme = 0
    for _ in range(500):
        chosen = rng.random((60, 1)) < 0.5
        left, right = np.where(chosen, b, a), np.where(chosen, a, b)
        extreme += abs(closed_form_fid(x, left) - closed_form_fid(x, right)) >= observed
    assert compare_distances(x, a, b, "FID").p_value == pytest.approx(extreme / 500, abs=0.06)


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
    assert verdict(found.difference, found.p_value, lower_is_better=True) == "better"
    assert compare_distances(x, a, a, distance).p_value == 1


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
