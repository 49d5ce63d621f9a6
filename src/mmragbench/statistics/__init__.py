"""Intervals of measures and tests of their differences: pure functions of stored scores.

All of them resample *clusters* (the queries about one image together), because five captions of
one image are not five independent observations. `docs/calibration.md` shows that their coverage and
error rates hold, and that those of versions which ignore the clusters do not.
"""

from mmragbench.statistics.comparisons import (
    Comparison,
    compare,
    compare_all,
    compare_differences,
    queries_needed,
)
from mmragbench.statistics.distances import (
    Distance,
    Limit,
    compare_distances,
    distance_values,
    fid_bias,
    fid_interval,
    kid_interval,
)
from mmragbench.statistics.equivalence import equivalence_p_value
from mmragbench.statistics.extrapolation import Halves
from mmragbench.statistics.families import ALPHA, Verdict, holm, indistinguishable_groups, verdict
from mmragbench.statistics.intervals import RESAMPLES, Interval, bootstrap_interval, pseudo_values
from mmragbench.statistics.noninferiority import Design, Loss, loss
from mmragbench.statistics.ratios import Ratio, ratio
from mmragbench.statistics.seeds import interval_of_means, seeds_interval

__all__ = [
    "ALPHA",
    "RESAMPLES",
    "Comparison",
    "Design",
    "Distance",
    "Halves",
    "Interval",
    "Limit",
    "Loss",
    "Ratio",
    "Verdict",
    "bootstrap_interval",
    "compare",
    "compare_all",
    "compare_differences",
    "compare_distances",
    "distance_values",
    "equivalence_p_value",
    "fid_bias",
    "fid_interval",
    "holm",
    "indistinguishable_groups",
    "interval_of_means",
    "kid_interval",
    "loss",
    "pseudo_values",
    "queries_needed",
    "ratio",
    "seeds_interval",
    "verdict",
]
