"""Vectors on disk: per item, memory-mapped, shared, and right after a kill at any moment."""

from __future__ import annotations

import mmap
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import mmragbench.cache.vectors
from mmragbench.cache.cache import Cache
from mmragbench.cache.vectors import VectorFile
from mmragbench.engine.cached_models import CachedEncoder
from mmragbench.engine.meter import Meter
from mmragbench.errors import BadImage, DataError
from mmragbench.records import Image, Text

ROWS = np.arange(40, dtype=np.float32).reshape(10, 4)
KEYS = [f"text:{i}" for i in range(10)]


@pytest.fixture
def stored(tmp_path):
    file = VectorFile(tmp_path / "model.sqlite")
    file.put(dict(zip(KEYS[:5], ROWS[:5], strict=True)), 0.5)
    file.put(dict(zip(KEYS[5:], ROWS[5:], strict=True)), 0.5)
    return file


def is_mapped(rows):
    """Whether the bytes are those of a mapped file."""
    while isinstance(rows, np.ndarray):
        rows = rows.base
    return isinstance(rows, mmap.mmap)


@pytest.mark.parametrize("limit", [0, 1 << 20])
@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 1, 1, 9], [7], list(range(10)) * 3])
def test_rows_come_back_in_the_order_of_the_keys(stored, order, limit, monkeypatch):
    """Any order, any repetition, whether they are copied into memory or mapped."""
    monkeypatch.setattr(mmragbench.cache.vectors, "COPIED", limit)
    monkeypatch.setattr(mmragbench.cache.vectors, "_BLOCK", 4)
    locations = stored.find([KEYS[i] for i in order])
    rows = stored.read(locations)
    np.testing.assert_array_equal(rows, ROWS[order])
    assert not rows.flags.writeable and rows.dtype == np.float32
    assert locations.seconds.tolist() == [0.5] * len(order)


def test_neighbours_are_a_view_of_the_file(stored):
    """What was encoded in one go is not copied."""
    assert is_mapped(stored.read(stored.find(KEYS)))


def test_a_large_selection_is_mapped_and_leaves_no_file(stored, tmp_path, monkeypatch):
    """Gathered rows lie on disk without a name."""
    monkeypatch.setattr(mmragbench.cache.vectors, "COPIED", 0)
    before = sorted(tmp_path.iterdir())
    rows = stored.read(stored.find(KEYS[::-1]))
    assert is_mapped(rows)
    assert sorted(tmp_path.iterdir()) == before


def test_an_unknown_key_has_no_row(stored):
    """It is told by -1."""
    assert stored.find(["text:3", "text:99"]).rows.tolist() == [3, -1]


def test_rows_that_no_index_names_are_written_over(stored, tmp_path):
    """A run that was killed between writing its rows and naming them costs nothing."""
    with (tmp_path / "model-4.f32").open("ab") as file:
        file.write(b"\xff" * 24)  # a row and a half
    stored.put(dict(zip(["text:10"], ROWS[:1] + 100, strict=True)), 0.5)
    rows = stored.read(stored.find(["text:9", "text:10"]))
    np.testing.assert_array_equal(rows, [ROWS[9], ROWS[0] + 100])


def test_rows_that_the_file_has_lost_are_unknown_and_stay_so(stored, tmp_path):
    """A file that was cut or deleted is filled again; nobody takes the new rows for the old."""
    with (tmp_path / "model-4.f32").open("r+b") as file:
        file.truncate(16 * 3 + 8)
    assert (stored.find(KEYS).rows >= 0).tolist() == [True] * 3 + [False] * 7
    stored.put(dict(zip(["new"], ROWS[:1] - 7, strict=True)), 0.5)
    locations = stored.find(["text:2", "text:3", "new"])
    assert locations.rows.tolist() == [2, -1, 3]
    np.testing.assert_array_equal(stored.read(stored.find(["new"])), ROWS[:1] - 7)


def test_rows_that_are_not_as_they_were_written_are_unknown(stored, tmp_path):
    """Other bytes of the same length are found when a process looks the row up first, counted, and
    written anew."""
    file = tmp_path / "model-4.f32"
    content = bytearray(file.read_bytes())
    content[16 * 3 + 5] ^= 1
    content[16 * 7 : 16 * 8] = bytes(16)
    file.write_bytes(content)
    again = VectorFile(tmp_path / "model.sqlite")
    with pytest.warns(UserWarning, match="2 damaged vectors"):
        locations = again.find(KEYS)
    assert np.flatnonzero(locations.rows < 0).tolist() == [3, 7]
    again.put(dict(zip([KEYS[3], KEYS[7]], ROWS[[3, 7]], strict=True)), 0.5)
    np.testing.assert_array_equal(again.read(again.find(KEYS)), ROWS)


