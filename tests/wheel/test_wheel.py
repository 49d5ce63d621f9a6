"""What is shipped: run by CI against the installed wheel, away from the checkout."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

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


def wanted(package: Distribution, extras: set[str]) -> list[Requirement]:
    """What a distribution requires on this machine."""
    requirements = map(Requirement, package.requires or ())
    environments = [{"extra": extra} for extra in ("", *extras)]
    return [
        each
        for each in requirements
        if each.marker is None or any(map(each.marker.evaluate, environments))
    ]


def installed(requirement: Requirement) -> Distribution:
    """The installed distribution that a requirement accepts; this environment has some of its own
    (setuptools) before those that are lent to it."""
    versions = list(distributions(name=requirement.name))
    fits = [each for each in versions if requirement.specifier.contains(each.version, True)]
    assert fits, f"{requirement} is not satisfied by {[each.version for each in versions]}"
    return fits[0]


def closure(root: str) -> list[Distribution]:
    """A distribution and all that it requires, directly or not."""
    packages: dict[str, Distribution] = {}
    waiting, checked = [Requirement(root)], set()
    while waiting:
        requirement = waiting.pop()
        if str(requirement) not in checked:
            checked.add(str(requirement))
            package = packages.setdefault(requirement.name.lower(), installed(requirement))
            waiting += wanted(package, requirement.extras)
    return list(packages.values())


@pytest.fixture(scope="module")
def core(tmp_path_factory) -> Path:
    """A folder that holds the wheel and what it declares, and no other package."""
    folder = tmp_path_factory.mktemp("core")
    for package in closure("mmragbench"):
        lines = (package.read_text("RECORD") or "").splitlines()
        for name in {re.split("[/,]", line)[0] for line in lines} - {"..", "__pycache__"}:
            if not (folder / name).exists():
                (folder / name).symlink_to(Path(str(package.locate_file(name))))
    return folder


def alone(core: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line where only the packages of that folder can be imported."""
    words = [sys.executable, "-S", "-m", "mmragbench", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(core)}
    return subprocess.run(
        words, capture_output=True, text=True, check=False, env=environment, cwd=core.parent
    )


def test_only_what_is_declared_can_be_imported(core):
    """The folder has the names that the project is known by, and neither an extra's nor pytest."""
    names = "torch open_clip sentence_transformers transformers faiss datasets pycocoevalcap torchmetrics pandas"
    assert {name for name in names.split() if not (core / name).exists()} == set()
    assert [
        name for name in ("diffusers", "openai", "pypdf", "pytest") if (core / name).exists()
    ] == []


def test_the_demo_runs_from_the_wheel(core, tmp_path):
    """A small version of the shipped suite, with the shipped models, ends with a report: nothing
    but the declared dependencies is needed."""
    done = alone(
        core, "run", "scenes", "dataset.memory=60", "dataset.queries=20", "--output", str(tmp_path)
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
