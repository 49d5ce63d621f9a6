"""The cache: atomic, shared, keyed by content."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from mmragbench.cache import Cache, Item, Items, connect, write_atomically
from mmragbench.errors import MmragbenchError
from mmragbench.identity import digest


def test_items_come_back_as_they_were(tmp_path):
    """Bytes and seconds by key; unknown keys are absent."""
    items = Items(tmp_path / "model.sqlite")
    items.put({"a": Item(b"\x00\xff", 0.5)})
    assert items.get(["a", "b"]) == {"a": Item(b"\x00\xff", 0.5)}


def test_two_runs_may_write_at_once(tmp_path):
    """Many writers of one file: everything arrives."""

    def write(worker: int) -> None:
        items = Items(tmp_path / "model.sqlite")
        for i in range(20):
            items.put({f"{worker}-{i}-{j}": Item(b"x", 0.0) for j in range(20)})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    keys = [f"{w}-{i}-{j}" for w in range(4) for i in range(20) for j in range(20)]
    assert len(Items(tmp_path / "model.sqlite").get(keys)) == 1600


def test_stages_are_there_as_a_whole_or_not_at_all(tmp_path):
    """A draft that a killed run left behind is not a result."""
    cache = Cache(tmp_path)
    key = digest("stage")
    assert cache.load(key) is None
    (tmp_path / "stages" / key[:2]).mkdir(parents=True)
    (tmp_path / "stages" / key[:2] / f".{key}.123").write_bytes(b"half")
    assert cache.load(key) is None
    cache.save(key, b"whole")
    assert cache.load(key) == b"whole"


def test_writing_replaces_at_once(tmp_path):
    """The old content stays until the new one is complete; no draft is left."""
    path = tmp_path / "summary.json"
    write_atomically(path, "old")
    write_atomically(path, "new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_identity_does_not_depend_on_the_order_of_keys():
    """The same arguments in another order are the same."""
    assert (
        digest({"a": 1, "b": [2, 3]})
        == digest({"b": [2, 3], "a": 1})
        != digest({"a": 1, "b": [3, 2]})
    )


def test_runs_that_begin_together_share_a_new_file(tmp_path):
    """Whoever comes second to a file that is just being made waits, and is not refused."""
    for number in range(40):
        path, together = tmp_path / f"{number}.sqlite", Barrier(6)

        def begin(_: int, path: Path = path, together: Barrier = together) -> str:
            together.wait()
            db = connect(path)
            (mode,) = db.execute("PRAGMA journal_mode").fetchone()
            db.close()
            return mode

        with ThreadPoolExecutor(6) as pool:
            assert list(pool.map(begin, range(6))) == ["wal"] * 6


def test_a_cache_that_is_no_folder_is_named(tmp_path):
    """In one line that says what to set, and nothing else is touched."""
    (tmp_path / "file").write_text("mine")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(MmragbenchError, match="MMRAGBENCH_CACHE"):
            Cache(path)
    assert (tmp_path / "file").read_text() == "mine"
