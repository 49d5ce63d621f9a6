"""FID and KID: what their intervals cover, and how often a comparison finds what is not there.

The truth is known: features are Gaussian, and query by query a generated image is correlated with
its real one (0.5), as it is when retrieval works.

    python benchmarks/calibrations/distances.py RUN    # the order by FID on parts of a run's queries
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from math import sqrt
from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.optimize import brentq

sys.path.insert(0, str(Path(__file__).parents[1]))

from calibrations.part import ABOVE, BELOW, LEVEL, Finding, Share, on_all_cores, outside, rng, table
from mmragbench.run_folder.files import read_features
from mmragbench.statistics import (
    Distance,
    compare_distances,
    distance_values,
    fid_interval,
    frechet,
    holm,
    kid_interval,
    mmd,
)
from mmragbench.statistics.distances import Kind
from mmragbench.statistics.frechet import Gaussian

Array = NDArray[np.float64]

SETS = 2_000
FEWER = 1_000  # data sets where each takes long
RESAMPLES = 1_000


def mean(values: Iterable[float]) -> str:
    """A mean and its Monte Carlo standard error."""
    found = np.array(list(values))
    return f"{found.mean():.5f} ± {found.std() / sqrt(len(found)):.5f}"


def widest(above: list[Finding]) -> list[Finding]:
    """Of intervals that cover too often, the one that covers the most."""
    if not above:
        return []
    most = max(above, key=lambda each: each.share.value)
    text = f"{most.text} (the widest of {len(above)} that are wider than need be)"
    return [Finding(text, most.share)]


def generators(random: Generator, n: int, d: int, rho: float = 0.5) -> tuple[Array, Array, Array]:
    """Real images, and two generators' of the same distribution, each correlated with them."""
    x = random.normal(size=(n, d))
    a, b = (rho * x + sqrt(1 - rho * rho) * random.normal(size=(n, d)) for _ in range(2))
    return x, a, b


# KID of pairs


PAIRS = [(100, 0.5), (400, 0.5), (1_000, 0.5), (400, 0.0)]


def pairs() -> tuple[str, list[Finding]]:
    """Does KID's interval cover 0, where generated images have the real ones' distribution?"""
    rows, findings, above = [], [], []
    for (n, rho), (kid, ours, of_old, old) in zip(
        PAIRS, on_all_cores(kid_of_pairs, PAIRS), strict=True
    ):
        rows.append([f"{n:,} × 16", rho, kid, ours, of_old, old])
        name = f"coverage, KID of pairs that are alike, {n:,} × 16"
        findings += outside(name, ours, BELOW)
        above += outside(name, ours, 0.0, ABOVE)
    findings += widest(above)
    head = [
        "images × dimensions",
        "correlation",
        "mean KID",
        "covers 0",
        "mean, 0.4",
        "covers, 0.4",
    ]
    return table(head, rows), findings


def kid_of_pairs(n: int, rho: float) -> tuple[str, Share, str, Share]:
    """Mean and coverage; those of 0.4 had the kernels of pairs in the mixed term, which moves the
    estimate and leaves the interval's width."""
    random, found = rng(20, n, int(10 * rho)), []
    for seed in range(SETS):
        x, y, _ = generators(random, n, 16, rho)
        ours = kid_interval(x, y, None, RESAMPLES, seed)
        moved = kid_interval(x, y, None, 2, paired=0).estimate - ours.estimate
        found.append((ours.estimate, ours.low or 0.0, ours.high or 0.0, moved))
    return (
        mean(estimate for estimate, *_ in found),
        Share.of(low <= 0 <= high for _, low, high, _ in found),
        mean(estimate + by for estimate, *_, by in found),
        Share.of(low + by <= 0 <= high + by for _, low, high, by in found),
    )


# FID beyond n


KINDS = {"near": (0.95, 0.05), "far": (0.7, 0.5)}
"""How a generator shrinks and shifts."""
LIMITS = [(kind, d, per) for kind in KINDS for d in (16, 64) for per in (2, 3, 5, 10, 20)]


