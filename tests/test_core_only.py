"""Without any extra: what everybody needs runs, and what needs an extra says so in one line, before
anything is computed."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

from support import toy
from support.paths import ROOT, TESTS

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = {name: needs for name, needs in PROJECT["optional-dependencies"].items() if name != "dev"}
FOLDERS = ("src", "strategies", "models", "generators", "stores", "datasets", "evals", "reports")


HIDING = """
import sys
sys.modules.update(dict.fromkeys(sys.argv[1].split(",")))  # as if not installed
sys.argv = ["mmragbench", *sys.argv[2:]]
from mmragbench.__main__ import main
main()
"""


def distribution(requirement: str) -> str:
    """The normal form of the name that a requirement begins with."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement)[0]).lower()


def modules(extra: str) -> set[str]:
    """What an extra's packages are imported as."""
    wanted = {distribution(requirement) for requirement in EXTRAS[extra]}
    known = packages_distributions().items()
    return {name for name, owners in known if wanted & set(map(distribution, owners))}


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The command line where no extra is installed."""
    hidden = ",".join(sorted(set().union(*map(modules, EXTRAS))))
    words = [sys.executable, "-c", HIDING, hidden, *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, check=False, cwd=TESTS)


def imports() -> Iterator[tuple[str, Path]]:
    """The packages that the shipped code imports, and where."""
    for file in (file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                yield from ((alias.name, file) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                yield str(node.module), file


def test_whatever_is_imported_is_declared():
    """Each library that the code imports is a dependency, or an extra: nothing is there by chance,
    because another package happens to want it. (pydantic pins its core; pytest loads its own plug-in.)
    """
    declared = [*PROJECT["dependencies"], *sum(EXTRAS.values(), []), "pydantic-core", "pytest"]
    owners = packages_distributions()
    undeclared = {
        f"{name} in {file.relative_to(ROOT)}"
        for name, file in imports()
        if (package := name.partition(".")[0]) not in {*sys.stdlib_module_names, "mmragbench"}
        and not set(map(distribution, declared)) & set(map(distribution, owners.get(package, ())))
    }
    assert undeclared == set()


def test_the_names_that_the_project_is_known_by_are_no_extras():
    """`pip install mmragbench` brings them."""
    known = "torch open-clip-torch sentence-transformers transformers faiss-cpu datasets pycocoevalcap torchmetrics pandas"
    assert set(known.split()) <= set(map(distribution, PROJECT["dependencies"]))
    assert set(EXTRAS) == {"all", "diffusers", "openai", "pdf"}


@pytest.mark.parametrize("verb", ["plan", "run"])
def test_a_painter_names_its_extra(coco, tmp_path, verb):
    """One line and exit code 2, in `plan` as in `run`: not after an hour of other work."""
    content = toy.suite(
        coco, tasks={"image-generation": {"generator": "draw", "measures": ["SSIM"]}}
    )
    content["models"] |= {"painter": {"use": "diffusers", "name": "no-such-model"}}
    content["generators"] = {"draw": {"painter": "painter"}}
    (tmp_path / "s.yaml").write_text(yaml.safe_dump(content))
    done = command(verb, tmp_path / "s.yaml")
    assert done.returncode == 2
    assert "diffusers is not installed" in done.stderr
    assert "pip install 'mmragbench[diffusers]'" in done.stderr
    assert "Traceback" not in done.stderr and done.stderr.count("error:") == 1


def test_the_shipped_suite_needs_no_extra():
    """It is the first command that a new user types."""
    done = command("plan", "scenes", "dataset.queries=5", "dataset.memory=15")
    assert done.returncode == 0, done.stderr


def test_core_alone_has_numbers(tmp_path, coco):
    """A run ends with its report."""
    content = toy.suite(coco, generators={}, tasks={"text-to-image": {"measures": ["R@1"]}})
    (tmp_path / "s.yaml").write_text(yaml.safe_dump(content))
    done = command("run", tmp_path / "s.yaml", "--output", tmp_path / "runs")
    assert done.returncode == 0, done.stderr
