"""Suites plan without weights, a key or a call, also where nothing of what they need is at hand."""

from __future__ import annotations

import pytest

from mmragbench import verbs
from mmragbench.errors import NotAtHand, SuiteError
from mmragbench.planning.suite import shipped_suites
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


COCO = "a folder with annotations/captions_val2017.json, val2017, annotations/captions_train2017.json, train2017"
PHOTOGRAPHS = "a folder with captions.txt, images, splits/dev.txt, splits/train.txt"
DATA = {
    "api": f"dataset coco must lie at {{home}}/data/coco, {COCO} (there is no such folder)",
    "coco": f"dataset coco must lie at {{home}}/data/coco, {COCO} (there is no such folder)",
    "flickr30k": "dataset huggingface would be downloaded: nlphuji/flickr30k (HF_HUB_OFFLINE is set)",
    "flickr8k": f"dataset flickr must lie at {{home}}/data/flickr8k, {PHOTOGRAPHS} (there is no such folder)",
    "flickr8k_strategies": f"dataset flickr must lie at {{home}}/data/flickr8k, {PHOTOGRAPHS} (there is no such folder)",
    "pdf": "dataset pdf must lie at {home}/data/reports, a folder with PDF files, questions.jsonl (there is no such folder)",
}
MODELS = {
    "api": {"clip", "gpt", "painter", "sentences"},
    "coco": DOWNLOADED["coco"],
    "flickr30k": {"blip", "clip", "reranker", "sentences"},
    "flickr8k": {"clip"},
    "flickr8k_strategies": {"captions", "clip", "sentences"},
    "pdf": DOWNLOADED["pdf"],
}
EMBEDDED = ("scenes", "racm3", "racm3_counterfactual", "racm3_demonstrations")
SMALL = ("dataset.queries=3", "dataset.memory=6")


@pytest.fixture
def nothing(tmp_path, monkeypatch):
    """A machine without data, without a cache of the hub, without the hub, and without keys."""
    from huggingface_hub import constants

    import datasets

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "datasets"))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    return tmp_path


@pytest.mark.parametrize("suite", shipped_suites(), ids=lambda path: path.stem)
def test_a_shipped_suite_is_planned_on_a_machine_that_has_nothing(suite, nothing):
    """One list says what must lie where, would be downloaded or called; `run` is refused with the same
    list, before anything is written. The embedded worlds need nothing."""
    name = suite.stem
    if name in EMBEDDED:
        small = SMALL if name != "racm3_demonstrations" else (SMALL[0], "dataset.memory=24")
        assert verbs.plan(suite, small).requirements == []
        return
    summary = verbs.plan(suite)
    lines = [str(need) for need in summary.requirements]
    assert lines[0] == DATA[name].format(home=nothing)
    assert {line.split()[1] for line in lines[1:]} == MODELS[name]
    assert len(lines) == 1 + len(MODELS[name])
    assert {row["queries"] for row in summary.cells} == {None}
    with pytest.raises(NotAtHand) as refused:
        verbs.run(suite, output=nothing / "runs")
    assert list(refused.value.lines) == lines
    assert not (nothing / "runs").exists()


def test_a_server_says_that_it_costs_money(nothing):
    """And which key is lacking."""
    lines = [str(need) for need in verbs.plan("api").requirements]
    expected = "model gpt would be called: api.openai.com/v1/gpt-4.1-mini, which costs money (OPENAI_API_KEY is not set: set it, or give base_url: of a server that wants none)"
    assert expected in lines


@pytest.mark.parametrize(
    "override, message",
    [
        ("tasks.captionin.measures=CIDEr", "unknown task of flickr 'captionin'"),
        ("tasks.captioning.measures=FID(clip)", "captioning produces caption"),
        ("strategies.text-grounding.search=dense", "needs an encoder"),
    ],
)
def test_what_is_wrong_with_a_suite_is_an_error_without_its_data_too(override, message, nothing):
    """Its tasks and measures by what the dataset says of them, its strategies by being built."""
    with pytest.raises(SuiteError, match=message):
        verbs.plan("flickr8k", (override,))


def test_one_lacking_file_does_not_hide_what_the_data_says(nothing, tmp_path):
    """Where the data is at hand and a model's file is not, sizes are known."""
    data = toy.write_coco(tmp_path / "coco")
    vectors = "models.clip={use: precomputed, embeddings: nowhere.npz}"
    summary = verbs.plan("coco", (f"dataset.root={data}", vectors))
    assert {row["queries"] for row in summary.cells if row["task"] == "captioning"} == {8}
    lines = [str(need) for need in summary.requirements]
    assert "model clip must lie at nowhere.npz (there is no such file)" in lines


@pytest.mark.parametrize(
    "model",
    [
        "{use: transformers, name: ./nowhere}",
        "{use: open_clip, name: 'local-dir:./nowhere'}",
        "{use: sentence_transformers, name: ./nowhere}",
    ],
)
def test_a_path_of_weights_that_leads_nowhere_is_no_download(model, nothing):
    """What begins as a path is no name of the hub."""
    lines = [str(need) for need in verbs.plan("coco", (f"models.clip={model}",)).requirements]
    assert "model clip must lie at ./nowhere (there is no such file or folder)" in lines


def test_a_dataset_has_the_tasks_that_it_says(tmp_path):
    """With and without its files, a suite is checked against the same tasks."""
    from mmragbench.contracts import Traits
    from mmragbench.datasets.coco import Coco
    from mmragbench.datasets.pdf import Pdf
    from mmragbench.datasets.scenes import Scenes
    from mmragbench.datasets.scenes_demonstrations import ScenesDemonstrations

    datasets = (
        Coco(toy.write_coco(tmp_path / "coco")),
        Pdf(papers.world(tmp_path)),
        Scenes(memory=4, queries=2),
        ScenesDemonstrations(memory=24, queries=2),
    )
    for dataset in datasets:
        tasks = {name: task.output for name, task in dataset.tasks().items()}
        assert tasks == Traits(dataset).outputs
        assert not Traits(dataset).requirements
