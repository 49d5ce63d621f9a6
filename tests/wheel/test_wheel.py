"""What is shipped: run by CI against the installed wheel, away from the checkout."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

import mmragbench

PACKAGE = Path(mmragbench.__file__).resolve().parent


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("mmragbench")
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)


def test_this_is_the_wheel_and_not_a_checkout():
    """The package lies in this environment's site-packages, without a pyproject.toml above it."""
    assert PACKAGE.is_relative_to(Path(sys.prefix).resolve())
    assert not (PACKAGE.parents[1] / "pyproject.toml").exists()


@pytest.mark.parametrize(
    "folder", ["strategies", "models", "stores", "datasets", "evals", "reports"]
)
def test_the_catalogues_are_in_the_wheel(folder):
    """Their files are modules of the package, as in a checkout."""
    files = [file for file in (PACKAGE / folder).glob("*.py") if file.stem != "__init__"]
    assert files
    for file in files:
        assert importlib.import_module(f"mmragbench.{folder}.{file.stem}").__file__ == str(file)


def test_datasets_is_hugging_faces_library():
    """Ours is `mmragbench.datasets` only."""
    import datasets

    assert not Path(datasets.__file__).is_relative_to(PACKAGE)


def test_the_demo_runs_from_the_wheel(tmp_path):
    """A small version of the shipped suite, with the shipped models, ends with a report."""
    done = command(
        "run", "scenes", "dataset.memory=60", "dataset.queries=20", "--output", str(tmp_path)
    )
    assert done.returncode == 0, done.stderr
    report = Path(done.stdout.strip().splitlines()[-1])
    assert report.is_file()
    rows = json.loads((report.parents[1] / "summary.json").read_text())
    assert {row["strategy"] for row in rows} >= {
        "shared-space",
        "text-grounding",
        "separate-stores",
    }


def test_misuse_is_one_line_and_exit_code_2():
    """Also from the wheel."""
    done = command("run", "nowhere.yaml")
    assert done.returncode == 2
    assert done.stderr.startswith("error: there is no suite")
    assert "Traceback" not in done.stderr
