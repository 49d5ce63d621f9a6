"""The embedded world as a dataset: drawn once, complete or not there."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mmragbench import scenes
from mmragbench.contracts import Dataset
from mmragbench.datasets.scenes import Scenes
from mmragbench.errors import DataError
from mmragbench.records import Query, Task
from mmragbench.registry import find
from mmragbench.scenes.edits import Edits
from mmragbench.scenes.emblems import emblems


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMRAGBENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that keeps drawn worlds for all tests of this file."""
    return tmp_path_factory.mktemp("worlds")


def no_drawing(*_: object, **__: object) -> None:
    pytest.fail("the world was drawn again")


def test_is_a_dataset() -> None:
    """The class is registered under its file's name and keeps the contract."""
    assert find("dataset", "scenes").make is Scenes
    assert isinstance(Scenes(), Dataset)


def test_the_world_in_tasks(worlds: Path) -> None:
    """All four tasks, without exclusions, with silver by categories and the slice of emblems."""
    tasks = Scenes(memory=30, queries=20, root=worlds).tasks()
    for task in tasks.values():
        assert task.exclusions == ()
        assert set(task.slices) == {"emblems"}
        assert 0 < len(task.slices["emblems"]) < len(task.queries)
    assert (len(tasks["captioning"].memory), len(tasks["captioning"].queries)) == (30, 20)
    assert len(tasks["text-to-image"].queries) == 100
    assert tasks["captioning"].relevance == "silver:categories"


GENERATION = ("captioning", "image-generation")
EDITS = Edits(renamed=14, replaced=8, recoloured=6, deleted=6)
KINDS = {"renamed", "replaced", "recoloured", "deleted", "unedited"}


@pytest.fixture(scope="module")
def both(worlds: Path) -> dict[str, tuple[Task, Task]]:
    """Task -> itself in a world without and with edits."""
    plain = Scenes(memory=240, queries=160, root=worlds).tasks()
    edited = Scenes(memory=240, queries=160, edits=EDITS, root=worlds).tasks()
    return {name: (plain[name], edited[name]) for name in plain}


@pytest.mark.parametrize("task", GENERATION)
def test_the_label_of_a_query_is_its_emblem(task: str, both: dict[str, tuple[Task, Task]]) -> None:
    """As its first caption names it; other queries have none, and so for documents."""
    plain, _ = both[task]
    assert plain.labels.keys() == plain.slices["emblems"] and not plain.original_labels
    for query, name in plain.labels.items():
        assert name in plain.references[query][0]
    documents = {document.id: document for document in plain.memory}
    assert set(plain.memory_labels.values()) >= set(plain.labels.values())
    for id, name in plain.memory_labels.items():
        assert name in documents[id].texts[0].content


def test_edits_change_no_query(both: dict[str, tuple[Task, Task]]) -> None:
    """Ids, texts, pictures and groups; retrieval tasks change in nothing."""
    for name, (plain, edited) in both.items():
        assert list(map(content, edited.queries)) == list(map(content, plain.queries))
        if name not in GENERATION:
            assert edited.qrels == plain.qrels and edited.slices == plain.slices


def content(query: Query) -> tuple[object, ...]:
    return query.id, query.text, query.image and query.image.digest, query.group


def test_labels_follow_the_edited_memory(both: dict[str, tuple[Task, Task]]) -> None:
    """A caption is right with the memory's name of the design, a picture with the memory's design of
    the name. Where the memory has neither there is no label; the original one is always there."""
    for task in GENERATION:
        plain, edited = both[task]
        assert edited.original_labels.keys() == plain.labels.keys()
        assert edited.slices.keys() > KINDS and all(edited.slices[kind] for kind in KINDS)
        for kind in KINDS:
            for query in edited.slices[kind]:
                own = plain.labels[query]
                right, original = edited.labels.get(query), edited.original_labels[query]
                name, look = (original, right) if task == "captioning" else (right, original)
                if kind == "unedited":
                    assert name == look == own
                elif kind == "renamed":
                    assert name == own and look not in (None, own)
                elif task == "captioning":
                    assert name == own and look is None
                else:
                    assert look == f"{own} (unedited)"
                    assert name == (None if kind == "deleted" else own)


def test_designs_that_are_gone_keep_their_pictures(both: dict[str, tuple[Task, Task]]) -> None:
    """What a memory had of a design that was replaced, recoloured or deleted, is there by the old name,
    so that a picture that shows it can be told; of one that was renamed, nothing is gone."""
    plain, edited = both["image-generation"]
    own = {plain.labels[query] for kind in EDITS.kinds for query in edited.slices[kind]}
    renamed = {plain.labels[query] for query in edited.slices["renamed"]}
    assert {f"{name} (unedited)" for name in own - renamed} <= edited.label_images.keys()
    assert len(edited.label_images) == EDITS.replaced + EDITS.recoloured + EDITS.deleted
    pictures = {document.id: document.image for document in plain.memory}
    for label, images in edited.label_images.items():
        of_name = [id for id, n in plain.memory_labels.items() if f"{n} (unedited)" == label]
        assert sorted(i.digest for i in images) == sorted(pictures[id].digest for id in of_name)


