"""Hugging Face's library: parquet with images in it, image folders, presets, bad rows, the hub."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import PIL.Image
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

import datasets
import mmragbench as mb
from mmragbench import verbs
from mmragbench.captioned import Columns
from mmragbench.contracts import Dataset
from mmragbench.datasets.huggingface import PRESETS, Huggingface, keep
from mmragbench.errors import DataError
from mmragbench.identity import memory_digest
from mmragbench.records import Task
from mmragbench.registry import find
from support import toy
from support.paths import ROOT

TEXTS = datasets.Sequence(datasets.Value("string"))
STRING = datasets.Value("string")


@pytest.fixture(autouse=True)
def _own_tables(tmp_path_factory, monkeypatch):
    """What the library prepares goes where the test ends."""
    place = tmp_path_factory.mktemp("hf")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", place)
    monkeypatch.setattr(datasets.config, "DOWNLOADED_DATASETS_PATH", place / "downloads")
    datasets.disable_progress_bars()


def png(colour: tuple[int, int, int] = (200, 9, 9), kind: str = "PNG") -> bytes:
    held = io.BytesIO()
    PIL.Image.new("RGB", (16, 12), colour).save(held, kind)
    return held.getvalue()


def parquet(path: Path, rows: Sequence[dict[str, Any]], **features: Any) -> None:
    """A file in the library's form; written without it, since it refuses some of the bad rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = datasets.Features(features).arrow_schema
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), path)


def pictures(root: Path, split: str, count: int, first: int = 0) -> list[dict[str, Any]]:
    """Good rows with bytes and two captions each, written as a parquet file."""
    rows = [
        {
            "image": {"bytes": png((n, 9, 9)), "path": f"{n}.png"},
            "caption": [f"picture {n}", f"again {n}"],
            "name": f"p{n}",
        }
        for n in range(first, first + count)
    ]
    write(root, split, rows)
    return rows


def write(root: Path, split: str, rows: Sequence[dict[str, Any]]) -> None:
    features = {"image": datasets.Image(), "caption": TEXTS, "name": STRING}
    parquet(root / "data" / f"{split}-00000-of-00001.parquet", rows, **features)


def ids(task: Task) -> tuple[list[str], list[str]]:
    return [query.id for query in task.queries], [document.id for document in task.memory]


def named(tasks: Mapping[str, Task]) -> list[tuple[str, str]]:
    return [(e.kind, e.id) for e in tasks["captioning"].exclusions]


def load(path: Path, **arguments: Any) -> dict[str, Task]:
    return Huggingface(str(path), **{"columns": Columns(id="name"), **arguments}).tasks()


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
        ({"path": str(tmp_path / "bad")}, "cannot be loaded as parquet files"),
        ({"path": str(tmp_path / "good"), "queries": "validation"}, "There is: test, train"),
        ({"path": str(tmp_path / "good"), "columns": Columns("picture")}, "columns: {image: "),
    ):
        with pytest.raises(DataError, match=words) as error:
            Huggingface(**given).tasks()
        assert "\n" not in str(error.value)
    with pytest.raises(DataError, match="share 2 images"):
        load(tmp_path / "good", memory="test")


COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def cached(tmp_path, monkeypatch) -> Path:
    """A hub repository as the library leaves it in its cache; no network."""
    for split, first in (("test", 0), ("train", 10)):
        pictures(tmp_path / "hub", split, 3, first=first)
    builder = datasets.load_dataset_builder(str(tmp_path / "hub"))
    builder.download_and_prepare()
    place = Path(datasets.config.HF_DATASETS_CACHE) / "someone___colours" / "default" / "0.0.0"
    place.mkdir(parents=True)
    made = Path(builder.cache_dir).rename(place / COMMIT)
    for file in made.glob("*.arrow"):
        file.rename(made / f"colours-{file.name.rpartition('-')[2]}")
    info = json.loads((made / "dataset_info.json").read_text())
    (made / "dataset_info.json").write_text(json.dumps({**info, "dataset_name": "colours"}))
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    return made


