"""The workflow and the pre-commit hook of docs/how-to/ci-gate.md do what the page says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from support.paths import ROOT

PAGE = ROOT / "docs" / "how-to" / "ci-gate.md"


def example(key: str) -> dict:
    """The YAML block of the page that has this key."""
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.S)
    (found,) = [loaded for loaded in map(yaml.safe_load, blocks) if key in loaded]
    return found


@pytest.fixture
def project(made, baseline, tmp_path, monkeypatch) -> Path:
    """Somebody's repository: a suite, its baseline, and `mmragbench` on the path."""
    folder = tmp_path / "project"
    folder.mkdir()
    shutil.copy(made.parents[1] / "toy.yaml", folder / "suite.yaml")
    for file in (baseline, baseline.with_suffix(".parquet")):
        shutil.copy(file, folder)
    program = tmp_path / "bin" / "mmragbench"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m mmragbench.cli.app "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    monkeypatch.setenv("MMRAGBENCH_CACHE", str(made.parents[1] / "cache"))
    return folder


def without_queries(folder: Path) -> None:
    """A change that somebody made: half of the queries."""
    suite = yaml.safe_load((folder / "suite.yaml").read_text())
    suite["dataset"]["limit"] = 30
    (folder / "suite.yaml").write_text(yaml.safe_dump(suite))


@pytest.mark.parametrize("changed", [False, True])
def test_the_workflow(project, changed, monkeypatch):
    """Its steps, in order, as GitHub's shell runs them: green for the same suite; red, with
    annotations and a summary, for one with fewer queries."""
    if changed:
        without_queries(project)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project / "summary.md"))
    steps = [step["run"] for step in example("jobs")["jobs"]["gate"]["steps"] if "run" in step]
    install, *own = steps
    assert install.startswith("pip install ")
    *before, (code, said) = [shell(step, project) for step in own]
    assert [code for code, _ in before] == [0]
    assert (code, "::error" in said) == ((1, True) if changed else (0, False))
    verdict = "❌ toy does not hold" if changed else "✅ toy holds"
    assert verdict in (project / "summary.md").read_text()
    assert (project / "gate.xml").is_file()


def shell(step: str, folder: Path) -> tuple[int, str]:
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_the_pre_commit_hook(project, monkeypatch, tmp_path):
    """pre-commit itself runs it: it passes, and stops a push with fewer queries."""
    pytest.importorskip("pre_commit")
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "pre-commit"))
    config = yaml.safe_dump(example("repos"), allow_unicode=True)
    (project / ".pre-commit-config.yaml").write_text(config)
    for command in (
        ["init", "-q"],
        ["add", "suite.yaml", "baseline.json", "baseline.parquet", ".pre-commit-config.yaml"],
    ):
        subprocess.run(["git", *command], cwd=project, check=True)
    run = [sys.executable, "-m", "pre_commit", "run", "--all-files", "--hook-stage", "pre-push"]
    fine = subprocess.run(run, cwd=project, capture_output=True, text=True)
    assert fine.returncode == 0, fine.stdout + fine.stderr
    assert "no strategy got worse" in fine.stdout and "Passed" in fine.stdout
    without_queries(project)
    shutil.rmtree(project / "runs")
    stopped = subprocess.run(run, cwd=project, capture_output=True, text=True)
    assert stopped.returncode == 1
    assert "30 queries of 60 missing" in stopped.stdout
