"""Hugging Face's library: parquet with images in it, image folders, bad rows."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections import Counter
from hashlib import sha256
from typing import Any

import PIL.Image
import pytest

import datasets
from mmragbench.contracts import Dataset
from mmragbench.data.tables import Columns
from mmragbench.datasets.huggingface import Huggingface, keep
from mmragbench.errors import DataError
from mmragbench.registry import find
from support.huggingface_files import STRING, TEXTS, ids, load, named, parquet, pictures, png, write
from support.paths import ROOT

pytestmark = pytest.mark.usefixtures("own_tables")


def test_is_a_dataset(tmp_path):
    """The class is registered under its file's name and keeps the contract."""
    assert find("dataset", "huggingface").make is Huggingface
    assert isinstance(Huggingface(str(tmp_path)), Dataset)


def test_the_library_is_hugging_faces():
    """`import datasets` in our file is the library, from the checkout's root too."""
    code = (
        "from mmragbench.datasets import huggingface\n"
        "huggingface._caches()\n"
        "import sys; print(sys.modules['datasets'].__file__)"
    )
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "site-packages" in found


def test_images_in_parquet(tmp_path, own_cache):
    """Bytes become files in the cache, named by their hash; what decodes is what was stored."""
    rows = pictures(tmp_path, "test", 2)
    pictures(tmp_path, "train", 3, first=10)
    tasks = load(tmp_path)
    assert ids(tasks["captioning"]) == (["p0", "p1"], ["p10", "p11", "p12"])
    assert ids(tasks["text-to-image"])[0] == ["p0#0", "p0#1", "p1#0", "p1#1"]
    assert tasks["captioning"].references["p1"] == ("picture 1", "again 1")
    assert named(tasks) == []
    image = tasks["captioning"].queries[0].image
    digest = sha256(rows[0]["image"]["bytes"]).hexdigest()
    assert image.path == own_cache / "images" / digest[:2] / f"{digest}.png"
    assert image.digest == digest and image.open().getpixel((3, 3)) == (0, 9, 9)
    assert all(task.source == "" for task in tasks.values())


def test_a_single_split(tmp_path):
    """Queries are drawn from the only split there is, the others are the memory; a `validation` split
    asks where there is no `test`."""
    pictures(tmp_path, "train", 10)
    queries, memory = ids(load(tmp_path)["captioning"])
    assert len(queries) == 5
    assert sorted(queries + memory) == sorted(f"p{n}" for n in range(10))
    pictures(tmp_path, "validation", 2, first=20)
    assert ids(load(tmp_path)["captioning"])[0] == ["p20", "p21"]


def test_a_file_that_changed_is_read_again(tmp_path):
    """The library's own cache never stands in for a local file that has changed."""
    pictures(tmp_path, "train", 2, first=10)
    found = []
    for first in (0, 5):
        pictures(tmp_path, "test", 2, first=first)
        found.append(ids(load(tmp_path)["captioning"])[0])
    assert found == [["p0", "p1"], ["p5", "p6"]]


def test_a_kept_picture_that_was_damaged_is_written_again(own_cache):
    """Also one of the same length."""
    path = keep(png())
    path.write_bytes(bytes(len(png())))
    assert keep(png()) == path and path.read_bytes() == png()


def test_only_what_is_drawn_is_written(tmp_path, own_cache):
    """A limit of few writes few files, not the whole table; the same ones every time."""
    pictures(tmp_path, "test", 40)
    pictures(tmp_path, "train", 40, first=100)
    first, again = (load(tmp_path, limit=3, memory_limit=4)["captioning"] for _ in range(2))
    assert [len(side) for side in ids(first)] == [3, 4]
    assert ids(first) == ids(again)
    assert len(list((own_cache / "images").rglob("*.png"))) == 7
    queries, memory = ids(load(tmp_path, limit=5, memory="rest")["captioning"])
    assert len(queries) == 5 and len(memory) == 35


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP"])
def test_the_ending_is_read_from_the_bytes(kind):
    """A kept file's name ends with its format, whatever the table called it; kept once."""
    path = keep(png(kind=kind))
    assert path.suffix == {"JPEG": ".jpg"}.get(kind, f".{kind.lower()}")
    before = path.stat().st_mtime_ns
    assert keep(png(kind=kind)) == path and path.stat().st_mtime_ns == before
    assert keep(b"no picture").suffix == ".bin"


