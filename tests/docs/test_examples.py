"""The worked example of an outside package, built and installed for real, away from the checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import mmragbench
from support.paths import ROOT

EXAMPLE = ROOT / "examples" / "mmragbench-words"
PURELIB = 'import sysconfig; print(sysconfig.get_path("purelib"))'


@pytest.fixture(scope="module")
def away(tmp_path_factory):
    """Runs a module in an environment of its own, with the package installed and a copy of its folder
    as working folder. All other packages are lent by a path file (an environment that borrows packages itself
    has its old pip and setuptools in front of theirs), mmragbench is the one under test."""
    root = tmp_path_factory.mktemp("away")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", root / "venv"], check=True)
    python = root / "venv" / "bin" / "python"
    own = subprocess.run([python, "-c", PURELIB], capture_output=True, text=True, check=True).stdout
    packages = [folder for folder in sys.path if Path(folder).name.endswith("-packages")]
    lent = [str(Path(mmragbench.__file__).parents[1]), *reversed(packages)]
    Path(own.strip(), "lent.pth").write_text("\n".join(lent))
    shutil.copytree(EXAMPLE, root / "package", ignore=shutil.ignore_patterns("build", "*.egg-info"))
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    environment |= {"MMRAGBENCH_CACHE": str(root / "cache"), "PIP_NO_INDEX": "1"}

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [python, "-m", *command],
            cwd=root / "package",
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    quiet = ("--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation")
    done = run("pip", "install", *quiet, ".")
    assert done.returncode == 0, done.stderr
    run.folder = root / "package"
    return run


def test_its_components_are_listed(away):
    """Through their entry points, with a summary each."""
    lines = away("mmragbench.cli.app", "ls").stdout.splitlines()
    summaries = dict(line.strip().split(maxsplit=1) for line in lines if line.startswith("  "))
    assert summaries["shared-words"].startswith("Documents by the words")
    assert summaries["Length"].startswith("Words in a caption")


@pytest.mark.parametrize(
    "component",
    [
        ("shared-words",),
        ("Length",),
        ("mmragbench_words.shared_words:SharedWords", "--kind", "strategy"),
    ],
    ids=lambda component: component[0],
)
def test_its_components_keep_their_contract(away, component):
    """By name, and by path with the kind."""
    done = away("mmragbench.cli.app", "check", *component)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "failed" not in done.stdout


def test_its_own_tests_are_green(away):
    """They use the importable rules."""
    done = away("pytest", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout


def test_its_suite_runs(away):
    """A small version: the strategy and the measure have numbers."""
    small = ("dataset.memory=40", "dataset.queries=12")
    done = away("mmragbench.cli.app", "run", "suites/words.yaml", *small, "--output", "runs")
    assert done.returncode == 0, done.stderr
    run = Path(away.folder, done.stdout.strip().splitlines()[-1]).parents[1]
    rows = json.loads((run / "summary.json").read_text())
    found = {(row["strategy"], row["measure"]) for row in rows if row["estimate"] is not None}
    assert {("shared-words", "R@5"), ("shared-words", "CIDEr"), ("shared-words", "Length")} <= found
