"""FID and KID between two sets of images: intervals and comparisons that take one pass.

Both are smooth functions of their images' weights, so each image has an *influence*: the rate at
which the distance changes as the image gets more weight (Hampel 1974; the infinitesimal jackknife,
Efron 1982; Davison and Hinkley 1997, section 2.7). The distance plus the images' influences are
values whose mean is the distance, and whose spread is its spread: they are bootstrapped like the
per-query values of any other measure. So 10,000 resamples cost one decomposition instead of 10,000.

Resampling the images themselves would do worse: a resample repeats images, which lowers its rank
and adds to FID's bias once more, so that the percentile interval lies above the estimate.
`benchmarks/calibration.py` shows both.

What an interval covers is the FID *expected at this number of images*. FID is biased upward by about
C/n (Chong and Forsyth, CVPR 2020), so only FIDs of the same n may be compared; `fid_bias` estimates
how much. KID is unbiased for independent sets (Bińkowski et al., ICLR 2018); if generated image i
resembles real image i, the n pairs among its n^2 mixed terms lower it by something of order 1/n.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from mmragbench.statistics.comparisons import Comparison, compare_differences
from mmragbench.statistics.intervals import RESAMPLES, bootstrap_interval
from mmragbench.statistics.resampling import Array

ENOUGH_IMAGES = 2_048
_ROWS = 512  # of a kernel matrix at a time


@dataclass(frozen=True, slots=True)
class Distance:
    """A distance between two sets of images, its 95 % interval, and what to know about its bias."""

    estimate: float
    low: float | None
    high: float | None
    n: int
    warning: str | None = None


def fid_interval(
    real: npt.ArrayLike,
    generated: npt.ArrayLike,
    clusters: npt.ArrayLike | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Distance:
    """FID (Heusel et al. 2017) of features (n, d), and the interval of its expectation at this n.

    Row i of both belongs to query i, and is resampled together; sets of unequal size are
    independent. Covariances are divided by n - 1. If the two sets come from one distribution, the
    interval is wider than it need be (the influences do not vanish in a sample).

    Raises:
        ValueError: fewer than two images, unequal dimensions, or a feature that is not finite.
    """
    x, y = _features(real, generated)
    estimate, of_real, of_generated = _fid(_centred(x), _centred(y))
    values = _values(estimate, of_real, of_generated)
    low, high = bootstrap_interval(values, clusters, 0.95, resamples, seed)
    low = None if low is None else max(0.0, low)
    return Distance(estimate, low, high, len(y), _warning(min(len(x), len(y)), x.shape[1]))


def kid_interval(
    real: npt.ArrayLike,
    generated: npt.ArrayLike,
    clusters: npt.ArrayLike | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Distance:
    """KID of features (n, d): the unbiased MMD^2 with the kernel (x.y/d + 1)^3, on all images.

    Source: Bińkowski et al. 2018, equation 4; they and torch-fidelity average it over subsets,
    which has the same expectation. The influence of an image is the first-order (Hájek) part of
    the U-statistic. Raises as `fid_interval` does.
    """
    x, y = _features(real, generated)
    estimate, of_real, of_generated = _kid(_within(x), _within(y), *_between(x, y))
    values = _values(estimate, of_real, of_generated)
    return Distance(
        estimate, *bootstrap_interval(values, clusters, 0.95, resamples, seed), n=len(y)
    )


def compare_distances(
    real: npt.ArrayLike,
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    distance: Literal["FID", "KID"],
    clusters: npt.ArrayLike | None = None,
    seed: int = 0,
) -> Comparison:
    """The distance of `a` to `real` less that of `b`; row i of all three belongs to query i.

    The interval is the studentised bootstrap of the differences of influences. The p-value is a
    permutation's that lets a_i and b_i change places:
    - KID: the exact permutation of the difference itself, which is linear in the swaps (the terms
      with two swapped images cancel), so that it is a sign flip of per-image sums;
    - FID: of its first-order part at the pooled generated images, the mean of f(a_i) - f(b_i).
      Pooling does not change when images change places, so the test is exact too, at any n; what
      first order may cost is power. If that part and the difference itself disagree in sign, p = 1.

    Raises:
        ValueError: as `fid_interval`, or the three sets are not equally large.
    """
    x, first = _features(real, a)
    _, second = _features(real, b)
    if not len(x) == len(first) == len(second):
        raise ValueError("a paired comparison needs the same queries")
    parts = fid_comparison if distance == "FID" else kid_comparison
    return compare_differences(parts(x, first, second)[0], clusters, None, RESAMPLES, seed)


def distance_values(
    real: npt.ArrayLike, generated: npt.ArrayLike, distance: Literal["FID", "KID"]
) -> Array:
    """Per-image values whose mean is the distance, and whose spread is its spread: the distance
    plus the image's influences. Row i of both belongs to query i. Raises as `fid_interval` does.
    """
    x, y = _features(real, generated)
    if distance == "FID":
        return _values(*_fid(_centred(x), _centred(y)))
    return _values(*_kid(_within(x), _within(y), *_between(x, y)))


def fid_bias(real: npt.ArrayLike, generated: npt.ArrayLike, seed: int = 0) -> float:
    """About how much of this FID is bias, for paired features (n, d).

    FID(n) = FID(infinity) + C/n to first order (Chong and Forsyth 2020), so the two random halves
    score higher than the whole by C/n, the whole's bias.
    """
    x, y = _features(real, generated)
    order = np.random.default_rng(seed).permutation(len(x))
    halves = order[: len(x) // 2], order[len(x) // 2 :]
    whole, *parts = (_fid(_centred(x[i]), _centred(y[i]))[0] for i in (order, *halves))
    return float(np.mean(parts)) - whole


def fid_comparison(x: Array, a: Array, b: Array) -> tuple[Array, Array]:
    """Per image: values whose mean is FID(x, a) - FID(x, b), and what a swap turns round."""
    real = _centred(x)
    of_a, of_b = (_values(*_fid(real, _centred(y))) for y in (a, b))
    _, _, of_pooled = _fid(real, _centred(np.concatenate([a, b])))
    return of_a - of_b, of_pooled[: len(a)] - of_pooled[len(a) :]


def kid_comparison(x: Array, a: Array, b: Array) -> tuple[Array, Array]:
    """Per image: values whose mean is KID(x, a) - KID(x, b), and what a swap turns round."""
    xx, aa, bb = _within(x), _within(a), _within(b)
    (xa, ax), (xb, bx), (ab, ba) = _between(x, a), _between(x, b), _between(a, b)
    of_a, of_b = _values(*_kid(xx, aa, xa, ax)), _values(*_kid(xx, bb, xb, bx))
    across = (ab - ba) * len(a) / (len(a) - 1)
    return of_a - of_b, aa - bb + across - 2 * (ax - bx)


class _Centred(NamedTuple):
    """Features around their mean, and their QR decomposition."""

    mean: Array
    rows: Array
    q: Array
    r: Array


def _centred(x: Array) -> _Centred:
    mean = x.mean(axis=0)
    q, r = np.linalg.qr(x - mean)
    return _Centred(mean, x - mean, q, r)


def _fid(x: _Centred, y: _Centred) -> tuple[float, Array, Array]:
    """FID and the influence of each image of `x` and of `y`.

    With centred rows X, Y the mixed term tr (Sx Sy)^(1/2) is the nuclear norm of X Y', up to the
    factors n - 1; its derivative in the weight of row i is half the i-th diagonal entry of
    (X Y' Y X')^(1/2). From X = Qx Rx, Y = Qy Ry and Rx Ry' = U S V' both follow without a matrix
    square root, singular covariances (n < d) included.
    """
    n, m = len(x.rows), len(y.rows)
    u, s, vt = np.linalg.svd(x.r @ y.r.T, full_matrices=False)
    s /= np.sqrt((n - 1) * (m - 1))
    shift = y.mean - x.mean
    xx, yy = _variances(x.rows), _variances(y.rows)
    estimate = float(shift @ shift + xx.mean() + yy.mean() - 2 * s.sum())
    of_x = xx - n * ((x.q @ u) ** 2 @ s) - 2 * x.rows @ shift
    of_y = yy - m * ((y.q @ vt.T) ** 2 @ s) + 2 * y.rows @ shift
    return estimate, of_x - of_x.mean(), of_y - of_y.mean()


def _variances(rows: Array) -> Array:
    """Values whose mean is the trace of the covariance."""
    n = len(rows)
    return np.asarray(n / (n - 1) * (rows**2).sum(axis=1))


def _kid(xx: Array, yy: Array, xy: Array, yx: Array) -> tuple[float, Array, Array]:
    """KID and the influence of each image of x and of y, from each image's mean kernels."""
    estimate = float(xx.mean() + yy.mean() - 2 * xy.mean())
    of_x, of_y = 2 * (xx - xy), 2 * (yy - yx)
    return estimate, of_x - of_x.mean(), of_y - of_y.mean()


