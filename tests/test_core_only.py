"""Without any optional package: what needs one says so in one line, before anything is computed."""

from __future__ import annotations

import subprocess
import sys

import pytest
import yaml

from support import toy
from support.paths import TESTS

OPTIONAL = {
    "accelerate", "datasets", "diffusers", "huggingface_hub", "num2words", "open_clip", "openai",
    "pypdf", "sentence_transformers", "timm", "torch", "torch_fidelity", "torchmetrics",
    "torchvision", "transformers",
}  # fmt: skip
"""What the extras bring, by the names that are imported."""

HIDING = """
import importlib.machinery, sys
hidden, real = set(sys.argv[1].split(",")), importlib.machinery.PathFinder.find_spec
def find_spec(name, path=None, target=None):
    return None if name.partition(".")[0] in hidden else real(name, path, target)
importlib.machinery.PathFinder.find_spec = find_spec
sys.argv = ["mmragbench", *sys.argv[2:]]
from mmragbench.cli.app import main
main()
"""


def command(*arguments: str, hidden=OPTIONAL) -> subprocess.CompletedProcess[str]:
    """The command line where those packages are not installed."""
    words = [sys.executable, "-c", HIDING, ",".join(sorted(hidden)), *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, check=False, cwd=TESTS)


MODELS = {
    "encoder open_clip": ("shipped:scenes/clip", "open_clip", "open-clip"),
    "encoder transformers": ("shipped:scenes/captioner", "transformers", "transformers"),
    "encoder sentence_transformers": (
        "shipped:scenes/sentences",
        "sentence_transformers",
        "sentence-transformers",
    ),
}


@pytest.mark.parametrize("verb", ["plan", "run"])
@pytest.mark.parametrize("name", MODELS)
def test_an_encoder_names_its_extra(coco, tmp_path, verb, name):
    """One line and exit code 2, in `plan` as in `run`."""
    checkpoint, package, extra = MODELS[name]
    content = toy.suite(coco, generators={}, tasks={"text-to-image": {"measures": ["R@1"]}})
    content["models"] = {"mine": {"use": name.split()[1], "name": checkpoint}}
    content["strategies"] = {"random": {}, "shared-space": {"encoder": "mine"}}
    content["baseline"] = "random"
    (tmp_path / "s.yaml").write_text(yaml.safe_dump(content))
    done = command(verb, tmp_path / "s.yaml")
    assert done.returncode == 2
    assert f"{package} is not installed" in done.stderr
    assert f"pip install 'mmragbench[{extra}]'" in done.stderr
    assert "Traceback" not in done.stderr and done.stderr.count("error:") == 1


@pytest.mark.parametrize("verb", ["plan", "run"])
def test_the_shipped_suite_names_what_it_wants(tmp_path, verb):
    """It is the first command that a new user types."""
    given = ("--output", tmp_path) if verb == "run" else ()
    for hidden in (OPTIONAL, {"torch"}):
        done = command(verb, "scenes", *given, hidden=hidden)
        assert done.returncode == 2 and "Traceback" not in done.stderr
        assert "is not installed; install it with: pip install 'mmragbench[" in done.stderr


@pytest.mark.parametrize(
    "role, use, given, extra",
    [
        ("captioner", "transformers", "name='m'", "transformers"),
        ("chat", "transformers", "name='m'", "transformers"),
        ("painter", "transformers", "name='m'", "transformers"),
        ("painter", "diffusers", "name='m'", "diffusers"),
        ("reranker", "image_text_matching", "name='m'", "transformers"),
        ("reranker", "sentence_transformers", "name='m'", "sentence-transformers"),
        ("encoder", "inception", "", "images"),
        ("encoder", "imagebind", "root='.', weights='w'", "open-clip"),
    ],
)
def test_every_adapter_names_its_extra(role, use, given, extra):
    """When it is made, which a plan does: not after an hour of other work."""
    code = HIDING.partition("sys.argv = [")[0] + (
        "from mmragbench.errors import MissingExtra\n"
        "from mmragbench.registry import find\n"
        "try:\n"
        f"    find({role!r}, {use!r}).make({given})\n"
        "except MissingExtra as error:\n"
        "    print(error)\n"
    )
    words = [sys.executable, "-c", code, ",".join(OPTIONAL)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert f"pip install 'mmragbench[{extra}]'" in done.stdout, done.stderr


def test_core_alone_runs_what_needs_no_extra(tmp_path, coco):
    """Toy models, chance and the ceiling have numbers without torch."""
    content = toy.suite(coco, generators={}, tasks={"text-to-image": {"measures": ["R@1"]}})
    (tmp_path / "s.yaml").write_text(yaml.safe_dump(content))
    done = command("run", tmp_path / "s.yaml", "--output", tmp_path / "runs")
    assert done.returncode == 0, done.stderr
