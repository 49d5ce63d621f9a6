"""The command line: what is printed where, and exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.paths import TESTS

PROGRAM = Path(sys.executable).with_name("mmragbench")


def mmragbench(*arguments, cwd=None, **environment):
    return subprocess.run(
        [PROGRAM, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(TESTS), **environment},
    )


def test_a_run_prints_the_reports_path_last(suite_file, tmp_path):
    """On standard output; progress goes to standard error, line by line without a terminal."""
    done = mmragbench("run", suite_file(), "--output", tmp_path / "runs")
    assert done.returncode == 0, done.stderr
    report = Path(done.stdout.splitlines()[-1])
    assert report.is_file() and report.name == "index.html"
    assert "[1/10]" in done.stderr
    assert "\x1b" not in done.stderr


def test_overrides_are_arguments(suite_file, tmp_path):
    """`key=value` after the suite."""
    done = mmragbench("run", suite_file(), "dataset.limit=3", "--output", tmp_path / "runs")
    assert done.returncode == 0, done.stderr
    assert '"n": 3,' in next((tmp_path / "runs").glob("*/summary.json")).read_text()


def test_a_plan_calls_no_model(suite_file):
    """It lists cells and models, and says what is known; the failing captioner is not asked."""
    done = mmragbench("plan", suite_file())
    assert done.returncode == 0, done.stderr
    assert "to do" in done.stdout
    assert "namer" in done.stdout


def test_after_a_run_the_plan_says_what_is_known(suite_file, tmp_path):
    """Every ranking is known, and no model has inputs left."""
    mmragbench("run", suite_file(), "--output", tmp_path / "runs")
    done = mmragbench("plan", suite_file())
    assert "to do" not in done.stdout


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("run", "nowhere.yaml"), "there is no suite"),
        (("run", "scenes", "strategies.oracle.depth=3"), "unknown argument of oracle 'depth'"),
        (("report", "."), "is not a run folder"),
    ],
)
def test_misuse_is_one_line_and_exit_code_2(arguments, message, tmp_path):
    """No traceback; what was asked, what there is."""
    done = mmragbench(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_missing_folder_of_data_is_one_line(suite_file, tmp_path):
    """It names the file that it looked for."""
    done = mmragbench("run", suite_file(), "dataset.root=/no/such/place")
    assert done.returncode == 2
    assert "/no/such/place" in done.stderr
    assert len(done.stderr.splitlines()) == 2  # the progress line, and the error


def test_a_missing_extra_is_named(tmp_path, monkeypatch):
    """Without diffusers, the message says what to install."""
    from mmragbench.errors import MissingExtra
    from mmragbench.models.diffusers import Diffusers

    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(MissingExtra, match=r"pip install 'mmragbench\[diffusers\]'"):
        Diffusers("a-model")


def test_a_crashed_component_is_exit_code_1(suite_file, tmp_path):
    """The run ends with a report, and says that something in it failed."""
    suite = suite_file(
        strategies={"bad": {"use": "support.toy:Crashing"}, "random": {}}, baseline="random"
    )
    done = mmragbench("run", suite, "--output", tmp_path / "runs")
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
    assert Path(done.stdout.splitlines()[-1]).is_file()


def test_the_version_is_said():
    """`mmragbench --version`."""
    from mmragbench import __version__

    assert mmragbench("--version").stdout == f"mmragbench {__version__}\n"
