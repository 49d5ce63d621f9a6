"""Precision, recall, density and coverage against their definitions and two other implementations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mmragbench.errors import SuiteError
from mmragbench.evals.prdc import neighbours, prdc, radii
from mmragbench.measuring.scoring import estimate, score
from mmragbench.records import Image, Measure, Output, Query, Scores, Task
from mmragbench.registry import find_measure, named_measures
from mmragbench.signature import parse

Rows = NDArray[np.float64]
NAMES = ("Precision", "Recall", "Density", "Coverage")


class Features:
    """Features by the image's id: what an encoder would have made of it."""

    modalities = frozenset({"image"})

    def __init__(self, **rows: Rows) -> None:
        self.rows = rows

    def encode_images(self, images: Sequence[Image]) -> Rows:
        return np.stack([self.rows[kind][int(n)] for kind, n in (i.id.split("-") for i in images)])


def image(kind: str, n: int) -> Image:
    return Image(f"{kind}-{n}", Path(f"{kind}-{n}"))


def scored(real: Rows, generated: Rows, k: int | None = None, failed: int = 0) -> dict[str, Scores]:
    """The four measures of two sets: of pairs, the i-th generated picture beside the i-th real one, where
    they are as large; the last outputs failed."""
    own = "q" if len(real) == len(generated) else "made-"
    targets = {f"q{i}": image("real", i) for i in range(len(real))}
    answered = range(len(generated) - failed)
    outputs = [Output(f"{own}{i}", image=image("generated", i)) for i in answered]
    outputs += [Output(f"{own}{len(generated) - n - 1}", error="it failed") for n in range(failed)]
    queries = [Query(id) for id in dict.fromkeys([*targets, *(o.query for o in outputs)])]
    task = Task("image-generation", [], queries, output="image", targets=targets)
    features = Features(real=real, generated=generated)
    measures = [Measure(name, "f", k) for name in NAMES]
    results = prdc(measures, task, [], outputs, features=features)
    return {scores.measure.name: scores for scores in results}


def sets(n: int, m: int, shift: float = 0.3, scale: float = 0.8) -> tuple[Rows, Rows]:
    """Real and generated points in 16 dimensions."""
    draw = np.random.default_rng(0)
    return draw.normal(size=(n, 16)), draw.normal(shift, scale, size=(m, 16))


def by_definition(real: Rows, generated: Rows, k: int) -> dict[str, float]:
    """The papers' formulas, picture by picture."""

    def radius(points: Rows, i: int) -> float:
        return float(
            sorted(np.linalg.norm(points[i] - p) for j, p in enumerate(points) if j != i)[k - 1]
        )

    real_radii = [radius(real, i) for i in range(len(real))]
    own_radii = [radius(generated, j) for j in range(len(generated))]
    gaps = [[float(np.linalg.norm(x - y)) for y in generated] for x in real]
    inside = np.array([[gap <= r for gap in row] for row, r in zip(gaps, real_radii, strict=True)])
    recalled = [any(g <= r for g, r in zip(row, own_radii, strict=True)) for row in gaps]
    return {
        "Precision": float(inside.any(axis=0).mean()),
        "Recall": float(np.mean(recalled)),
        "Density": float(inside.sum(axis=0).mean() / k),
        "Coverage": float(inside.any(axis=1).mean()),
    }


@pytest.mark.parametrize("k", [1, 3, 5])
def test_the_definitions(k: int) -> None:
    """The four numbers are those of the papers' formulas, for sets of different sizes too."""
    real, generated = sets(60, 45)
    results = scored(real, generated, k)
    expected = by_definition(real, generated, k)
    assert {name: estimate(s)[0] for name, s in results.items()} == pytest.approx(expected)
    assert 0.05 < expected["Recall"] < expected["Precision"] < 1 != expected["Coverage"]


def test_the_papers_k() -> None:
    """Without k, precision and recall take 3 neighbours and density and coverage 5."""
    real, generated = sets(60, 45)
    results = scored(real, generated)
    assert [parse(results[name].signature)["k"] for name in NAMES] == ["3", "3", "5", "5"]
    for name, scores in results.items():
        k = int(parse(scores.signature)["k"])
        assert estimate(scores)[0] == pytest.approx(by_definition(real, generated, k)[name])


def test_parity_with_torch_fidelity() -> None:
    """torch-fidelity's precision and recall of the same features."""
    import torch
    from torch_fidelity.metric_prc import prc_features_to_metric

    real, generated = sets(700, 600)
    theirs = prc_features_to_metric(
        torch.from_numpy(generated), torch.from_numpy(real), verbose=False
    )
    results = scored(real, generated)
    ours = {name: estimate(results[name])[0] for name in ("Precision", "Recall")}
    assert ours == pytest.approx({"Precision": theirs["precision"], "Recall": theirs["recall"]})


