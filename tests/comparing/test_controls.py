"""Comparisons with controls, as runs store them."""

from __future__ import annotations

import json

import pytest
import yaml

import mmragbench as mb
import toy
from mmragbench.compare_cli import _share
from mmragbench.comparing.controls import against_controls
from mmragbench.comparing.evidence import RunFolder
from mmragbench.comparing.main import main_measure
from mmragbench.comparing.sources import Gain
from mmragbench.records import Measure
from mmragbench.statistics import holm

TASKS = {
    "text-to-image": {"measures": ["RR", "Success@1"]},
    "captioning": {"generator": ["captioner", "nearest"], "k": 3, "measures": ["CIDEr", "Bleu_4"]},
}
STRATEGIES = {
    "no-retrieval": {},
    "random": {},
    "shared-space": {"encoder": "colours"},
    "backwards": {"use": "toy:Backwards"},
    "oracle": {},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A finished run over coloured pictures."""
    root = tmp_path_factory.mktemp("controls")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMRAGBENCH_CACHE", str(root / "cache"))
        data = toy.write_coco(root / "coco", memory=24, queries=16)
        content = toy.suite(data, strategies=STRATEGIES, tasks=TASKS)
        (root / "toy.yaml").write_text(yaml.safe_dump(content))
        return mb.run(root / "toy.yaml", output=root / "runs").folder


def test_contenders_meet_controls_by_the_main_measure(folder):
    """Every contender against every control that has a number in the same cell, on all queries."""
    found = {
        (p.task, p.generator, p.measure, p.a, p.b) for p in against_controls(RunFolder(folder))
    }
    assert found == {
        (task, generator, measure, contender, control)
        for task, generator, measure in [
            ("text-to-image", None, "Success@1"),
            ("captioning", "nearest", "CIDEr"),
        ]
        for contender in ("shared-space", "backwards")
        for control in ("random", "oracle")
    }


def test_each_control_is_a_family_of_its_own(folder):
    """Asking more of one control does not make another question harder."""
    pairs = against_controls(RunFolder(folder))
    for task in TASKS:
        for control in ("random", "oracle"):
            family = [p for p in pairs if (p.task, p.b) == (task, control)]
            assert [p.p_holm for p in family] == holm([p.p_value for p in family])


def test_a_run_stores_them_after_those_of_contenders(folder):
    """And what contenders are corrected for stays as it was."""
    stored = json.loads((folder / "comparisons.json").read_text())
    own = [pair.row() for pair in against_controls(RunFolder(folder))]
    assert stored[-len(own) :] == own
    others = {name for pair in stored[: -len(own)] for name in (pair["a"], pair["b"])}
    assert others == {"shared-space", "backwards"}


@pytest.mark.parametrize(
    ("names", "generated", "main"),
    [
        (["R@1", "Success@5", "Success@1"], False, "Success@5"),
        (["RR", "AP"], False, "RR"),
        (["Bleu_4", "CIDEr"], True, "Bleu_4"),
    ],
)
def test_one_measure_stands_for_a_task(names, generated, main):
    """The suite's first; of rankings a Success, whose ceiling is 1 for every query."""
    assert str(main_measure(map(Measure.parse, names), generated)) == main
    assert main_measure([], generated) is None


@pytest.mark.parametrize(
    ("estimate", "told"), [(0.3, "below the floor"), (0.6, "50%"), (0.9, "above the ceiling")]
)
def test_a_share_of_the_headroom_lies_between_floor_and_ceiling(estimate, told):
    """Outside, a percentage of it (-414%) says nothing, and words do."""
    gain = Gain(
        "t", None, None, "m", "s", "f", 0.4, estimate, 0.8, estimate - 0.4, 0.8 - estimate, 0.5,
        None, None,
    )  # fmt: skip
    assert _share(gain) == told
