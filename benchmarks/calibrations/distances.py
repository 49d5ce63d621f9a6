"""FID and KID: what their intervals cover, and how often a comparison finds what is not there.

Each function returns the rows of a table, its head first. The truth is known: features are
Gaussian, and query by query a generated image is correlated with its real one (0.5), as it is when
retrieval works.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import combinations
from math import sqrt
from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.optimize import brentq

from mmragbench.run_files import read_features
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
from mmragbench.statistics.frechet import Gaussian

Array = NDArray[np.float64]
Rows = list[list[str]]

RESAMPLES = 1_000


def share(outcomes: Iterable[bool]) -> str:
    """A percentage and its Monte Carlo standard error."""
    found = np.array([bool(outcome) for outcome in outcomes])
    p = found.mean()
    return f"{100 * p:.1f} ± {100 * sqrt(p * (1 - p) / len(found)):.1f}"


def mean(values: Iterable[float]) -> str:
    """A mean and its Monte Carlo standard error."""
    found = np.array(list(values))
    return f"{found.mean():.5f} ± {found.std() / sqrt(len(found)):.5f}"


def correlated(rng: Generator, n: int, d: int, rho: float = 0.5) -> tuple[Array, Array]:
    """Real images, and generated ones of the same distribution."""
    x = rng.normal(size=(n, d))
    return x, rho * x + sqrt(1 - rho * rho) * rng.normal(size=(n, d))


def kid_of_pairs(data_sets: int = 2_000) -> Rows:
    """Generated images have the real ones' distribution, so that KID is 0. *Pairs in*: with the
    kernels of pairs in the mixed term, as for independent sets."""
    rows = [["images × dimensions", "correlation", "mean KID", "covers 0", "mean KID, pairs in",
             "covers 0, pairs in"]]  # fmt: skip
    for n, rho in ((100, 0.5), (400, 0.5), (1_000, 0.5), (400, 0.0)):
        rng = np.random.default_rng([20, n, int(10 * rho)])
        found = []
        for seed in range(data_sets):
            x, y = correlated(rng, n, 16, rho)
            out = kid_interval(x, y, None, RESAMPLES, seed)
            moved = kid_interval(x, y, None, 2, paired=0).estimate - out.estimate
            found.append((out.estimate, out.low, out.high, moved))
        rows.append([f"{n:,} × 16", f"{rho}", mean(e for e, *_ in found),
                     share(low <= 0 <= high for _, low, high, _ in found),
                     mean(e + by for e, *_, by in found),
                     share(low + by <= 0 <= high + by for _, low, high, by in found)])  # fmt: skip
    return rows


def limits(data_sets: int = 1_000) -> Rows:
    """Coverage of the population's FID, by FID's interval at n and by its limit's. *Near* is a
    generator that is nearly right, *far* one that shrinks and shifts."""
    rows = [["generated", "images × dimensions", "population", "mean FID at n", "covers it",
             "mean limit", "covers it", "mean bias", "mean FID - population"]]  # fmt: skip
    kinds = {"near": (0.95, 0.05), "far": (0.7, 0.5)}
    settings = [(kind, d, per) for kind in kinds for d in (16, 64) for per in (2, 3, 5, 10, 20)]
    for kind, d, per in settings:
        scale, shift = kinds[kind]
        rng, n = np.random.default_rng([21, d, per, scale > 0.9]), per * d
        spectrum = np.arange(1, d + 1) ** -0.5
        truth = float(d * shift**2 + ((1 - scale) ** 2 * spectrum**2).sum())
        found = []
        for seed in range(data_sets):
            x, y = correlated(rng, n, d)
            found.append(
                fid_interval(x * spectrum, scale * y * spectrum + shift, None, RESAMPLES, seed)
            )
        beyond = [each.limit for each in found]
        at_n = float(np.mean([each.estimate for each in found]))
        rows.append([kind, f"{n:,} × {d}", f"{truth:.3f}", f"{at_n:.3f}",
                     share(each.low <= truth <= each.high for each in found),
                     f"{np.mean([each.estimate for each in beyond]):.3f}",
                     share(each.low <= truth <= each.high for each in beyond),
                     f"{np.mean([each.bias for each in beyond]):.3f}",
                     f"{at_n - truth:.3f}"])  # fmt: skip
    return rows


def equal_distances(data_sets: int = 2_000) -> Rows:
    """Two generators whose *expected distances are equal* and whose shapes are not: A shifts, B
    stretches or shrinks. How often are they told apart? At this n (both expected FIDs at n are the
    same), or beyond it (both populations' are). *Exchange* is the test that lets the generators'
    images change places, query by query, which has another hypothesis."""
    settings = [
        *(("FID", n, d, scale, where) for n, d in ((200, 16), (500, 32), (200, 64), (1_000, 64))
          for scale in (1.25, 0.8) for where in ("at n", "beyond")),
        ("FID", 500, 32, 1.08, "at n"), ("FID", 500, 32, 0.93, "at n"), ("FID", 1_000, 64, 0.7, "at n"),
        *(("KID", n, 16, scale, "at n") for n in (200, 500) for scale in (1.25, 0.8)),
    ]  # fmt: skip
    rows = [["distance", "images × dimensions", "B is scaled by", "equal", "p ≤ 0.05",
             "interval leaves 0 out", "exchange p ≤ 0.05"]]  # fmt: skip
    for name, n, d, scale, where in settings:
        seeds = [22, n, d, int(100 * scale), where == "at n"]
        shift = equal_shift(name, n, d, scale, where, seeds)
        rng, found = np.random.default_rng(seeds), []
        for seed in range(data_sets // (1 + (n * d > 20_000))):
            x, a, b = painters(rng, n, d)
            a, b = a + shift, scale * b
            exchanged = exchange_p_value(x, a, b, name, seed)
            found.append((compare_distances(x, a, b, name, None, RESAMPLES, seed), exchanged))
        rows.append([name, f"{n:,} × {d}", f"{scale}", where,
                     share(c.p_value <= 0.05 for c, _ in found),
                     share(c.low > 0 or c.high < 0 for c, _ in found),
                     share(p <= 0.05 for _, p in found)])  # fmt: skip
    return rows


def painters(rng: Generator, n: int, d: int) -> tuple[Array, Array, Array]:
    """Real images, and two independent generators of the same distribution, pair by pair."""
    x = rng.normal(size=(n, d))
    a, b = (0.5 * x + sqrt(0.75) * rng.normal(size=(n, d)) for _ in range(2))
    return x, a, b


def equal_shift(
    name: str, n: int, d: int, scale: float, where: str, seeds: list[int], data_sets: int = 2_000
) -> float:
    """By how much A is shifted in each dimension, for its expected distance to be that of B."""
    if where == "beyond":
        return abs(1 - scale)

    def expected(change: Callable[[Array], Array], count: int) -> float:
        rng = np.random.default_rng([*seeds, 1])
        data = (painters(rng, n, d) for _ in range(count))
        return float(np.mean([value(x, change(a), name) for x, a, _ in data]))

    if name == "FID":  # a shift adds its square to the expected FID
        goal, plain = (expected(lambda a, by=by: by * a, data_sets) for by in (scale, 1.0))
        return sqrt((goal - plain) / d)
    few = data_sets // 4
    goal = expected(lambda a: scale * a, few)
    return float(brentq(lambda shift: expected(lambda a: a + shift, few) - goal, 0, 1, xtol=1e-4))


def value(x: Array, y: Array, name: str) -> float:
    if name == "FID":
        return frechet.distance(Gaussian.of(x), Gaussian.of(y))
    return float(distance_values(x, y, "KID").mean())


def exchange_p_value(x: Array, a: Array, b: Array, name: str, seed: int) -> float:
    """A permutation's that lets a_i and b_i change places, of the distance's first-order part at the
    pooled generated images: exact where the two generators are exchangeable."""
    pooled = of_generated(x, np.concatenate([a, b]), name)
    parts = pooled[: len(a)] - pooled[len(a) :]
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=(RESAMPLES, len(parts)))
    extreme = int((np.abs(signs @ parts) >= abs(parts.sum())).sum())
    return (extreme + 1) / (RESAMPLES + 1)


def of_generated(x: Array, y: Array, name: str) -> Array:
    """The influence of each generated image on the distance, up to a constant."""
    if name == "FID":
        return frechet.influences(Gaussian.of(x), x, Gaussian.of(y), y)[2]
    return 2 * (mmd.mean_kernels(y, y, len(y))[0] - mmd.mean_kernels(x, y, 0)[1])


def exchangeable(data_sets: int = 2_000) -> Rows:
    """Two generators of the same distribution, near the real images or far off: how often are they
    told apart?"""
    rows = [["images × dimensions", "scale, shift", "FID", "KID"]]
    for n, d, scale, shift in ((100, 16, 1.3, 0.3), (50, 16, 1.05, 0.05), (500, 64, 1.05, 0.05)):
        rng, found = np.random.default_rng([23, n, d]), []
        for seed in range(data_sets):
            x, a, b = painters(rng, n, d)
            a, b = scale * a + shift, scale * b + shift
            found.append([compare_distances(x, a, b, name, None, RESAMPLES, seed).p_value <= 0.05
                          for name in ("FID", "KID")])  # fmt: skip
        fid, kid = zip(*found, strict=True)
        rows.append([f"{n:,} × {d}", f"{scale}, {shift}", share(fid), share(kid)])
    return rows


def subsamples(run: Path, sizes: tuple[int, ...] = (200, 500, 1_000), draws: int = 100) -> Rows:
    """The order of a finished run's systems by FID, stated on random parts of its queries, against
    the order on all of them. *True*: it is that of FID of all the queries and that of its limit."""
    real, systems = features(run)
    whole = {name: fid_interval(real, rows, None, 2) for name, rows in systems.items()}
    rows = [["queries", "better", "worse", "p ≤ 0.05", "Holm's p ≤ 0.05", "on all queries"]]
    for n in sizes:
        rng, alone, together = np.random.default_rng([24, n]), Counter(), Counter()
        for _ in range(draws):
            chosen = rng.choice(len(real), n, replace=False)
            pairs = [((a, b), compare_distances(real[chosen], x[chosen], y[chosen], "FID", None, RESAMPLES))
                     for (a, x), (b, y) in combinations(systems.items(), 2)]  # fmt: skip
            for (names, found), p in zip(pairs, holm([c.p_value for _, c in pairs]), strict=True):
                order = names if found.difference < 0 else names[::-1]
                alone[order] += found.p_value <= 0.05
                together[order] += p <= 0.05
        for (better, worse), count in sorted(alone.items()):
            if count:
                rows.append([f"{n:,}", better, worse, str(count), str(together[better, worse]),
                             truth(whole[better], whole[worse])])  # fmt: skip
        if not sum(alone.values()):
            rows.append([f"{n:,}", "none", "none", "0", "0", ""])
    return rows


def truth(better: Distance, worse: Distance) -> str:
    """Whether an order is that of all queries, at their number and beyond it."""
    at_n = better.estimate < worse.estimate
    beyond = better.limit.estimate < worse.limit.estimate
    return {2: "true", 1: "true at n only" if at_n else "true beyond only", 0: "false"}[
        at_n + beyond
    ]


def features(run: Path) -> tuple[Array, dict[str, Array]]:
    """Of the real images, and of each system's, query by query."""
    (file,) = run.glob("tasks/image-generation/features-*.npz")
    real = read_features(file)
    systems = {}
    for path in sorted(run.glob(f"cells/image-generation/*/*/{file.name}")):
        rows = read_features(path)
        systems[path.parent.parent.name] = np.array([rows[query] for query in real], dtype=float)
    return np.array(list(real.values()), dtype=float), systems


PARTS: dict[str, Callable[[], Rows]] = {
    part.__name__: part for part in (kid_of_pairs, limits, equal_distances, exchangeable)
}
"""The tables that need no run, by name."""