def limits() -> tuple[str, list[Finding]]:
    """Does the limit's interval cover the population's FID?"""
    rows, findings, above = [], [], []
    for (kind, d, per), (cells, share) in zip(LIMITS, on_all_cores(limit, LIMITS), strict=True):
        name = f"coverage, FID beyond n, {kind}, {per * d:,} × {d}"
        rows.append([kind, f"{per * d:,} × {d}", *cells])
        findings += outside(name, share, BELOW)
        above += outside(name, share, 0.0, ABOVE)
    findings += widest(above)
    head = ["generated", "images × dimensions", "population", "FID at n", "covers it", "limit",
            "covers it", "bias, estimated", "bias, true"]  # fmt: skip
    return table(head, rows), findings


def limit(kind: str, d: int, per: int) -> tuple[list[object], Share]:
    """The cells of a row, and how often the limit's interval covers."""
    scale, shift = KINDS[kind]
    random, spectrum = rng(21, d, per, kind == "near"), np.arange(1, d + 1) ** -0.5
    truth = float(d * shift**2 + ((1 - scale) ** 2 * spectrum**2).sum())
    found = []
    for seed in range(FEWER):
        x, y, _ = generators(random, per * d, d)
        made = scale * y * spectrum + shift
        found.append(fid_interval(x * spectrum, made, None, RESAMPLES, seed))
    beyond = [each.limit for each in found if each.limit]
    at_n = float(np.mean([each.estimate for each in found]))
    share = Share.of(bool(each.low <= truth <= each.high) for each in beyond)
    of_n = Share.of(bool(each.low <= truth <= each.high) for each in found)
    average = float(np.mean([each.estimate for each in beyond]))
    bias = float(np.mean([each.bias for each in beyond]))
    numbers = [f"{value:.3f}" for value in (truth, at_n, average, bias, at_n - truth)]
    return [*numbers[:2], of_n, numbers[2], share, *numbers[3:]], share


# Two generators


@dataclass(frozen=True)
class Equal:
    """A shifts, B is scaled, so that their expected distances are equal: at this n, or `beyond`."""

    kind: Kind
    n: int
    d: int
    scale: float
    beyond: bool = False

    def value(self, x: Array, y: Array) -> float:
        if self.kind == "FID":
            return frechet.distance(Gaussian.of(x), Gaussian.of(y))
        return float(distance_values(x, y, "KID").mean())

    def expected(self, change: Callable[[Array], Array], sets: int) -> float:
        """The mean distance of a generator's changed images."""
        random = rng(22, self.n, self.d)
        data = (generators(random, self.n, self.d) for _ in range(sets))
        return float(np.mean([self.value(x, change(a)) for x, a, _ in data]))

    def shift(self) -> float:
        """By how much A is shifted in each dimension."""
        if self.beyond:
            return abs(1 - self.scale)
        if self.kind == "FID":  # a shift adds its square to the expected FID
            goal, plain = (
                self.expected(partial(np.multiply, by), SETS) for by in (self.scale, 1.0)
            )
            return sqrt((goal - plain) / self.d)
        few = SETS // 4
        goal = self.expected(partial(np.multiply, self.scale), few)
        found = brentq(lambda by: self.expected(partial(np.add, by), few) - goal, 0, 1, xtol=1e-4)
        return float(found)


EQUAL = [
    *(Equal("FID", n, d, scale, beyond) for n, d in ((200, 16), (500, 32), (200, 64), (1_000, 64))
      for scale in (1.25, 0.8) for beyond in (False, True)),
    *(Equal("FID", n, d, scale) for n, d, scale in ((500, 32, 1.08), (500, 32, 0.93), (1_000, 64, 0.7))),
    *(Equal("KID", n, 16, scale) for n in (200, 500) for scale in (1.25, 0.8)),
]  # fmt: skip