def test_references_and_targets_follow_the_edited_memory(
    both: dict[str, tuple[Task, Task]],
) -> None:
    """References have the name that is right, and the real picture shows another design where the
    memory does; unedited queries keep both."""
    for task in GENERATION:
        plain, edited = both[task]
        for query, name in edited.labels.items():
            assert name in edited.references[query][0]
    plain, edited = both["image-generation"]
    changed = {q for q in plain.targets if plain.targets[q].digest != edited.targets[q].digest}
    slices = edited.slices
    assert changed == slices["renamed"] | slices["replaced"] | slices["recoloured"]
    untouched = {query.id for query in plain.queries} - slices["emblems"] | slices["unedited"]
    assert all(edited.references[query] == plain.references[query] for query in untouched)


def test_relevant_documents_show_what_is_right(both: dict[str, tuple[Task, Task]]) -> None:
    """The documents of the highest grade of a query with a label are pictures of it; without,
    no document of the emblem is relevant for the emblem's sake."""
    for task in GENERATION:
        _, edited = both[task]
        for query, name in edited.labels.items():
            best = [id for id, grade in edited.qrels[query].items() if grade == 2]
            assert all(edited.memory_labels.get(id) == name for id in best)


def test_a_query_for_a_picture_does_not_describe_its_emblem(
    both: dict[str, tuple[Task, Task]],
) -> None:
    """It names it alone: what it looks like is in the memory only."""
    plain, edited = both["image-generation"]
    designs = {emblem.title: emblem.design for emblem in emblems().held_out}
    for query in edited.queries:
        if name := plain.labels.get(query.id):
            words = query.text.content.replace(name, "").lower()
            assert name in query.text.content
            assert not re.search(rf"{designs[name].charge}|sign with|shaped|sided", words)


def test_edits_that_cannot_be(tmp_path: Path) -> None:
    """One line before anything is drawn."""
    with pytest.raises(DataError, match="leaves nothing to exchange names with"):
        Scenes(memory=5, queries=5, edits=Edits(renamed=1), root=tmp_path).tasks()
    assert list(tmp_path.iterdir()) == []


def test_drawn_once(worlds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A finished world is not drawn again; another seed or size is another world."""
    place = Scenes(memory=30, queries=20, root=worlds).draw()
    assert place != Scenes(memory=5, queries=5, root=worlds).draw()
    assert place != Scenes(memory=30, queries=20, edits=Edits(deleted=1), root=worlds).draw()
    assert place == Scenes(memory=30, queries=20, edits=Edits(), root=worlds).draw()
    monkeypatch.setattr(scenes, "write", no_drawing)
    assert Scenes(memory=30, queries=20, root=worlds).draw() == place
    with pytest.raises(pytest.fail.Exception, match="drawn again"):
        Scenes(memory=30, queries=20, seed=1, root=worlds).draw()


def test_an_unfinished_world_is_drawn_again(worlds: Path, tmp_path: Path) -> None:
    """What a killed run or a tidy person left behind is not taken for a world."""
    whole = Scenes(memory=5, queries=5, root=worlds).draw()
    place = Scenes(memory=5, queries=5, root=tmp_path).draw()
    (place / "finished").unlink()
    shutil.rmtree(place / "images" / "memory")
    assert Scenes(memory=5, queries=5, root=tmp_path).draw() == place
    assert files(place) == files(whole)


@pytest.mark.parametrize("name", ["images/queries/*", "annotations/captions_queries.json"])
def test_a_world_that_was_damaged_is_drawn_again(name: str, worlds: Path, tmp_path: Path) -> None:
    """One bit of a picture or of a caption: a warning, and the files are as they were."""
    place = tmp_path / Scenes(memory=5, queries=5, root=worlds).draw().name
    shutil.copytree(worlds / place.name, place)
    file = sorted(place.glob(name))[0]
    whole = file.read_bytes()
    file.write_bytes(whole[:-40] + bytes([whole[-40] ^ 1]) + whole[-39:])
    with pytest.warns(UserWarning, match="not as it was drawn"):
        assert Scenes(memory=5, queries=5, root=tmp_path).draw() == place
    assert file.read_bytes() == whole


def test_two_runs_at_once(worlds: Path, tmp_path: Path) -> None:
    """Runs that draw the same world at the same time end with one world and no left-overs."""
    whole = Scenes(memory=5, queries=5, root=worlds).draw()
    with ThreadPoolExecutor(3) as pool:
        places = set(pool.map(lambda _: Scenes(5, 5, root=tmp_path).draw(), range(3)))
    assert len(places) == 1
    assert files(places.pop()) == files(whole)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def files(world: Path) -> dict[Path, bytes]:
    return {p.relative_to(world): p.read_bytes() for p in world.rglob("*") if p.is_file()}


def test_worlds_lie_in_the_cache(tmp_path: Path) -> None:
    """Without a root the world is kept in the cache folder."""
    place = Scenes(memory=3, queries=3).draw()
    assert place.parent == tmp_path / "cache" / "scenes"


@pytest.mark.parametrize("sizes", [{"memory": 0}, {"queries": -1}])
def test_a_world_of_nothing(sizes: dict[str, int]) -> None:
    """A split of no pictures is an error."""
    with pytest.raises(DataError, match="a picture in each split"):
        Scenes(**sizes).tasks()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """A root that is a file is one line, not a traceback."""
    (tmp_path / "root").touch()
    with pytest.raises(DataError, match="cannot draw scenes below"):
        Scenes(memory=3, queries=3, root=tmp_path / "root").draw()


@pytest.mark.parametrize("name", ["coco", "flickr", "scenes", "scenes_demonstrations"])
def test_imports_stay_light(name: str) -> None:
    """Importing a loader imports neither torch nor scipy nor Pillow."""
    code = f"import sys, mmragbench.datasets.{name}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"torch", "scipy", "PIL"} & set(done.stdout.split()) == set()
