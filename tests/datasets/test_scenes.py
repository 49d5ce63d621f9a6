"""The embedded world as a dataset: drawn once, complete or not there."""

from __future__ import annotations

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
from mmragbench.registry import find


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


def test_drawn_once(worlds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A finished world is not drawn again; another seed or size is another world."""
    place = Scenes(memory=30, queries=20, root=worlds).draw()
    assert place != Scenes(memory=5, queries=5, root=worlds).draw()
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


@pytest.mark.parametrize("name", ["coco", "flickr", "scenes"])
def test_imports_stay_light(name: str) -> None:
    """Importing a loader imports neither torch nor scipy nor Pillow."""
    code = f"import sys, mmragbench.datasets.{name}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"torch", "scipy", "PIL"} & set(done.stdout.split()) == set()