def equal() -> tuple[str, list[Finding]]:
    """How often are two generators told apart whose expected distances are equal?"""
    rows, findings = [], []
    found = on_all_cores(told_apart, [(setting,) for setting in EQUAL])
    for setting, (ours, old) in zip(EQUAL, found, strict=True):
        size, where = f"{setting.n:,} × {setting.d}", "beyond" if setting.beyond else "at n"
        rows.append([setting.kind, size, setting.scale, where, ours, old])
        name = f"level, equal {setting.kind} {where}, {size}, one scaled by {setting.scale}"
        findings += outside(name, ours, 0.0, LEVEL)
    head = ["distance", "images × dimensions", "B is scaled by", "equal", "p ≤ 0.05", "0.4"]
    return table(head, rows), findings


def told_apart(setting: Equal) -> tuple[Share, Share]:
    """By `compare_distances`, whose p-value is at most 0.05 exactly if the interval leaves 0 out;
    and by the permutation of 0.4."""
    shift, random = setting.shift(), rng(23, setting.n, setting.d, int(100 * setting.scale))
    ours, old = [], []
    for seed in range(FEWER):
        x, a, b = generators(random, setting.n, setting.d)
        a, b = a + shift, setting.scale * b
        found = compare_distances(x, a, b, setting.kind, None, RESAMPLES, seed)
        ours.append(found.p_value <= 0.05)
        old.append(exchange(x, a, b, setting.kind, seed) <= 0.05)
    return Share.of(ours), Share.of(old)


def exchange(x: Array, a: Array, b: Array, kind: Kind, seed: int) -> float:
    """The p-value of 0.4: a_i and b_i change places; of the distance's first-order part at the
    pooled generated images. Exact where the two generators are exchangeable."""
    pooled = of_generated(x, np.concatenate([a, b]), kind)
    parts = pooled[: len(a)] - pooled[len(a) :]
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=(RESAMPLES, len(parts)))
    extreme = int((np.abs(signs @ parts) >= abs(parts.sum())).sum())
    return (extreme + 1) / (RESAMPLES + 1)


def of_generated(x: Array, y: Array, kind: Kind) -> Array:
    """The influence of each generated image on the distance, up to a constant."""
    if kind == "FID":
        return frechet.influences(Gaussian.of(x), x, Gaussian.of(y), y)[2]
    return 2 * (mmd.mean_kernels(y, y, len(y)).of_x - mmd.mean_kernels(x, y, 0).of_y)


ALIKE = [(100, 16, 1.3, 0.3), (50, 16, 1.05, 0.05), (500, 64, 1.05, 0.05)]


def exchangeable() -> tuple[str, list[Finding]]:
    """How often are two generators of the same distribution told apart?"""
    rows, findings = [], []
    for (n, d, scale, shift), shares in zip(ALIKE, on_all_cores(both_kinds, ALIKE), strict=True):
        rows.append([f"{n:,} × {d}", f"{scale}, {shift}", *shares])
        for kind, share in zip(("FID", "KID"), shares, strict=True):
            findings += outside(f"level, exchangeable, {kind}, {n:,} × {d}", share, 0.0, LEVEL)
    return table(["images × dimensions", "scale, shift", "FID", "KID"], rows), findings


def both_kinds(n: int, d: int, scale: float, shift: float) -> tuple[Share, Share]:
    random, fid, kid = rng(24, n, d), [], []
    for seed in range(FEWER):
        x, a, b = generators(random, n, d)
        a, b = scale * a + shift, scale * b + shift
        for kind, found in (("FID", fid), ("KID", kid)):
            found.append(compare_distances(x, a, b, kind, None, RESAMPLES, seed).p_value <= 0.05)
    return Share.of(fid), Share.of(kid)


PARTS = {"pairs": pairs, "limits": limits, "equal": equal, "exchangeable": exchangeable}

