"""Differences over seeds: coverage of the interval, which is the level of the test at the truth."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np

from calibrations.part import LEVEL, Finding, Share, outside, rng, table
from mmragbench.statistics import compare_all
from mmragbench.statistics.resampling import Array

SETS = 1_000
AT_ONCE = 200
"""Data sets that are tested in one call: their columns are resampled together."""
QUERIES = (30, 100, 400)
SEEDS = (2, 3, 5)
EFFECTS = {"none": 0.0, "equal": 1.0, "large": 4.0}
"""Seed effect -> its standard error over that of the queries."""

Draw = Callable[[np.random.Generator, int, int, float], Array]
"""Seeds, queries and seed effect -> differences (seeds, queries) whose true mean is 0."""


def normal(drawn: np.random.Generator, seeds: int, n: int, effect: float) -> Array:
    """Normal queries, seeds and interaction; half of a query's variance is interaction."""
    return (
        drawn.standard_normal(n)
        + drawn.standard_normal((seeds, n))
        + _seed_effects(drawn, seeds, n, effect, 1 + 1 / seeds)
    )


def skewed(drawn: np.random.Generator, seeds: int, n: int, effect: float) -> Array:
    """Exponential queries and interaction (skewness 2)."""
    return (
        drawn.standard_exponential(n)
        + drawn.standard_exponential((seeds, n))
        - 2
        + _seed_effects(drawn, seeds, n, effect, 1 + 1 / seeds)
    )


def hits(drawn: np.random.Generator, seeds: int, n: int, effect: float) -> Array:
    """Hits of a system that samples, whose rate differs by query and by seed, less those of one that
    does not sample."""
    variance = 0.1 * (1 + 1 / seeds)  # about that of one query's difference
    logits = drawn.normal(-1, 1.5, n) + 7 * _seed_effects(drawn, seeds, n, effect, variance)
    sampled = drawn.random((seeds, n)) < 1 / (1 + np.exp(-logits))
    spread = np.sqrt(1.5**2 + 49 * effect**2 * variance / n * seeds)
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    rate = float(weights @ (1 / (1 + np.exp(1 - spread * nodes))) / weights.sum())
    return sampled.astype(np.float64) - (drawn.random(n) < rate)


def interaction(drawn: np.random.Generator, seeds: int, n: int, effect: float) -> Array:
    """Nothing but interaction, as of a strategy that draws at random."""
    return drawn.standard_normal((seeds, n)) + _seed_effects(drawn, seeds, n, effect, 1 / seeds)


DRAWS: dict[str, Draw] = {
    "normal": normal,
    "skewed": skewed,
    "hits": hits,
    "interaction": interaction,
}


def _seed_effects(
    drawn: np.random.Generator, seeds: int, n: int, effect: float, variance: float
) -> Array:
    """(seeds, 1): so large that the mean over seeds has `effect` times the queries' error."""
    return drawn.standard_normal((seeds, 1)) * effect * np.sqrt(variance / n * seeds)


def misses(draw: Draw, seeds: int, n: int, effect: float, sets: int = SETS) -> Share:
    """The data sets in which the test at 0.05 finds a difference, and the interval leaves 0 out."""
    drawn = rng(seeds, n, round(10 * effect))
    p_values: list[float] = []
    for start in range(0, sets, AT_ONCE):
        columns = [draw(drawn, seeds, n, effect) for _ in range(min(AT_ONCE, sets - start))]
        p_values += [test.p_value for test in compare_all(columns)]
    return Share.of(p <= 0.05 for p in p_values)


def part() -> tuple[str, list[Finding]]:
    """A row for each kind of differences and number of queries."""
    cells = list(product(SEEDS, EFFECTS))
    rows, findings = [], []
    for (name, draw), n in product(DRAWS.items(), QUERIES):
        shares = [misses(draw, seeds, n, EFFECTS[effect]) for seeds, effect in cells]
        for (seeds, effect), share in zip(cells, shares, strict=True):
            findings += outside(
                f"test over {seeds} seeds, {name}, {n}, {effect}", share, high=LEVEL
            )
        rows.append([name, n, *shares])
    head = ["differences", "queries", *(f"{seeds} seeds, {effect}" for seeds, effect in cells)]
    return table(head, rows), findings
