"""The cache: atomic, shared, keyed by content."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from mmragbench._files import DRAFT, HOST, sweep, write_atomically
from mmragbench.cache.cache import Cache
from mmragbench.cache.identity import digest
from mmragbench.cache.items import Item, Items
from mmragbench.cache.sqlite import connect
from mmragbench.errors import MmragbenchError


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


def test_a_pipe_or_a_device_is_written_to_and_stays(tmp_path):
    """`--junit /dev/stdout`, as root too: nothing takes the place of what is no file."""
    pipe, name = tmp_path / "pipe", tmp_path / "name"
    os.mkfifo(pipe)
    name.symlink_to("/dev/null")
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_atomically(pipe, ["a", "b"])
    write_atomically(name, "c")
    assert os.read(reader, 9) == b"ab"
    os.close(reader)
    assert pipe.is_fifo() and name.is_symlink() and sorted(tmp_path.iterdir()) == [name, pipe]
    program = (
        "from mmragbench.cache.cache import write_atomically as w; from pathlib import Path;"
        "print('one', flush=True); w(Path('/proc/self/fd/1'), 'two\\n'); print('three')"
    )
    with (tmp_path / "out").open("wb") as out:
        subprocess.run([sys.executable, "-c", program], stdout=out, check=True)
    assert (tmp_path / "out").read_text() == "one\ntwo\nthree\n"


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="no such device")
def test_a_full_device_is_an_error_and_stays(tmp_path):
    """Named, by the name that it was given."""
    (tmp_path / "full").symlink_to("/dev/full")
    with pytest.raises(OSError, match="full"):
        write_atomically(tmp_path / "full", "x")
    assert Path("/dev/full").is_char_device()


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


def test_a_stage_that_is_not_as_it_was_stored_is_made_again(tmp_path):
    """Whatever became of its file: cut, flipped, emptied, valid but other content. The warning names
    the file, and what is stored next takes its place."""
    cache, key = Cache(tmp_path), digest("stage")
    cache.save(key, b'{"value": 1}')
    (file,) = (tmp_path / "stages").glob("*/*")
    whole = file.read_bytes()
    for damaged in (b"", whole[:-1], whole.replace(b"1}", b"2}"), b"\x00" * len(whole), whole[65:]):
        file.write_bytes(damaged)
        with pytest.warns(UserWarning, match=file.name):
            assert cache.load(key) is None
        cache.save(key, b'{"value": 1}')
        assert cache.load(key) == b'{"value": 1}'


def test_answers_whose_bytes_have_changed_are_not_known(tmp_path):
    """A changed answer, cost or checksum is left out, with a count; the others are there."""
    items = Items(tmp_path / "model.sqlite")
    items.put({key: Item(key.encode() * 3, 0.5) for key in "abcd"})
    with sqlite3.connect(tmp_path / "model.sqlite") as db:
        db.execute("UPDATE answers SET value = 'xxx' WHERE key = 'a'")
        db.execute("UPDATE answers SET seconds = 9 WHERE key = 'b'")
        db.execute("UPDATE answers SET checksum = 'none' WHERE key = 'c'")
    with pytest.warns(UserWarning, match="3 damaged answers"):
        assert items.get(list("abcd")) == {"d": Item(b"ddd", 0.5)}


@pytest.mark.parametrize("damage", [b"", b"not a database at all" * 300, None])
def test_a_damaged_database_is_made_anew(tmp_path, damage):
    """Cut in the middle of its pages, or no database: nothing in it is known, and it can be written."""
    path = tmp_path / "model.sqlite"
    items = Items(path)
    items.put({f"{n:064}": Item(b"x" * 200, 0.0) for n in range(300)})
    items._db.run(lambda db: db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())
    items._db.run(lambda db: db.close())
    whole = path.read_bytes()
    path.write_bytes(whole[:5000] + b"\xff" * 3000 + whole[8000:] if damage is None else damage)
    again = Items(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        known = again.get([f"{n:064}" for n in range(300)])
    assert set(known.values()) <= {Item(b"x" * 200, 0.0)} and len(known) < 300
    again.put({"new": Item(b"y", 1.0)})
    assert Items(path).get(["new"]) == {"new": Item(b"y", 1.0)}


def test_a_cache_of_before_checksums_is_not_read(tmp_path):
    """Its answers and stages are as good as not there; no error, no warning."""
    key = digest("stage")
    (tmp_path / "stages" / key[:2]).mkdir(parents=True)
    (tmp_path / "stages" / key[:2] / key).write_bytes(b"old")
    with sqlite3.connect(tmp_path / "model.sqlite") as db:
        db.execute("CREATE TABLE items (key TEXT PRIMARY KEY, value BLOB, seconds REAL)")
        db.execute("INSERT INTO items VALUES ('a', x'00', 0.5)")
    assert Cache(tmp_path).load(key) is None
    items = Items(tmp_path / "model.sqlite")
    assert items.get(["a"]) == {}
    items.put({"a": Item(b"new", 0.5)})
    assert items.get(["a"]) == {"a": Item(b"new", 0.5)}


def test_a_failed_write_leaves_the_old_file_and_no_draft(tmp_path):
    """Whatever stopped it."""

    def pieces():
        yield "half"
        raise KeyboardInterrupt

    path = tmp_path / "file"
    write_atomically(path, "old")
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, pieces())
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_drafts_of_killed_runs_are_swept(tmp_path):
    """Those of processes that live, and files of other names, stay."""
    draft = f".{HOST}-{{}}-1{DRAFT}"
    dead = subprocess.Popen(["true"])
    dead.wait()
    (tmp_path / "below").mkdir()
    for name in (draft.format(dead.pid), draft.format(os.getpid()), ".mine", f".x-1-1{DRAFT}"):
        (tmp_path / "below" / name).write_text("half")
    sweep(tmp_path)
    names = {path.name for path in (tmp_path / "below").iterdir()}
    assert names == {draft.format(os.getpid()), ".mine", f".x-1-1{DRAFT}"}


def test_a_full_disk_is_an_error_that_names_the_file(tmp_path):
    """SQLite's own message does not say which."""
    items = Items(tmp_path / "model.sqlite")
    items._db.run(lambda db: db.execute("PRAGMA max_page_count = 3"))
    with pytest.raises(MmragbenchError, match=r"model\.sqlite cannot be used .*full"):
        items.put({f"{n}": Item(b"x" * 5000, 0.0) for n in range(20)})


def test_a_new_cache_is_the_users_alone(tmp_path):
    """A folder that was there stays as it is."""
    Cache(tmp_path / "new")
    (tmp_path / "old").mkdir(mode=0o755)
    Cache(tmp_path / "old")
    assert [(tmp_path / n).stat().st_mode & 0o777 for n in ("new", "old")] == [0o700, 0o755]
