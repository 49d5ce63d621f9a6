"""Intervals, comparisons and their corrections, against independent ways to the same numbers."""

from __future__ import annotations

import time
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from mmragbench.statistics import (
    bootstrap_interval,
    compare,
    compare_all,
    compare_differences,
    holm,
    indistinguishable_groups,
    pseudo_values,
    queries_needed,
    verdict,
)
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
    for column, column_data in enumerate(data):
        slow = []
        for row in counts.astype(int):
            again = Clusters(np.repeat(column_data.sums, row), np.repeat(column_data.sizes, row))
            sandwich = np.sqrt(12 / 11 * (again.residuals**2).sum()) / again.sizes.sum()
            slow.append((again.mean - column_data.mean) / sandwich)
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
    hits, labels = np.ones(150), np.repeat(np.arange(30), 5)
    expected = stats.binomtest(30, 30).proportion_ci(method="wilson")
    np.testing.assert_allclose(bootstrap_interval(hits, labels), expected, atol=1e-12)


def test_a_rate_stays_between_zero_and_one():
    values = np.ones(200)
    values[[3, 77, 78, 120, 121]] = 0
    low, high = bootstrap_interval(values, np.repeat(np.arange(40), 5))
    assert 0 < low < 0.975 < high <= 1


def test_recall_at_1_of_five_is_a_rate():
    """R@1 with five relevant documents is Success@1 / 5, and so is its interval."""
    for hits in (0, 3, 40):
        recalled = np.arange(40) < hits
        expected = np.array(bootstrap_interval(recalled)) / 5
        actual = bootstrap_interval(recalled / 5, bounds=(0, 0.2))
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
    result = compare(a, b, labels, FEW, seed)
    if result.low is None:
        assert result.p_value == 1
    else:
        assert (result.p_value <= 0.05) == (not result.low <= 0 <= result.high)
        assert result.low < result.high


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

    accepted = [d for d in grid[::40] if abs(likelihood_z(d)) <= stats.norm.ppf(0.975)]
    result = compare(a, b)
    assert (result.low, result.high) == pytest.approx((min(accepted), max(accepted)), abs=0.003)
    mcnemar = 2 * stats.norm.sf(8 / np.sqrt(12))
    assert result.p_value == pytest.approx(mcnemar)


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
        result = compare(rng.random(n) < p, rng.random(n) < q)
        covered += result.low <= p - q <= result.high
    assert covered >= 0.92 * 400


def test_where_few_clusters_differ_the_interval_is_conservative():
    """Two of 60 images, unequally: as if each of their queries differed by the most that any does."""
    differences, labels = np.zeros(120), np.repeat(np.arange(60), 2)
    differences[:4] = 1, 0.5, 1, 0.2
    result = compare_differences(differences, labels)
    whole = PairedRates(1.35, 0, 60, 1.0)
    assert result.conservative
    assert (result.low, result.high) == pytest.approx(whole.interval())


def test_the_tail_goes_on_below_the_resamples():
    """Where fewer than 20 resamples are as extreme: continuous, falling, and near Student's t for
    normal differences."""
    data = Clusters.of(np.random.default_rng(4).normal(0, 1, 80))
    (bootstrap,) = studentised([data], 10_000, 0)
    counted = bootstrap.draws[-TAIL]
    here = bootstrap.mean - counted * bootstrap.error
    assert bootstrap.p_value(here * (1 + 1e-9)) == pytest.approx(bootstrap.p_value(here), rel=1e-3)
    far = bootstrap.p_value(bootstrap.mean - 7 * bootstrap.error)
    assert 0 < far < 1e-7
    assert far == pytest.approx(2 * stats.t.sf(7, 79), rel=1.5)
    for alpha in (0.05, 0.01, 1e-4, 1e-6):
        edge = bootstrap.mean - bootstrap.critical(alpha) * (1 + 1e-9) * bootstrap.error
        assert bootstrap.p_value(edge) == pytest.approx(alpha, rel=0.01)


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


@pytest.mark.slow
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

    level = 0.05 / tests
    resamples = 2_000 if tests == 1 else 10_000  # a hundred of them lie beyond a level of 0.05
    needed = queries_needed(draw(100_000), alpha=level)
    significant = [
        compare_differences(draw(needed), None, None, resamples, seed).p_value <= level
        for seed in range(200)
    ]
    assert 0.7 <= np.mean(significant) <= 0.9


@settings(max_examples=60, deadline=None)
@given(samples, st.integers(1, 2_000))
def test_what_was_not_found_needs_more_queries(values, tests):
    result = compare_differences(values, None, None, FEW, 0)
    needed = result.needed(tests)
    if result.p_value > 0.05 / tests and needed is not None:
        assert needed > result.n


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
