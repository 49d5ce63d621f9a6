"""Every registered measure: a worse result has a worse number, in the direction that it states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from mmragbench.measuring.scoring import estimate, score
from mmragbench.records import (
    Document,
    Image,
    Measure,
    Output,
    OutputKind,
    Query,
    Ranking,
    Task,
    Text,
)
from mmragbench.registry import Component, every, find, find_measure
from support import toy

N = 16
DAMAGE = (0.0, 0.6, 1.0)
"""Shares: of queries with a wrong answer, or of a picture that is noise."""


def colour(i: int) -> str:
    return toy.NAMES[i % len(toy.NAMES)]


def ids() -> list[str]:
    return [f"q{i}" for i in range(N)]


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    """Pictures of one colour; each is its own query's target and a document's."""
    root = tmp_path_factory.mktemp("colours")
    pictures = []
    for i in range(N):
        toy.draw(root / f"{i}.png", colour(i), shade=i)
        pictures.append(Image(f"{i}", root / f"{i}.png"))
    queries = [
        Query(id, pictures[i], Text(f"{id}-text", f"a {colour(i)} picture"))
        for i, id in enumerate(ids())
    ]
    return Task(
        "colours",
        [Document(f"d{i}", picture) for i, picture in enumerate(pictures)],
        queries,
        qrels={id: {f"d{i}": 1} for i, id in enumerate(ids())},
        references={id: (f"a {colour(i)} picture",) for i, id in enumerate(ids())},
        targets=dict(zip(ids(), pictures, strict=True)),
    )


def rankings(task: Task, damage: float) -> list[Ranking]:
    """The relevant document first; for the share of queries, not at all."""
    spoilt = {id for i, id in enumerate(ids()) if i < damage * N}
    orders = {
        id: [f"d{(i + n) % N}" for n in range(1 if id in spoilt else 0, 10)]
        for i, id in enumerate(ids())
    }
    return [Ranking.of(id, [(d, -float(n)) for n, d in enumerate(orders[id])]) for id in ids()]


def texts(damage: float) -> list[Output]:
    """A reference; for the share of queries, that of another colour in other words."""
    wrong = [f"paint that is {colour(i + 3)} once again" for i in range(N)]
    right = [f"a {colour(i)} picture" for i in range(N)]
    return [Output(id, text=(wrong if i < damage * N else right)[i]) for i, id in enumerate(ids())]


def images(task: Task, damage: float, root: Path) -> list[Output]:
    """The targets, with this share of bright noise."""
    draw = np.random.default_rng(0)
    outputs = []
    for id in ids():
        pixels = np.asarray(task.targets[id].open(), dtype=float)
        noise = draw.uniform(128, 255, pixels.shape)
        path = root / f"{id}-{damage}.png"
        mixed = (1 - damage) * pixels + damage * noise
        Pillow.fromarray(mixed.astype(np.uint8)).save(path)
        outputs.append(Output(id, image=Image(f"{id}-{damage}", path)))
    return outputs


def measure_of(component: Component) -> Measure:
    """With a cutoff or features, where it wants them."""
    k = 5 if component.name.endswith("@k") else None
    measure = replace(Measure.parse(component.name.removesuffix("@k")), features=None, cutoff=k)
    try:
        find_measure(measure)
    except Exception:
        return replace(measure, features="colours")
    return measure


def numbers(component: Component, kind: OutputKind, task: Task, root: Path) -> list[float]:
    """Its number at each damage, as a run would store it.

    Skips the test where the measure says why it has none here.
    """
    measure, estimates = measure_of(component), []
    for damage in DAMAGE:
        outputs: Sequence[Output] = []
        if kind != "none":
            outputs = images(task, damage, root) if kind == "image" else texts(damage)
        results: Any = (rankings(task, damage) if kind == "none" else [], outputs)
        variant = replace(task, output=kind)
        (scores,) = score({measure: component}, variant, *results, lambda _: toy.ColourEncoder())[
            "all"
        ]
        if scores.absence is not None:
            pytest.skip(f"{measure}: {scores.absence}")
        number = estimate(scores)[0]
        assert number is not None
        estimates.append(number)
    return estimates


def in_order(component: Component, estimates: Sequence[float]) -> bool:
    """Whether numbers become worse and worse, in the component's direction."""
    sign = -1 if component.info.better == "lower" else 1
    return all(sign * a > sign * b for a, b in zip(estimates, estimates[1:], strict=False))


OURS = [c for c in every("measure") if c.make.__module__.startswith("mmragbench.evals.")]
OWN_TEST = {"MIFID", "Precision", "Recall", "Density", "Coverage", "CopyRate"}
"""Measures that have a test of their own: to MIFID and to the rate of copies a picture with little noise
is a copy; a manifold needs more than a few plain colours."""
CASES = [
    (component, kind)
    for component in OURS
    if Measure.parse(component.name.removesuffix("@k")).name not in OWN_TEST
    for kind in (component.scores or ("none",))
]


@pytest.mark.parametrize(("component", "kind"), CASES, ids=[f"{c.name}-{k}" for c, k in CASES])
def test_a_worse_result_has_a_worse_number(
    component: Component, kind: OutputKind, task: Task, tmp_path: Path
) -> None:
    """From rankings without what is relevant, other captions and answers, or noisier pictures."""
    estimates = numbers(component, kind, task, tmp_path)
    assert in_order(component, estimates), f"{component.name} of {kind}: {estimates}"


@pytest.mark.parametrize(("name", "kind"), [("FID", "image"), ("CIDEr", "caption"), ("RR", "none")])
def test_the_other_direction_would_be_noticed(
    name: str, kind: OutputKind, task: Task, tmp_path: Path
) -> None:
    """The rule above fails for a measure that states the wrong direction."""
    component = find("measure", name)
    better = "higher" if component.info.better == "lower" else "lower"
    wrong = replace(component, info=replace(component.info, better=better))
    estimates = numbers(component, kind, task, tmp_path)
    assert in_order(component, estimates) and not in_order(wrong, estimates)
