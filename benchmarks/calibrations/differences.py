"""Do the intervals of differences cover, does the test keep its level, is the power there?"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

import numpy as np

from calibrations import before
from calibrations.draws import (
    NAMES,
    Setting,
    Sizes,
    exchangeable,
    five,
    like_cider,
    like_rr,
    one,
    one_to_ten,
    only_better,
    rare_large,
    rate,
    skewed_gain,
    steady_and_erratic,
    two_gammas,
    two_rates,
    very_uneven,
    with_gain,
)
from calibrations.part import (
    ABOVE,
    BELOW,
    LEVEL,
    Finding,
    Share,
    on_all_cores,
    outside,
    rng,
    table,
)
from mmragbench.statistics import Comparison, compare_all, compare_differences
from mmragbench.statistics.resampling import Array, Clusters
from mmragbench.statistics.studentised import studentised

SETS = 2_000
TESTS = 10_000  # data sets for the test's level, where half a percent matters
POWERS = 1_000
AT_ONCE = 100  # data sets whose queries are grouped alike
RESAMPLES = 2_000
HITS, CIDER = (-1.0, 1.0), (-10.0, 10.0)

SIZES = (25, 50, 100, 200, 400)
RATES = {
    "1.00, 0.97": (two_rates(1.0, 0.97), 0.03, HITS),
    "0.99, 0.97": (two_rates(0.99, 0.97), 0.02, HITS),
    "0.98, 0.95": (two_rates(0.98, 0.95), 0.03, HITS),
    "0.03, 0.00": (two_rates(0.03, 0.0), 0.03, HITS),
    "0.05, 0.02, correlated": (two_rates(0.05, 0.02, 0.5), 0.03, HITS),
    "0.80, 0.70, correlated": (two_rates(0.8, 0.7, 0.5), 0.1, HITS),
    "0.50, 0.50": (two_rates(0.5, 0.5), 0.0, HITS),
    "1 % only better": (only_better(0.01), 0.01, HITS),
    "0.5 % only better": (only_better(0.005), 0.005, HITS),
    "2 CIDEr more on 2 %": (only_better(0.02, 2.0), 0.04, CIDER),
}
COVERED = [
    Setting(name, n, one, draw, truth, bounds)
    for name, (draw, truth, bounds) in RATES.items()
    for n in SIZES
]


def _null(name: str, images: int, sizes: Sizes, draw: object) -> Setting:
    return Setting(name, images, sizes, draw, 0.0)  # type: ignore[arg-type]


EXCHANGEABLE = [
    _null("rates 0.05", 100, one, exchangeable(rate(0.05))),
    _null("rates 0.05", 100, five, exchangeable(rate(0.05, 0.3))),
    _null("rates 0.50", 50, one_to_ten, exchangeable(rate(0.5, 0.3))),
    _null("rates 0.50", 500, five, exchangeable(rate(0.5, 0.3))),
    _null("CIDEr-like", 25, one, exchangeable(like_cider)),
    _null("CIDEr-like", 50, one, exchangeable(like_cider)),
    _null("CIDEr-like", 50, five, exchangeable(like_cider)),
    _null("CIDEr-like", 500, one_to_ten, exchangeable(like_cider)),
    _null("1/rank", 100, five, exchangeable(like_rr)),
]
UNEQUAL = [
    *[_null("3 on 10 %, against steady", g, one, rare_large(0.1)) for g in (25, 50, 100, 400)],
    *[_null("gamma 0.3, gamma 4", g, one, two_gammas) for g in (25, 50, 100, 400)],
    *[_null("steady, erratic", g, five, steady_and_erratic) for g in (100, 500)],
    *[_null("steady, erratic", g, very_uneven, steady_and_erratic) for g in (25, 50, 100, 400)],
]
NULL = EXCHANGEABLE + UNEQUAL

FAMILIES = (1, 20, 500, 5_000)
POWER = [
    Setting("gain 0.2", 0, one, with_gain(0.2), 0.2),
    Setting("gain 0.3", 0, five, with_gain(0.3), 0.3),
    Setting("skewed gain 0.4", 0, one, skewed_gain, 0.4),
    Setting("rates 1.00, 0.97", 0, one, two_rates(1.0, 0.97), 0.03),
    Setting("rates 0.90, 0.80, correlated", 0, one, two_rates(0.9, 0.8, 0.5), 0.1),
]


def batches(setting: Setting, sets: int, *seeds: int) -> Iterator[tuple[list[Array], Array | None]]:
    """Data sets, some at a time whose queries are grouped alike; and their groups."""
    random = rng(*seeds)
    for start in range(0, sets, AT_ONCE):
        labels = setting.labels(random)
        count = min(AT_ONCE, sets - start)
        drawn = [setting.draw(random, labels) for _ in range(count)]
        yield drawn, None if setting.sizes is one else labels


def covered(number: int) -> tuple[Share, Share, Share]:
    """How often the interval of a difference covers: ours, that of 0.4; and how often ours says that
    it is conservative."""
    setting = COVERED[number]
    ours: list[bool] = []
    old: list[bool] = []
    told: list[bool] = []
    for drawn, labels in batches(setting, SETS, 2, number):
        found = compare_all(drawn, labels, [setting.bounds] * len(drawn), RESAMPLES)
        ours += [_covers(each, setting.truth) for each in found]
        told += [each.conservative for each in found]
        old += [_covered_before(x, labels, setting.truth) for x in drawn]
    return Share.of(ours), Share.of(old), Share.of(told)


def _covers(found: Comparison, truth: float) -> bool:
    low, high = found.low, found.high
    return low is not None and high is not None and low <= truth <= high


def _covered_before(x: Array, labels: Array | None, truth: float) -> bool:
    data = Clusters.of(x, labels)
    (draws,) = studentised([data], RESAMPLES, 0)
    low, high = before.difference_interval(x, data, draws.draws)
    return low <= truth <= high


def rejected(number: int) -> tuple[Share, Share, Share]:
    """How often a difference is found that is not there: ours, the sign flip of 0.4; and ours at
    the level of 0.001."""
    setting = NULL[number]
    p: list[float] = []
    flips: list[bool] = []
    for drawn, labels in batches(setting, TESTS, 3, number):
        p += [each.p_value for each in compare_all(drawn, labels, None, RESAMPLES)]
        if len(flips) < SETS:
            data = (Clusters.of(x, labels) for x in drawn)
            flips += [before.sign_flips(each) <= 0.05 for each in data]
    return Share.of(x <= 0.05 for x in p), Share.of(flips), Share.of(x <= 0.001 for x in p)


def power(number: int, tests: int) -> tuple[int, Share]:
    """What a large pilot says is needed in a family of so many tests, and the power there."""
    setting, random = POWER[number], rng(4, number, tests)
    labels = np.repeat(np.arange(50_000), setting.sizes(random, 50_000))
    pilot = setting.draw(random, labels)
    grouped = None if setting.sizes is one else labels
    needed = compare_differences(pilot, grouped, None, RESAMPLES).needed(tests) or 0
    images = ceil(needed * 50_000 / len(labels))
    fresh = Setting("", images, setting.sizes, setting.draw, setting.truth)
    p: list[float] = []
    for drawn, groups in batches(fresh, POWERS, 5, number, tests):
        p += [each.p_value for each in compare_all(drawn, groups)]
    return needed, Share.of(x <= 0.05 / tests for x in p)


def coverage() -> tuple[str, list[Finding]]:
    """The intervals of differences where few queries differ."""
    found = on_all_cores(covered, [(number,) for number in range(len(COVERED))])
    findings, rows = [], []
    for start in range(0, len(COVERED), len(SIZES)):
        cells = []
        for setting, (ours, old, told) in list(zip(COVERED, found, strict=True))[
            start : start + len(SIZES)
        ]:
            careful = "*" if told.value >= 0.5 or (ours.value > ABOVE and told.value > 0.01) else ""
            cells.append(f"{100 * old.value:.0f} → {100 * ours.value:.1f}{careful}")
            name = f"interval of a difference, {setting.name}, n = {setting.images}"
            findings += outside(name, ours, BELOW, 1.0 if careful else ABOVE)
        rows.append([COVERED[start].name, *cells])
    return table(["systems", *(f"n = {n}" for n in SIZES)], rows), findings


def level() -> tuple[str, list[Finding]]:
    """The tests where nothing differs on average."""
    found = on_all_cores(rejected, [(number,) for number in range(len(NULL))])
    findings, rows = [], []
    for setting, (ours, flips, tail) in zip(NULL, found, strict=True):
        kind = "exchangeable" if setting in EXCHANGEABLE else "equal means only"
        rows.append([setting.name, setting.shape, kind, ours, flips, f"{100 * tail.value:.2f}"])
        name = f"test, {setting.name}, {setting.shape}"
        findings += outside(name, ours, high=LEVEL)
    head = ["differences of", "images × queries", "systems", "at 0.05", "sign flip of 0.4",
            "at 0.001"]  # fmt: skip
    return table(head, rows), findings


def powers() -> tuple[str, list[Finding]]:
    """The power with as many queries as needed, in families of several sizes."""
    tasks = [(number, tests) for number in range(len(POWER)) for tests in FAMILIES]
    found = iter(on_all_cores(power, tasks))
    findings, rows = [], []
    for setting in POWER:
        cells = []
        for tests in FAMILIES:
            needed, share = next(found)
            cells.append(f"{needed:,}: {share}")
            name = f"power, {setting.name}, family of {tests:,}"
            findings += outside(name, share, 0.77, 0.83)
        rows.append([setting.name, NAMES[setting.sizes], *cells])
    head = ["difference", "queries an image", *(f"{tests:,} tests" for tests in FAMILIES)]
    return table(head, rows), findings
