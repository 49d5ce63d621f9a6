"""Distances between image sets: the closed forms, and what is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mmragbench.engine.results import scored_from_bytes, scored_to_bytes
from mmragbench.evals.images import images
from mmragbench.measuring.scoring import rows, with_info
from mmragbench.records import Absence, Image, Measure, Output, Query, Task
from mmragbench.registry import find, find_measure
from mmragbench.signature import parse
from mmragbench.statistics import fid_interval, kid_interval

MEASURES = [Measure("FID", "pixels"), Measure("KID", "pixels")]
COMPONENTS = {measure: find_measure(measure) for measure in MEASURES}
Rows = NDArray[np.float32]


def fid(x: Rows, y: Rows) -> float:
    """FID of two sets."""
    return fid_interval(x, y, resamples=9).estimate


def kid(x: Rows, y: Rows, paired: int | None = None) -> float:
    """KID of two sets, or of pairs."""
    return kid_interval(x, y, resamples=9, paired=paired).estimate


class Pixels:
    """Features by the image's id: what an encoder would have made of it."""

    modalities = frozenset({"image"})

    def __init__(self, rows: dict[str, Rows]) -> None:
        self.rows = rows

    def encode_images(self, images: Sequence[Image]) -> Rows:
        return np.stack([self.rows[image.id] for image in images])


def sets(n: int, m: int, d: int, seed: int = 0) -> tuple[Rows, Rows]:
    """Two sets of correlated features with different means."""
    rng = np.random.default_rng(seed)
    mix = rng.normal(size=(d, d)) / np.sqrt(d)
    x, y = rng.normal(size=(n, d)) @ mix, rng.normal(0.1, 1.2, size=(m, d)) @ mix
    return x.astype(np.float32), y.astype(np.float32)


def scipy_fid(x: Rows, y: Rows) -> float:
    """The oracle: Heusel et al.'s formula with scipy's matrix square root."""
    from scipy import linalg

    a, b = (np.cov(rows.astype(np.float64), rowvar=False) for rows in (x, y))
    means = x.astype(np.float64).mean(axis=0) - y.astype(np.float64).mean(axis=0)
    return float(means @ means + np.trace(a) + np.trace(b) - 2 * np.trace(linalg.sqrtm(a @ b)).real)


@pytest.mark.parametrize(("n", "m", "d"), [(300, 300, 32), (200, 150, 64), (60, 80, 128)])
def test_fid_is_the_closed_form(n: int, m: int, d: int) -> None:
    """Equal to scipy's closed form within 1e-6, with fewer images than dimensions too."""
    x, y = sets(n, m, d)
    assert fid(x, y) == pytest.approx(scipy_fid(x, y), rel=1e-6)


def test_fid_is_torchmetrics() -> None:
    """Equal to torchmetrics' within 1e-6."""
    torch = pytest.importorskip("torch")
    from torchmetrics.image.fid import FrechetInceptionDistance

    x, y = sets(120, 100, 48)
    identity = torch.nn.Identity()
    identity.num_features = 48
    metric = FrechetInceptionDistance(feature=identity, normalize=True)
    metric.set_dtype(torch.float64)
    metric.update(torch.from_numpy(x).double(), real=True)
    metric.update(torch.from_numpy(y).double(), real=False)
    assert fid(x, y) == pytest.approx(float(metric.compute()), rel=1e-6)


def test_fid_of_a_set_with_itself_is_zero() -> None:
    """And it is symmetric."""
    x, y = sets(40, 50, 64)
    assert fid(x, x) == pytest.approx(0.0, abs=1e-9)
    assert fid(x, y) == pytest.approx(fid(y, x), rel=1e-12)


def test_kid_is_the_definition() -> None:
    """Equal to the double sum over pairs, for sets of different sizes."""
    x, y = (rows.astype(np.float64) for rows in sets(12, 9, 6))
    kernel = lambda a, b: (a @ b / 6 + 1) ** 3  # noqa: E731
    same_x = [kernel(x[i], x[j]) for i in range(12) for j in range(12) if i != j]
    same_y = [kernel(y[i], y[j]) for i in range(9) for j in range(9) if i != j]
    cross = [kernel(a, b) for a in x for b in y]
    expected = np.mean(same_x) + np.mean(same_y) - 2 * np.mean(cross)
    assert kid(*sets(12, 9, 6)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("paired", "estimator"), [(0, "unbiased"), (60, "u-statistic")])
def test_kid_is_torch_fidelitys(paired: int, estimator: str) -> None:
    """Of two sets of one size: its `unbiased` estimator of independent sets, and its `u-statistic`,
    which leaves the pairs out of the mixed term."""
    pytest.importorskip("torch")
    from torch_fidelity.metric_kid import kernel_poly, mmd2

    x, y = sets(60, 60, 16)
    a, b = x.astype(np.float64), y.astype(np.float64)
    kernels = (kernel_poly(p, q) for p, q in ((a, a), (a, b), (b, b)))
    expected = mmd2(*kernels, mmd_est=estimator)
    assert kid(x, y, paired) == pytest.approx(float(expected), rel=1e-9)


