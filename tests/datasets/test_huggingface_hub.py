"""Hugging Face's library: repositories of the hub, presets, and whole runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

import datasets
import mmragbench as mb
from mmragbench import verbs
from mmragbench.cache.identity import memory_digest
from mmragbench.data.tables import Columns
from mmragbench.datasets.huggingface import PRESETS, Huggingface
from mmragbench.errors import DataError
from support import toy
from support.huggingface_files import STRING, TEXTS, ids, load, named, parquet, pictures, png, write
from support.paths import ROOT

pytestmark = pytest.mark.usefixtures("own_tables")


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
    summary = verbs.plan(ROOT / "suites" / "flickr30k.yaml", [f"dataset.path={tmp_path}"])
    assert {cell["task"] for cell in summary.cells} == {
        "text-to-image",
        "image-to-text",
        "captioning",
        "image-generation",
    }
    assert all(cell["queries"] == 4 for cell in summary.cells)
