"""Suites of real models plan where their data is, without the weights, a key or a call."""

from __future__ import annotations

import pytest

from mmragbench import verbs
from support import papers, toy
from support.paths import ROOT

SUITES = ROOT / "suites"

DOWNLOADED = {
    "coco": {"blip", "clip", "painter", "reranker", "sentences", "vlm"},
    "api": {"clip", "sentences"},
    "pdf": {"blip", "clip", "sentences", "vlm"},
}
CALLED = {"coco": set(), "api": {"gpt", "painter"}, "pdf": set()}


@pytest.mark.parametrize("name", DOWNLOADED)
def test_a_shipped_suite_says_what_it_would_download_call_and_cost(name, tmp_path, monkeypatch):
    """Every model is one that would be downloaded, or behind a server and then has a price."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    data = papers.world(tmp_path) if name == "pdf" else toy.write_coco(tmp_path)
    summary = verbs.plan(SUITES / f"{name}.yaml", [f"dataset.root={data}"])
    weights = {model.model: model.weights for model in summary.models}
    assert {m for m, w in weights.items() if w.startswith("unresolved:")} == DOWNLOADED[name]
    assert {m for m, w in weights.items() if w.startswith("api:")} == CALLED[name]
    assert all((model.dollars or 0) > 0 for model in summary.models if model.model in CALLED[name])
    assert all(model.items > 0 for model in summary.models)