def test_parity_with_scikit_learn() -> None:
    """Density and coverage from scikit-learn's neighbours, as the authors' code computes them."""
    from sklearn.metrics import pairwise_distances
    from sklearn.neighbors import NearestNeighbors

    real, generated = sets(700, 600)
    own, _ = NearestNeighbors(n_neighbors=6).fit(real).kneighbors(real)
    inside = pairwise_distances(real, generated) < own[:, -1:]
    results = scored(real, generated)
    assert estimate(results["Density"])[0] == pytest.approx(inside.sum(axis=0).mean() / 5)
    assert estimate(results["Coverage"])[0] == pytest.approx(inside.any(axis=1).mean())


def test_each_number_sees_what_it_is_for() -> None:
    """Pictures that drift away from the real ones lose precision and density; pictures of one part of
    them lose recall and coverage, and keep precision."""
    draw = np.random.default_rng(1)
    real, same = draw.normal(size=(200, 8)), draw.normal(size=(200, 8))
    base, far = scored(real, same), scored(real, same + 1.5)
    part = scored(real, 0.3 * same)
    for name in NAMES:
        a, b = estimate(base[name])[0], estimate(far[name])[0]
        assert a is not None and b is not None and b < a - 0.1
    for name in ("Recall", "Coverage"):
        a, b = estimate(base[name])[0], estimate(part[name])[0]
        assert a is not None and b is not None and b < a - 0.1
    assert estimate(part["Precision"])[0] == 1.0


def test_copies_of_real_pictures() -> None:
    """A copy lies in the ball of what it copies, though all of a set are copies of one picture."""
    real, _ = sets(30, 1)
    copies = scored(real, np.repeat(real[:1], 30, axis=0))
    assert estimate(copies["Precision"])[0] == 1.0
    assert estimate(copies["Recall"])[0] == pytest.approx(1 / 30)


def test_values_belong_to_queries() -> None:
    """Each query has the value of its own picture, whatever the order of the outputs; a failed output
    is an error, and its real picture still spans the manifold."""
    real, generated = sets(30, 30)
    whole, less = scored(real, generated), scored(real, generated, failed=1)
    assert less["Precision"].scores[-1].error == less["Recall"].scores[-1].error == "it failed"
    assert parse(less["Recall"].signature)["n_real"] == "30"
    assert (
        parse(less["Recall"].signature)["n_generated"]
        == parse(less["Recall"].signature)["n"]
        == "29"
    )
    assert less["Precision"].scores[:-1] == whole["Precision"].scores[:-1]
    assert less["Density"].bounds == (0.0, 30 / 5)


def test_too_few_pictures_are_no_number() -> None:
    """A set of k pictures has no k-th nearest other one: the reason says so."""
    real, generated = sets(5, 9)
    results = scored(real, generated, 5)
    for scores in results.values():
        assert (
            str(scores.absence) == "needs more than k = 5 images of each kind: 5 real, 9 generated"
        )
        assert all(s.value is None for s in scores.scores)


def test_two_sets_that_are_no_pairs() -> None:
    """Of two folders without common names, every picture is scored."""
    real, generated = sets(40, 30)
    targets = {f"real-{i}": image("real", i) for i in range(40)}
    outputs = [Output(f"made-{i}", image=image("generated", i)) for i in range(30)]
    queries = [Query(id) for id in (*targets, *(output.query for output in outputs))]
    task = Task("image-generation", [], queries, output="image", targets=targets)
    measures = [Measure(name, "f") for name in NAMES]
    components = {measure: find_measure(measure) for measure in measures}
    features = Features(real=real, generated=generated)
    results = score(components, task, [], outputs, lambda _: features)["all"]  # type: ignore[arg-type, return-value]
    paired = scored(real, generated)
    for scores in results:
        assert estimate(scores)[1:] == (
            (40 if scores.measure.name in ("Recall", "Coverage") else 30),
            0,
        )
        assert scores.interval is not None and scores.interval[0] is not None
    assert estimate(results[0])[0] == estimate(paired["Precision"])[0]


def test_parts_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many pictures are looked at together, the numbers are the same."""
    real, generated = sets(50, 40)
    whole = [*neighbours(real, generated, 3), radii(real, 3)]
    monkeypatch.setattr("mmragbench.evals.prdc.PART", 7)
    for a, b in zip(whole, [*neighbours(real, generated, 3), radii(real, 3)], strict=True):
        np.testing.assert_array_equal(a, b)


def test_k_is_written_behind_the_features() -> None:
    """`Recall(clip)@10` has k = 10. Without features `Recall@10` is refused: of rankings it is R@10."""
    (measure,) = named_measures("Recall(clip)@10")
    assert (measure.name, measure.features, measure.cutoff) == ("Recall", "clip", 10)
    assert find_measure(measure).name == "Recall(features)@k"
    with pytest.raises(SuiteError, match="Recall@10 is R@10 here"):
        find_measure(Measure("Recall", cutoff=10))
    with pytest.raises(
        SuiteError, match=r"write Recall\(name of an encoder\); of rankings it is R"
    ):
        find_measure(Measure("Recall"))
