"""Mean and covariance of image features, as pytorch-fid stores them: `.npz` with `mu`, `sigma`."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from mmragbench.contracts import Vectors
from mmragbench.errors import DataError

EXPECTED = "`mu` (d,) and `sigma` (d, d), as pytorch-fid writes them"

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Moments:
    """A Gaussian. `digest` names the file that it comes from; `n` is unknown for a file."""

    mean: Array
    covariance: Array
    n: int | None = None
    digest: str | None = None

    @classmethod
    def of(cls, vectors: Vectors) -> Moments:
        """Fitted to features (n, d); the covariance is divided by n - 1.

        Raises:
            DataError: fewer than two pictures.
        """
        if len(vectors) < 2:
            raise DataError(f"needs 2 pictures that can be read, and there is {len(vectors)}")
        rows = vectors.astype(np.float64)
        return cls(rows.mean(axis=0), np.atleast_2d(np.cov(rows, rowvar=False)), len(rows))

    @classmethod
    def read(cls, path: Path) -> Moments:
        """From a file; nothing is unpickled.

        Raises:
            DataError: the file is not such a file.
        """
        try:
            digest = sha256(path.read_bytes()).hexdigest()[:8]
            with np.load(path, allow_pickle=False) as file:
                mean, covariance = (np.asarray(file[key], np.float64) for key in ("mu", "sigma"))
        except OSError as error:
            raise DataError(f"{path} cannot be read ({error}); expected {EXPECTED}") from error
        except (KeyError, ValueError, BadZipFile, AttributeError, TypeError) as error:
            raise DataError(f"{path} is not what it should be; expected {EXPECTED}") from error
        fits = mean.ndim == 1 and covariance.shape == (len(mean), len(mean))
        if not (fits and np.isfinite(mean).all() and np.isfinite(covariance).all()):
            shapes = f"{mean.shape} and {covariance.shape}"
            raise DataError(f"{path} has {shapes}, or values not finite; expected {EXPECTED}")
        return cls(mean, covariance, digest=digest)


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
