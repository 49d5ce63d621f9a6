"""What the gate says where: the exit code, the terminal, JUnit, Markdown, annotations, JSON."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys

import junitparser
import numpy as np
import pytest
from typer.testing import CliRunner

import mmragbench as mb
from mmragbench.cli.app import app
from mmragbench.gating.cell_results import CellResult
from mmragbench.gating.comparability import Problem
from mmragbench.gating.gate import Gate
from mmragbench.gating.renderers import errors, junit, markdown

NASTY = "a|b <script>alert(1)</script> *c* \x07 100%\r\n::error::"


@pytest.fixture
def worse(copy):
    """A run that lost hits."""
    lost = {"R@5": lambda values: np.zeros_like(values)}
    return copy.scores("text-to-image/shared-space", lost).folder


@pytest.fixture
def nasty(tmp_path):
    """A result whose names come from hostile data."""
    cell = CellResult(
        "t", NASTY, None, None, "R@5", 0.5, 0.4, 0.02, "regressed", 0.1, 1.0, 0.001, 9, 9
    )
    problem = Problem("missing query", "t", f"1 query missing: {NASTY}", (NASTY,))
    return Gate(tmp_path, NASTY, (cell,), (problem,), {})


def gate(*arguments, **environment):
    """The command, away from what CI may have set around the tests."""
    clean = {"GITHUB_ACTIONS": None, "GITHUB_STEP_SUMMARY": None}
    given = {name: str(value) for name, value in environment.items()}
    return CliRunner().invoke(app, ["gate", *map(str, arguments)], env=clean | given)


def test_exit_codes(made, worse, baseline):
    """0 holds, 1 does not; the verdict is the first line."""
    fine, bad = gate(made, "--baseline", baseline), gate(worse, "--baseline", baseline)
    assert (fine.exit_code, bad.exit_code) == (0, 1)
    assert fine.output.startswith("toy holds. ")
    assert bad.output.startswith("toy does not hold. ")
    assert "text-to-image · shared-space" in bad.output and "100.0 → 0.0" in bad.output


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--baseline", "b.json", "--save", "b.json"],
        ["--baseline", "nowhere.json"],
        ["--baseline", "BASELINE", "--margin", "CIDEr"],
        ["--baseline", "BASELINE", "--margin", "CIDr=0.1"],
        ["--baseline", "BASELINE", "--require-power", "much"],
    ],
)
def test_misuse_is_exit_code_2(made, baseline, tmp_path, arguments):
    """One line on standard error (typer's box for an argument that is no number); no traceback."""
    given = [str(baseline) if a == "BASELINE" else a for a in arguments]
    command = [sys.executable, "-m", "mmragbench.cli.app", "gate", str(made), *given]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=os.environ)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "error" in done.stderr.lower()


def test_json_is_all_of_it_and_nothing_else(worse, baseline):
    """Annotations keep off standard output then."""
    done = gate(worse, "--baseline", baseline, "--json", GITHUB_ACTIONS="true")
    row = json.loads(done.stdout)
    assert done.exit_code == 1 and row["holds"] is False
    assert row["cells"] == json.loads(json.dumps(mb.gate(worse, baseline).row()["cells"]))
    assert done.stderr.startswith("::error title=text-to-image · shared-space · R@5::regressed: ")


def test_junit_is_read_by_others(worse, baseline, tmp_path):
    """A case a cell; the failures are those that do not hold."""
    file = tmp_path / "gate.xml"
    gate(worse, "--baseline", baseline, "--junit", file)
    (suite,) = junitparser.JUnitXml.fromfile(str(file))
    found = mb.gate(worse, baseline)
    failed = [case for case in suite if not case.is_passed]
    assert (suite.tests, suite.failures) == (len(list(suite)), len(failed)) == (len(found.cells), 1)
    assert (failed[0].classname, failed[0].name) == ("text-to-image · shared-space", "R@5")
    assert failed[0].result[0].type == "regressed"


