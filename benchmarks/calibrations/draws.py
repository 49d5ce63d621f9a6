"""What the queries of an image are like: how many there are, and what they score."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.random import Generator

from mmragbench.statistics.resampling import Array

Sizes = Callable[[Generator, int], Array]
Draw = Callable[[Generator, Array], Array]


def one(rng: Generator, g: int) -> Array:
    return np.ones(g, int)


def five(rng: Generator, g: int) -> Array:
    return np.full(g, 5)


def one_to_ten(rng: Generator, g: int) -> Array:
    return rng.integers(1, 11, g)


def very_uneven(rng: Generator, g: int) -> Array:
    """Most have one or two, a few up to sixty."""
    return np.ceil(rng.pareto(1.2, g) + 0.5).astype(int).clip(1, 60)


NAMES = {one: "1", five: "5", one_to_ten: "1–10", very_uneven: "1–60"}


def rate(p: float, icc: float = 0.0) -> Draw:
    """Hits and misses: each image has its own rate (beta), with this intra-class correlation."""

    def draw(rng: Generator, labels: Array) -> Array:
        k = (1 - icc) / icc if icc else 1e9
        own = rng.beta(p * k, (1 - p) * k, labels[-1] + 1)
        return (rng.random(len(labels)) < own[labels]).astype(float)

    return draw


def fifth(p: float) -> Draw:
    """R@1 where every query has five relevant documents."""
    return lambda rng, labels: 0.2 * rate(p)(rng, labels)


def like_cider(rng: Generator, labels: Array) -> Array:
    """Mean 1, standard deviation 0.8, skewed to the right; a third of the variance is the image's."""
    image = rng.gamma(0.5, 1.0, labels[-1] + 1)
    return image[labels] + rng.gamma(1.0, 1.0, len(labels)) - 0.5


def sparse(share: float) -> Draw:
    """Most score 0; a few have a mean of 2."""
    return lambda rng, labels: np.where(
        rng.random(len(labels)) < share, rng.gamma(2, 1, len(labels)), 0.0
    )


def heavy(rng: Generator, labels: Array) -> Array:
    """Lognormal with sigma 1, skewness 6. Mean 1."""
    z = sqrt(0.3) * rng.normal(size=labels[-1] + 1)[labels]
    return np.exp(z + sqrt(0.7) * rng.normal(size=len(labels)) - 0.5)


def like_rr(rng: Generator, labels: Array) -> Array:
    """1 / rank, the rank mostly 1 (mean 0.90)."""
    z = sqrt(0.4) * rng.normal(size=labels[-1] + 1)[labels]
    z = z + sqrt(0.6) * rng.normal(size=len(labels))
    return 1 / np.ceil(np.exp(np.maximum(1.5 * z - 1.5, -1e-9)))


RR_MEAN = float(like_rr(np.random.default_rng(0), np.arange(4_000_000)).mean())


# Differences of two systems on the same queries.


def exchangeable(draw: Draw) -> Draw:
    """Two equally good systems, each with its own strengths on each image."""
    return lambda rng, labels: draw(rng, labels) - draw(rng, labels)


def steady_and_erratic(rng: Generator, labels: Array) -> Array:
    """Equal means, but one system is erratic (skewness 2.8) and the other steady."""
    steady, erratic = rng.gamma(4, 0.25, labels[-1] + 1), rng.gamma(0.5, 2, labels[-1] + 1)
    return (steady - erratic)[labels] + rng.normal(0, 0.5, len(labels))


def rare_large(share: float) -> Draw:
    """One system scores 3 on a share of the queries, else 0; the other always about as much."""
    return lambda rng, labels: (
        np.where(rng.random(len(labels)) < share, 3.0, 0.0)
        - 3 * share
        - rng.normal(0, 0.1, len(labels))
    )


def two_gammas(rng: Generator, labels: Array) -> Array:
    """Equal means, gamma with shape 0.3 against shape 4."""
    return rng.gamma(0.3, 1 / 0.3, len(labels)) - rng.gamma(4, 0.25, len(labels))


def two_rates(p: float, q: float, correlation: float = 0.0) -> Draw:
    """Hits of two systems; on a share of the queries they are found, or not, together."""

    def draw(rng: Generator, labels: Array) -> Array:
        first = rng.random(len(labels))
        together = rng.random(len(labels)) < correlation
        second = np.where(together, first, rng.random(len(labels)))
        return (first < p).astype(float) - (second < q)

    return draw


def only_better(share: float, gain: float = 1.0) -> Draw:
    """One system gains something on a share of the queries, and differs nowhere else."""
    return lambda rng, labels: np.where(rng.random(len(labels)) < share, gain, 0.0)


def with_gain(gain: float) -> Draw:
    """A system that is better by `gain`; half of the spread of the differences is the image's."""

    def draw(rng: Generator, labels: Array) -> Array:
        image = rng.normal(gain, 0.5, labels[-1] + 1)
        return image[labels] + rng.normal(0, 0.5, len(labels))

    return draw


def skewed_gain(rng: Generator, labels: Array) -> Array:
    """A mean difference of 0.4, exponential: many lose a little, a few gain much."""
    return rng.exponential(1, len(labels)) - 0.6


@dataclass(frozen=True)
class Setting:
    """A kind of data set: so many images, with so many queries each, that score so."""

    name: str
    images: int
    sizes: Sizes
    draw: Draw
    truth: float
    bounds: tuple[float, float] | None = None

    def labels(self, rng: Generator) -> Array:
        return np.repeat(np.arange(self.images), self.sizes(rng, self.images))

    @property
    def shape(self) -> str:
        return f"{self.images:,} × {NAMES[self.sizes]}"
