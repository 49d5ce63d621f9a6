"""Do the intervals cover, do the tests keep their level, is the promised power there?

    python benchmarks/calibration.py            # print the tables
    python benchmarks/calibration.py --write    # and write them to docs/calibration.md

Simulated data whose truth is known; seeds are fixed, so that the output is the same each time.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

import numpy as np
from numpy.random import Generator

from mmragbench.statistics import (
    bootstrap_interval,
    compare,
    fid_interval,
    kid_interval,
    queries_needed,
)
from mmragbench.statistics.distances import fid_comparison, kid_comparison
from mmragbench.statistics.intervals import studentised
from mmragbench.statistics.resampling import Array, Clusters, sign_flip_p_value

DATA_SETS = 1_000
TESTS = 10_000  # data sets for the test's level, where half a percent matters
FEW = 300  # data sets for what is only shown to fail
RESAMPLES = 1_000
DOCUMENT = Path(__file__).parents[1] / "docs" / "calibration.md"

Sizes = Callable[[Generator, int], Array]
Draw = Callable[[Generator, Array], Array]


# What the queries of an image are like: how many there are, and what they score.


def one(rng: Generator, g: int) -> Array:
    return np.ones(g, int)


def five(rng: Generator, g: int) -> Array:
    return np.full(g, 5)


def one_to_ten(rng: Generator, g: int) -> Array:
    return rng.integers(1, 11, g)


def rate(p: float, icc: float) -> Draw:
    """Hits and misses: each image has its own rate (beta), with this intra-class correlation."""

    def draw(rng: Generator, labels: Array) -> Array:
        k = (1 - icc) / icc if icc else 1e9
        own = rng.beta(p * k, (1 - p) * k, labels[-1] + 1)
        return (rng.random(len(labels)) < own[labels]).astype(float)

    return draw


def like_cider(rng: Generator, labels: Array) -> Array:
    """Mean 1, standard deviation 0.8, skewed to the right; a third of the variance is the image's."""
    image = rng.gamma(0.5, 1.0, labels[-1] + 1)
    return image[labels] + rng.gamma(1.0, 1.0, len(labels)) - 0.5


def heavy(rng: Generator, labels: Array) -> Array:
    """Lognormal with sigma 1, skewness 6: more than any measure here shows. Mean 1."""
    z = sqrt(0.3) * rng.normal(size=labels[-1] + 1)[labels]
    return np.exp(z + sqrt(0.7) * rng.normal(size=len(labels)) - 0.5)


def like_rr(rng: Generator, labels: Array) -> Array:
    """1 / rank, the rank mostly 1 (mean 0.90)."""
    z = sqrt(0.4) * rng.normal(size=labels[-1] + 1)[labels]
    z = z + sqrt(0.6) * rng.normal(size=len(labels))
    return 1 / np.ceil(np.exp(np.maximum(1.5 * z - 1.5, -1e-9)))


@dataclass(frozen=True)
class Setting:
    """A kind of data set: so many images, with so many queries each, that score so."""

    name: str
    images: int
    sizes: Sizes
    draw: Draw
    truth: float

    def sample(self, rng: Generator) -> tuple[Array, Array]:
        labels = np.repeat(np.arange(self.images), self.sizes(rng, self.images))
        return self.draw(rng, labels), labels

    @property
    def shape(self) -> str:
        per_image = {one: "1", five: "5", one_to_ten: "1–10"}[self.sizes]
        return f"{self.images:,} × {per_image}"


RR_MEAN = float(like_rr(np.random.default_rng(0), np.arange(4_000_000)).mean())
COVERAGE = [
    *[Setting("rate 0.05", g, one, rate(0.05, 0), 0.05) for g in (50, 200, 1_000)],
    Setting("rate 0.95", 50, one, rate(0.95, 0), 0.95),
    *[Setting("rate 0.05", g, five, rate(0.05, 0.3), 0.05) for g in (50, 200, 1_000)],
    Setting("rate 0.95", 50, five, rate(0.95, 0.3), 0.95),
    Setting("rate 0.95", 100, one_to_ten, rate(0.95, 0.3), 0.95),
    Setting("rate 0.50", 50, one_to_ten, rate(0.5, 0.3), 0.5),
    *[Setting("CIDEr-like", g, one, like_cider, 1.0) for g in (50, 500)],
    *[Setting("CIDEr-like", g, five, like_cider, 1.0) for g in (50, 1_000)],
    Setting("CIDEr-like", 100, one_to_ten, like_cider, 1.0),
    Setting("1/rank", 50, one, like_rr, RR_MEAN),
    Setting("1/rank", 100, five, like_rr, RR_MEAN),
    Setting("1/rank", 200, one_to_ten, like_rr, RR_MEAN),
    Setting("very skewed", 50, five, heavy, 1.0),
    Setting("very skewed", 200, one_to_ten, heavy, 1.0),
]


