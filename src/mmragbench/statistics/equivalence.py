"""Test of equivalence: two systems differ by less than a margin."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mmragbench.statistics.intervals import Bounds
from mmragbench.statistics.noninferiority import loss
from mmragbench.statistics.resampling import Array, Clusters
from mmragbench.statistics.seeds import OverSeeds, averaged
from mmragbench.statistics.studentised import Student


def equivalence_p_value(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    margin: float,
    clusters: npt.ArrayLike | None = None,
    bounds: Bounds | None = None,
) -> float:
    """The p-value of "the means of `a` and `b` differ by the margin or more".

    Two one-sided tests (Schuirmann 1987), of which the larger p-value counts: neither is worse than
    the other by the margin. Each is the non-inferiority test by empirical likelihood of `loss`, to
    which a group is added that lost as much as a group can. So a few queries that all agree prove
    little, while an interval of their differences would have no width.

    Means over several seeds also have to be equivalent by Student's t with both sources of variation
    (`mmragbench.statistics.seeds`).

    Args:
        a, b: one value for each query, the same queries in the same order, on the measure's scale; or
            (seeds, queries), one of them alone too.
        margin: the smallest difference that matters, on that scale; above zero.
        clusters: the label of each query's group; without labels every query is its own.
        bounds: the ends of the measure's scale for one query. Without them the largest value of a
            group of either system is taken for the largest loss; rare larger losses, of which the
            sample has none, can then pass.

    Raises:
        ValueError: no queries, unequal numbers of them, a value that is not finite, or a margin that
            is not above zero.
    """
    of_a, of_b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if of_a.shape[-1] != of_b.shape[-1] or not of_a.shape[-1]:
        sizes = f"{of_a.shape[-1]} and {of_b.shape[-1]}"
        raise ValueError(f"a paired comparison needs the same queries; got {sizes}")
    (x, _), (y, _) = averaged(of_a), averaged(of_b)
    worst = (
        abs(bounds[1] - bounds[0]) if bounds else max(_largest(x, clusters), _largest(y, clusters))
    )
    of_queries = [loss(d, margin, worst, clusters).p_holds for d in (x - y, y - x)]
    return max(*of_queries, _over_seeds(of_a - of_b, margin, clusters))


def _over_seeds(differences: Array, margin: float, clusters: npt.ArrayLike | None) -> float:
    """The p-value of the two one-sided tests over seeds; 0 where there is one seed."""
    mean, variation = averaged(differences, clusters)
    if variation is None:
        return 0.0
    data = Clusters.of(mean, clusters)
    both = OverSeeds(Student(data.mean, data.standard_error, len(data)), variation)
    if not abs(data.mean) < margin:
        return 1.0
    return max(both.p_value(end) for end in (-margin, margin)) / 2


def _largest(values: Array, clusters: npt.ArrayLike | None) -> float:
    """The largest total of a group, divided by the mean size of groups."""
    data = Clusters.of(np.abs(values), clusters)
    return float(data.sums.max()) * len(data) / data.n or 1.0
