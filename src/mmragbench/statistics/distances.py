"""FID and KID between two sets of images: intervals and comparisons by influences, in one pass.

Both are smooth functions of their images' weights, so each image has an *influence*: the rate at
which the distance changes as the image gets more weight (Hampel 1974; the infinitesimal jackknife,
Efron 1982; Davison and Hinkley 1997, section 2.7). The distance plus the images' influences are
values whose mean is the distance, and whose spread is its spread: they are bootstrapped like the
per-query values of any other measure. Resampling the images themselves would do worse: a resample
repeats images, which adds to FID's bias once more.

KID is unbiased. FID is biased upward by about C/n, and C depends on the generator, so that no n
makes FIDs comparable (Chong and Forsyth, CVPR 2020). So beside FID at n stand

- the *limit*: FID extrapolated to an unlimited number of images, Chong and Forsyth's FID infinity;
- where images are few, *halves*: generated images of one half against real ones of the other.

`docs/calibration.md` shows by simulation what the intervals cover and how often the tests err.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from mmragbench.statistics import extrapolation, mmd
from mmragbench.statistics.comparisons import Comparison, compare_all
from mmragbench.statistics.extrapolation import Halves, Line, extrapolate, halves
from mmragbench.statistics.feature_sets import LEAST, FeatureSets
from mmragbench.statistics.intervals import RESAMPLES, Interval, bootstrap_interval
from mmragbench.statistics.resampling import Array

Kind = Literal["FID", "KID"]

FEW_PER_DIMENSION = 10
"""Images for each dimension of the features, below which FID has a warning, and FID of halves."""
MOST_BIAS = 0.05
"""The largest share of FID that may be bias without a warning."""


@dataclass(frozen=True, slots=True)
class Limit:
    """FID extrapolated to an unlimited number of images, and its 95 % interval.

    It is the intercept of a straight line in 1/n through FID of n, n/2 and n/3 images (Chong and
    Forsyth 2020); with fewer than 3 images for each dimension, of n and n/2. To this order it is
    unbiased, so that it may fall below 0 where the two sets are alike.

    Attributes:
        bias: the line's value at n less its limit: its slope / n.
        r_squared: of the line; None where it goes through two points.
        images: how many each FID was of, of the smaller set.
    """

    estimate: float
    low: float | None
    high: float | None
    bias: float
    r_squared: float | None
    images: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Distance:
    """A distance between two sets of images with its 95 % interval, and notes on its bias.

    Attributes:
        n: generated images.
        limit: FID extrapolated beyond n; None for KID, or where there are too few images.
        refusal: why FID has no limit.
        halves: FID of halves against halves, where there are few images.
    """

    estimate: float
    low: float | None
    high: float | None
    n: int
    warning: str | None = None
    limit: Limit | None = None
    refusal: str | None = None
    halves: Halves | None = None


def fid_interval(
    real: npt.ArrayLike,
    generated: npt.ArrayLike,
    clusters: npt.ArrayLike | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    paired: int | None = None,
) -> Distance:
    """FID (Heusel et al. 2017) of features (n, d), and the interval of its expectation at this n.

    The first `paired` rows of both sets belong to the same queries; by default all of them where
    the sets are equally large, else none. Covariances are divided by n - 1. If the two sets come
    from one distribution, the interval is wider than it need be (the influences do not vanish in a
    sample). Where nothing varies there is no interval.

    Args:
        clusters: one label for each query: those of pairs, of the other real images, and of the
            other generated ones, in this order.

    Raises:
        ValueError: fewer than two images, unequal dimensions, or a feature that is not finite.
    """
    sets = FeatureSets.of(real, generated, paired)
    values, line = extrapolation.values_of(sets), extrapolate(sets, clusters)
    estimate = float(values.mean())
    low, high = _interval(values, clusters, resamples, seed)
    few = 2 * LEAST <= sets.n < FEW_PER_DIMENSION * sets.dimensions
    return Distance(
        estimate,
        None if low is None else max(0.0, low),
        high,
        len(sets.generated),
        warning=_warning(sets, clusters, estimate, line),
        limit=_limit(sets, line, clusters, resamples, seed) if line else None,
        refusal=None if line else _refusal(sets, clusters),
        halves=halves(sets, clusters) if few else None,
    )


def kid_interval(
    real: npt.ArrayLike,
    generated: npt.ArrayLike,
    clusters: npt.ArrayLike | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    paired: int | None = None,
) -> Distance:
    """KID of features (n, d): the unbiased MMD^2 with the kernel (x.y/d + 1)^3, on all images.

    The kernels of pairs, of the generated image of a query and its own real one, are left out of
    the mixed term (Gretton et al. 2012, MMD^2_u over pairs): they are alike because they belong
    together. So the estimate needs no independence within pairs. Source of the kernel: Bińkowski et
    al. 2018, equation 4; they and torch-fidelity average over subsets, which has the same
    expectation for independent sets. Arguments and errors are `fid_interval`'s.
    """
    sets = FeatureSets.of(real, generated, paired)
    values = mmd.values_of(sets)
    low, high = _interval(values, clusters, resamples, seed)
    return Distance(float(values.mean()), low, high, len(sets.generated))


def compare_distances(
    real: npt.ArrayLike,
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    distance: Kind,
    clusters: npt.ArrayLike | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Comparison:
    """The distance of `a` to `real` less that of `b`; row i of all three belongs to query i.

    `a` and `b` are features (n, d); or (seeds, n, d) of several seeds, one of them alone too: then the
    difference is the mean over the seeds, and has both sources of variation.

    KID: the studentised bootstrap of the differences of the images' influences. FID: an order is
    stated only where it does not change with the number of images. The interval is the hull of two
    such intervals, of the difference at this n and of that of the limits; the p-value is the larger
    of the two, and 1 if their signs differ. So either hypothesis, equal expected FIDs at this n or
    equal limits, is rejected in at most the cases in which its own test rejects it. Where FID
    cannot be extrapolated there is no interval, p = 1, and `note` says why.

    Raises:
        ValueError: as `fid_interval`, or the three sets are not equally large.
    """
    pairs = [[FeatureSets.of(real, own) for own in pair] for pair in _by_seed(a, b)]
    if (
        len({len(rows) for pair in pairs for side in pair for rows in (side.real, side.generated)})
        > 1
    ):
        raise ValueError("a paired comparison needs the same queries")
    difference = np.array([_values(x, distance) - _values(y, distance) for x, y in pairs])
    limits = _limit_differences(pairs, clusters) if distance == "FID" else []
    columns = [
        np.squeeze(column, 0) if len(pairs) == 1 else column for column in [difference, *limits]
    ]
    comparisons = compare_all(columns, clusters, None, resamples, seed)
    comparison = _hull(comparisons)
    if distance == "KID" or limits or comparison.identical:
        return comparison
    refusal = _refusal(pairs[0][0], clusters)
    return replace(comparison, low=None, high=None, p_value=1.0, note=refusal)


def _by_seed(a: npt.ArrayLike, b: npt.ArrayLike) -> Iterator[tuple[Array, Array]]:
    """The features of both under each seed; those of one seed stand beside all of the other's."""
    x, y = (np.asarray(side) for side in (a, b))
    x, y = (side[None] if side.ndim < 3 else side for side in (x, y))
    for seed in range(max(len(x), len(y))):
        yield x[seed if len(x) > 1 else 0], y[seed if len(y) > 1 else 0]