TEXT = f"""## Distances

FID and KID have a value for each image, from its influence, which is bootstrapped. Query by query, generated images
are correlated with the real ones (0.5, where nothing else is said). Where the two sets are nearly alike, the
intervals are wider than need be: the distance is near its minimum, and an image has hardly any first-order influence
on the truth, but some on the sample.

KID, where generated images have the real ones' distribution, so that it is 0. Version 0.4 had the kernels of pairs in
the mixed term. {SETS:,} data sets.

{{pairs}}
The FID of the two populations, by FID's interval at n, which is of the FID *expected at this n*, and by that of the
limit, FID extrapolated beyond n. *Near* shrinks by 5 % and shifts by 0.05, *far* by 30 % and 0.5. {FEWER:,} data sets.

{{limits}}
Two generators whose expected distances are equal and whose shapes are not: A shifts, B is scaled, such that they are
equal *at n*, or *beyond* it (in the population). The p-value of `compare_distances` is at most 0.05 exactly if its
interval leaves 0 out. Version 0.4 let images change places, which tests another hypothesis. {FEWER:,} data sets.

{{equal}}
Two generators of the same distribution, far from the real images or near; {FEWER:,} data sets.

{{exchangeable}}"""


# The order on parts of a run's queries


def subsamples(run: Path, sizes: tuple[int, ...] = (200, 500, 1_000), draws: int = 100) -> str:
    """The order of a finished run's systems by FID, stated on random parts of its queries, against
    the order on all of them: at their number, and beyond it."""
    real, systems = features(run)
    whole = {name: fid_interval(real, rows, None, 2) for name, rows in systems.items()}
    rows = []
    for n in sizes:
        alone, together = orders(real, systems, n, draws)
        rows += [
            [
                f"{n:,}",
                better,
                worse,
                count,
                together[better, worse],
                truth(whole[better], whole[worse]),
            ]
            for (better, worse), count in sorted(alone.items())
        ] or [[f"{n:,}", "-", "-", 0, 0, "-"]]
    head = ["queries", "better", "worse", "p ≤ 0.05", "Holm's p ≤ 0.05", "on all queries"]
    return table(head, rows)


def orders(
    real: Array, systems: dict[str, Array], n: int, draws: int
) -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]:
    """How often each order is stated: each pair alone, and corrected for all pairs."""
    random = rng(25, n)
    alone: Counter[tuple[str, str]] = Counter()
    together: Counter[tuple[str, str]] = Counter()
    for _ in range(draws):
        chosen = random.choice(len(real), n, replace=False)
        part = {name: rows[chosen] for name, rows in systems.items()}
        names = list(combinations(part, 2))
        found = [
            compare_distances(real[chosen], part[a], part[b], "FID", None, RESAMPLES)
            for a, b in names
        ]
        for (a, b), each, p in zip(names, found, holm([c.p_value for c in found]), strict=True):
            order = (a, b) if each.difference < 0 else (b, a)
            alone.update([order] * (each.p_value <= 0.05))
            together.update([order] * (p <= 0.05))
    return alone, together


def truth(better: Distance, worse: Distance) -> str:
    """Whether an order is that of all queries."""
    if better.limit is None or worse.limit is None:
        return "not known"
    at_n = better.estimate < worse.estimate
    beyond = better.limit.estimate < worse.limit.estimate
    if at_n and beyond:
        return "true"
    return "true at n only" if at_n else "true beyond only" if beyond else "false"


def features(run: Path) -> tuple[Array, dict[str, Array]]:
    """Of the real images, and of each system's, query by query."""
    (file,) = run.glob("tasks/image-generation/features-*.npz")
    real = read_features(file)
    systems = {}
    for path in sorted(run.glob(f"cells/image-generation/*/*/{file.name}")):
        rows = read_features(path)
        systems[path.parent.parent.name] = np.array([rows[query] for query in real], dtype=float)
    return np.array(list(real.values()), dtype=float), systems


if __name__ == "__main__":
    print(subsamples(Path(sys.argv[1])))