def test_kid_is_torch_fidelitys_mean_over_subsets() -> None:
    """Of one subset that is the whole set, as its front door computes it; above 1,000 images all
    pairs are taken as well."""
    torch = pytest.importorskip("torch")
    from torch_fidelity.metric_kid import kid_features_to_metric

    x, y = sets(1_100, 1_100, 8)
    expected = kid_features_to_metric(
        *(torch.from_numpy(rows).double() for rows in (y, x)),
        kid_subsets=1,
        kid_subset_size=1_100,
        verbose=False,
    )["kernel_inception_distance_mean"]
    assert kid(x, y, paired=0) == pytest.approx(expected, rel=1e-9)


def image_task(n: int) -> tuple[Task, list[Output], Pixels]:
    x, y = sets(n, n, 4)
    rows = {f"real{i}": x[i] for i in range(n)} | {f"made{i}": y[i] for i in range(n)}
    picture = lambda name: Image(name, Path(name))  # noqa: E731
    queries = [Query(f"q{i}") for i in range(n)]
    targets = {f"q{i}": picture(f"real{i}") for i in range(n)}
    outputs = [Output(f"q{i}", image=picture(f"made{i}")) for i in range(n)]
    return Task("t", [], queries, output="image", targets=targets), outputs, Pixels(rows)


def test_failures_stay_failures() -> None:
    """All real images are kept; a failed output is left out, named and counted, never replaced."""
    task, outputs, features = image_task(20)
    outputs[3], outputs[5:6] = Output("q3", error="timeout"), []
    x, y = sets(20, 20, 4)
    generated = np.delete(y, [3, 5], axis=0)
    pairs_first = np.concatenate([np.delete(x, [3, 5], axis=0), x[[3, 5]]])
    results = images(MEASURES, task, [], outputs, features=features)
    expected = [fid(x, generated), kid(pairs_first, generated, paired=18)]
    assert [s.total for s in results] == pytest.approx(expected)
    for scores in results:
        assert [(s.query, s.error) for s in scores.scores] == [
            ("q3", "timeout"),
            ("q5", "no output"),
        ]
        facts = parse(scores.signature)
        assert (facts["n_real"], facts["n_generated"], facts["dims"]) == ("20", "18", "4")


def test_slices_take_their_own_images() -> None:
    """A slice compares its queries' targets with its queries' outputs."""
    task, outputs, features = image_task(20)
    part = task.subset(frozenset(f"q{i}" for i in range(8)))
    x, y = sets(20, 20, 4)
    results = images(MEASURES, part, [], outputs, features=features)
    assert results[0].total == pytest.approx(fid(x[:8], y[:8]))


def test_too_few_images_are_a_reason() -> None:
    """With one image of a kind there is no distance."""
    task, outputs, features = image_task(3)
    scores = images(MEASURES[:1], task, [], outputs[:1], features=features)[0]
    assert scores.total is None
    assert scores.absence == Absence("needs 2 images of each kind: 3 real, 1 generated")


def test_signature_says_what_matters() -> None:
    """The features' name, their size, norm and resize (if they say it), n, and which kernels KID is
    the mean of."""
    task, outputs, features = image_task(6)
    first, second = (s.signature for s in images(MEASURES, task, [], outputs, features=features))
    assert first.startswith("FID(pixels)|dims:4|norm:none|cov:n-1|n_real:6|n_generated:6")
    facts = parse(second)
    assert (facts["mmd"], facts["pairs"], facts["subsets"]) == ("unbiased", "out", "all")
    features.resize = "bilinear-antialias-squash-8"
    for scores in images(MEASURES, task, [], outputs, features=features):
        assert parse(scores.signature)["resize"] == "bilinear-antialias-squash-8"
    assert find("measure", "FID").make is images


def test_fids_limit_stands_in_its_row() -> None:
    """Also after the scores were stored; KID has none, since it is unbiased."""
    task, outputs, features = image_task(20)
    scored = {"all": images(MEASURES, task, [], outputs, features=features)}
    for by_slice in (scored, scored_from_bytes(scored_to_bytes(scored))):
        first, second = rows({"task": "t"}, with_info(by_slice, COMPONENTS))
        assert first["limit"]["estimate"] < first["estimate"]
        assert tuple(first["limit"]["images"]) == (20, 10, 6)
        assert first["halves"]["real"] > 0
        assert not {"limit", "halves"} & set(second)
    few = images(MEASURES[:1], task, [], outputs[:7], features=features)
    (row,) = rows({"task": "t"}, with_info({"all": few}, COMPONENTS))
    assert row["limit"] == {"reason": row["limit"]["reason"]}
    assert "2 images for each of 4 dimensions, 8, and there are 7" in row["limit"]["reason"]


def test_two_sets_are_no_pairs() -> None:
    """Where no query has both, nothing is left out, and the signature does not say that it was."""
    task, outputs, features = image_task(20)
    apart = [replace(output, query=f"other-{output.query}") for output in outputs]
    both = replace(task, queries=[*task.queries, *(Query(output.query) for output in apart)])
    (scores,) = images(MEASURES[1:], both, [], apart, features=features)
    x, y = sets(20, 20, 4)
    assert scores.total == pytest.approx(kid(x, y, paired=0))
    assert "pairs" not in parse(scores.signature)
