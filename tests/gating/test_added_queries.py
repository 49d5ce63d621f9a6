"""Numbers of whole sets, and what new queries and documents change."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

import mmragbench as mb
from mmragbench.gating.gate_text import summary
from support import toy

SETS = ["FID(colours)", "KID(colours)"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The same suite asked with 30 queries, and with these and 30 others."""
    root = tmp_path_factory.mktemp("added")
    tasks = {
        "text-to-image": {"measures": ["R@5"]},
        "captioning": {
            "generator": ["nearest"],
            "measures": ["R@5", "CIDEr", "Bleu_4", "ROUGE_L"],
        },
        "image-generation": {"generator": ["nearest"], "measures": ["R@5", *SETS]},
    }
    coco = toy.write_coco(root / "coco", memory=40, queries=60)
    suite = toy.suite(coco, strategies={"random": {}, "oracle": {}}, tasks=tasks, baseline="random")
    (root / "toy.yaml").write_text(yaml.safe_dump(suite))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMRAGBENCH_CACHE", str(root / "cache"))
        few, many = (
            mb.run(root / "toy.yaml", [f"dataset.limit={n}"], output=root / f"runs{n}").folder
            for n in (30, 60)
        )
    return few, many


@pytest.fixture(scope="module")
def baseline(runs, tmp_path_factory):
    """Of the 30 queries."""
    path = tmp_path_factory.mktemp("baseline") / "baseline.json"
    mb.save_baseline(runs[0], path, controls=True)
    return path


def swapped(run, target) -> Path:
    """A worse generator: what the oracle's answers were is now what chance drew."""
    shutil.copytree(run, target, ignore=shutil.ignore_patterns("report", "files.json"))
    cells = target / "cells" / "image-generation"
    name = "nearest-k1/features-colours.npz"
    (cells / "oracle" / name).write_bytes((cells / "random" / name).read_bytes())
    return target


def test_distances_are_those_of_the_baselines_queries(runs, baseline):
    """The same generator on more queries is unchanged, to the last digit, and so is its number."""
    gate = mb.gate(runs[1], baseline, measures=SETS, controls=True)
    assert gate.holds
    assert {cell.verdict for cell in gate.cells} == {"unchanged"}
    assert {cell.loss for cell in gate.cells} == {0.0}
    assert [cell.now for cell in gate.cells] == pytest.approx([c.before for c in gate.cells])


def test_a_worse_generator_is_no_better_on_more_queries(runs, baseline, tmp_path):
    """FID falls as queries are added; the verdict and the loss are those of the same queries."""
    few, many = (
        mb.gate(swapped(run, tmp_path / run.parent.name), baseline, measures=SETS, controls=True)
        for run in runs
    )
    assert not few.holds and not many.holds
    assert [cell.verdict for cell in few.cells] == [cell.verdict for cell in many.cells]
    for one, other in zip(few.cells, many.cells, strict=True):
        assert (one.loss, one.p_holds, one.p_lost) == (other.loss, other.p_holds, other.p_lost)
        assert other.now == pytest.approx(other.before + other.loss, rel=1e-5, abs=1e-9)


def test_what_new_queries_make_incomparable_is_said(runs, baseline):
    """CIDEr's document frequencies, Bleu's set and the memory of text-to-image are others; what is
    a query's own holds, silver relevance and ROUGE_L among them."""
    gate = mb.gate(runs[1], baseline, controls=True)
    assert not gate.holds
    verdicts = {(cell.task, cell.measure): cell.verdict for cell in gate.cells}
    assert verdicts == {
        ("text-to-image", "R@5"): "not comparable",
        ("captioning", "R@5"): "unchanged",
        ("captioning", "CIDEr"): "not comparable",
        ("captioning", "Bleu_4"): "not comparable",
        ("captioning", "ROUGE_L"): "unchanged",
        ("image-generation", "R@5"): "unchanged",
        **{("image-generation", name): "unchanged" for name in SETS},
    }
    assert sorted((problem.kind, problem.where) for problem in gate.problems) == [
        ("changed data", "text-to-image"),
        ("other queries", "captioning · Bleu_4"),
        ("signature", "CIDEr"),
        ("signature", "R@5"),
    ]
    assert "text-to-image: 30 documents more than in the baseline" in summary(gate)
    assert "captioning · Bleu_4: the set has 30 queries more than the baseline's 30" in summary(
        gate
    )
    assert "CIDEr's document frequencies come from the references of all queries" in summary(gate)
    assert "other code" not in summary(gate)


def test_data_of_tasks_that_are_not_tested_do_not_matter(runs, baseline):
    """Only measures whose queries are the same are asked for: new documents elsewhere are no
    problem."""
    assert mb.gate(runs[1], baseline, measures=["ROUGE_L", *SETS], controls=True).holds


def test_a_set_that_lost_queries_is_not_compared(runs, tmp_path):
    """Its distance would be that of fewer images, which is larger for the same generator."""
    path = tmp_path / "baseline.json"
    mb.save_baseline(runs[1], path, controls=True)
    gate = mb.gate(runs[0], path, measures=SETS, controls=True)
    assert {cell.verdict for cell in gate.cells} == {"not comparable"}
    assert "30 of the 60 queries of the baseline's set are not in the run's" in summary(gate)
    assert np.isfinite([cell.now for cell in gate.cells]).all()