def test_a_hub_repository_from_the_cache(cached, tmp_path):
    """What was fetched once needs no network, and the manifest records its commit."""
    use = {"use": "huggingface", "path": "someone/colours", "columns": {"id": "name"}}
    content = toy.suite(tmp_path, dataset=use, strategies={"random": {}}, baseline=None)
    content["tasks"] = {"text-to-image": {"measures": ["R@1"]}}
    suite = tmp_path / "suite.yaml"
    suite.write_text(yaml.safe_dump(content))
    run = mb.run(suite, output=tmp_path / "runs")
    manifest = json.loads((run.folder / "manifest.json").read_text())
    assert manifest["data"]["text-to-image"]["source"] == f"someone/colours@{COMMIT}"


def test_another_commit_than_the_one_pinned(cached):
    """A pinned commit that the cache lacks is an error, never another one's data."""
    use: dict[str, Any] = {"path": "someone/colours", "columns": Columns(id="name")}
    assert Huggingface(**use, revision=COMMIT).tasks()
    with pytest.raises(DataError, match=f"the cache has {COMMIT}"):
        Huggingface(**use, revision="f" * 40).tasks()


def test_scripts_are_not_run(tmp_path):
    """A loading script in a folder is refused, not executed."""
    (tmp_path / "evil").mkdir()
    (tmp_path / "evil" / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(DataError, match="cannot be loaded"):
        load(tmp_path / "evil")
    assert not (tmp_path / "ran").exists()


def test_the_preset_of_flickr30k(tmp_path):
    """The hub's parquet of nlphuji/flickr30k: one split, a column `split`, file names as ids."""
    rows = [
        {
            "image": {"bytes": png((n, 9, 9)), "path": f"{n}.jpg"},
            "caption": [f"picture {n} voice {v}" for v in range(5)],
            "sentids": [str(5 * n + v) for v in range(5)],
            "split": ["train", "val", "test"][n % 3],
            "img_id": str(n),
            "filename": f"{n}.jpg",
        }
        for n in range(9)
    ]
    features = {"image": datasets.Image(), "caption": TEXTS, "sentids": TEXTS}
    features |= dict.fromkeys(("split", "img_id", "filename"), STRING)
    parquet(tmp_path / "TEST" / "test" / "0000.parquet", rows, **features)
    tasks = Huggingface(str(tmp_path), preset="flickr30k").tasks()
    assert ids(tasks["captioning"]) == (
        ["2.jpg", "5.jpg", "8.jpg"],
        ["0.jpg", "3.jpg", "6.jpg"],
    )
    assert ids(tasks["text-to-image"])[0][:2] == ["2.jpg#0", "2.jpg#1"]
    with pytest.raises(DataError, match="no row's 'split' is 'dev'"):
        Huggingface(str(tmp_path), preset="flickr30k", queries="dev").tasks()
    assert Huggingface(preset="flickr30k").revision == "refs/convert/parquet"


def test_the_preset_of_karpathys_split(tmp_path):
    """yerevann/coco-karpathy: COCO's ids, train and restval as memory, photographs below root."""
    for split, id in (("train", 1), ("restval", 2), ("validation", 3), ("test", 4)):
        row = {
            "filepath": "val2014",
            "sentids": [10 * id, 10 * id + 1],
            "filename": f"{id:012}.jpg",
            "imgid": id,
            "split": split,
            "sentences": [f"picture {id}", f"again {id}"],
            "cocoid": id,
            "url": "http://images.cocodataset.org/none.jpg",
        }
        number, numbers = datasets.Value("int64"), datasets.Sequence(datasets.Value("int64"))
        features = {"imgid": number, "cocoid": number, "sentids": numbers, "sentences": TEXTS}
        features |= dict.fromkeys(("filepath", "filename", "split", "url"), STRING)
        name = f"{split}-00000-of-00001.parquet"
        parquet(tmp_path / "hub" / "data" / name, [row], **features)
        (tmp_path / "coco" / "val2014").mkdir(parents=True, exist_ok=True)
        (tmp_path / "coco" / "val2014" / row["filename"]).write_bytes(png((id, 9, 9), "JPEG"))
    given: dict[str, Any] = {"path": str(tmp_path / "hub"), "preset": "coco-karpathy"}
    tasks = Huggingface(**given, root=tmp_path / "coco").tasks()
    assert ids(tasks["captioning"]) == (["4"], ["1", "2"])
    assert ids(tasks["text-to-image"]) == (["40", "41"], ["4"])
    assert named(tasks) == []


@pytest.mark.real_data
def test_flickr8k_as_parquet(shared_data, tmp_path):
    """Real photographs and captions in parquet pose the very tasks that their own loader poses."""
    from mmragbench.datasets.flickr import Flickr

    theirs = Flickr(shared_data / "flickr8k", limit=30, memory_limit=40).tasks()
    generation = theirs["captioning"]
    rows = {
        split: [
            {
                "image": {"bytes": image.path.read_bytes(), "path": image.path.name},
                "caption": list(captions),
                "name": image.id,
            }
            for image, captions in sides
        ]
        for split, sides in {
            "test": [(q.image, generation.references[q.id]) for q in generation.queries],
            "train": [(d.image, [t.content for t in d.texts]) for d in generation.memory],
        }.items()
    }
    for split, own in rows.items():
        write(tmp_path, split, own)
    ours = load(tmp_path)
    for name, task in theirs.items():
        assert [q.id for q in ours[name].queries] == [q.id for q in task.queries]
        assert memory_digest(ours[name].memory) == memory_digest(task.memory)
        assert {q.id: dict(ours[name].qrels[q.id]) for q in task.queries} == {
            q.id: dict(task.qrels[q.id]) for q in task.queries
        }
        assert ours[name].exclusions == ()


def test_presets_name_splits_and_columns():
    """Each preset says what it needs, and its split names are no paths."""
    assert sorted(PRESETS) == ["coco-karpathy", "flickr30k"]
    for published in PRESETS.values():
        assert published.path.count("/") == 1
        assert published.columns.id


def test_a_run_from_a_suite(tmp_path):
    """A suite over local parquet runs; run again elsewhere it ends with the same bytes."""
    for split, first in (("train", 0), ("test", 16)):
        rows = []
        for n in range(16):
            path = tmp_path / "drawn.png"
            toy.draw(path, toy.NAMES[n % 8], first + n)
            caption = [f"a {toy.NAMES[n % 8]} picture"]
            image = {"bytes": path.read_bytes(), "path": None}
            rows.append({"image": image, "caption": caption, "name": f"{split}{n}"})
        write(tmp_path / "d", split, rows)
    use = {"use": "huggingface", "path": str(tmp_path / "d"), "columns": {"id": "name"}}
    content = toy.suite(tmp_path, dataset=use)
    suite = tmp_path / "suite.yaml"
    suite.write_text(yaml.safe_dump(content))
    first, again = (mb.run(suite, output=tmp_path / place) for place in ("one", "two"))
    for file in ("summary.json", "exclusions.json", "tasks/captioning/task.json"):
        assert (first.folder / file).read_bytes() == (again.folder / file).read_bytes()
    found = {
        (row["task"], row["strategy"], row["measure"]): row["estimate"]
        for row in first.rows
        if row["slice"] == "all"
    }
    assert found["text-to-image", "shared-space", "Success@5"] == 1
    assert first.crashed == [] and again.calls == 0


def test_the_suite_of_flickr30k_is_valid(tmp_path):
    """`suites/flickr30k.yaml` plans on data in the layout of the hub."""
    rows = [
        {
            "image": {"bytes": png((n, 9, 9)), "path": None},
            "caption": [f"picture {n}"],
            "split": ["train", "test"][n % 2],
            "filename": f"{n}.jpg",
        }
        for n in range(8)
    ]
    features = {"image": datasets.Image(), "caption": TEXTS, "split": STRING, "filename": STRING}
    parquet(tmp_path / "TEST" / "test" / "0000.parquet", rows, **features)
    outlook = verbs.plan(ROOT / "suites" / "flickr30k.yaml", [f"dataset.path={tmp_path}"])
    assert {cell["task"] for cell in outlook.cells} == {
        "text-to-image",
        "image-to-text",
        "captioning",
        "image-generation",
    }
    assert all(cell["queries"] == 4 for cell in outlook.cells)
