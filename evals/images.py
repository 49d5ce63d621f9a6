"""Generated images against real ones: distances between two sets, on named features.

Real are the targets of the task's queries, all of them; generated are the images of those queries'
outputs. A failed output leaves the generated set smaller and is an error among the scores: it is
never replaced by another picture. Both distances are 0 or more up to estimation (KID, unbiased, may
fall slightly below), unbounded, lower is better, and depend on n: FID is biased upwards for small
n (Binkowski et al. 2018), so only equal n compare. Sizes, features, dimensions and how the features
resize pictures (if they say so) are in the signature.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmragbench.contracts import Encoder, Vectors
from mmragbench.errors import require
from mmragbench.records import Image, Measure, Output, Ranking, Score, Scores, Task
from mmragbench.registry import measures as registered
from mmragbench.signature import signature, version

ROUNDING = 1e-12
"""What of FID's terms rounding may leave where their difference is zero; the distance is then 0."""
LARGEST_SUBSET = 1000
SUBSETS = 100
SEED = 2020
"""KID over more than 1,000 images: the mean over subsets, with torch-fidelity's defaults."""


@registered("FID", "KID", scores=("image",))
def images(
    measures: Sequence[Measure],
    task: Task,
    rankings: Sequence[Ranking],
    outputs: Sequence[Output],
    features: Encoder,
    **_: Any,
) -> list[Scores]:
    """Fréchet and kernel distance between the generated and the real images."""
    real, generated, errors = _sets(task, outputs)
    if min(len(real), len(generated)) < 2:
        reason = f"needs 2 images of each kind: {len(real)} real, {len(generated)} generated"
        return [Scores(m, signature(m), _failed(task, errors), reason=reason) for m in measures]
    x = np.asarray(features.encode_images(real), dtype=np.float32)
    y = np.asarray(features.encode_images(generated), dtype=np.float32)
    resize = getattr(features, "resize", None)
    return [_scores(measure, task, errors, x, y, resize) for measure in measures]


def _scores(
    measure: Measure,
    task: Task,
    errors: dict[str, str],
    real: Vectors,
    generated: Vectors,
    resize: str | None,
) -> Scores:
    from mmragbench.statistics import fid_interval, kid_interval

    interval = fid_interval if measure.name == "FID" else kid_interval
    distance = interval(real, generated)
    return Scores(
        measure,
        _signature(measure, real, generated, resize),
        _failed(task, errors),
        _distance(measure, real, generated),
        interval=(distance.low, distance.high),
        warning=distance.warning,
    )


def _failed(task: Task, errors: dict[str, str]) -> tuple[Score, ...]:
    return tuple(Score(q.id, error=errors[q.id]) for q in task.queries if q.id in errors)


def _signature(measure: Measure, real: Vectors, generated: Vectors, resize: str | None) -> str:
    facts = {"cov": "n-1"} if measure.name == "FID" else {"kernel": "poly3", "mmd": "unbiased"}
    if measure.name == "KID":
        facts["subsets"] = "all"
        if max(len(real), len(generated)) > LARGEST_SUBSET:
            facts["subsets"] = f"{SUBSETS}x{_subset_size(real, generated)}-seed{SEED}"
            facts["torch-fidelity"] = version("torch-fidelity")
    lengths = np.linalg.norm(real, axis=1)
    norm = "l2" if np.allclose(lengths, 1.0, atol=1e-3) else "none"
    n = {"n_real": len(real), "n_generated": len(generated)}
    return signature(measure, dims=real.shape[1], norm=norm, resize=resize, **facts, **n)


def _sets(task: Task, outputs: Sequence[Output]) -> tuple[list[Image], list[Image], dict[str, str]]:
    by_query = {output.query: output for output in outputs}
    generated, errors = [], {}
    for query in task.queries:
        output = by_query.get(query.id)
        if output is None:
            errors[query.id] = "no output"
        elif output.image is None:
            errors[query.id] = output.error or "the output is not an image"
        else:
            generated.append(output.image)
    real = [task.targets[query.id] for query in task.queries if query.id in task.targets]
    return real, generated, errors


def _distance(measure: Measure, real: Vectors, generated: Vectors) -> float:
    return fid(real, generated) if measure.name == "FID" else kid(real, generated)


def fid(real: Vectors, generated: Vectors) -> float:
    """Fréchet distance of two Gaussians fitted to the features (Heusel et al. 2017).

    |mean difference|² + tr(A) + tr(B) - 2 tr((AB)^½), covariances with n - 1. The last trace is
    the sum of the singular values of XYᵀ / √((n-1)(m-1)), X and Y the centred features: the same
    number as torchmetrics' and scipy's (which the tests compare), in a fraction of their time, and
    stable where there are fewer images than dimensions.
    """
    x, y = real.astype(np.float64), generated.astype(np.float64)
    means = x.mean(axis=0), y.mean(axis=0)
    x, y = (
        _condensed(rows - mean) / np.sqrt(len(rows) - 1)
        for rows, mean in zip((x, y), means, strict=True)
    )
    cross = np.linalg.svd(x @ y.T, compute_uv=False).sum()
    largest = np.square(means[0] - means[1]).sum() + (x**2).sum() + (y**2).sum()
    distance = largest - 2 * cross
    return float(distance) if distance > ROUNDING * largest else 0.0


def _condensed(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """As many rows as dimensions at most, with the same covariance."""
    if rows.shape[0] <= rows.shape[1]:
        return rows
    triangle: NDArray[np.float64] = np.asarray(np.linalg.qr(rows, mode="r"), dtype=np.float64)
    return triangle


def kid(real: Vectors, generated: Vectors) -> float:
    """Unbiased squared MMD with the kernel (x·y / d + 1)³ (Binkowski et al. 2018).

    On all images where there are at most 1,000 of each kind; else torch-fidelity's mean over
    subsets of 1,000, drawn with a fixed seed.
    """
    if max(len(real), len(generated)) <= LARGEST_SUBSET:
        return _mmd(real.astype(np.float64), generated.astype(np.float64))
    return _mmd_of_subsets(real, generated)


def _mmd_of_subsets(real: Vectors, generated: Vectors) -> float:
    require("torch_fidelity", "images")
    import torch
    from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, kid_features_to_metric

    found = kid_features_to_metric(
        torch.from_numpy(generated).double(),
        torch.from_numpy(real).double(),
        kid_subsets=SUBSETS,
        kid_subset_size=_subset_size(real, generated),
        rng_seed=SEED,
        verbose=False,
    )
    return float(found[KEY_METRIC_KID_MEAN])


def _subset_size(real: Vectors, generated: Vectors) -> int:
    return min(LARGEST_SUBSET, len(real), len(generated))


def _mmd(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Over all pairs; the sets may differ in size, which the libraries' form does not allow."""
    n, m, d = len(x), len(y), x.shape[1]
    xx, yy, xy = ((a @ b.T / d + 1) ** 3 for a, b in ((x, x), (y, y), (x, y)))
    within_x = (xx.sum() - np.trace(xx)) / (n * (n - 1))
    within_y = (yy.sum() - np.trace(yy)) / (m * (m - 1))
    return float(within_x + within_y - 2 * xy.mean())
