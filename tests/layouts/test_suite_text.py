"""The suite that a folder becomes: its text, its names, its limits."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from mmragbench.layouts import Data, recognise, suite_name, suite_text
from mmragbench.layouts.suite_text import TASKS
from mmragbench.planning.plan import load, plan
from mmragbench.planning.suite import Source, read
from mmragbench.registry import find
from support.data_folders import WRITERS

pytestmark = pytest.mark.usefixtures("own_tables")

CONTROLS = {"random", "oracle"}


def data(folder: Path = Path("my500"), **changes) -> Data:
    usual = {
        "layout": "pictures",
        "kind": "pictures",
        "dataset": {"use": "folder", "root": str(folder)},
        "queries": 40,
    }
    return Data(folder, **{**usual, **changes})


@pytest.fixture
def hub_cache(tmp_path, monkeypatch):
    """Puts a repository of the hub into a local cache of the test's own."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))

    def put(repository: str) -> None:
        refs = tmp_path / "hub" / f"models--{repository.replace('/', '--')}" / "refs"
        refs.mkdir(parents=True)
        (refs / "main").write_text("0" * 40)

    return put


@pytest.mark.parametrize("layout", WRITERS)
def test_each_layouts_suite_is_one(layout, tmp_path, hub_cache):
    """Its names are bound, the dataset has its tasks, and a strategy stands beside the controls."""
    WRITERS[layout](tmp_path)
    planned, source = load(tmp_path)
    assert source.data == recognise(tmp_path)
    tasks = planned.dataset.component.make(**planned.dataset.args).tasks()
    assert {*planned.tasks} <= {*tasks}
    assert {*planned.strategies} > CONTROLS
    assert planned.suite.baseline == "random"


@pytest.mark.parametrize("kind", TASKS)
@pytest.mark.parametrize("models", [set(), {"clip"}, {"sentences"}, {"clip", "sentences"}])
@pytest.mark.parametrize("is_vectored", [True, False])
def test_models_of_the_hub_are_used_where_they_are_at_hand(kind, models, is_vectored, hub_cache):
    """Weights in the hub's local cache are named, others stand in comments: nothing is downloaded.
    Retrieval between pictures and texts is a task where a model reads both."""
    from mmragbench.layouts.hub_models import REPOSITORIES

    for name in models:
        hub_cache(REPOSITORIES[name])
    vectors = "vectors.npz" if is_vectored and kind == "pictures" else None
    text = suite_text(data(kind=kind, vectors=vectors))
    content = yaml.safe_load(text)
    named = {*(content.get("models") or {})} - {"classic", "vectors"}
    assert named <= models
    assert named >= (models & {"clip"})
    if kind == "pictures":
        reads_both = "clip" in models or is_vectored
        assert (
            ("text-to-image" in content["tasks"])
            == ("shared-space" in content["strategies"])
            == reads_both
        )
    assert "all-MiniLM-L6-v2" in text and "ViT-B-32" in text
    read(Source("suite", text))


@pytest.mark.parametrize("kind", TASKS)
def test_its_measures_and_components_exist(kind, hub_cache):
    """Also those of the hub, as soon as they are at hand."""
    from mmragbench.layouts.hub_models import REPOSITORIES

    for repository in REPOSITORIES.values():
        hub_cache(repository)
    source = Source("suite", suite_text(data(kind=kind, dataset={"use": "scenes"})))
    plan(read(source)[0], source)


@pytest.mark.parametrize(
    "tasks, active",
    [
        ((), {"captioning", "image-generation"}),
        (("captioning",), {"captioning"}),
        (("image-generation",), {"image-generation"}),
    ],
)
def test_tasks_that_are_left_out_are_comments(tasks, active, hub_cache):
    """What was not asked for stands there to be taken in again."""
    text = suite_text(data(), tasks)
    assert {*yaml.safe_load(text)["tasks"]} == active
    assert "captioning:" in text and "image-generation:" in text


@pytest.mark.parametrize(
    "queries, memory, is_single, limits",
    [
        (1_000, 1_500, False, {"limit": 500}),
        (1_000, 113_287, False, {"limit": 500, "memory_limit": 2_000}),
        (300, 400, False, {}),
        (8_091, 8_091, True, {"limit": 500, "memory_limit": 2_000}),
        (500, 500, True, {"limit": 100}),
        (70, 70, True, {"limit": 35}),
        (2, 2, True, {"limit": 1}),
    ],
)
def test_a_first_run_is_short(queries, memory, is_single, limits, hub_cache):
    """At most 500 query pictures and a memory of 2,000; of one split, queries leave most to the memory;
    and no limit where nothing is left out."""
    own = data(queries=queries, memory=memory, is_single=is_single)
    dataset = yaml.safe_load(suite_text(own))["dataset"]
    assert {key: dataset[key] for key in ("limit", "memory_limit") if key in dataset} == limits


def test_fewer_queries_leave_the_memory_its_limit(hub_cache):
    """Of one split, what they leave is in the memory as far as its own limit allows."""
    own = data(queries=2_500, memory=2_500, is_single=True)
    dataset = yaml.safe_load(suite_text(own, limit=200))["dataset"]
    assert (dataset["limit"], dataset["memory_limit"]) == (200, 2_000)


HOSTILE = [
    "plain", "with space", "a: b", "#comment", "quo'te\"s", "new\nline: x", "{a}", "-", "é", "…",
    "null", "007", "&a", "%", "\x1b[2J", "tab\there", "x" * 200, "{{ 7 * 7 }}",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_names_of_folders_are_data(name, tmp_path):
    """Whatever a folder and its files are called, the suite is YAML that names them, and nothing of a
    name becomes a key, a comment's end or a template."""
    folder = tmp_path / name
    own = data(
        folder, dataset={"use": "folder", "root": str(folder), "queries": name}, missing=(name,)
    )
    suite, _ = read(Source("suite", suite_text(own, file=f"{name}.yaml")))
    assert suite.dataset["root"] == str(folder)
    assert suite.dataset["queries"] == name
    assert suite.name == suite_name(own)
    assert {*suite.strategies} == {"random", "lexical", "image-similarity", "oracle"}


def test_a_folder_or_a_shipped_suite(tmp_path, monkeypatch):
    """A shipped suite's name is that suite; with a slash it is the folder."""
    monkeypatch.chdir(tmp_path)
    WRITERS["metadata_jsonl"](tmp_path / "scenes")
    with pytest.warns(
        UserWarning, match=r"scenes is a shipped suite here; the folder is \./scenes"
    ):
        assert read("scenes")[0].dataset["use"] == "scenes"
    for name in ("./scenes", "scenes/", str(tmp_path / "scenes"), tmp_path / "scenes"):
        assert read(name)[0].dataset["use"] == "folder"


def test_strategies_without_weights_are_there():
    """The names in the suites are those of the catalogues."""
    assert find("strategy", "lexical") and find("encoder", "classic_features")
