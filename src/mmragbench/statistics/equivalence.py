"""Are two systems the same, but for a margin?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mmragbench.statistics.intervals import Bounds
from mmragbench.statistics.noninferiority import loss
from mmragbench.statistics.resampling import Array, Clusters


def equivalence_p_value(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    margin: float,
    clusters: npt.ArrayLike | None = None,
    bounds: Bounds | None = None,
) -> float:
    """The p-value of "the means of `a` and `b` differ by the margin or more".

    Two one-sided tests (Schuirmann 1987), of which the larger p-value counts: neither is worse than
    the other by the margin. Each is the test of non-inferiority by empirical likelihood that `loss`
    is, with a group imagined that lost as much as one can. So queries that agree throughout prove no
    more than so many queries can, which an interval of their differences would not know.

    Args:
        a, b: one value for each query, the same queries in the same order, on the measure's scale.
        margin: the smallest difference that matters, on that scale; above zero.
        clusters: each query's group, as everywhere in this package.
        bounds: the ends of the measure's scale for one query. Where they are not known, the most
            that a group of either system has stands for what can be lost; rare large losses, of
            which the sample has none, can then pass.

    Raises:
        ValueError: no queries, unequal numbers of them, a value that is not finite, or a margin that
            is not above zero.
    """
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if x.shape != y.shape or not len(x):
        raise ValueError(f"a paired comparison needs the same queries; got {len(x)} and {len(y)}")
    worst = (
        abs(bounds[1] - bounds[0]) if bounds else max(_largest(x, clusters), _largest(y, clusters))
    )
    return max(loss(d, margin, worst, clusters).p_holds for d in (x - y, y - x))


def _largest(values: Array, clusters: npt.ArrayLike | None) -> float:
    """The most that a group has, for each query of a group of the usual size."""
    data = Clusters.of(np.abs(values), clusters)
    return float(data.sums.max()) * len(data) / data.n or 1.0
