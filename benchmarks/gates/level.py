"""The gate's test on simulated scores before and now, whose expected loss is exactly the margin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from mmragbench.gating.cell_results import CellResult, PairedValues, judge
from mmragbench.gating.stored_baseline import CellLine
from mmragbench.statistics import Design, loss
from mmragbench.statistics.resampling import Array

DATA_SETS = 500
GATES = 200
MARGIN = 0.02

Bounds = tuple[float, float] | None


class Scores(NamedTuple):
    """Scores of groups of queries, (groups, queries): before and now."""

    before: Array
    now: Array


Draw = Callable[[Generator, int], Scores]
"""Scores of so many groups."""


class Setting(NamedTuple):
    """A kind of loss: how it is drawn, its mean as the margin, and the measure's scale."""

    draw: Draw
    margin: float = MARGIN
    bounds: Bounds = (0.0, 1.0)


def flips(lost: float, gained: float, queries: int = 1, together: bool = True) -> Draw:
    """Hits that are lost and hits that are gained, by whole groups or one by one; half of the
    others are hits."""

    def draw(rng: Generator, groups: int) -> Scores:
        shape = (groups, 1 if together else queries)
        u, others = rng.random(shape), rng.integers(0, 2, shape)
        gone, come = u < lost, (lost <= u) & (u < lost + gained)
        before = np.where(gone, 1.0, np.where(come, 0.0, others))
        now = np.where(gone, 0.0, np.where(come, 1.0, before))
        both = (np.broadcast_to(side, (groups, queries)) for side in (before, now))
        return Scores(*both)

    return draw


def spread(noise: Callable[[Generator, int], Array]) -> Draw:
    """Losses of the margin and some noise of mean 0, from a score of 1."""

    def draw(rng: Generator, groups: int) -> Scores:
        before = np.ones((groups, 1))
        return Scores(before, before - MARGIN - noise(rng, groups)[:, None])

    return draw


def skewed(rng: Generator, groups: int) -> Array:
    """Spread 0.6, skewness 6."""
    return 0.5 * (np.exp(rng.normal(size=groups) - 0.5) - 1)


def rare(share: float, score: float, lost: float) -> Setting:
    """Few queries score much, and some of these lose all of it; the others score next to nothing
    and jitter. CIDEr's scale, and its margin."""

    def draw(rng: Generator, groups: int) -> Scores:
        rich = rng.random(groups) < share
        gone = rich & (rng.random(groups) < lost)
        before = np.where(rich, score, 0.1 * rng.gamma(1.0, size=groups))
        now = np.where(gone, 0.0, before + 0.02 * rng.normal(size=groups))
        return Scores(before[:, None], now[:, None])

    return Setting(draw, 0.05, (0.0, 10.0))


def fifths(rng: Generator, groups: int) -> Scores:
    """R@1 of queries with five relevant documents: one hit in ten is lost, each worth 0.2."""
    return Scores(*(0.2 * side for side in flips(0.1, 0.0)(rng, groups)))


SHAPES: dict[str, Setting] = {
    "2 % of the hits are lost": Setting(flips(0.02, 0)),
    "5 % lost, 3 % gained": Setting(flips(0.05, 0.03)),
    "30 % lost, 28 % gained": Setting(flips(0.30, 0.28)),
    "2 % of the groups of five lost": Setting(flips(0.02, 0, 5)),
    "5 % lost, 3 % gained, one by one in groups of five": Setting(flips(0.05, 0.03, 5, False)),
    "R@1 with five relevant documents: 10 % lost": Setting(fifths, bounds=(0.0, 0.2)),
    "normal, scale not known": Setting(
        spread(lambda rng, groups: rng.normal(0, 0.5, groups)), bounds=None
    ),
    "skewed to losses, scale not known": Setting(spread(skewed), bounds=None),
    "skewed to gains, scale not known": Setting(
        spread(lambda rng, groups: -skewed(rng, groups)), bounds=None
    ),
}
RARE: dict[str, Setting] = {
    "10 % of the queries score 4, 1 in 8 of them loses it": rare(0.1, 4, 1 / 8),
    "25 % score 3, 1 in 15": rare(0.25, 3, 1 / 15),
    "1.25 % score 4, all": rare(0.0125, 4, 1),
    "0.625 % score 8, all": rare(0.00625, 8, 1),
}


def paired(
    scores: Scores, margin: float, bounds: Bounds = None, system: str = "s", measure: str = "CIDEr"
) -> PairedValues:
    """The scores as the gate reads them."""
    groups, queries = scores.before.shape
    line = CellLine(
        task="t", strategy=system, generator=None, k=None, measure=measure, n=groups * queries,
        n_failed=0, signature=measure, estimate=float(scores.before.mean()),
    )  # fmt: skip
    ids = [f"q{i}" for i in range(groups * queries)]
    names = [f"g{i}" for i in np.repeat(np.arange(groups), queries)]
    before, now = (side.ravel().astype(np.float32) for side in scores)
    return PairedValues(line, float(now.mean()), margin, ids, names, before, now, bounds)


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def shares(cells: Sequence[CellResult]) -> dict[str, str]:
    """How often each verdict was given, and the power that was promised on average."""
    counts = Counter(cell.verdict for cell in cells)
    found = {verdict: percent(n / len(cells)) for verdict, n in counts.items()}
    return found | {"promised": percent(float(np.mean([cell.power or 0.0 for cell in cells])))}


