"""FID and KID: values, intervals and comparisons, against closed forms and brute force."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import linalg
from scipy.optimize import brentq

from mmragbench.statistics import (
    compare_distances,
    distance_values,
    fid_bias,
    fid_interval,
    kid_interval,
    verdict,
)
from mmragbench.statistics.feature_sets import FeatureSets

FEW = 500


def correlated_features(seed: int, n: int, d: int = 6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d))
    return x, 0.6 * x + rng.normal(size=(n, d)) + 0.2


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
    fid = fid_interval(x, y, resamples=FEW)
    assert fid.estimate == pytest.approx(expected, rel=1e-4)
    assert fid.low < fid.estimate < fid.high
    assert fid.limit is None and fid_bias(x, y) is None
    assert fid.refusal.endswith("2 images for each of 80 dimensions, 160, and there are 30")
    assert fid.refusal in fid.warning


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
    result = interval(x, y)
    assert result.high - result.low == pytest.approx(2 * 1.96 * np.std(resampled), rel=0.15)
    assert result.low < result.estimate < result.high


def test_distances_of_unequal_sets_are_resampled_apart():
    x, _ = correlated_features(28, 500, d=4)
    _, y = correlated_features(29, 800, d=4)
    rng = np.random.default_rng(30)
    resampled = [
        closed_form_fid(x[rng.integers(0, 500, 500)], y[rng.integers(0, 800, 800)])
        for _ in range(400)
    ]
    result = fid_interval(x, y)
    assert result.high - result.low == pytest.approx(2 * 1.96 * np.std(resampled), rel=0.15)


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
    kid = kid_interval(x, y[:30], resamples=9, paired=30)
    assert kid.estimate == pytest.approx(within - 2 * mixed)


@pytest.mark.parametrize("n", [100, 400])
def test_kid_of_pairs_that_are_alike_is_zero_on_average(n):
    """Generated images of the real ones' distribution, each correlated with its own: the mean of
    300 data sets is 0, and the interval covers it in 95 %."""
    rng = np.random.default_rng(43)
    kids = []
    for seed in range(300):
        x = rng.normal(size=(n, 8))
        y = 0.5 * x + np.sqrt(0.75) * rng.normal(size=x.shape)
        kids.append(kid_interval(x, y, None, 300, seed))
    estimates = np.array([kid.estimate for kid in kids])
    assert abs(estimates.mean()) < 3 * estimates.std() / np.sqrt(300)
    assert np.mean([kid.low <= 0 <= kid.high for kid in kids]) > 0.91


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
            result = interval(real, generated)
            assert (result.estimate, result.low, result.high) == (0, None, None)


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
        fid = fid_interval(x, y, None, 300, seed)
        assert len(fid.limit.images) == levels
        covered.append(fid.limit.low <= truth <= fid.limit.high)
        at_n.append(fid.low <= truth <= fid.high)
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
    result = compare_distances(x, a, a * 1.3 + 0.3, distance)
    assert result.p_value < 0.001
    assert result.high < 0
    assert result.needed() is None  # the difference of distances changes with n
    assert verdict(result.difference, result.p_value, lower_is_better=True) == "better"
    same = compare_distances(x, a, a, distance)
    assert (same.p_value, same.identical) == (1, True)


def test_an_order_by_fid_is_stated_for_this_n_and_beyond():
    """The difference is that at n; the interval holds those at n and of the limits."""
    x, a = correlated_features(50, 200, d=4)
    b = a * 1.2
    result = compare_distances(x, a, b, "FID")
    one, two = (fid_interval(x, y, resamples=9) for y in (a, b))
    beyond = one.limit.estimate - two.limit.estimate
    assert result.difference == pytest.approx(one.estimate - two.estimate)
    assert (
        result.low < min(result.difference, beyond) <= max(result.difference, beyond) < result.high
    )


@pytest.mark.parametrize("distance", ["FID", "KID"])
def test_a_distances_p_value_and_interval_agree(distance):
    """p is at most 0.05 exactly if the interval leaves 0 out, over effects of all sizes."""
    rng = np.random.default_rng(54)
    verdicts = set()
    for seed, effect in enumerate(np.linspace(0, 0.5, 40)):
        x = rng.normal(size=(60, 4))
        a, b = (0.5 * x + rng.normal(size=x.shape) for _ in range(2))
        result = compare_distances(x, a + effect, b, distance, None, 500, seed)
        assert (result.p_value <= 0.05) == (result.low > 0 or result.high < 0)
        verdicts.add(result.p_value <= 0.05)
    assert verdicts == {True, False}


def test_an_order_that_turns_with_n_is_not_stated():
    """A generator that is like the real images query by query has the lower FID of few images; one
    of the right distribution has the lower limit."""
    rng = np.random.default_rng(51)
    x = rng.normal(size=(60, 20))
    alike, right = 0.93 * x, rng.normal(size=(60, 20))
    result = compare_distances(x, alike, right, "FID")
    one, two = (fid_interval(x, y) for y in (alike, right))
    assert one.high < two.low and result.difference < 0
    assert result.p_value > 0.05 and result.low < 0 < result.high


def test_fid_of_few_images_states_no_order():
    """Fewer than two for each dimension: no interval, p = 1, and the reason."""
    x, a = correlated_features(52, 19, d=10)
    result = compare_distances(x, a, a * 3, "FID")
    assert (result.low, result.high, result.p_value) == (None, None, 1)
    assert "2 images for each of 10 dimensions, 20, and there are 19" in result.note
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
    sets = [(x, 0.5 * x + 0.8 * e, 0.7 * (0.5 * x + 0.8 * f)) for x, e, f in data]
    expected = np.mean([distance_values(x, b, distance).mean() for x, _, b in sets])
    shift = brentq(
        lambda s: np.mean([distance_values(x, a + s, distance).mean() for x, a, _ in sets[:60]])
        - expected, 0, 2, xtol=1e-3
    )  # fmt: skip
    results = [compare_distances(x, a + shift, b, distance) for x, a, b in sets]
    assert np.mean([result.p_value <= 0.05 for result in results]) < 0.09


@pytest.mark.parametrize(
    "x, y, message",
    [
        (np.ones((3, 2)), np.ones((3, 4)), "same d"),
        (np.ones((1, 2)), np.ones((1, 2)), "at least two"),
        (np.ones((3, 2)), np.full((3, 2), np.nan), "not finite"),
    ],
)
def test_bad_features_are_refused(x, y, message):
    with pytest.raises(ValueError, match=message):
        fid_interval(x, y)
    with pytest.raises(ValueError, match=message):
        kid_interval(x, y)
