"""Do the intervals of scores cover?"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from calibrations import before
from calibrations.draws import (
    RR_MEAN,
    Setting,
    fifth,
    five,
    heavy,
    like_cider,
    like_rr,
    one,
    one_to_ten,
    rate,
    sparse,
)
from calibrations.part import ABOVE, BELOW, Finding, Share, on_all_cores, outside, rng, table
from mmragbench.statistics import bootstrap_interval
from mmragbench.statistics.resampling import Clusters
from mmragbench.statistics.studentised import t_values

SETS = 2_000
FEW = 300  # data sets for what is only shown to fail
RESAMPLES = 2_000
HITS, CIDER, FIFTH = (0.0, 1.0), (0.0, 10.0), (0.0, 0.2)

SETTINGS = [
    *[Setting("rate 0.05", g, one, rate(0.05), 0.05, HITS) for g in (50, 200, 1_000)],
    Setting("rate 0.95", 50, one, rate(0.95), 0.95, HITS),
    *[Setting("rate 0.05", g, five, rate(0.05, 0.3), 0.05, HITS) for g in (50, 200, 1_000)],
    Setting("rate 0.95", 50, five, rate(0.95, 0.3), 0.95, HITS),
    Setting("rate 0.95", 100, one_to_ten, rate(0.95, 0.3), 0.95, HITS),
    Setting("rate 0.50", 50, one_to_ten, rate(0.5, 0.3), 0.5, HITS),
    *[Setting("R@1 of five, 0.98 / 5", g, one, fifth(0.98), 0.196, FIFTH) for g in (25, 50, 100)],
    Setting("R@1 of five, 0.95 / 5", 25, one, fifth(0.95), 0.19, FIFTH),
    Setting("R@1 of five, 0.05 / 5", 100, one, fifth(0.05), 0.01, FIFTH),
    *[Setting("CIDEr-like", g, one, like_cider, 1.0, CIDER) for g in (2, 3, 4, 6, 10, 50, 500)],
    *[Setting("CIDEr-like", g, five, like_cider, 1.0, CIDER) for g in (50, 1_000)],
    Setting("CIDEr-like", 100, one_to_ten, like_cider, 1.0, CIDER),
    Setting("1/rank", 50, one, like_rr, RR_MEAN, HITS),
    Setting("1/rank", 100, five, like_rr, RR_MEAN, HITS),
    Setting("1/rank", 200, one_to_ten, like_rr, RR_MEAN, HITS),
    *[Setting("mostly 0, 2 % not", 100, one, sparse(0.02), 0.04, CIDER)],
    *[Setting("mostly 0, 5 % not", g, one, sparse(0.05), 0.1, CIDER) for g in (25, 50)],
    *[Setting("mostly 0, 10 % not", g, one, sparse(0.1), 0.2, CIDER) for g in (25, 50)],
    Setting("very skewed", 50, five, heavy, 1.0, None),
    Setting("very skewed", 200, one_to_ten, heavy, 1.0, None),
]


def measured(number: int) -> tuple[Share, ...]:
    """How often the interval covers: ours, that of 0.4, naive, clustered percentiles."""
    setting, random = SETTINGS[number], rng(1, number)
    found: tuple[list[bool], ...] = ([], [], [], [])
    for seed in range(SETS):
        labels = setting.labels(random)
        x = setting.draw(random, labels)
        clusters = None if setting.sizes is one else labels
        intervals = [
            bootstrap_interval(x, clusters, 0.95, RESAMPLES, 0, setting.bounds),
            before.score_interval(x, clusters, RESAMPLES),
        ]
        if seed < FEW:
            intervals.append(bootstrap_interval(x, None, 0.95, RESAMPLES, 0, setting.bounds))
            _, means = t_values([Clusters.of(x, clusters)], RESAMPLES, 0)
            intervals.append(tuple(np.quantile(means, [0.025, 0.975])))
        for column, (low, high) in zip(found, intervals, strict=False):
            column.append(low is not None and low - 1e-12 <= setting.truth <= high + 1e-12)
    return tuple(map(Share.of, found))


def part() -> tuple[str, list[Finding]]:
    """The table, and what lies outside."""
    rows, findings = [], []
    for setting, shares in zip(SETTINGS, _all(), strict=True):
        ours, old, naive, percentile = shares
        unclustered = setting.sizes is one
        rows.append(
            [setting.name, setting.shape, ours, old, "same" if unclustered else naive, percentile]
        )
        name = f"{setting.name}, {setting.shape}"
        findings += outside(f"interval of a score, {name}", ours, BELOW, ABOVE)
    head = ["scores", "images × queries", "covers", "0.4", "naive", "percentile, clustered"]
    return table(head, rows), findings


def _all() -> Iterable[tuple[Share, ...]]:
    return on_all_cores(measured, [(number,) for number in range(len(SETTINGS))])