def distance_values(real: npt.ArrayLike, generated: npt.ArrayLike, distance: Kind) -> Array:
    """Per-image values whose mean is the distance, and whose spread is its spread.

    They are the distance plus the image's influences. Row i of both belongs to query i. Raises as
    `fid_interval` does.
    """
    return _values(FeatureSets.of(real, generated), distance)


def fid_bias(
    real: npt.ArrayLike, generated: npt.ArrayLike, clusters: npt.ArrayLike | None = None
) -> float | None:
    """An estimate of this FID's bias: the slope of the line that extrapolates it, over n.

    None with fewer than 2 images for each dimension. Raises as `fid_interval` does.
    """
    line = extrapolate(FeatureSets.of(real, generated), clusters)
    return line.bias if line else None


def _values(sets: FeatureSets, distance: Kind) -> Array:
    return extrapolation.values_of(sets) if distance == "FID" else mmd.values_of(sets)


def _limit(
    sets: FeatureSets, line: Line, clusters: npt.ArrayLike | None, resamples: int, seed: int
) -> Limit:
    values = line.limit
    low, high = _interval(values, clusters, resamples, seed)
    images = tuple(sets.n // count for count in range(1, len(line.levels) + 1))
    return Limit(float(values.mean()), low, high, line.bias, line.r_squared, images)


def _interval(values: Array, clusters: npt.ArrayLike | None, resamples: int, seed: int) -> Interval:
    """The bootstrap interval; without ends where nothing varies, since no image then says anything of
    others."""
    if not np.ptp(values):
        return Interval(None, None)
    return bootstrap_interval(values, clusters, 0.95, resamples, seed)


def _limit_differences(
    pairs: Sequence[Sequence[FeatureSets]], clusters: npt.ArrayLike | None
) -> list[Array]:
    """The difference of the limits as one column, (seeds, n); none where a limit is not known."""
    lines = [[extrapolate(side, clusters) for side in pair] for pair in pairs]
    columns = [a.limit - b.limit for a, b in lines if a and b]
    return [np.array(columns)] if len(columns) == len(lines) else []


def _hull(comparisons: Sequence[Comparison]) -> Comparison:
    """The first comparison, with the hull of all intervals and the largest p-value (1 if signs differ)."""
    first = comparisons[0]
    ends = [end for own in comparisons for end in (own.low, own.high) if end is not None]
    agree = len({np.sign(own.difference) for own in comparisons}) == 1
    return Comparison(
        difference=first.difference,
        low=min(ends, default=None),
        high=max(ends, default=None),
        p_value=max(own.p_value for own in comparisons) if agree else 1.0,
        n=first.n,
        n_clusters=first.n_clusters,
        identical=first.identical,
    )


def _refusal(sets: FeatureSets, clusters: npt.ArrayLike | None) -> str:
    """The reason why FID of these sets is not extrapolated."""
    least, n = extrapolation.LEAST_PER_DIMENSION, extrapolation.independent(sets, clusters)
    return (
        f"FID beyond this n needs at least {least} images for each of {sets.dimensions:,} "
        f"dimensions, {least * sets.dimensions:,}, and there are {n:,}"
    )


def _warning(
    sets: FeatureSets, clusters: npt.ArrayLike | None, estimate: float, line: Line | None
) -> str | None:
    n, d = sets.n, sets.dimensions
    if line is None:
        return f"FID of {n:,} images is biased upward, by an unknown amount: {_refusal(sets, clusters)}."
    if n >= FEW_PER_DIMENSION * d and line.bias <= MOST_BIAS * estimate:
        return None
    return (
        f"FID of {n:,} images of {d:,} dimensions is biased upward, by an amount that depends on the "
        "generator: with more images the order may be another."
    )
