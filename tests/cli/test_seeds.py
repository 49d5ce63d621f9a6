"""Several seeds on the command line, from a run to the gate."""

from __future__ import annotations

import json

import pytest
import yaml
from typer.testing import CliRunner

from mmragbench.cli.app import app
from mmragbench.errors import MmragbenchError
from support import toy


def mmragbench(*arguments):
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


@pytest.fixture
def suite(coco, tmp_path):
    """A file of a suite with a generator that draws."""
    tasks = toy.suite(coco)["tasks"]
    tasks["captioning"]["generator"] = ["nearest", "guessing"]
    generators = {"guessing": {"use": "support.toy:Guessing"}}
    path = tmp_path / "toy.yaml"
    path.write_text(yaml.safe_dump(toy.suite(coco, tasks=tasks, generators=generators)))
    return path


def folders(path):
    return sorted(summary.parent for summary in path.glob("*/summary.json"))


def test_from_a_run_to_the_gate(suite, tmp_path):
    """`--seeds` repeats the run; its table has mean ± sd, its page says whose outputs it shows, an export
    and equivalence work, and the gate passes it, but not a run over other seeds."""
    mmragbench("run", suite, "--seeds", 2, "--output", tmp_path / "runs")
    (run,) = folders(tmp_path / "runs")
    page = (run / "report/index.html").read_text(encoding="utf-8")
    assert "means over them; the outputs shown are of seed 0" in page
    assert "Means over seeds 0 and 1: their intervals have both sources of variation" in page
    table = mmragbench(
        "report", run, "--format", "markdown", "--style", "sd", "--measures", "CIDEr"
    ).stdout
    lines = table.splitlines()
    start = next(i for i, line in enumerate(lines) if "guessing" in line)
    assert "±" in lines[start] and "means ± sd over 2 seeds" in table
    assert not any("±" in line for line in lines[:start] if "shared-space" in line)
    assert "seeds 0 and 1" in mmragbench("report", run, "--methods").stdout
    latex = mmragbench("report", run, "--format", "latex", "--style", "sd", "--measures", "CIDEr")
    assert r"\pm" in latex.stdout
    exported = mmragbench("export", run, "--format", "trec", "--output", tmp_path / "trec")
    assert "rankings and outputs are those of seed 0" in exported.stderr
    assert mmragbench("equivalence", run, "--measures", "CIDEr").exit_code == 0
    mmragbench("gate", run, "--save", tmp_path / "baseline.json")
    assert mmragbench("gate", run, "--baseline", tmp_path / "baseline.json").exit_code == 0
    mmragbench("run", suite, "seeds=[0, 3]", "--output", tmp_path / "others")
    (other,) = folders(tmp_path / "others")
    gate = mmragbench("gate", other, "--baseline", tmp_path / "baseline.json")
    assert gate.exit_code == 1
    assert "seeds is 0+1 in the baseline and 0+3 now" in gate.stdout


def test_runs_under_different_seeds_are_one_for_report_and_compare(suite, tmp_path):
    """The comparisons are those of a run with the same seeds; given again with the run that they were put
    together into, they are the same. More than two other runs are refused."""
    for seed in (0, 1):
        mmragbench("run", suite, f"seed={seed}", "--output", tmp_path / "single")
    mmragbench("run", suite, "seeds=2", "--output", tmp_path / "runs")
    (at_once,) = folders(tmp_path / "runs")
    runs = folders(tmp_path / "single")
    rows = [
        json.loads(mmragbench("compare", *given, "--baseline", "all", "--json").stdout)
        for given in (runs, [at_once])
    ]
    assert rows[0] and rows[0] == rows[1]
    page = mmragbench("report", *runs).stdout.strip()
    assert len(folders(tmp_path / "single")) == 3 and page.endswith("report/index.html")
    assert mmragbench("report", *folders(tmp_path / "single")).stdout.strip() == page
    with pytest.raises(MmragbenchError, match="3 runs: give one, two, or runs of one suite"):
        mmragbench("compare", *runs, at_once)


def test_a_plan_counts_what_each_seed_asks(suite):
    """It is made of all seeds, and refuses a number that is none."""
    assert mmragbench("plan", suite, "--seeds", 3).exit_code == 0
    with pytest.raises(MmragbenchError, match="0 seeds; there may be 1 to 100"):
        mmragbench("plan", suite, "--seeds", 0)
