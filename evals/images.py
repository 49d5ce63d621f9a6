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
from mmragbench.measuring.answers import answers
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
    sets, errors = _sets(task, outputs), answers(task, outputs, "image").errors
    failed = tuple(Score(query, error=error) for query, error in errors.items())
    n, m = len(sets.real), len(sets.generated)
    if min(n, m) < 2:
        absence = Absence(f"needs 2 images of each kind: {n} real, {m} generated")
        return [Scores(name, signature(name), failed, absence=absence) for name in measures]
    real = np.asarray(features.encode_images(sets.real), dtype=np.float32)
    generated = np.asarray(features.encode_images(sets.generated), dtype=np.float32)
    facts: dict[str, object] = {
        "dims": real.shape[1],
        "norm": "l2" if np.allclose(np.linalg.norm(real, axis=1), 1.0, atol=1e-3) else "none",
        "resize": Traits(features).resize,
    }

    def compute(measure: Measure) -> Scores:
        distance = _distance(measure, real, generated, sets)
        described = signature(measure, **facts, **_facts(measure, sets), n_real=n, n_generated=m)
        return _scores(measure, described, failed, distance, m)

    return [compute(measure) for measure in measures]


def _scores(
    measure: Measure, described: str, failed: tuple[Score, ...], distance: Distance, n: int
) -> Scores:
    return Scores(
        measure,
        described,
        failed,
        distance.estimate,
        n=n,
        interval=(distance.low, distance.high),
        warning=distance.warning,
        details=_details(measure, distance),
    )


@dataclass(frozen=True)
class _Sets:
    """The two sets of images that are compared.

    Attributes:
        real, generated: both begin with the images of queries that have one of each, in one order.
        paired: how many these are.
        groups: what is resampled together: of the pairs, then of the other real images, then of the
            other generated ones.
    """

    real: list[Image]
    generated: list[Image]
    paired: int
    groups: list[str]


def _sets(task: Task, outputs: Sequence[Output]) -> _Sets:
    real = task.targets
    generated = {output.query: output.image for output in outputs if output.image is not None}
    queries = [query for query in task.queries if query.id in real or query.id in generated]
    pairs = [query for query in queries if query.id in real and query.id in generated]
    real_only = [query for query in queries if query.id not in generated]
    generated_only = [query for query in queries if query.id not in real]
    return _Sets(
        [real[query.id] for query in (*pairs, *real_only)],
        [generated[query.id] for query in (*pairs, *generated_only)],
        len(pairs),
        [query.group or query.id for query in (*pairs, *real_only, *generated_only)],
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
