"""What `run` prints at its end, and the commands about runs and names."""

from __future__ import annotations

import json
import os
import shutil

import pytest
from typer.testing import CliRunner

from mmragbench.cli.answer import print_answer
from mmragbench.cli.app import app
from mmragbench.cli.ls import KINDS
from mmragbench.cli.terminal import Terminal
from mmragbench.registry import every
from mmragbench.reporting.words.verdicts import verdicts
from mmragbench.run_folder.reading import Run
from support.fake_run import run as fake_run  # noqa: F401  this is a fixture

runner = CliRunner()


@pytest.fixture
def folder(request, tmp_path, monkeypatch):
    """A run in `runs`, and an older copy of it."""
    monkeypatch.chdir(tmp_path)
    run = request.getfixturevalue("fake_run")
    newer, older = (shutil.copytree(run, tmp_path / "runs" / name) for name in ("new-1", "old-1"))
    os.utime(older / "summary.json", (1, 1))
    return newer


def invoke(*arguments):
    done = runner.invoke(app, arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


def printed(run, width):
    console = Terminal(width=width)
    with console.capture() as capture:
        print_answer(console, run)
    return capture.get()


def test_the_answer_is_the_reports_first_page(folder):
    """Each sentence of it stands there, whole, and each number of the main table."""
    run = Run(folder)
    text = printed(run, 200)
    for verdict in verdicts(run):
        assert all(sentence in text for sentence in (verdict.answer, *verdict.more))
    assert all(strategy in text for strategy in run.strategies)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_main_table_cuts_nothing(folder, width):
    """In a narrow terminal a number's interval stands below it; no text ends in an ellipsis."""
    text = printed(Run(folder), width)
    assert "…" not in text
    assert max(map(len, text[text.index("strategy") :].splitlines()[:4])) <= width


def test_runs_lists_the_newest_first(folder):
    """With the best number of each task; a damaged run is named with what is wrong with it."""
    (folder.parent / "old-1" / "suite.yaml").write_text("strategies: [")
    rows = json.loads(invoke("runs", "--json"))
    assert [row["run"] for row in rows] == ["runs/new-1", "runs/old-1"]
    assert rows[0]["best"] and not rows[0]["problem"]
    assert "suite.yaml" in rows[1]["problem"] and not rows[1]["best"]
    assert "runs/new-1" in invoke("runs")


def test_runs_takes_a_run_itself(folder):
    """And then lists it alone."""
    (row,) = json.loads(invoke("runs", str(folder), "--json"))
    assert row["run"] == str(folder) and row["best"]


def test_a_line_is_not_wrapped_when_piped(folder):
    """However long the names are, so that grep shows all of it."""
    name = "a-run-of-a-long-name-" * 10
    folder.rename(folder.with_name(name))
    assert f"runs/{name} " in invoke("runs")


def test_no_runs_is_one_line(tmp_path, monkeypatch):
    """It says how one is made."""
    monkeypatch.chdir(tmp_path)
    done = runner.invoke(app, ["runs"])
    assert "there is no finished run in runs" in str(done.exception)


def test_latest_is_taken_wherever_a_run_is(folder):
    """`compare latest` says what `compare runs/new-1` says."""
    assert invoke("compare", "latest", "--json") == invoke("compare", "runs/new-1", "--json")
    assert invoke("report", "latest", "--format", "csv") == invoke(
        "report", "runs/new-1", "--format", "csv"
    )


def test_ls_of_a_name_has_its_parameters_and_what_they_mean():
    """With type and default; a name of several kinds is told for each of them."""
    text = invoke("ls", "shared-space")
    assert "strategy shared-space" in text and "encoder" in text and "required" in text
    assert "against the modality gap (Liang et al. 2022)" in text
    assert invoke("ls", "transformers").count("\n\n  ") >= 4
    assert "higher is better" in invoke("ls", "nDCG@10")


def test_ls_lists_suites_and_cuts_nothing():
    """Where nobody looks, every summary is whole; a suite's name prints the suite."""
    text = invoke("ls")
    assert "on COCO's captions, with real models." in text
    assert all(component.summary in text for kind in KINDS for component in every(kind))
    assert "shared-space:" in invoke("ls", "scenes")
    assert "oracle" in invoke("ls", "strategies")
    assert "Did you mean 'shared-space'" in str(runner.invoke(app, ["ls", "shared-spac"]).exception)
