"""Toys, classic features and trained models: every reader of a number learns which it came from."""

from __future__ import annotations

import json

from mmragbench import run
from mmragbench.reporting.facts.issues import remarks
from mmragbench.reporting.facts.models import foreign_toys, listed_model
from mmragbench.run_folder.reading import Run

TOY = {"use": "open_clip", "name": "shipped:scenes/clip"}


def test_a_run_says_where_its_models_answers_come_from(suite_file, tmp_path):
    """The manifest and the report have it of each model; a toy on pictures that are not of its world is
    a warning in the terminal's lines and at the top of the report."""
    models = {"clip": TOY, "classic": {"use": "classic_features"}}
    strategies = {
        "shared-space": {"encoder": "clip"},
        "classic": {"use": "shared-space", "encoder": "classic", "document": "image"},
    }
    tasks = {"captioning": {"measures": ["R@1"]}}
    suite = suite_file(
        models=models, strategies=strategies, generators={}, tasks=tasks, baseline=None
    )
    finished = run(suite, output=tmp_path / "runs")
    manifest = json.loads((finished.folder / "manifest.json").read_text())
    origins = {name: model["origin"] for name, model in manifest["models"].items()}
    assert origins == {"clip": "toy", "classic": "classic"}
    (warning,) = remarks(Run(finished.folder))
    assert warning.startswith(
        "warning: clip is a toy, trained on the drawn pictures of scenes alone"
    )
    page = finished.report.read_text(encoding="utf-8")
    assert "clip (shipped:scenes/clip, a toy)" in page
    assert "classic (classic_features, no trained weights)" in page
    assert page.count("is a toy, trained on the drawn pictures") == 1


def test_a_toy_in_its_own_world_is_no_warning():
    """Nor is a model that is not shipped, in any world."""
    assert foreign_toys({"clip": TOY}, "scenes") is None
    assert foreign_toys({"clip": TOY}, "scenes_demonstrations") is None
    assert (
        foreign_toys({"clip": {"use": "open_clip", "name": "ViT-B-32"}, "x": None}, "coco") is None
    )
    assert "a and b are toys" in str(foreign_toys({"a": TOY, "b": TOY}, "coco"))


def test_what_nothing_says_is_left_out():
    """Runs of earlier versions say nothing of it."""
    spec = {"use": "open_clip", "name": "ViT-B-32"}
    assert listed_model("clip", spec) == "clip (ViT-B-32)"
    assert listed_model("clip", spec | {"origin": "trained"}) == "clip (ViT-B-32, trained)"
    assert listed_model("mine", {}) == "mine"
