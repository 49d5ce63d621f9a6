"""Mean and covariance of image features, as pytorch-fid stores them: `.npz` with `mu`, `sigma`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmragbench._files import file_digest
from mmragbench.contracts import Vectors
from mmragbench.errors import DataError
from mmragbench.formats.arrays import read_arrays

LARGEST = 1e100
"""Far beyond any feature: the distance of larger ones would overflow."""

ROUNDING, TINY = 1e-3, 1e-12

EXPECTED = "`mu` (d,) and `sigma` (d, d), as pytorch-fid writes them"

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Moments:
    """A Gaussian, as mean and covariance.

    Attributes:
        n: the number of images that it was fitted to; None where it was read from a file.
        digest: the first digits of its file's SHA-256; None where it was fitted here.
    """

    mean: Array
    covariance: Array
    n: int | None = None
    digest: str | None = None

    @classmethod
    def of(cls, vectors: Vectors) -> Moments:
        """The Gaussian fitted to features (n, d); the covariance is divided by n - 1.

        Raises:
            DataError: fewer than two pictures.
        """
        if len(vectors) < 2:
            raise DataError(f"needs 2 pictures that can be read, and there is {len(vectors)}")
        rows = vectors.astype(np.float64)
        return cls(rows.mean(axis=0), np.atleast_2d(np.cov(rows, rowvar=False)), len(rows))

    @classmethod
    def read(cls, path: Path) -> Moments:
        """The Gaussian of a file; nothing is unpickled.

        Raises:
            DataError: the file is not such a file, or holds no Gaussian's moments.
        """
        arrays = read_arrays(path, ("mu", "sigma"))
        if len(arrays) < 2:
            raise DataError(f"{path} has {', '.join(arrays)} alone; expected {EXPECTED}")
        if fault := _fault(arrays["mu"], arrays["sigma"]):
            raise DataError(f"{path}: {fault}; expected {EXPECTED}")
        digest = file_digest(path)[:8]
        mean, covariance = (np.asarray(arrays[key], np.float64) for key in ("mu", "sigma"))
        return cls(mean, covariance, digest=digest)


def _fault(mu: Any, sigma: Any) -> str | None:
    """Why these are no mean and covariance, up to rounding in 16 bits; None where they are."""
    mu, sigma = np.asarray(mu), np.asarray(sigma)
    if mu.ndim != 1 or not len(mu) or sigma.shape != (len(mu), len(mu)):
        return f"mu has shape {mu.shape} and sigma {sigma.shape}"
    if {mu.dtype.kind, sigma.dtype.kind} - set("fiu"):
        return f"mu is of {mu.dtype} and sigma of {sigma.dtype}, not real numbers"
    mean, covariance = mu.astype(np.float64), sigma.astype(np.float64)
    largest = np.abs(covariance).max()
    if not (np.abs(mean).max() < LARGEST and largest < LARGEST):  # NaN is not less
        return f"values that are not finite, or larger than {LARGEST:g}"
    if np.abs(covariance - covariance.T).max() > ROUNDING * largest:
        return "sigma is not symmetric"
    try:  # far quicker than its eigenvalues
        np.linalg.cholesky(covariance + np.eye(len(mu)) * max(ROUNDING * largest, TINY))
    except np.linalg.LinAlgError:
        return "sigma is not positive semidefinite, as every covariance is"
    return None


def frechet(a: Moments, b: Moments) -> float:
    """Fréchet distance of two Gaussians (Heusel et al. 2017): 0 or more, lower is better.

    The trace of (AB)^½ is the sum of the roots of the eigenvalues of A^½ B A^½, which is symmetric:
    stable where scipy's matrix square root of AB turns complex.

    Raises:
        DataError: their dimensions differ.
    """
    if a.mean.shape != b.mean.shape:
        raise DataError(
            f"features of {len(a.mean)} and of {len(b.mean)} dimensions: not the same network"
        )
    if np.array_equal(a.mean, b.mean) and np.array_equal(a.covariance, b.covariance):
        return 0.0
    values, vectors = np.linalg.eigh(a.covariance)
    root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    mixed = np.linalg.eigvalsh(root @ b.covariance @ root)
    cross = np.sqrt(np.clip(mixed, 0, None)).sum()
    apart = np.square(a.mean - b.mean).sum()
    return max(0.0, float(apart + np.trace(a.covariance) + np.trace(b.covariance) - 2 * cross))
