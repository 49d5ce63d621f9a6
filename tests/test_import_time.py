"""What the commands about finished runs import: no library that runs models."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from support import toy
from support.paths import TESTS

LIBRARIES = {"torch", "transformers", "torchmetrics", "torchvision", "sentence_transformers",
             "open_clip", "datasets", "torch_fidelity", "diffusers"}  # fmt: skip
"""Seconds to import, and of no use where no model runs."""

PROGRAM = """
import atexit, json, sys
from pathlib import Path
file = Path(sys.argv.pop(1))
atexit.register(lambda: file.write_text(json.dumps(sorted(sys.modules))))
from mmragbench.__main__ import main
main()
"""


def imported(folder: Path, *arguments: object) -> set[str]:
    """The modules that a command has imported when it ends well."""
    file = folder / "modules.json"
    words = [sys.executable, "-c", PROGRAM, *map(str, (file, *arguments))]
    tests = Path(__file__).parent
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tests)
    assert done.returncode == 0, done.stderr
    return set(json.loads(file.read_text()))


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory) -> Path:
    """A finished run of the toy world."""
    folder = tmp_path_factory.mktemp("toy")
    content = toy.suite(toy.write_coco(folder / "coco"))
    (folder / "toy.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    words = [
        sys.executable,
        "-m",
        "mmragbench",
        "run",
        folder / "toy.yaml",
        "--output",
        folder / "runs",
    ]
    subprocess.run(words, check=True, capture_output=True, cwd=TESTS)
    return next((folder / "runs").iterdir())


@pytest.mark.parametrize("command", ["--help", "compare", "gate", "report"])
def test_no_library_of_models_is_imported(command, run_folder, tmp_path):
    """They are there by default, and yet nobody waits for them who only reads results."""
    arguments = {
        "--help": (),
        "compare": (run_folder,),
        "gate": (run_folder, "--save", tmp_path / "baseline.json"),
        "report": (run_folder,),
    }
    assert LIBRARIES & imported(tmp_path, command, *arguments[command]) == set()
