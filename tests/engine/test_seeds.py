"""Several seeds in one run: what is repeated, what is not, and what is stored of it."""

from __future__ import annotations

import json

import numpy as np
import pytest

import mmragbench as mb
from mmragbench.errors import SuiteError
from mmragbench.run_folder.paths import Setting
from mmragbench.run_folder.reading import open_run
from support import toy

KEY = ("task", "strategy", "generator", "k", "slice", "measure")


def rows(run):
    return {tuple(row[name] for name in KEY): row for row in run.rows}


@pytest.fixture
def suite(coco):
    tasks = toy.suite(coco)["tasks"]
    tasks["captioning"]["generator"] = ["nearest", "guessing"]
    generators = {"guessing": {"use": "support.toy:Guessing"}}
    return toy.suite(coco, tasks=tasks, generators=generators)


@pytest.fixture
def over_seeds(suite, tmp_path):
    return mb.run({**suite, "seeds": [0, 1, 3]}, output=tmp_path / "runs")


def test_numbers_are_those_of_a_run_for_each_seed(suite, over_seeds, tmp_path):
    """Each seed's number is that of a run with this seed, a row's the mean, `sd` theirs by n - 1; a row
    that does not depend on the seed is that of a single run, key by key."""
    single = [rows(mb.run({**suite, "seed": s}, output=tmp_path / "runs")) for s in (0, 1, 3)]
    repeated = 0
    for key, row in rows(over_seeds).items():
        own = [of_seed[key] for of_seed in single]
        if "sd" not in row:
            assert row == own[0] == own[1] == own[2]
            continue
        repeated += 1
        estimates = [other["estimate"] for other in own]
        assert row["by_seed"] == estimates and row["seeds"] == 3
        assert row["estimate"] == pytest.approx(np.mean(estimates))
        assert row["sd"] == pytest.approx(np.std(estimates, ddof=1))
        assert row["low"] <= row["estimate"] <= row["high"]
        assert "|seeds:0+1+3|" in row["signature"]
    depends = {
        key[1] for key, row in rows(over_seeds).items() if "sd" in row and key[2] != "guessing"
    }
    assert repeated and depends == {"random"}


def test_what_takes_no_seed_is_computed_once(suite, tmp_path, monkeypatch):
    """An encoder is asked as often under three seeds as under one."""
    calls = []
    for number, seeds in enumerate(([0], [0, 1, 3])):
        monkeypatch.setenv("MMRAGBENCH_CACHE", str(tmp_path / f"cache{number}"))
        monkeypatch.setattr(toy.ColourEncoder, "calls", asked := [])
        mb.run({**suite, "seeds": seeds}, output=tmp_path / f"runs{number}")
        calls.append(asked)
    assert calls[0] and calls[0] == calls[1]


def test_each_seeds_values_are_stored(over_seeds):
    """A query's stored value is the mean of its values under the seeds, which are stored beside it, with
    the outputs that they are of; what does not depend on the seed has no files there."""
    run = open_run(over_seeds.folder)
    setting = Setting("guessing", 3)
    of_run = run.scores("captioning", "oracle", setting)["CIDEr"].values
    by_seed = [run.scores("captioning", "oracle", setting, s)["CIDEr"].values for s in run.seeds]
    for query, value in of_run.items():
        assert value == pytest.approx(np.mean([values[query] for values in by_seed]))
    folder = over_seeds.folder / "seeds"
    assert (folder / "1/cells/captioning/oracle/guessing-k3/outputs.jsonl").is_file()
    assert not (folder / "0/cells/captioning/oracle/guessing-k3/outputs.jsonl").exists()
    assert not (folder / "1/cells/captioning/oracle/nearest-k1").exists()
    assert not list(folder.glob("*/cells/*/shared-space/run.trec"))


def test_a_query_that_fails_under_one_seed_is_left_out(suite, tmp_path):
    """It has no value over the seeds, the error says under which, and `failures.json` names it."""
    run = mb.run({**suite, "seeds": [0, 2]}, output=tmp_path / "runs")
    row = rows(run)["captioning", "oracle", "guessing", 3, "all", "CIDEr"]
    assert (row["n"], row["n_failed"]) == (7, 1)
    scores = open_run(run.folder).scores("captioning", "oracle", Setting("guessing", 3))["CIDEr"]
    (error,) = scores.errors.values()
    assert error.endswith("no idea (seed 2)")
    failures = json.loads((run.folder / "failures.json").read_text())
    assert {failure["seed"] for failure in failures} == {2}


def test_the_data_are_drawn_by_their_own_seed(suite, tmp_path):
    """`seed` changes no data: those are drawn by the dataset's own, which does not follow it."""
    dataset = {**suite["dataset"], "limit": 4}
    digests = []
    for seed, own in ((0, {}), (5, {}), (5, {"seed": 5})):
        run = mb.run({**suite, "seed": seed, "dataset": dataset | own}, output=tmp_path / "runs")
        manifest = json.loads((run.folder / "manifest.json").read_text())
        digests.append(manifest["data"]["captioning"]["queries_digest"])
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize(
    "keys, message",
    [
        ({"seed": 3, "seeds": [0, 1]}, "seed is 3, and seeds are [0, 1]; leave one out"),
        ({"seeds": [1, 1]}, "1 is there twice"),
        ({"seeds": 0}, "0 seeds; there may be 1 to 100"),
        ({"seeds": ["a"]}, "seeds: expected a whole number, but it is 'a'"),
    ],
)
def test_seeds_that_do_not_fit_are_refused(suite, keys, message):
    """In one line that says what to do."""
    with pytest.raises(SuiteError) as error:
        mb.plan({**suite, **keys})
    assert message in str(error.value) and "\n" not in str(error.value)


def test_a_number_of_seeds_begins_with_the_suites(suite):
    """`seeds: 3` with `seed: 4` is 4, 5, 6; one seed in a list is `seed`."""
    from mmragbench.planning.plan import load

    plan, _ = load({**suite, "seed": 4}, ["seeds=3"])
    assert (plan.suite.seed, plan.suite.seeds) == (4, [4, 5, 6])
    single, listed = (load({**suite, **keys})[0] for keys in ({"seed": 4}, {"seeds": [4]}))
    assert single.folder == listed.folder