def _within(x: Array) -> Array:
    """Each image's mean kernel with the others of its set."""
    n = len(x)
    of_itself = _cubed(np.einsum("ij,ij->i", x, x) / x.shape[1] + 1)
    return np.asarray((_between(x, x)[0] * n - of_itself) / (n - 1))


def _between(x: Array, y: Array) -> tuple[Array, Array]:
    """Mean kernels (x.y/d + 1)^3 of each x with all y, and of each y with all x."""
    rows, columns = [], np.zeros(len(y))
    for start in range(0, len(x), _ROWS):
        block = _cubed(x[start : start + _ROWS] @ y.T / x.shape[1] + 1)
        rows.append(block.mean(axis=1))
        columns += block.sum(axis=0)
    return np.concatenate(rows), columns / len(x)


def _cubed(k: Array) -> Array:
    return np.asarray(k * k * k)  # many times faster than k**3


def _values(estimate: float, of_x: Array, of_y: Array) -> Array:
    """Per-image values with the estimate as their mean: image by image where the sets are paired,
    else of both sets together, where an image counts by its set's share."""
    if len(of_x) == len(of_y):
        return estimate + of_x + of_y
    n = len(of_x) + len(of_y)
    return estimate + np.concatenate([of_x * (n / len(of_x)), of_y * (n / len(of_y))])


def _features(real: npt.ArrayLike, generated: npt.ArrayLike) -> tuple[Array, Array]:
    x, y = np.asarray(real, dtype=np.float64), np.asarray(generated, dtype=np.float64)
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1]:
        raise ValueError(f"features must be (n, d) with the same d; got {x.shape} and {y.shape}")
    if min(len(x), len(y)) < 2:
        raise ValueError("a distance needs at least two images on each side")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("a feature is not finite")
    return x, y


def _warning(n: int, d: int) -> str | None:
    if n < d:
        why = f"fewer images ({n:,}) than dimensions ({d:,}), so the covariances are singular"
    elif n < ENOUGH_IMAGES:
        why = f"{n:,} images, fewer than {ENOUGH_IMAGES:,}"
    else:
        return None
    return f"FID is biased upward: {why}. Compare it only with FIDs of as many images."
