"""Generated images against real ones: distances between two sets, on named features.

Real are the targets of the task's queries, all of them; generated are the images of those queries'
outputs. A failed output leaves the generated set smaller and is an error among the scores: it is
never replaced by another picture. Both distances are 0 or more up to estimation (KID, unbiased, may
fall slightly below), unbounded, and lower is better. KID leaves the pairs of a query's generated and
real image out of its mixed term (`pairs:out`). FID is biased upwards, by an amount that depends on n
and on the generator: no n makes FIDs comparable (Chong and Forsyth 2020), so that FID beyond this n
stands beside it. Sizes, features, dimensions and how the features resize pictures (if they say so)
are in the signature.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mmragbench.contracts import Encoder, Traits, Vectors
from mmragbench.records import Absence, Image, Measure, Output, Ranking, Score, Scores, Task
from mmragbench.registry import measures as registered
from mmragbench.signature import signature

if TYPE_CHECKING:
    from mmragbench.statistics import Distance


@registered("KID", scores=("image",), better="lower", unit="×1000", distance="KID")
@registered("FID", scores=("image",), better="lower", distance="FID")
def images(
    measures: Sequence[Measure],
    task: Task,
    rankings: Sequence[Ranking],
    outputs: Sequence[Output],
    features: Encoder,
    **_: Any,
) -> list[Scores]:
    """Fréchet and kernel distance between the generated and the real images."""
    sets, errors = _sets(task, outputs), _errors(task, outputs)
    n, m = len(sets.real), len(sets.generated)
    if min(n, m) < 2:
        absence = Absence(f"needs 2 images of each kind: {n} real, {m} generated")
        return [Scores(m, signature(m), _failed(task, errors), absence=absence) for m in measures]
    x = np.asarray(features.encode_images(sets.real), dtype=np.float32)
    y = np.asarray(features.encode_images(sets.generated), dtype=np.float32)
    facts = {
        "dims": x.shape[1],
        "norm": "l2" if np.allclose(np.linalg.norm(x, axis=1), 1.0, atol=1e-3) else "none",
        "resize": Traits(features).resize,
    }
    found = [(_distance(measure, x, y, sets), _facts(measure, sets)) for measure in measures]
    return [
        Scores(
            measure,
            signature(measure, **facts, **own, n_real=n, n_generated=m),
            _failed(task, errors),
            distance.estimate,
            n=m,
            interval=(distance.low, distance.high),
            warning=distance.warning,
            details=_details(measure, distance),
        )
        for measure, (distance, own) in zip(measures, found, strict=True)
    ]


@dataclass(frozen=True)
class _Sets:
    """Real and generated images, pairs of one query first, and the groups of pairs, of the other
    real and of the other generated images."""

    real: list[Image]
    generated: list[Image]
    paired: int
    groups: list[str]


def _sets(task: Task, outputs: Sequence[Output]) -> _Sets:
    made = {output.query: output.image for output in outputs if output.image is not None}
    asked = [query for query in task.queries if query.id in task.targets or query.id in made]
    pairs = [query for query in asked if query.id in task.targets and query.id in made]
    real = [query for query in asked if query.id not in made]
    generated = [query for query in asked if query.id not in task.targets]
    return _Sets(
        [task.targets[query.id] for query in (*pairs, *real)],
        [made[query.id] for query in (*pairs, *generated)],
        len(pairs),
        [query.group or query.id for query in (*pairs, *real, *generated)],
    )


def _distance(measure: Measure, real: Vectors, generated: Vectors, sets: _Sets) -> Distance:
    from mmragbench.statistics import fid_interval, kid_interval

    interval = fid_interval if measure.name == "FID" else kid_interval
    return interval(real, generated, sets.groups, paired=sets.paired)


def _facts(measure: Measure, sets: _Sets) -> dict[str, str]:
    if measure.name == "FID":
        return {"cov": "n-1"}
    pairs = {"pairs": "out"} if sets.paired else {}
    return {"kernel": "poly3", "mmd": "unbiased", "subsets": "all"} | pairs


def _details(measure: Measure, distance: Distance) -> dict[str, object]:
    """What stands beside FID in its row: `limit`, FID beyond this n, or why there is none; of few
    images `halves`."""
    if measure.name != "FID":
        return {}
    limit = asdict(distance.limit) if distance.limit else {"reason": distance.refusal}
    return {"limit": limit} | ({"halves": asdict(distance.halves)} if distance.halves else {})


def _errors(task: Task, outputs: Sequence[Output]) -> dict[str, str]:
    by_query = {output.query: output for output in outputs}
    errors = {}
    for query in task.queries:
        output = by_query.get(query.id)
        if output is None:
            errors[query.id] = "no output"
        elif output.image is None:
            errors[query.id] = output.error or "the output is not an image"
    return errors


def _failed(task: Task, errors: dict[str, str]) -> tuple[Score, ...]:
    return tuple(Score(q.id, error=errors[q.id]) for q in task.queries if q.id in errors)