def test_rows_repeated_per_caption(tmp_path):
    """Rows with one caption each and the same id are one picture, which each of them holds."""
    rows = [
        {
            "image": {"bytes": png((10 * id, 9, 9)), "path": None},
            "sentences": {"raw": f"picture {id} voice {n}", "sentid": 100 * id + n},
            "cocoid": id,
        }
        for n in range(3)
        for id in (7, 8)
    ]
    features = {
        "image": datasets.Image(),
        "sentences": {"raw": STRING, "sentid": datasets.Value("int32")},
        "cocoid": datasets.Value("int32"),
    }
    parquet(tmp_path / "test.parquet", rows, **features)
    columns = Columns("image", "sentences.raw", "cocoid", caption_ids="sentences.sentid")
    tasks = load(tmp_path, columns=columns, memory="rest", limit=1)
    queries, memory = ids(tasks["captioning"])
    assert sorted(queries + memory) == ["7", "8"]
    (query,) = queries
    voices = [(f"{query}0{n}", f"picture {query} voice {n}") for n in range(3)]
    assert [(q.id, q.text.content) for q in tasks["text-to-image"].queries] == voices
    assert tasks["captioning"].queries[0].image.open().getpixel((0, 0)) == (10 * int(query), 9, 9)
    assert named(tasks) == []


def test_rows_of_one_id_that_hold_different_pictures(tmp_path):
    """Nobody knows whose captions they are: the picture is left out by name, the others are used."""
    rows = [
        {
            "image": {"bytes": png((shade, 9, 9)), "path": None},
            "caption": f"shade {shade}",
            "id": id,
        }
        for id, shade in (("a", 10), ("a", 20), ("b", 30), ("b", 30))
    ]
    features = {"image": datasets.Image(), "caption": STRING, "id": STRING}
    parquet(tmp_path / "test.parquet", rows, **features)
    parquet(tmp_path / "train.parquet", [rows[2] | {"id": "m"}], **features)
    columns = Columns("image", "caption", "id")
    task = load(tmp_path, columns=columns, queries="test", memory="train")["captioning"]
    assert task.references == {"b": ("shade 30", "shade 30")}
    assert [(e.id, e.reason) for e in task.exclusions] == [
        ("a", "the 2 rows of its id hold 2 different pictures")
    ]


def test_without_ids_rows_are_numbered(tmp_path):
    """The split and the row's number are the id where no column is; the splits stay apart."""
    for split in ("test", "train"):
        pictures(tmp_path, split, 2)
    assert ids(load(tmp_path, columns=Columns())["captioning"]) == (
        ["test-0", "test-1"],
        ["train-0", "train-1"],
    )


def test_an_image_folder(tmp_path):
    """The library's own imagefolder layout loads; its files are used where they lie."""
    for split, first in (("test", 0), ("train", 5)):
        folder = tmp_path / split
        folder.mkdir()
        lines = []
        for n in range(first, first + 2):
            (folder / f"{n}.png").write_bytes(png((n, 9, 9)))
            lines.append(json.dumps({"file_name": f"{n}.png", "caption": f"picture {n}"}))
        (folder / "metadata.jsonl").write_text("\n".join(lines))
    tasks = load(tmp_path, columns=Columns())
    assert ids(tasks["captioning"]) == (["test-0", "test-1"], ["train-0", "train-1"])
    image = tasks["captioning"].queries[1].image
    assert image.path.resolve() == (tmp_path / "test" / "1.png").resolve()


