"""The test behind the gate on simulated losses, whose truth is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from mmragbench.statistics import Design, loss
from mmragbench.statistics.resampling import Array

DATA_SETS = 4_000
MARGIN = 0.02

Draw = Callable[[Generator, int], Array]
"""Losses of so many groups, of one query each or of several (groups, queries)."""


def flips(lost: float, gained: float, queries: int = 1, together: bool = True) -> Draw:
    """Hits that are lost and hits that are gained, by whole groups or one by one."""

    def draw(rng: Generator, groups: int) -> Array:
        u = rng.random((groups, 1 if together else queries))
        flipped = np.where(u < lost, 1.0, np.where(u < lost + gained, -1.0, 0.0))
        return np.broadcast_to(flipped, (groups, queries))

    return draw


def lognormal(sign: float) -> Draw:
    """Spread 0.6, skewness 6, to the side of losses (1) or of gains (-1); the mean is the margin."""

    def draw(rng: Generator, groups: int) -> Array:
        z = np.exp(rng.normal(size=(groups, 1)) - 0.5) - 1
        return sign * 0.5 * z + MARGIN

    return draw


def normal(rng: Generator, groups: int) -> Array:
    return rng.normal(MARGIN, 0.5, (groups, 1))


SHAPES: dict[str, Draw] = {
    "2 % of the hits are lost": flips(0.02, 0),
    "5 % lost, 3 % gained": flips(0.05, 0.03),
    "30 % lost, 28 % gained": flips(0.30, 0.28),
    "2 % of the groups of five lost": flips(0.02, 0, 5),
    "5 % lost, 3 % gained, one by one in groups of five": flips(0.05, 0.03, 5, False),
    "normal": normal,
    "skewed to losses": lognormal(1),
    "skewed to gains": lognormal(-1),
}


def levels() -> list[str]:
    """How often a loss of exactly the margin is called smaller: at 0.05, and deep in the tail."""
    rng = np.random.default_rng(0)
    lines = [
        "| losses (mean: the margin) | groups | passes at 0.05 | at 0.001 | nothing changed |",
        "| :-- | --: | --: | --: | --: |",
    ]
    for name, draw in SHAPES.items():
        for groups in (100, 400, 1_000):
            p = [_p_holds(draw(rng, groups)) for _ in range(DATA_SETS)]
            tested = np.array([value for value in p if value is not None])
            shares = [(tested <= alpha).sum() / DATA_SETS for alpha in (0.05, 0.001)]
            still = 1 - len(tested) / DATA_SETS
            passes = " | ".join(f"{100 * share:.2f} %" for share in (*shares, still))
            lines.append(f"| {name} | {groups:,} | {passes} |")
    return lines


def _p_holds(losses: Array) -> float | None:
    if not losses.any():
        return None
    groups = np.repeat(np.arange(len(losses)), losses.shape[1])
    return loss(losses.ravel(), MARGIN, 1.0, groups).p_holds


def powers() -> list[str]:
    """The promised power, and how often a loss of the margin's size is in fact shown."""
    rng = np.random.default_rng(1)
    lines = [
        "| cells | groups | promised | shown | queries needed for 80 % | shown with these |",
        "| --: | --: | --: | --: | --: | --: |",
    ]
    for cells, groups in ((1, 200), (1, 400), (20, 400), (20, 800), (200, 400), (200, 1_000)):
        design = Design(groups, groups, MARGIN, 1.0, alpha=0.05 / cells)
        needed = design.needed() or 0
        shown = [_shown(rng, n, design.alpha) for n in (groups, needed)]
        row = f"{100 * design.power():.1f} % | {100 * shown[0]:.1f} % | {needed:,}"
        lines.append(f"| {cells} | {groups:,} | {row} | {100 * shown[1]:.1f} % |")
    return lines


def _shown(rng: Generator, groups: int, alpha: float) -> float:
    draws = (flips(MARGIN, 0)(rng, groups).ravel() for _ in range(DATA_SETS))
    return sum(x.any() and loss(x, MARGIN, 1.0).p_lost <= alpha for x in draws) / DATA_SETS