# Two systems on the same images.


def exchangeable(draw: Draw) -> Draw:
    """Differences of two equally good systems, each with its own strengths on each image."""

    def differences(rng: Generator, labels: Array) -> Array:
        return draw(rng, labels) - draw(rng, labels)

    return differences


def steady_and_erratic(rng: Generator, labels: Array) -> Array:
    """Equal means, but one system is erratic: not exchangeable, the differences are skewed."""
    steady, erratic = rng.gamma(4, 0.25, labels[-1] + 1), rng.gamma(0.5, 2, labels[-1] + 1)
    return (steady - erratic)[labels] + rng.normal(0, 0.5, len(labels))


def with_gain(gain: float) -> Draw:
    """A system that is better by `gain`; half of the spread of the differences is the image's."""

    def differences(rng: Generator, labels: Array) -> Array:
        image = rng.normal(gain, 0.5, labels[-1] + 1)
        return image[labels] + rng.normal(0, 0.5, len(labels))

    return differences


NULL = [
    Setting("rates 0.05", 100, one, exchangeable(rate(0.05, 0)), 0.0),
    Setting("rates 0.05", 100, five, exchangeable(rate(0.05, 0.3)), 0.0),
    Setting("rates 0.50", 50, one_to_ten, exchangeable(rate(0.5, 0.3)), 0.0),
    Setting("rates 0.50", 500, five, exchangeable(rate(0.5, 0.3)), 0.0),
    Setting("CIDEr-like", 50, one, exchangeable(like_cider), 0.0),
    Setting("CIDEr-like", 50, five, exchangeable(like_cider), 0.0),
    Setting("CIDEr-like", 500, one_to_ten, exchangeable(like_cider), 0.0),
    Setting("1/rank", 100, five, exchangeable(like_rr), 0.0),
    Setting("steady, erratic", 100, five, steady_and_erratic, 0.0),
    Setting("steady, erratic", 500, five, steady_and_erratic, 0.0),
]
POWER = [
    Setting("gain 0.1", 0, one, with_gain(0.1), 0.1),
    Setting("gain 0.1", 0, five, with_gain(0.1), 0.1),
    Setting("gain 0.2", 0, one_to_ten, with_gain(0.2), 0.2),
]


# The tables.


def share(hits: Iterable[bool]) -> str:
    """A percentage with its Monte Carlo standard error."""
    found = np.asarray(list(hits), float)
    p = found.mean()
    return f"{100 * p:.1f} ± {100 * sqrt(p * (1 - p) / len(found)):.1f}"


def coverage() -> str:
    """Clustered and naive intervals, and the percentile interval that was not chosen."""
    rows = []
    for number, setting in enumerate(COVERAGE):
        rng = np.random.default_rng([1, number])
        ours, naive, percentile = [], [], []
        for seed in range(DATA_SETS):
            values, labels = setting.sample(rng)
            low, high = bootstrap_interval(values, labels, 0.95, RESAMPLES, seed)
            ours.append(low <= setting.truth <= high)
            if seed < FEW:
                low, high = bootstrap_interval(values, None, 0.95, RESAMPLES, seed)
                naive.append(low <= setting.truth <= high)
            _, means = studentised(Clusters.of(values, labels), RESAMPLES, seed)
            low, high = np.quantile(means, [0.025, 0.975])
            percentile.append(low <= setting.truth <= high)
        clustered = setting.sizes is not one
        rows.append([setting.name, setting.shape, share(ours),
                     share(naive) if clustered else "same", share(percentile)])  # fmt: skip
    return table(["scores", "images × queries", "ours", "naive", "percentile, clustered"], rows)


