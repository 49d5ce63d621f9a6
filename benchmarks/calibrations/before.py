"""The procedures of version 0.4, to show side by side: the sign flip's p-value, and intervals that
were kept within the values seen."""

from __future__ import annotations

import numpy as np
from scipy.special import stdtrit

from mmragbench.statistics.rates import wilson
from mmragbench.statistics.resampling import Array, Clusters
from mmragbench.statistics.studentised import t_values

FLIPS = 2_000


def sign_flips(data: Clusters, seed: int = 0) -> float:
    """Two-sided p-value of the sum, the sign of each cluster's part being a coin's."""
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], (FLIPS, len(data)))
    rounding = 1e-12 * np.abs(data.sums).sum()
    extreme = np.abs(signs @ data.sums) >= abs(data.sums.sum()) - rounding
    return (int(extreme.sum()) + 1) / (FLIPS + 1)


def difference_interval(x: Array, data: Clusters, draws: Array) -> tuple[float, float]:
    """mean -+ the quantile of |t*| (`draws`, ascending), kept within the differences seen."""
    reach = float(np.quantile(draws, 0.95, method="inverted_cdf"))
    if not np.isfinite(reach):
        reach = float(stdtrit(len(data) - 1, 0.975))
    half = reach * sandwich(data)
    return max(data.mean - half, x.min()), min(data.mean + half, x.max())


def score_interval(x: Array, labels: Array | None, resamples: int) -> tuple[float, float]:
    """Wilson's for unclustered hits, else bootstrap-t kept within the values seen."""
    data = Clusters.of(x, labels)
    rate = bool(np.isin(x, (0.0, 1.0)).all())
    if rate and (data.single or data.standard_error == 0):
        return wilson(data, 0.95)
    t, means = t_values([data], resamples, 0)
    ends = np.quantile(t[:, 0], [0.975, 0.025], method="inverted_cdf")
    low, high = data.mean - sandwich(data) * ends
    if not np.isfinite(ends).all():
        low, high = wilson(data, 0.95) if rate else np.quantile(means, [0.025, 0.975])
    return max(float(low), x.min()), min(float(high), x.max())


def sandwich(data: Clusters) -> float:
    """The cluster-robust standard error, sqrt(G / (G - 1) * sum of residuals^2) / n."""
    g = len(data)
    return float(np.sqrt(g / (g - 1) * (data.residuals**2).sum()) / data.n)
