"""How often is a difference of exactly the margin called equivalent, and no difference shown to be?

    python benchmarks/equivalence.py

The test of `mmragbench equivalence` beside two one-sided tests by `compare`'s own procedure, which is
a 90 % interval of the difference inside the margins. Simulated data, 500 sets each, seeds fixed.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from mmragbench.statistics import compare_differences, equivalence_p_value
from mmragbench.statistics.intervals import Bounds
from mmragbench.statistics.resampling import Array

DATA_SETS = 500
RESAMPLES = 500
SIZES = (50, 200, 1_000, 4_000)

Sample = tuple[Array, Array, npt.NDArray[np.signedinteger]]
"""Scores of two systems, and the queries' groups."""
Draw = Callable[[Generator, int, float], Sample]
"""So many queries, on which the means differ by so much."""

Test = Callable[[Array, Array, float, npt.ArrayLike, Bounds], bool]


def rare(rng: Generator, n: int, difference: float) -> Sample:
    """Hits; one system misses a few that the other has (2 points: 2 % of the queries)."""
    a = (rng.random(n) < 0.98).astype(float)
    return a, a * (rng.random(n) >= difference / 0.98), np.arange(n)


def exchanged(rng: Generator, n: int, difference: float) -> Sample:
    """Hits; each system has some 5 % that the other misses."""
    u = rng.random(n)
    both = (rng.random(n) < 0.5).astype(float)
    first, second = u < 0.05 + difference, u > 0.95
    return (
        np.where(first, 1, np.where(second, 0, both)),
        np.where(first, 0, np.where(second, 1, both)),
        np.arange(n),
    )


def skewed(rng: Generator, n: int, difference: float) -> Sample:
    """A tenth of the queries score 4, and some of them lose everything."""
    a = np.where(rng.random(n) < 0.1, 4.0, 0.0)
    jitter = np.abs(rng.normal(0, 0.01, n))
    return a + jitter, a * (rng.random(n) >= difference / 0.4) + jitter, np.arange(n)


def rarest(rng: Generator, n: int, difference: float) -> Sample:
    """0.6 % of the queries are lost, and they had 8."""
    a = np.where(rng.random(n) < difference / 8, 8.0, 0.0)
    jitter = np.abs(rng.normal(0, 0.01, n))
    return a + jitter, jitter, np.arange(n)


def clustered(rng: Generator, n: int, difference: float) -> Sample:
    """Five queries an image; a part of the difference is the image's."""
    images = np.arange(n // 5).repeat(5)
    a = 2 + rng.gamma(2, 1, n)
    noise = rng.normal(0, 0.2, n // 5).repeat(5) + rng.normal(0, 0.2, n)
    return a, a - difference + noise, images


def clustered_hits(rng: Generator, n: int, difference: float) -> Sample:
    """Five queries an image; the misses of one system fall on the same images."""
    images = np.arange(n // 5).repeat(5)
    p = rng.beta(difference / 2, (1 - difference) / 2, n // 5) if difference else np.zeros(n // 5)
    return np.ones(n), (rng.random(n) >= p.repeat(5)).astype(float), images


HITS, SCORES = (0.0, 1.0), (0.0, 10.0)
KINDS: dict[str, tuple[Draw, float, Bounds]] = {
    "hits, one misses some": (rare, 0.02, HITS),
    "hits, exchanged": (exchanged, 0.02, HITS),
    "large losses": (skewed, 0.05, SCORES),
    "rare large losses": (rarest, 0.05, SCORES),
    "clustered": (clustered, 0.05, SCORES),
    "clustered hits": (clustered_hits, 0.02, HITS),
}


def usual(a: Array, b: Array, margin: float, groups: npt.ArrayLike, bounds: Bounds) -> bool:
    """Whether the tests that `compare` makes show the difference to be above -margin and below it."""
    low, high = bounds
    for losses in (a - b - margin, b - a - margin):
        scale = (low - high - margin, high - low - margin)
        found = compare_differences(losses, groups, scale, RESAMPLES)
        if not (found.difference < 0 and found.p_value / 2 <= 0.05):
            return False
    return True


def ours(a: Array, b: Array, margin: float, groups: npt.ArrayLike, bounds: Bounds) -> bool:
    """Whether `mmragbench equivalence` calls the two equivalent."""
    return equivalence_p_value(a, b, margin, groups, bounds) <= 0.05


def share(test: Test, kind: tuple[Draw, float, Bounds], n: int, difference: float) -> float:
    """In how many data sets of this difference the test finds equivalence."""
    draw, margin, bounds = kind
    rng, found = np.random.default_rng(n), []
    for _ in range(DATA_SETS):
        a, b, groups = draw(rng, n, difference)
        found.append(test(a, b, margin, groups, bounds))
    return float(np.mean(found))


def main() -> None:
    print(
        "| data | margin | n | equivalent at the margin | by a 90 % interval | without difference |"
    )
    print("|---|--:|--:|--:|--:|--:|")
    for name, kind in KINDS.items():
        margin = kind[1]
        for n in SIZES:
            level, usual_level = (share(test, kind, n, margin) for test in (ours, usual))
            rates = f"{level:.1%} | {usual_level:.1%} | {share(ours, kind, n, 0.0):.1%}"
            print(f"| {name} | {margin} | {n:,} | {rates} |", flush=True)


if __name__ == "__main__":
    main()
