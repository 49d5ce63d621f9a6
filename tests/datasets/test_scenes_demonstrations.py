"""ScenesDemonstrations as a dataset: what is relevant, right and shown first."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmragbench.contracts import Dataset
from mmragbench.datasets.scenes_demonstrations import CLASSES, STYLES, ScenesDemonstrations
from mmragbench.errors import DataError
from mmragbench.records import Task
from mmragbench.registry import find
from mmragbench.strategies.oracle import Oracle


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that keeps drawn worlds for all tests of this file."""
    return tmp_path_factory.mktemp("worlds")


@pytest.fixture(scope="module")
def tasks(worlds: Path) -> dict[str, Task]:
    """A small world's tasks."""
    return ScenesDemonstrations(memory=48, queries=12, shots=4, root=worlds).tasks()


def test_is_a_dataset(tasks: dict[str, Task]) -> None:
    """The class is registered under its file's name, and has the tasks that it says."""
    assert find("dataset", "scenes_demonstrations").make is ScenesDemonstrations
    assert isinstance(ScenesDemonstrations(), Dataset)
    outputs = {name: task.output for name, task in tasks.items()}
    assert (
        outputs
        == ScenesDemonstrations.outputs
        == {**dict.fromkeys(STYLES, "image"), CLASSES: "answer"}
    )


@pytest.mark.parametrize("name", STYLES)
def test_a_query_in_a_style(name: str, tasks: dict[str, Task]) -> None:
    """A text, the real picture, and the style as its label; relevant are pairs of the same label."""
    task = tasks[name]
    for query in task.queries:
        assert query.image is None and query.text is not None
        labels = {task.memory_labels[id] for id in task.qrels[query.id]}
        assert labels == {task.labels[query.id]} and len(task.qrels[query.id]) == 4
    assert task.targets.keys() == task.labels.keys() == {query.id for query in task.queries}
    documents = {document.id for document in task.memory}
    assert task.memory_labels.keys() == documents
    digests = {document.image.digest for document in task.memory}
    assert not digests & {image.digest for image in task.targets.values()}


@pytest.mark.parametrize("k", [2, 4, 6, 8])
def test_the_oracle_shows_as_many_examples_of_each_class(k: int, tasks: dict[str, Task]) -> None:
    """k/2 of each label, those of the wrong class included, for every even k."""
    task = tasks[CLASSES]
    text = {document.id: document.texts[0].content for document in task.memory}
    oracle = Oracle(task)
    oracle.index(task.memory)
    for ranking in oracle.retrieve(task.queries, k):
        labels = [text[id] for id in ranking.ids]
        assert sorted(labels) == ["blicket"] * (k // 2) + ["dax"] * (k // 2)
        assert ranking.ids == tuple(list(task.qrels[ranking.query])[:k])


def test_the_answer_is_a_label(tasks: dict[str, Task]) -> None:
    """A query is a picture that no document has, and a question that names both labels."""
    task = tasks[CLASSES]
    digests = {document.image.digest for document in task.memory}
    for query in task.queries:
        assert query.image.digest not in digests
        assert sorted(query.text.content.rstrip("?").split(" or ")) == ["blicket", "dax"]
        assert task.references[query.id] in {("dax",), ("blicket",)}


def test_drawn_once(worlds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A finished world is not drawn again; other arguments are another world."""
    from mmragbench.scenes import demonstrations

    arguments = {"memory": 48, "queries": 12, "shots": 4, "root": worlds}
    place = ScenesDemonstrations(**arguments).draw()

    def no_drawing(*_: object, **__: object) -> None:
        pytest.fail("drawn again")

    monkeypatch.setattr(demonstrations, "write", no_drawing)
    assert ScenesDemonstrations(**arguments).draw() == place
    for other in ({"memory": 49}, {"queries": 13}, {"shots": 3}, {"seed": 1}):
        with pytest.raises(pytest.fail.Exception, match="drawn again"):
            ScenesDemonstrations(**arguments | other).draw()


def test_a_memory_that_is_too_small(tmp_path: Path) -> None:
    """One line before anything is drawn."""
    with pytest.raises(DataError, match="4 shots in every style need a memory of 24, not 20"):
        ScenesDemonstrations(memory=20, root=tmp_path).tasks()
    assert list(tmp_path.iterdir()) == []
