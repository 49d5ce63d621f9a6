"""What identifies weights."""

from __future__ import annotations

import pytest

import mmragbench as mb
from mmragbench.backends.weights import fingerprint, locate
from mmragbench.errors import SuiteError
from mmragbench.models.open_clip import OpenClip
from support import toy


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub cache with one downloaded repository."""
    from huggingface_hub import constants

    reference = tmp_path / "models--org--name" / "refs" / "main"
    reference.parent.mkdir(parents=True)
    reference.write_text("0123abcd")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))


def test_a_folder_is_known_by_its_content_and_not_by_its_place(tmp_path):
    """The same files elsewhere have the same checksum; notes do not count; one byte does."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "two/README.md").write_text("a note")
    assert fingerprint(str(tmp_path / "one")) == fingerprint(str(tmp_path / "two"))
    (tmp_path / "two/model.safetensors").write_bytes(b"Weights")
    assert fingerprint(str(tmp_path / "one")) != fingerprint(str(tmp_path / "two"))


def test_a_hub_model_is_known_by_its_revision(hub):
    """The commit in the local hub cache; one that is not there is unresolved."""
    assert fingerprint("org/name") == "revision:0123abcd"
    assert fingerprint("org/other") == "unresolved:org/other"


def test_a_pretrained_tag_leads_to_its_repository(hub):
    """open_clip's table says where a tag's weights lie."""
    weights = OpenClip("ViT-B-32", "laion2b_s34b_b79k").weights()
    assert weights == "unresolved:laion/CLIP-ViT-B-32-laion2B-s34B-b79K"


def test_what_is_not_shipped_is_refused_with_what_is():
    """`shipped:` names a folder of the package, and nothing outside it."""
    with pytest.raises(SuiteError, match="scenes/clip"):
        locate("shipped:scenes/klip")
    with pytest.raises(SuiteError):
        locate("shipped:../strategies")


def test_a_model_is_loaded_before_its_answers_are_keyed(suite_file, tmp_path, monkeypatch):
    """A model that is downloaded in this run has, in this run, the identity that it has in the
    next: nothing is computed twice."""
    from huggingface_hub import constants

    monkeypatch.setattr(
        constants, "HF_HUB_OFFLINE", False
    )  # nothing is fetched: `load` stands for it
    state = {"weights": "unresolved:org/name", "loads": 0}

    def load(self):
        state["loads"] += 1
        state["weights"] = "revision:1"

    monkeypatch.setattr(toy.ColourEncoder, "weights", lambda self: state["weights"], raising=False)
    monkeypatch.setattr(toy.ColourEncoder, "load", load, raising=False)
    assert mb.run(suite_file(), output=tmp_path / "one").calls > 0
    assert state["loads"] == 1
    assert mb.run(suite_file(), output=tmp_path / "two").calls == 0


def test_weights_that_are_not_at_hand_are_a_reason_and_not_a_crash(
    suite_file, tmp_path, monkeypatch
):
    """A distance on Inception's features, without the file: not applicable, with the place to put
    it; the other measures have their numbers, and the run is fine."""
    from typer.testing import CliRunner

    from mmragbench.cli.app import app

    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    suite = toy.suite(tmp_path / "coco")
    models = {**suite["models"], "inception": {"use": "inception"}}
    measures = ["FID(inception)", "FID(colours)"]
    tasks = {"image-generation": {"generator": "nearest", "measures": measures}}
    path = suite_file(models=models, tasks=tasks)
    run = mb.run(path, output=tmp_path / "runs")
    rows = {r["measure"]: r for r in run.rows if r["strategy"] == "oracle" and r["slice"] == "all"}
    assert rows["FID(inception)"]["estimate"] is None
    assert "weights are not at" in rows["FID(inception)"]["reason"]
    assert rows["FID(colours)"]["estimate"] is not None
    assert not run.crashed
    assert "absent" in CliRunner().invoke(app, ["plan", str(path)]).output
