"""Runs of one suite under different seeds, put together."""

from __future__ import annotations

import json

import pytest

import mmragbench as mb
from mmragbench.comparing.stored import comparisons
from mmragbench.errors import DataError
from mmragbench.run_folder.over_seeds import of_one_suite
from mmragbench.run_folder.reading import Run, open_run
from mmragbench.verbs import over_seeds, write_reports
from support import toy

pytestmark = pytest.mark.slow  # every test runs suites


@pytest.fixture
def suite(coco):
    tasks = toy.suite(coco)["tasks"]
    tasks["captioning"]["measures"] = ["R@5", "CIDEr", "Bleu_1"]
    return toy.suite(coco, tasks=tasks, slices=["length"])


@pytest.fixture
def runs(suite, tmp_path):
    folders = [mb.run({**suite, "seed": s}, output=tmp_path / "runs").folder for s in (4, 2, 3)]
    return [open_run(folder) for folder in folders]


def test_runs_put_together_are_a_run_with_these_seeds(suite, runs, tmp_path):
    """Row by row, comparison by comparison and value by value, but for the intervals of Bleu on slices,
    which hold those of a run with `seeds:`, whose values per query are known."""
    together = open_run(over_seeds(of_one_suite(runs)))
    at_once = open_run(mb.run({**suite, "seeds": [2, 3, 4]}, output=tmp_path / "runs").folder)
    rows = [run.files.rows("summary.json") for run in (at_once, together)]
    for expected, actual in zip(*rows, strict=True):
        if expected["measure"] == "Bleu_1" and expected["slice"] != "all" and "sd" in expected:
            assert actual["low"] <= expected["low"] and expected["high"] <= actual["high"]
            actual = {**actual, "low": expected["low"], "high": expected["high"]}
        assert actual == expected
    assert comparisons(together) == comparisons(at_once)
    assert together.suite == at_once.suite
    names = [
        [*run.files.listed("cells"), *run.files.listed("seeds")] for run in (at_once, together)
    ]
    assert names[0] == names[1]
    for name in names[0]:
        if not name.endswith("cost.json"):
            assert together.files.digest(name) == at_once.files.digest(name), name
    assert write_reports(together.path).is_file()
    assert "means over them; the outputs shown are of seed 2" in (
        together.path / "report/index.html"
    ).read_text(encoding="utf-8")


def test_a_run_that_was_put_together_is_none_of_the_runs(runs):
    """All runs of a folder, that one among them, are put together again."""
    together = Run(over_seeds(of_one_suite(runs)))
    assert of_one_suite([together, *runs]) == of_one_suite(runs)
    assert of_one_suite(runs[:1]) == of_one_suite([]) == []


def test_what_differs_in_more_than_the_seed_is_refused(suite, runs, tmp_path):
    """One line names the key and both values."""
    dataset = {**suite["dataset"], "memory_limit": 20}
    other = mb.run({**suite, "dataset": dataset, "seed": 9}, output=tmp_path / "runs")
    with pytest.raises(DataError) as error:
        over_seeds(of_one_suite([runs[0], open_run(other.folder)]))
    name = runs[0].path.name
    assert f"dataset.memory_limit is None in {name} and 20 in {other.folder.name}" in str(
        error.value
    )
    assert "\n" not in str(error.value)


def test_changed_data_are_refused(suite, runs, tmp_path, coco):
    """Other pictures under the same suite are named as data."""
    toy.draw(coco / "val2017" / "000000001001.png", "purple")
    other = mb.run({**suite, "seed": 9}, output=tmp_path / "runs")
    with pytest.raises(DataError, match=r"data\.[\w-]+\.\w+_digest is "):
        over_seeds(of_one_suite([runs[0], open_run(other.folder)]))


def test_one_suite_is_one_name_and_as_many_seeds(runs, suite, tmp_path):
    """Runs of another suite, or with the same seed twice, are not put together."""
    other = mb.run({**suite, "name": "other", "seed": 7}, output=tmp_path / "runs")
    assert of_one_suite([*runs, open_run(other.folder)]) == []
    assert of_one_suite([*runs, runs[0]]) == []


def test_failures_name_their_seed(suite, tmp_path):
    """A query that failed under one seed is listed with that seed, as in a run with `seeds:`."""
    suite["tasks"]["captioning"]["generator"] = ["guessing"]
    suite["generators"] = {"guessing": {"use": "support.toy:Guessing"}}
    runs = [mb.run({**suite, "seed": seed}, output=tmp_path / "runs") for seed in (1, 2)]
    together = over_seeds(of_one_suite([open_run(run.folder) for run in runs]))
    at_once = mb.run({**suite, "seeds": [1, 2]}, output=tmp_path / "runs")
    failures = [json.loads((f / "failures.json").read_text()) for f in (together, at_once.folder)]
    assert {row["seed"] for row in failures[0]} == {2}
    first, second = (sorted(json.dumps(r, sort_keys=True) for r in rows) for rows in failures)
    assert first == second
