"""Comparisons with controls, as runs store them."""

from __future__ import annotations

import json

import pytest
import yaml

import mmragbench as mb
from mmragbench.cli.compare import _share
from mmragbench.comparing.decomposition import Gain
from mmragbench.comparing.families import within
from mmragbench.comparing.stored import comparisons
from mmragbench.run_folder.numbers import Row
from mmragbench.run_folder.reading import Run, primary_measure
from support import stated, toy

TASKS = {
    "text-to-image": {"measures": ["RR", "Success@1"]},
    "captioning": {"generator": ["captioner", "nearest"], "k": 3, "measures": ["CIDEr", "Bleu_4"]},
}
STRATEGIES = {
    "no-retrieval": {},
    "random": {},
    "shared-space": {"encoder": "colours"},
    "backwards": {"use": "support.toy:Backwards"},
    "oracle": {},
}

CONTROLS = {"no-retrieval", "random", "oracle"}
CELLS = [
    ("text-to-image", None, "RR"),
    ("text-to-image", None, "Success@1"),
    ("captioning", "nearest", "CIDEr"),
    ("captioning", "nearest", "Bleu_4"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A finished run over coloured pictures."""
    root = tmp_path_factory.mktemp("controls")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMRAGBENCH_CACHE", str(root / "cache"))
        data = toy.write_coco(root / "coco", memory=24, queries=16)
        primary = {"text-to-image": "Success@1"}
        content = toy.suite(data, strategies=STRATEGIES, tasks=TASKS, primary=primary)
        (root / "toy.yaml").write_text(yaml.safe_dump(content))
        return mb.run(root / "toy.yaml", output=root / "runs").folder


def test_contenders_meet_controls_by_every_measure(folder):
    """Every contender against every control that has a number in the same cell; controls meet
    neither each other nor among contenders."""
    pairs = {(p.task, p.generator, p.measure, p.a, p.b) for p in comparisons(Run(folder))}
    controls = {pair for pair in pairs if pair[-1] in CONTROLS}
    assert controls == {
        (task, generator, measure, contender, control)
        for task, generator, measure in CELLS
        for contender in ("shared-space", "backwards")
        for control in ("random", "oracle")
    }
    assert {frozenset(pair[3:]) for pair in pairs - controls} == {
        frozenset(("backwards", "shared-space"))
    }


def test_each_control_is_a_question_of_its_own(folder):
    """Corrected apart from the others, and the primary measure apart from the rest."""
    pairs = [p for p in comparisons(Run(folder)) if p.b in CONTROLS and p.family]
    for pair in pairs:
        rank = "primary" if pair.measure in ("Success@1", "CIDEr") else "secondary"
        assert pair.family == f"{rank} against {pair.b}"


def test_a_run_stores_what_its_scores_give(folder):
    """And what is stored is read again."""
    stored = json.loads((folder / "comparisons.json").read_text())
    assert stored == [pair.row() for pair in within(Run(folder))]
    assert comparisons(Run(folder)) == within(Run(folder))


@pytest.mark.parametrize(
    ("suite", "primary"),
    [
        ({}, "Bleu_4"),
        ({"primary": "R@1"}, "R@1"),
        ({"primary": {"t": "CIDEr"}}, "CIDEr"),
        ({"primary": {"another": "CIDEr"}}, "Bleu_4"),
    ],
)
def test_one_measure_is_primary(suite, primary):
    """The one that the suite names; else the first as listed that has a number, outputs before
    rankings, whichever strategy's rows come first."""
    numbers = [
        ("R@1", None, 0.5),
        ("METEOR", "reader", None),
        ("Bleu_4", "reader", None),
        ("CIDEr", "reader", 0.3),
        ("Bleu_4", "nearest", 0.2),
    ]
    cell = {"task": "t", "strategy": "s"}
    names = ("measure", "generator", "estimate")
    rows = [
        Row.of(stated.row(number[0]) | cell | dict(zip(names, number, strict=True)))
        for number in numbers
    ]
    assert primary_measure(suite, "t", rows) == primary
    assert primary_measure({}, "t", rows[:3]) == "R@1"
    assert primary_measure({}, "t", rows[1:3]) is None


@pytest.mark.parametrize(
    ("estimate", "words"), [(0.3, "below the floor"), (0.6, "50%"), (0.9, "above the ceiling")]
)
def test_a_share_of_the_headroom_lies_between_floor_and_ceiling(estimate, words):
    """Outside, a percentage of it (-414%) says nothing, and words do."""
    gain = Gain(
        "t", None, None, "m", "s", "f", 0.4, estimate, 0.8, estimate - 0.4, 0.8 - estimate, 0.5,
        None, None,
    )  # fmt: skip
    assert _share(gain) == words