def null() -> str:
    """Rejections at 0.05 where nothing differs, and whether the interval covers zero."""
    rows = []
    for number, setting in enumerate(NULL):
        rng = np.random.default_rng([2, number])
        ours, naive, covered = [], [], []
        for seed in range(TESTS):
            values, labels = setting.sample(rng)
            sums = Clusters.of(values, labels).sums
            ours.append(sign_flip_p_value(sums, RESAMPLES, seed) <= 0.05)
            if seed < DATA_SETS:
                result = compare(values, 0 * values, labels, RESAMPLES, seed)
                covered.append(result.low <= 0 <= result.high)
                naive.append(sign_flip_p_value(values, RESAMPLES, seed) <= 0.05)
        clustered = setting.sizes is not one
        rows.append([setting.name, setting.shape, share(ours),
                     share(naive) if clustered else "same", share(covered)])  # fmt: skip
    head = ["scores", "images × queries", "ours rejects", "naive rejects", "interval covers 0"]
    return table(head, rows)


def power() -> str:
    """The test's power with as many queries as `queries_needed` asks for, from one large pilot."""
    rows = []
    for number, setting in enumerate(POWER):
        rng = np.random.default_rng([3, number])
        pilot, labels = Setting("", 50_000, setting.sizes, setting.draw, 0).sample(rng)
        pilot += setting.truth - pilot.mean()
        needed = queries_needed(pilot, labels) or 0
        naive = queries_needed(pilot) or 0
        found = [found_with(n, setting, rng) for n in (needed, naive)]
        per_image = {one: "1", five: "5", one_to_ten: "1–10"}[setting.sizes]
        rows.append([setting.name, per_image, f"{needed:,}", found[0], f"{naive:,}",
                     found[1] if setting.sizes is not one else "same"])  # fmt: skip
    head = ["difference", "queries an image", "needed", "power", "needed, naive", "power there"]
    return table(head, rows)


def found_with(queries: int, setting: Setting, rng: Generator) -> str:
    images = round(queries / setting.sizes(rng, 50_000).mean())
    fresh = Setting("", images, setting.sizes, setting.draw, 0)
    found = []
    for seed in range(DATA_SETS):
        values, labels = fresh.sample(rng)
        sums = Clusters.of(values, labels).sums
        found.append(sign_flip_p_value(sums, RESAMPLES, seed) <= 0.05)
    return share(found)


# Pictures as features: correlated in pairs, with a spectrum that falls off.


def pictures(rng: Generator, n: int, d: int, kind: str) -> list[Array]:
    """Real images, and two painters' images for the same captions: equally good ones."""
    spectrum = np.arange(1, d + 1) ** -0.5
    real = rng.normal(size=(n, d))
    stretch, shift = {"far off": (1.3, 0.3), "close": (1.05, 0.05), "uneven": (1.2, 0.2)}[kind]
    weight = np.exp(0.5 * rng.normal(size=(n, 1))) if kind == "uneven" else 1.0
    common = 0.5 * real + 0.5 * rng.normal(size=(n, d))
    drawn = [(common + 0.7 * rng.normal(size=(n, d))) * stretch + shift for _ in range(2)]
    return [real * weight * spectrum, *(x * weight * spectrum for x in drawn)]


PICTURES = [(100, 16, "far off"), (1_000, 16, "far off"), (500, 16, "close"), (500, 16, "uneven"),
            (100, 64, "far off"), (50, 64, "close")]  # fmt: skip

PAINTERS = [(100, 16, "far off"), (100, 16, "uneven"), (50, 64, "close")]


def distances() -> str:
    """Do the intervals cover the distance expected at this number of images?"""
    rows = []
    for number, (n, d, kind) in enumerate(PICTURES):
        rng = np.random.default_rng([4, number])
        fid, kid, again = [], [], []
        for seed in range(DATA_SETS):
            real, generated, _ = pictures(rng, n, d, kind)
            fid.append(fid_interval(real, generated, None, RESAMPLES, seed))
            kid.append(kid_interval(real, generated, None, RESAMPLES, seed))
            if seed < FEW // 3:
                again.append(by_images(real, generated, rng))
        mean_fid, mean_kid = (float(np.mean([x.estimate for x in xs])) for xs in (fid, kid))
        rows.append([kind, f"{n:,} × {d}", f"{mean_fid:.3f}", f"{mean_kid:.4f}",
                     share(x.low <= mean_fid <= x.high for x in fid),
                     share(x.low <= mean_kid <= x.high for x in kid),
                     share(low <= mean_fid <= high for low, high in again)])  # fmt: skip
    head = ["generated", "images × dimensions", "mean FID", "mean KID", "FID covers", "KID covers",
            "FID, images resampled"]  # fmt: skip
    return table(head, rows)


