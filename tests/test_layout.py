"""The house: where files lie and what may be imported when."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from support.paths import ROOT

CATALOGUES = ("strategies", "models", "generators", "stores", "datasets", "evals", "reports")


def python(code: str, cwd: Path = ROOT) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("folder", CATALOGUES)
def test_each_file_of_a_catalogue_is_a_module_of_the_package(folder):
    """`strategies/random.py` is `mmragbench.strategies.random`."""
    files = sorted((ROOT / folder).glob("*.py"))
    assert files
    for file in files:
        module = importlib.import_module(f"mmragbench.{folder}.{file.stem}")
        assert Path(module.__file__).resolve() == file


@pytest.mark.parametrize("folder", CATALOGUES)
def test_no_catalogue_is_a_package_of_its_own(folder):
    """An `__init__.py` would shadow other packages (`datasets`) from the checkout's root."""
    assert not (ROOT / folder / "__init__.py").exists()


def test_datasets_is_hugging_faces_library():
    """`import datasets` from the checkout's root is Hugging Face's, also next to ours."""
    code = "import mmragbench.datasets.coco, datasets; print(datasets.__file__)"
    assert "site-packages" in python(code)


def test_listing_imports_no_heavy_library():
    """All catalogues can be listed without torch, pandas, scipy or transformers."""
    code = (
        "import sys; from mmragbench.registry import FOLDERS, every\n"
        "for kind in FOLDERS: assert list(every(kind)), kind\n"
        "print([m for m in ('torch', 'pandas', 'scipy', 'transformers', 'matplotlib', 'nltk')"
        " if m in sys.modules])"
    )
    assert python(code).strip() == "[]"


def test_ls_has_a_line_for_each_component():
    """`mmragbench ls` names every registered component and shipped suite on a line of its own, with a
    summary."""
    code = (
        "from mmragbench.planning.suite import shipped_suites\n"
        "for file in shipped_suites(): print(file.stem)\n"
        "from mmragbench.registry import FOLDERS, every\n"
        "for kind in FOLDERS:\n"
        "    for component in every(kind): print(component.name)"
    )
    program = Path(sys.executable).with_name("mmragbench")
    done = subprocess.run([program, "ls"], capture_output=True, text=True, check=True)
    lines = [line.split(maxsplit=1) for line in done.stdout.splitlines() if line.startswith("  ")]
    assert sorted(line[0] for line in lines) == sorted(python(code).splitlines())
    assert all(len(line) == 2 for line in lines)


EMPTY_NAMES = {"found", "told", "said", "held", "kept", "each", "there", "made", "asked", "seen"}


def test_names_say_what_a_thing_is():
    """No variable that lives longer than three lines is called after having been got."""
    long_lived = [
        (str(file.relative_to(ROOT)), function.name, name)
        for folder in ("src/mmragbench", *CATALOGUES)
        for file in (ROOT / folder).rglob("*.py")
        for function in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef)
        for name, lines in _lines_of_names(function).items()
        if name in EMPTY_NAMES and max(lines) - min(lines) > 3
    ]
    assert long_lived == []


def _lines_of_names(function: ast.FunctionDef) -> dict[str, list[int]]:
    lines: dict[str, list[int]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Name):
            lines.setdefault(node.id, []).append(node.lineno)
        elif isinstance(node, ast.arg):
            lines.setdefault(node.arg, []).append(node.lineno)
    return lines