def test_names_of_files(tmp_path):
    """A column of names needs a root, and names are held below it."""
    rows = [
        {"file": "a.png", "caption": ["fine"], "name": "a"},
        {"file": "../b.png", "caption": ["a way out"], "name": "b"},
        {"file": "/etc/hostname", "caption": ["elsewhere"], "name": "c"},
        {"file": None, "caption": ["nowhere"], "name": "d"},
        {"file": "e.png", "caption": ["not there"], "name": "e"},
        {"file": "f.png", "caption": ["fine too"], "name": "f"},
    ]
    parquet(tmp_path / "table" / "test.parquet", rows, file=STRING, caption=TEXTS, name=STRING)
    for place in ("photos/a.png", "photos/f.png", "b.png"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_bytes(png((len(place), 9, 9)))
    columns = Columns("file", id="name")
    arguments: dict[str, Any] = {"columns": columns, "memory": "rest", "limit": 1}
    tasks = load(tmp_path / "table", root=tmp_path / "photos", **arguments)
    queries, memory = ids(tasks["captioning"])
    assert sorted(queries + memory) == ["a", "f"]
    assert sorted(set(named(tasks))) == [
        ("broken annotation", "test:3"),
        ("missing image", "e"),
        ("outside the dataset's folder", "b"),
        ("outside the dataset's folder", "c"),
    ]


def test_every_bad_row_is_named(tmp_path):
    """Each bad picture, caption and id is one named exclusion; nothing else is lost."""
    pictures(tmp_path, "train", 1, first=100)
    rows = pictures(tmp_path, "test", 12)
    secret = tmp_path / "elsewhere.png"
    secret.write_bytes(png())
    rows[0]["image"] = {"bytes": png()[:-20], "path": None}
    rows[1]["image"] = {"bytes": b"", "path": None}
    rows[2]["image"] = {"bytes": b"no image", "path": "fine.png"}
    rows[3]["image"] = None
    rows[4]["image"] = {"bytes": None, "path": str(secret)}
    rows[5]["image"] = {"bytes": None, "path": "../elsewhere.png"}
    rows[6]["image"] = {"bytes": None, "path": "data/none.png"}
    rows[7]["caption"] = ["", None, "long " * 300]
    rows[8]["name"] = None
    rows[9]["name"] = "p10"
    rows[11]["caption"] = None
    large = io.BytesIO()
    PIL.Image.new("1", (9_000, 8_000)).save(large, "PNG")
    rows.append({**rows[10], "name": "huge", "image": {"bytes": large.getvalue(), "path": None}})
    rows.append({**rows[10], "name": "void", "image": {"bytes": None, "path": None}})
    write(tmp_path / "d", "test", rows)
    (tmp_path / "data" / "train-00000-of-00001.parquet").rename(
        tmp_path / "d" / "data" / "train-00000-of-00001.parquet"
    )
    tasks = load(tmp_path / "d")
    assert ids(tasks["captioning"])[0] == ["p10"]
    assert Counter(named(tasks)) == Counter(
        [
            ("truncated image", "p0"),
            ("empty file", "p1"),
            ("not an image", "p2"),
            ("missing image", "p3"),
            ("outside the dataset's folder", "p4"),
            ("outside the dataset's folder", "p5"),
            ("missing image", "p6"),
            ("empty caption", "p7#0"),
            ("caption is no text", "p7#1"),
            ("caption too long", "p7#2"),
            ("no captions", "p7"),
            ("broken annotation", "test:8"),
            ("duplicate image id", "p10"),
            ("caption is no text", "p11#0"),
            ("no captions", "p11"),
            ("image too large", "huge"),
            ("missing image", "void"),
        ]
    )


def test_a_snapshot_of_links_is_read_or_says_how(tmp_path):
    """Pictures that are links into a folder of blobs beside it, as the hub's cache has them."""
    (tmp_path / "blobs").mkdir()
    for split, first in (("test", 0), ("train", 2)):
        folder = tmp_path / "snapshots" / "abc" / split
        folder.mkdir(parents=True)
        rows = []
        for i in (first, first + 1):
            (tmp_path / "blobs" / f"b{i}").write_bytes(png(i))
            (folder / f"{i}.png").symlink_to(f"../../../blobs/b{i}")
            rows.append({"file_name": f"{i}.png", "captions": [f"picture {i}"]})
        lines = (json.dumps(row) + "\n" for row in rows)
        (folder / "metadata.jsonl").write_text("".join(lines))
    path = str(tmp_path / "snapshots" / "abc")
    with pytest.raises(DataError, match=r"cp -rL; or give as root a folder above"):
        Huggingface(path, columns=Columns("image", "captions")).tasks()
    tasks = Huggingface(path, columns=Columns("image", "captions"), root=tmp_path).tasks()
    assert len(tasks["captioning"].queries) == 2


def test_what_cannot_be_loaded(tmp_path, monkeypatch):
    """No folder, an unreachable hub id, broken parquet, no split, no column: one line each."""
    with pytest.raises(DataError, match="needs a path .*: coco-karpathy, flickr30k"):
        Huggingface()
    for path in (tmp_path / "none", "./none", "parquet", "pandas", "a/b/c", "../up"):
        with pytest.raises(DataError, match="there is no folder"):
            Huggingface(str(path)).tasks()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "test.parquet").write_bytes(b"PAR1 no")
    pictures(tmp_path / "good", "test", 2)
    pictures(tmp_path / "good", "train", 2, first=5)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    for given, words in (
        ({"path": "nobody/nothing"}, "check the id, the revision and the network"),
        ({"path": str(tmp_path / "bad")}, "bad/test.parquet is damaged"),
        ({"path": str(tmp_path / "good"), "queries": "validation"}, "There is: test, train"),
        ({"path": str(tmp_path / "good"), "columns": Columns("picture")}, "columns: {image: "),
    ):
        with pytest.raises(DataError, match=words) as error:
            Huggingface(**given).tasks()
        assert "\n" not in str(error.value)
    with pytest.raises(DataError, match="share 2 images"):
        load(tmp_path / "good", memory="test")