def distance_tests() -> str:
    """Rejections at 0.05 where two painters are equally good."""
    rows = []
    for number, (n, d, kind) in enumerate(PAINTERS):
        rng = np.random.default_rng([5, number])
        rejected: dict[str, list[bool]] = {"FID": [], "KID": []}
        for seed in range(3 * TESTS):
            real, a, b = pictures(rng, n, d, kind)
            for name, parts in (("FID", fid_comparison), ("KID", kid_comparison)):
                _, swaps = parts(real, a, b)
                rejected[name].append(sign_flip_p_value(swaps, RESAMPLES, seed) <= 0.05)
        rows.append([kind, f"{n} × {d}", share(rejected["FID"]), share(rejected["KID"])])
    return table(["generated", "images × dimensions", "FID rejects", "KID rejects"], rows)


def by_images(real: Array, generated: Array, rng: Generator) -> Array:
    """The percentile interval that recomputes FID on 100 resamples of the images."""
    n = len(real)
    drawn = (rng.integers(0, n, n) for _ in range(100))
    fids = [fid_interval(real[rows], generated[rows], None, 2).estimate for rows in drawn]
    return np.quantile(fids, [0.025, 0.975])


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


TEXT = """# Calibration: do the intervals and tests keep their promises?

Output of `python benchmarks/calibration.py --write`. Data are simulated, so the truth is known.
Entries are percentages ± their Monte Carlo standard error: {sets:,} data sets for coverage and power,
{tests:,} for the level of tests, {few} for naive intervals; {resamples:,} resamples in each. A 95 %
interval should cover in 93 to 97 %; a test at 0.05 should reject at most 5.5 % where there is no
difference. *Naive* is the same method told that every query is independent.

## Intervals of a score

`bootstrap_interval`: the studentised bootstrap of whole images (Wilson's interval for rates of
unclustered queries). "images × queries" is the number of images and of queries about each. Where
there are several, their intra-class correlation is about 0.3 (`1/rank`: 0.4 before ranking).

{coverage}
Naive intervals of clustered queries are far too short. The percentile interval, though clustered, is
too short with few images or with rates near 0 and 1, which is why it was not chosen. *Very skewed*
(lognormal, skewness 6) is harder than any measure here.

## Tests where nothing differs

`compare`: the paired sign-flip permutation by image, and the interval of the difference.

{null}
The permutation is exact if the two systems are exchangeable, which is so in all settings but the last
two: there the means are equal, but one system is erratic (skewness 2.8), and with 100 images the test
rejects a little too often; with 500 no longer. No method at hand is exact there.

## Queries needed

With as many queries as `queries_needed` asks for, a fresh experiment should find the difference in
80 % of cases. The naive number is what ignoring the images would have asked for.

{power}
## Distances

`fid_interval` and `kid_interval` bootstrap the influence of each image. What they cover is the
expected distance *at this number of images*; FID's is above that of unlimited images. *Images
resampled* is the percentile interval from recomputing FID on 100 resamples of the images ({fewer}
data sets): the repeated images inflate FID once more, and the interval lies above the truth.
*Uneven* features have heavy tails; *close* means that the two distributions are almost the same.

{distances}
FID's intervals are wider than need be where the sets are close: FID is near its minimum there, and an
image has hardly any first-order influence on the truth, but some on the sample. KID's are a little
short on some hundred images: its spread grows with KID itself, which the first order does not see.

Two painters who are equally good, told apart by exchanging their images (`compare_distances`),
over {thrice:,} data sets. The test is exact, so what exceeds 5.0 is Monte Carlo error:

{distance_tests}"""


def main() -> None:
    start = time.process_time()
    parts = {}
    for part in (coverage, null, power, distances, distance_tests):
        parts[part.__name__] = part()
        seconds = time.process_time() - start
        print(
            f"{parts[part.__name__]}\n({part.__name__}: {seconds:.0f} s of processor time so far)\n",
            flush=True,
        )
    counts = {"sets": DATA_SETS, "tests": TESTS, "thrice": 3 * TESTS, "few": FEW, "fewer": FEW // 3}
    if "--write" in sys.argv:
        DOCUMENT.write_text(TEXT.format(resamples=RESAMPLES, **counts, **parts))


if __name__ == "__main__":
    main()
