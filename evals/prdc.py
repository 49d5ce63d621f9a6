"""Precision and recall, density and coverage of generated pictures against real ones, on named features.

Each set spans a manifold: the balls around its pictures, each as large as the distance to the k-th
nearest other picture of the same set (Euclidean, closed).

- `Precision`: the share of generated pictures that lie in a ball of a real one; `Recall`: the share of
  real pictures that lie in a ball of a generated one (Kynkäänniemi et al. 2019, "Improved Precision and
  Recall Metric for Assessing Generative Models"; k = 3, as there).
- `Density`: the number of real balls that a generated picture lies in, divided by k, which may exceed
  1; `Coverage`: the share of real pictures whose ball has a generated one in it (Naeem et al. 2020,
  "Reliable Fidelity and Diversity Metrics for Generative Models"; k = 5, as there).

`Precision(clip)@10` takes k = 10. Higher is better. All depend on the sizes of both sets and on k,
which are in the signature. Real are the targets of the task's queries, generated the images of their
outputs. Precision and density are means over the generated pictures, recall and coverage over the real
ones, and each has the value of its query, so that systems are compared query by query, given the two
sets: the manifolds are those of all queries, also for a slice. A query whose output failed has an error;
its real picture still spans the manifold. `R@k` and `P@k` are of rankings and something else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmragbench.contracts import Encoder, Traits
from mmragbench.measuring.answers import Rows, answers, per_query
from mmragbench.records import Measure, Output, Ranking, Scores, Task
from mmragbench.registry import measures as registered
from mmragbench.signature import signature

K = {"Precision": 3, "Recall": 3, "Density": 5, "Coverage": 5}
"""Measure -> the k of its paper."""

OF_REAL = ("Recall", "Coverage")
"""The measures that are means over the real pictures."""

PART = 512
"""Pictures whose distances to all others are in memory together."""


class Sets(NamedTuple):
    """The features of the two sets by query, and why a query has no generated picture."""

    real: Mapping[str, Rows]
    generated: Mapping[str, Rows]
    errors: Mapping[str, str]

    @property
    def paired(self) -> bool:
        """Whether generated pictures belong to the queries of real ones; those of two folders may not."""
        return not self.generated or not self.real.keys().isdisjoint(self.generated)


class Neighbours(NamedTuple):
    """Of each generated picture in how many real balls it lies; of each real picture whether it lies
    in a generated ball, and whether its own ball has a generated picture in it."""

    real_balls: NDArray[np.int64]
    recalled: NDArray[np.bool_]
    covered: NDArray[np.bool_]


@registered(
    *("Precision", "Precision(features)@k", "Recall", "Recall(features)@k"),
    *("Coverage", "Coverage(features)@k"),
    scores=("image",),
    unit="%",
    margin=0.05,
)
@registered("Density", "Density(features)@k", scores=("image",), margin=0.05)
def prdc(
    measures: Sequence[Measure],
    task: Task,
    rankings: Sequence[Ranking],
    outputs: Sequence[Output],
    features: Encoder,
    **_: Any,
) -> list[Scores]:
    """Whether generated pictures look real, and whether they are as diverse as the real ones."""
    images, errors = answers(task, outputs, "image")
    targets = {query.id: task.targets[query.id] for query in task.queries
               if query.id in task.targets}  # fmt: skip
    real, generated = (
        dict(zip(own, np.asarray(features.encode_images([*own.values()]), np.float64), strict=True))
        for own in (targets, images)
    )
    sets = Sets(real, generated, errors)
    return [_scores(measure, task, sets, Traits(features).resize) for measure in measures]


def _scores(measure: Measure, task: Task, sets: Sets, resize: str | None) -> Scores:
    k = measure.cutoff or K[measure.name]
    n, m = len(sets.real), len(sets.generated)
    values = _values(measure.name, sets, k) if min(n, m) > k else {}
    # Of two sets that are no pairs, every picture is scored, and none is another's missing output.
    errors = sets.errors if sets.paired else {}
    described = signature(
        measure,
        k=k,
        dims=len(next(iter(sets.real.values()), ())),
        resize=resize,
        n_real=n,
        n_generated=m,
        n=len(values.keys() - errors.keys()),
    )
    reason = f"needs more than k = {k} images of each kind: {n} real, {m} generated"
    bounds = (0.0, max(n, 1) / k if measure.name == "Density" else 1.0)
    return per_query(measure, task, values, errors, described, bounds=bounds, reason=reason)


def _values(name: str, sets: Sets, k: int) -> dict[str, float]:
    """Query -> the value of its real or its generated picture."""
    near = neighbours(np.stack([*sets.real.values()]), np.stack([*sets.generated.values()]), k)
    of_pictures = {
        "Precision": near.real_balls > 0,
        "Density": near.real_balls / k,
        "Recall": near.recalled,
        "Coverage": near.covered,
    }
    queries = sets.real if name in OF_REAL else sets.generated
    return dict(zip(queries, of_pictures[name].astype(float).tolist(), strict=True))


def neighbours(real: Rows, generated: Rows, k: int) -> Neighbours:
    """Which pictures lie in which balls; `real` is (n, d), `generated` (m, d), k below n and m."""
    from scipy.spatial.distance import cdist

    of_real, of_generated = radii(real, k), radii(generated, k)
    real_balls = np.zeros(len(generated), np.int64)
    recalled, covered = [], []
    for start in range(0, len(real), PART):
        distances = cdist(real[start : start + PART], generated)
        inside = distances <= of_real[start : start + PART, None]
        real_balls += inside.sum(axis=0)
        covered.append(inside.any(axis=1))
        recalled.append((distances <= of_generated).any(axis=1))
    return Neighbours(real_balls, np.concatenate(recalled), np.concatenate(covered))


def radii(points: Rows, k: int) -> Rows:
    """The distance of each point to its k-th nearest other one."""
    from scipy.spatial.distance import cdist

    parts = (points[start : start + PART] for start in range(0, len(points), PART))
    # A point itself is at distance 0, before all others.
    return np.concatenate([np.partition(cdist(part, points), k, axis=1)[:, k] for part in parts])
