"""The gate's test of FID on simulated features: its level and power, and queries that are added."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from gates.level import Scores, paired, percent, shares
from mmragbench.gating.cell_results import CellResult, judge
from mmragbench.gating.stored_baseline import values_of
from mmragbench.records import Measure, MeasureInfo
from mmragbench.run_folder.numbers import Evidence
from mmragbench.statistics.resampling import Array

DATA_SETS = 300
DIMENSIONS = 16

World = tuple[Array, Array, Array]
"""Features of so many real images, and of what was generated for them before and now."""
Change = Callable[[Generator, Array], Array]


def shifted(rng: Generator, features: Array) -> Array:
    return features + 0.012


def shrunk(rng: Generator, features: Array) -> Array:
    return 0.3 + 0.88 * (features - 0.3)


CHANGES: dict[str, Change] = {"shifted": shifted, "shrunk": shrunk}


def world(rng: Generator, n: int, change: Change) -> World:
    """Generated images resemble the real ones; now a part of each is drawn anew, and changed."""
    real, own, other = rng.normal(size=(3, n, DIMENSIONS))
    before = 0.7 * real + 0.7 * own + 0.3
    now = 0.7 * real + 0.7 * (0.9 * own + np.sqrt(1 - 0.9**2) * other) + 0.3
    return real, before, change(rng, now)


def values(real: Array, generated: Array, n: int) -> Array:
    """What the gate reads of such a run on its first `n` queries."""
    sides = [{f"{i}": row for i, row in enumerate(rows)} for rows in (generated, real)]
    measure = Measure("FID", "f").with_info(MeasureInfo(better="lower", distance="FID"))
    evidence = Evidence("t", "s", "g", 1, measure, 0.0, "FID(f)", {}, (sides[0], sides[1]))
    return values_of(evidence, [f"{i}" for i in range(n)]).astype(np.float64)


def distances() -> list[str]:
    """A loss of exactly the margin: the mean loss of all data sets."""
    lines = [
        "| generated images | queries | margin, of the FID | passes | promised | shown |",
        f"| :-- {'| --: ' * 5}|",
    ]
    for name, change in CHANGES.items():
        for n in (100, 200, 400):
            rng = np.random.default_rng(n)
            drawn = [_scores(world(rng, n, change), n) for _ in range(DATA_SETS)]
            before, now = np.mean([[side.mean() for side in x] for x in drawn], axis=0)
            found = shares([_judged(x, now - before) for x in drawn])
            row = " | ".join(
                found.get(key, percent(0)) for key in ("holds", "promised", "regressed")
            )
            lines.append(f"| {name} | {n} | {percent((now - before) / before)} | {row} |")
    return lines


def _scores(drawn: World, n: int) -> Scores:
    real, before, now = drawn
    return Scores(*(values(real[:n], side[:n], n)[:, None] for side in (before, now)))


def _judged(scores: Scores, margin: float) -> CellResult:
    return judge([paired(scores, margin, measure="FID(f)")])[0]


def added_queries() -> list[str]:
    """The baseline has 200 queries; the run has these, or these and others."""
    lines = ["| the run | queries now | passes |", "| :-- | --: | --: |"]
    for name, factor in (("the same generator", 1.0), ("a worse one", 0.7)):
        for n in (200, 400, 1_000):
            rng = np.random.default_rng(7)
            passes = np.mean([_passes(rng, n, factor) for _ in range(DATA_SETS // 3)])
            lines.append(f"| {name} | {n:,} | {percent(float(passes))} |")
    return lines


def _passes(rng: Generator, n: int, factor: float) -> bool:
    """Whether the gate passes: the first 200 queries are the same whatever `n` is."""
    parts = [world(rng, size, lambda _, rows: rows) for size in (200, 800)]
    real, before, _ = (np.concatenate(sides)[:n] for sides in zip(*parts, strict=True))
    kept = values(real[:200], before[:200], 200)[:, None]
    anew = values(real, factor * before, 200)[:, None]
    return _judged(Scores(kept, anew), 0.05 * float(kept.mean())).good
