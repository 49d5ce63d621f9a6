"""Do the intervals of shares of the headroom cover the true share?

    python benchmarks/shares.py

Simulated scores of floor, strategy and ceiling on the same queries; 2,000 data sets each, seeds
fixed. *Shown* is where the headroom can be told from nothing; only there a share has an interval.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from mmragbench.statistics import ratio
from mmragbench.statistics.resampling import Array

DATA_SETS = 2_000

Groups = npt.NDArray[np.signedinteger]
Draw = Callable[[Generator, Groups, float, float], tuple[Array, Array]]
"""What each query gains, and its headroom; by groups, the true share and the mean headroom."""


def like_cider(
    rng: Generator, groups: Groups, share: float, headroom: float
) -> tuple[Array, Array]:
    """Skewed; a standard deviation of about 0.8, of which a third is the image's."""
    n, image = len(groups), (rng.gamma(0.7, 1, len(set(groups))) - 0.7)[groups]
    gained = share * headroom + 0.4 * image + 0.6 * (rng.gamma(0.7, 1, n) - 0.7)
    return gained, headroom + 0.6 * image + 0.7 * (rng.gamma(0.7, 1, n) - 0.7)


def hits(rng: Generator, groups: Groups, share: float, headroom: float) -> tuple[Array, Array]:
    """The oracle hits always, the floor in so many queries, the strategy in a share of the others."""
    missed = rng.random(len(groups)) < headroom
    return (missed & (rng.random(len(groups)) < share)).astype(float), missed.astype(float)


def few(rng: Generator, groups: Groups, share: float, headroom: float) -> tuple[Array, Array]:
    """A twentieth of the queries can gain, and much."""
    much = (rng.random(len(groups)) < 0.05) * rng.gamma(2, headroom / 0.1, len(groups))
    return much * (rng.random(len(groups)) < share), much


SETTINGS: list[tuple[str, Draw, int, int, float, float]] = [
    *[("CIDEr-like", like_cider, n, 1, 0.4, 1.0) for n in (50, 200, 1_000)],
    *[("CIDEr-like", like_cider, n, 1, 0.4, 0.2) for n in (50, 200, 1_000)],
    *[("CIDEr-like", like_cider, n, 5, 0.4, 1.0) for n in (50, 200, 1_000)],
    *[("CIDEr-like", like_cider, n, 5, 0.4, 0.2) for n in (50, 200, 1_000)],
    ("CIDEr-like", like_cider, 1_000, 5, 0.9, 1.0),
    *[("hits", hits, n, 1, 0.4, 0.3) for n in (50, 200, 1_000)],
    *[("hits", hits, n, 1, 0.1, 0.95) for n in (50, 200, 1_000)],
    *[("few large gains", few, n, 1, 0.5, 0.2) for n in (200, 1_000)],
    ("few large gains", few, 1_000, 1, 0.1, 0.2),
]


def coverage(draw: Draw, n: int, per: int, share: float, headroom: float) -> tuple[float, float]:
    """Where the headroom is shown, and in how many of those the interval holds the truth."""
    rng, groups = np.random.default_rng(n), np.arange(n // per).repeat(per)
    found = [ratio(*draw(rng, groups, share, headroom), groups) for _ in range(DATA_SETS)]
    known = [(low, high) for _, low, high in found if low is not None and high is not None]
    return len(known) / len(found), float(np.mean([low <= share <= high for low, high in known]))


def main() -> None:
    print("| data | queries | an image | share | headroom | shown | covered |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    for name, draw, n, per, share, headroom in SETTINGS:
        shown, covered = coverage(draw, n, per, share, headroom)
        print(
            f"| {name} | {n:,} | {per} | {share} | {headroom} | {shown:.0%} | {covered:.1%} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