def test_an_index_that_names_other_rows_is_found_out(stored, tmp_path):
    """A row number, a width or a checksum that a damaged index has changed."""
    with sqlite3.connect(tmp_path / "model.sqlite") as db:
        db.execute("UPDATE rows SET row = 0 WHERE key = 'text:1'")
        db.execute("UPDATE rows SET width = 7 WHERE key = 'text:2'")
        db.execute("UPDATE rows SET checksum = 'x' WHERE key = 'text:3'")
        db.execute("UPDATE rows SET row = -5 WHERE key = 'text:4'")
    again = VectorFile(tmp_path / "model.sqlite")
    with pytest.warns(UserWarning, match="1 damaged vectors"):
        assert np.flatnonzero(again.find(KEYS).rows < 0).tolist() == [1, 2, 3, 4]


def test_two_runs_may_write_at_once(tmp_path):
    """Many writers of one file: every key has its own row."""

    def write(worker: int) -> None:
        file = VectorFile(tmp_path / "model.sqlite")
        for i in range(20):
            keys = [f"{worker}-{i}-{j}" for j in range(10)]
            file.put(
                dict(zip(keys, np.full((10, 3), worker * 1000 + i, np.float32), strict=True)), 0.5
            )

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    keys = [f"{w}-{i}-{j}" for w in range(4) for i in range(20) for j in range(10)]
    file = VectorFile(tmp_path / "model.sqlite")
    expected = [[w * 1000 + i] * 3 for w in range(4) for i in range(20) for _ in range(10)]
    np.testing.assert_array_equal(file.read(file.find(keys)), expected)


def test_widths_are_kept_apart(stored):
    """An encoder may have other vectors for images than for texts; they cannot be one array."""
    stored.put(dict(zip(["image:1"], np.ones((1, 2), np.float32), strict=True)), 0.5)
    np.testing.assert_array_equal(stored.read(stored.find(["image:1"])), [[1, 1]])
    with pytest.raises(DataError, match="several widths"):
        stored.read(stored.find(["image:1", "text:1"]))


class Counting:
    """Texts to their length; remembers what it was asked. It reads one modality, so that no
    self-test asks it as well."""

    def __init__(self, modality):
        self.modalities = frozenset({modality})
        self.asked = []

    def encode_images(self, images):
        self.asked += [image.id for image in images]
        if any(image.id == "bad" for image in images):
            raise BadImage("bad.jpg: there is no such file")
        return np.ones((len(images), 2), np.float32)

    def encode_texts(self, texts):
        self.asked += [text.content for text in texts]
        return np.array([[len(text.content), 1] for text in texts], np.float32)


def test_identical_texts_are_encoded_once(tmp_path):
    """In one question, and over two; every text has its row."""
    inner, meter = Counting("text"), Meter()
    encoder = CachedEncoder(inner, "e", Cache(tmp_path).vectors("e"), meter)
    texts = [Text(str(i), content) for i, content in enumerate(["a", "bb", "a", "a"])]
    with meter.stage() as stage:
        rows = encoder.encode_texts(texts)
        (usage,) = stage.values()
    assert rows[:, 0].tolist() == [1, 2, 1, 1]
    assert (usage.items, usage.cached, usage.failed) == (2, 0, 0)
    assert encoder.encode_texts([Text("x", "ccc"), texts[1]])[:, 0].tolist() == [3, 2]
    assert inner.asked == ["a", "bb", "ccc"]
    assert set(encoder.known([encoder.key(texts[0]), "text:unknown"])) == {encoder.key(texts[0])}


def test_an_index_that_keeps_nothing_is_made_anew(tmp_path, monkeypatch):
    """Damage that SQLite does not see: what was just stored is not locations."""
    inner = Counting("text")
    encoder = CachedEncoder(inner, "e", Cache(tmp_path).vectors("e"), Meter())
    find, lost = VectorFile.find, [2]

    def forgetful(self, keys):
        lost[0] -= 1
        return find(self, ["unknown"] * len(keys) if lost[0] >= 0 else keys)

    monkeypatch.setattr(VectorFile, "find", forgetful)
    with pytest.warns(UserWarning, match="does not keep what it is given"):
        rows = encoder.encode_texts([Text("1", "a"), Text("2", "bb")])
    assert rows[:, 0].tolist() == [1, 2]


def test_one_bad_picture_is_named_when_the_others_are_stored(tmp_path):
    """The next run asks for nothing but the bad one."""
    inner = Counting("image")
    encoder = CachedEncoder(inner, "e", Cache(tmp_path).vectors("e"), Meter())
    images = [Image(id, tmp_path / id, digest=id) for id in ("a", "bad", "b")]
    with pytest.raises(DataError, match="cannot encode 1 of 3 images: 'bad'"):
        encoder.encode_images(images)
    inner.asked.clear()
    assert encoder.encode_images([images[0], images[2]]).shape == (2, 2)
    assert inner.asked == []