def test_hostile_names_stay_text_in_xml(nasty, tmp_path):
    """What XML can't hold is replaced; the rest is read as it was."""
    (tmp_path / "gate.xml").write_bytes(junit(nasty))
    (suite,) = junitparser.JUnitXml.fromfile(str(tmp_path / "gate.xml"))
    names = [case.classname for case in suite]
    assert any("<script>alert(1)</script>" in name and "\ufffd" in name for name in names)


def test_hostile_names_stay_text_in_markdown(nasty):
    """No tag, no emphasis, no further column."""
    text = markdown(nasty)
    assert "<script>" not in text and "*c*" not in text.replace("\\*c\\*", "")
    (row,) = [line for line in text.splitlines() if line.startswith("| t ")]
    assert row.replace("\\|", "").count("|") == 8


def test_annotations_are_escaped_as_github_asks(nasty):
    """A name with a newline in it gives no command of its own; the title ends where it ends."""
    for line in errors(nasty):
        assert "\n" not in line and "\r" not in line
        title = line.removeprefix("::error title=").partition("::")[0]
        assert ":" not in title and "," not in title
    assert "100%25%0D%0A" in errors(nasty)[0]


def test_ten_annotations_at_most(nasty):
    """GitHub shows no more of a step; the last one says how many there are."""
    many = Gate(nasty.run, "toy", nasty.cells * 30, (), {})
    assert len(errors(many)) == 10
    assert errors(many)[-1] == "::error title=toy::21 more; see the summary"


def test_githubs_summary_is_added_to(made, worse, baseline, tmp_path):
    """What an earlier step wrote stays; annotations only where it does not hold."""
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    around = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": summary}
    fine = gate(made, "--baseline", baseline, **around)
    bad = gate(worse, "--baseline", baseline, **around)
    text = summary.read_text()
    assert text.startswith("before\n## ✅ toy holds")
    assert "## ❌ toy does not hold" in text
    assert "::error" not in fine.output and "::error" in bad.output


def test_a_margin_that_can_not_be_failed_is_a_warning(made, baseline):
    """Also where the gate holds; told in the terminal and on GitHub, and in JSON cell by cell."""
    options = ("--baseline", baseline, "--measures", "Success@1", "--controls")
    fine = gate(made, *options, GITHUB_ACTIONS="true")
    text = "In 1 of 3 cells the margin is as large as the number"
    assert fine.exit_code == 0
    assert f"::warning title=toy::{text}" in fine.output and f"\n{text}" in fine.output
    cells = json.loads(gate(made, *options, "--json").stdout)["cells"]
    assert [cell["can_fail"] for cell in cells] == [False, True, True]
    smaller = gate(made, *options, "--margin", "Success@1=0.01", GITHUB_ACTIONS="true")
    assert "::warning" not in smaller.output


def test_save_writes_what_baseline_reads(made, tmp_path):
    """And says how large it is."""
    done = gate(made, "--save", tmp_path / "b.json")
    assert done.exit_code == 0 and "cells" in done.output
    assert gate(made, "--baseline", tmp_path / "b.json").exit_code == 0


@pytest.mark.parametrize("options", [("--margin", "CIDEr=0.1"), ("--require-power", "0.8")])
def test_a_baseline_keeps_no_margins(options, made, tmp_path):
    """One that is given when a baseline is written would be forgotten without a word."""
    done = gate(made, "--save", tmp_path / "b.json", *options)
    assert "give --margin and --require-power with --baseline" in str(done.exception)
    assert not (tmp_path / "b.json").exists()


@pytest.mark.parametrize("columns", [80, 160])
def test_it_fits_the_terminal(worse, baseline, columns, monkeypatch):
    """No line is wider than the window."""
    from mmragbench.cli import gate as gate_cli
    from mmragbench.cli.terminal import Terminal

    console = Terminal(width=columns)
    console.file = io.StringIO()
    monkeypatch.setattr(gate_cli, "wide", lambda: console)
    gate_cli._show(mb.gate(worse, baseline), every=True)
    lines = console.file.getvalue().splitlines()
    assert max(map(len, lines)) <= columns
    assert any("regressed" in line for line in lines)