def levels() -> list[str]:
    """How often a loss of exactly the margin passes; the power promised, and what was shown."""
    lines = [
        "| losses (mean: the margin) | groups | passes | nothing changed | promised | shown |",
        "| :-- | --: | --: | --: | --: | --: |",
    ]
    for name, setting in SHAPES.items():
        for groups in (100, 400, 1_000):
            rng = np.random.default_rng(groups)
            drawn = (setting.draw(rng, groups) for _ in range(DATA_SETS))
            cells = [judge([paired(x, setting.margin, setting.bounds)])[0] for x in drawn]
            lines.append(f"| {name} | {groups:,} | {_row(shares(cells))} |")
    return lines


def _row(found: Mapping[str, str]) -> str:
    columns = ("holds", "unchanged", "promised", "regressed")
    return " | ".join(found.get(column, percent(0)) for column in columns)


def rare_losses() -> list[str]:
    """Rare large losses: how often they pass, by what a query is taken to lose at most."""
    lines = [
        "| losses (mean: the margin) | queries | the mean score | the largest score | the scale "
        "| promised | shown |",
        f"| :-- {'| --: ' * 6}|",
    ]
    for name, setting in RARE.items():
        for queries in (50, 100, 200, 400, 1_000):
            rng = np.random.default_rng(queries)
            drawn = [setting.draw(rng, queries) for _ in range(DATA_SETS)]
            others = " | ".join(_passes(drawn, setting.margin, worst) for worst in (mean, largest))
            cells = [judge([paired(x, setting.margin, setting.bounds)])[0] for x in drawn]
            found = shares(cells)
            row = " | ".join(
                found.get(key, percent(0)) for key in ("holds", "promised", "regressed")
            )
            lines.append(f"| {name} | {queries:,} | {others} | {row} |")
    return lines


def mean(before: Array) -> float:
    return float(before[before > 0].mean())


def largest(before: Array) -> float:
    return float(before.max())


def _passes(drawn: Sequence[Scores], margin: float, worst: Callable[[Array], float]) -> str:
    p = [loss((x.before - x.now).ravel(), margin, worst(x.before)).p_holds for x in drawn]
    return percent(float(np.mean(np.asarray(p) <= 0.05)))


def powers() -> list[str]:
    """The promised power, and how often the loss is shown: with the queries there are, and with
    those that are said to be needed for 80 %."""
    rng = np.random.default_rng(1)
    hits, captions = Setting(flips(MARGIN, 0)), RARE["25 % score 3, 1 in 15"]
    lines = [
        "| measure | cells | groups | promised | shown | needed for 80 % | shown with these |",
        f"| :-- {'| --: ' * 6}|",
    ]
    for measure, setting, most in (("hits", hits, 1.0), ("CIDEr", captions, 3.0)):
        for cells, groups in ((1, 400), (20, 400), (20, 1_000), (200, 1_000)):
            worst = (setting.bounds or (0.0, 1.0))[1]
            design = Design(groups, groups, setting.margin, worst, most, alpha=0.05 / cells)
            needed = design.needed() or 0
            shown = [_shown(rng, setting, n, design) for n in (groups, needed)]
            row = f"{percent(design.power())} | {percent(shown[0])} | {needed:,}"
            lines.append(f"| {measure} | {cells} | {groups:,} | {row} | {percent(shown[1])} |")
    return lines


def _shown(rng: Generator, setting: Setting, groups: int, design: Design) -> float:
    drawn = (setting.draw(rng, groups) for _ in range(DATA_SETS))
    losses = ((x.before - x.now).ravel() for x in drawn)
    p = [loss(x, setting.margin, design.worst).p_lost if x.any() else 1.0 for x in losses]
    return float(np.mean(np.asarray(p) <= design.alpha))


def whole_gates() -> list[str]:
    """Gates of several cells on 1,000 queries: harmless changes in all of them, with and without a
    loss of exactly the margin in one."""
    harmless, bad = Setting(flips(0.01, 0.01)), Setting(flips(0.04, 0.02))
    lines = [
        "| cells | one of them loses the margin | gate passes | a wrong regression |",
        "| --: | :-- | --: | --: |",
    ]
    for cells in (1, 20):
        for lost in (False, True):
            rng = np.random.default_rng(cells)
            kinds = [bad if lost and at == 0 else harmless for at in range(cells)]
            gates = [_gate(rng, kinds) for _ in range(GATES)]
            passes = np.mean([all(cell.good for cell in gate) for gate in gates])
            good = [[cell for cell in gate if not (lost and cell is gate[0])] for gate in gates]
            wrong = np.mean([any(c.verdict == "regressed" for c in gate) for gate in good])
            row = f"{percent(float(passes))} | {percent(float(wrong))}"
            lines.append(f"| {cells} | {'yes' if lost else 'no'} | {row} |")
    return lines


def _gate(rng: Generator, settings: Sequence[Setting]) -> list[CellResult]:
    return judge(
        [
            paired(setting.draw(rng, 1_000), setting.margin, setting.bounds, f"s{at}", "R@10")
            for at, setting in enumerate(settings)
        ]
    )
