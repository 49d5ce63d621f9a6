"""The Fréchet distance of two sets of features, and each image's influence on it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mmragbench.statistics.feature_sets import Influences
from mmragbench.statistics.resampling import Array

ROUNDING = 1e-12
"""The share of a distance's terms below which their difference is rounding."""
SINGULAR = 1e-13
"""Singular values below this share of the largest are taken for 0."""


@dataclass(frozen=True)
class Gaussian:
    """The Gaussian fitted to n features of d dimensions.

    Attributes:
        root: (r, d) with r = min(n, d): root' root is the covariance, divided by n - 1.
    """

    n: int
    mean: Array
    root: Array

    @classmethod
    def of(cls, rows: Array) -> Gaussian:
        """Fit features (n, d) with n >= 2; covariances may be singular (n <= d)."""
        mean = rows.mean(axis=0)
        root = np.linalg.qr((rows - mean) / np.sqrt(len(rows) - 1), mode="r")
        return cls(len(rows), mean, np.asarray(root))

    @cached_property
    def total(self) -> float:
        """The trace of the covariance."""
        return float((self.root**2).sum())


def distance(x: Gaussian, y: Gaussian) -> float:
    """The squared Fréchet distance of two Gaussians (Heusel et al. 2017).

    It is |mean difference|^2 + tr Sx + tr Sy - 2 tr (Sx Sy)^(1/2). The last trace is the nuclear norm
    of the product of the covariances' roots.
    """
    singular = np.linalg.svd(x.root @ y.root.T, compute_uv=False)
    return _distance(x, y, np.asarray(singular, dtype=np.float64))


def influences(x: Gaussian, rows_x: Array, y: Gaussian, rows_y: Array) -> Influences:
    """The distance, and the influence on it of each of the rows to which the Gaussians were fitted.

    An influence is the rate at which the distance changes as the row gets more weight; each set's
    influences sum to zero.

    With X, Y the centred features, Rx, Ry the covariances' roots and Rx Ry' = U S V', the derivative
    of the nuclear norm in the weight of row i of X is half of the i-th row's squared norm in
    X Ry' V S^(-1/2): the optimal map between the Gaussians, without a matrix's inverse.
    """
    u, s, vt = np.linalg.svd(x.root @ y.root.T, full_matrices=False)
    inverse = np.divide(1.0, s, out=np.zeros_like(s), where=s > SINGULAR * s.max(initial=0.0))
    shift = y.mean - x.mean
    scale = x.total + y.total
    first = _influence(rows_x - x.mean, y.root.T @ vt.T * inverse**0.5, -shift, scale)
    second = _influence(rows_y - y.mean, x.root.T @ u * inverse**0.5, shift, scale)
    return Influences(_distance(x, y, s), first, second)


def _distance(x: Gaussian, y: Gaussian, s: Array) -> float:
    largest = float(((y.mean - x.mean) ** 2).sum()) + x.total + y.total
    squared = largest - 2 * float(s.sum())
    return squared if squared > ROUNDING * largest else 0.0


def _influence(rows: Array, mapped: Array, shift: Array, scale: float) -> Array:
    n = len(rows)
    projected = rows @ mapped
    spread = np.einsum("ij,ij->i", rows, rows) - np.einsum("ij,ij->i", projected, projected)
    influence = n / (n - 1) * spread + 2 * rows @ shift
    influence -= influence.mean()
    influence[np.abs(influence) <= ROUNDING * scale] = 0.0
    return np.asarray(influence)
