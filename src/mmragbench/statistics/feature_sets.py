"""Features of real and of generated images, paired by query."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mmragbench.statistics.memo import digest
from mmragbench.statistics.resampling import Array

Labels = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

LEAST = 2
"""Images that a set needs."""


class Influences(NamedTuple):
    """A distance of two sets of images, and the influence of each image on it; each set's sum to zero."""

    distance: float
    of_real: Array
    of_generated: Array


@dataclass(frozen=True)
class FeatureSets:
    """Features of real images (n, d) and of generated ones (m, d), in double precision.

    The first `paired` rows of both belong to the same queries. Arrays with a value for each query
    are in this order: pairs, other real images, other generated images.
    """

    real: Array
    generated: Array
    paired: int

    @classmethod
    def of(
        cls, real: npt.ArrayLike, generated: npt.ArrayLike, paired: int | None = None
    ) -> FeatureSets:
        """Check features and pair them; by default all where the sets are equally large, else none.

        Raises:
            ValueError: fewer than two images, unequal dimensions, or a feature that is not finite.
        """
        x, y = np.asarray(real, dtype=np.float64), np.asarray(generated, dtype=np.float64)
        if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1]:
            shapes = f"{x.shape} and {y.shape}"
            raise ValueError(f"features must be (n, d) with the same d; got {shapes}")
        if min(len(x), len(y)) < LEAST:
            raise ValueError("a distance needs at least two images on each side")
        if not (np.isfinite(x).all() and np.isfinite(y).all()):
            raise ValueError("a feature is not finite")
        if paired is None:
            paired = len(x) if len(x) == len(y) else 0
        return cls(x, y, paired)

    @property
    def dimensions(self) -> int:
        return int(self.real.shape[1])

    @property
    def n(self) -> int:
        """Images of the smaller set."""
        return min(len(self.real), len(self.generated))

    @property
    def queries(self) -> int:
        return len(self.real) + len(self.generated) - self.paired

    @cached_property
    def digests(self) -> tuple[str, str]:
        """Digests of the real and of the generated images."""
        return digest(self.real), digest(self.generated)

    @property
    def of_generated(self) -> Labels:
        """The query of each generated image."""
        others = np.arange(len(self.real), self.queries)
        return np.concatenate([np.arange(self.paired), others])

    def part(self, chosen: Mask) -> FeatureSets:
        """The images of some queries."""
        real, generated = chosen[: len(self.real)], chosen[self.of_generated]
        return FeatureSets(
            self.real[real], self.generated[generated], int(chosen[: self.paired].sum())
        )

    def values(self, influences: Influences) -> Array:
        """One value for each query, from the influence of each image; their mean is the distance."""
        distance, of_real, of_generated = influences
        values = np.full(self.queries, distance)
        values[: len(of_real)] += of_real * (self.queries / len(of_real))
        values[self.of_generated] += of_generated * (self.queries / len(of_generated))
        return values

    def split(self, count: int, clusters: npt.ArrayLike | None, seed: int) -> list[Mask]:
        """The queries in `count` random parts of whole clusters.

        Each part has equally many pairs, and equally many other images of either kind. All generators
        of the same queries are split alike.
        """
        labels = np.arange(self.queries) if clusters is None else np.asarray(clusters)
        _, first, which = np.unique(labels, return_index=True, return_inverse=True)
        kind = np.searchsorted([self.paired, len(self.real)], first, side="right")
        order = np.lexsort((np.random.default_rng(seed).permutation(len(first)), kind))
        part = np.empty(len(first), dtype=np.int64)
        part[order] = np.arange(len(first)) % count
        return [part[which] == number for number in range(count)]
