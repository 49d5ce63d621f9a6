"""COCO annotation files and image folders, good and bad."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
from pydantic import TypeAdapter, ValidationError

from mmragbench.contracts import Dataset
from mmragbench.datasets.coco import Coco, Split
from mmragbench.errors import DataError
from mmragbench.records import Task
from mmragbench.registry import find
from support.paths import SHARED

DATA = SHARED / "coco"
VAL = Split(Path("val.json"), Path("val"))
TRAIN = Split(Path("train.json"), Path("train"))

real_data = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data/coco is not there")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMRAGBENCH_CACHE", str(tmp_path / "cache"))


def split(root: Path, name: str, first: int, many: int = 3, captions: int = 5) -> dict[str, Any]:
    """Write a split of good images; the annotations are returned, to be spoilt and written."""
    (root / name).mkdir(parents=True, exist_ok=True)
    images, annotations = [], []
    for id in range(first, first + many):
        PIL.Image.new("RGB", (16, 12), (id % 256, 9, 9)).save(root / name / f"{id:012}.jpg")
        images.append({"id": id, "file_name": f"{id:012}.jpg", "height": 12, "width": 16})
        for n in range(captions):
            caption = f"picture {id} in voice {n}"
            annotations.append({"id": id * 10 + n, "image_id": id, "caption": caption})
    content = {"images": images, "annotations": annotations}
    write(root / f"{name}.json", content)
    return content


def write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def coco(root: Path, **arguments: Any) -> Mapping[str, Task]:
    return Coco(root, **{"queries": VAL, "memory": TRAIN, **arguments}).tasks()


def ids(task: Task) -> tuple[list[str], list[str]]:
    return [query.id for query in task.queries], [document.id for document in task.memory]


def named(tasks: Mapping[str, Task]) -> list[tuple[str, str]]:
    return [(e.kind, e.id) for e in tasks["captioning"].exclusions]


def test_is_a_dataset(tmp_path: Path) -> None:
    """The class is registered under its file's name and keeps the contract."""
    assert find("dataset", "coco").make is Coco
    assert isinstance(Coco(tmp_path), Dataset)


def test_ids_are_cocos(tmp_path: Path) -> None:
    """Image ids and caption ids are the annotation file's own, as strings."""
    split(tmp_path, "train", 1)
    split(tmp_path, "val", 7, many=2, captions=2)
    tasks = coco(tmp_path)
    assert list(tasks) == ["text-to-image", "image-to-text", "captioning", "image-generation"]
    assert ids(tasks["text-to-image"]) == (["70", "71", "80", "81"], ["7", "8"])
    assert ids(tasks["image-to-text"]) == (["7", "8"], ["70", "71", "80", "81"])
    assert ids(tasks["captioning"]) == (["7", "8"], ["1", "2", "3"])
    assert ids(tasks["image-generation"]) == (["70", "80"], ["1", "2", "3"])
    assert named(tasks) == []
    image = tasks["captioning"].queries[0].image
    assert image is not None
    assert image.open().size == (16, 12)
    assert len(image.digest) == 64


def test_the_archives_own_layout(tmp_path: Path) -> None:
    """By default val2017 asks and train2017 is the memory; instances are used where they are."""
    for name, first in (("train2017", 1), ("val2017", 7)):
        content = split(tmp_path, name, first)
        write(tmp_path / "annotations" / f"captions_{name}.json", content)
    tasks = Coco(tmp_path).tasks()
    assert ids(tasks["captioning"]) == (["7", "8", "9"], ["1", "2", "3"])
    assert tasks["captioning"].relevance == "silver:cider"
    for name, first in (("train2017", 1), ("val2017", 7)):
        instances = {
            "categories": [{"id": 1, "name": "dog"}, {"id": 2, "name": "cat"}],
            "annotations": [
                {"id": 1, "image_id": first, "category_id": 1, "segmentation": [[1.5]]},
                {"id": 2, "image_id": first + 1, "category_id": 1},
                {"id": 3, "image_id": first + 1, "category_id": 2},
            ],
        }
        write(tmp_path / "annotations" / f"instances_{name}.json", instances)
    task = Coco(tmp_path).tasks()["captioning"]
    assert task.relevance == "silver:categories"
    assert dict(task.qrels) == {"7": {"1": 2, "2": 1}, "8": {"2": 2, "1": 1}, "9": {}}


def test_slices(tmp_path: Path) -> None:
    """`slices` on an image record puts the image and its captions into them."""
    split(tmp_path, "train", 1)
    content = split(tmp_path, "val", 7, captions=1)
    content["images"][1]["slices"] = ["emblems"]
    write(tmp_path / "val.json", content)
    tasks = coco(tmp_path)
    assert tasks["captioning"].slices == {"emblems": {"8"}}
    assert tasks["text-to-image"].slices == {"emblems": {"80"}}


def test_limits_are_drawn_by_seed(tmp_path: Path) -> None:
    """Limits draw queries and memory by seed, in the file's order."""
    split(tmp_path, "train", 1, many=20, captions=1)
    split(tmp_path, "val", 101, many=20, captions=1)

    def drawn(seed: int) -> tuple[list[str], list[str]]:
        return ids(coco(tmp_path, limit=5, memory_limit=7, seed=seed)["captioning"])

    assert drawn(0) == drawn(0)
    assert drawn(0) != drawn(1)
    assert [len(side) for side in drawn(0)] == [5, 7]
    assert all(side == sorted(side, key=int) for side in drawn(0))


def test_one_file_for_both_sides(tmp_path: Path) -> None:
    """`memory: rest` splits one file: the limit asks, the others are the memory."""
    split(tmp_path, "val", 1, many=10)
    queries, memory = ids(coco(tmp_path, memory="rest", limit=4)["captioning"])
    assert len(queries) == 4
    assert sorted(queries + memory, key=int) == [str(id) for id in range(1, 11)]
    assert len(ids(coco(tmp_path, memory="rest", limit=4, memory_limit=2)["captioning"])[1]) == 2
    queries, memory = ids(coco(tmp_path, memory="rest")["captioning"])
    assert (len(queries), len(memory)) == (5, 5)  # half of so few, where no limit is given


@pytest.mark.parametrize("name", ["val2017", "train2017"])
def test_a_single_split_of_the_archives(name: str, tmp_path: Path) -> None:
    """Where only one of COCO's splits is there, its pictures are queries and memory, never both."""
    content = split(tmp_path, name, 1, many=10)
    write(tmp_path / "annotations" / f"captions_{name}.json", content)
    with pytest.warns(UserWarning, match="there is no memory split; the memory is what the draw"):
        queries, memory = ids(Coco(tmp_path, limit=3).tasks()["captioning"])
    assert len(queries) == 3
    assert sorted(queries + memory, key=int) == [str(id) for id in range(1, 11)]


def test_no_split_of_the_archives(tmp_path: Path) -> None:
    """The error names the file that was looked for, and how another one is named."""
    with pytest.raises(DataError, match=r"captions_val2017.json is missing; .* queries: {captions"):
        Coco(tmp_path).tasks()


def test_overlapping_splits(tmp_path: Path) -> None:
    """The same images on both sides are an error, with and without limits."""
    split(tmp_path, "val", 1, many=10)
    with pytest.raises(DataError, match="share 10 images"):
        coco(tmp_path, memory=VAL)
    with pytest.raises(DataError, match="share 3 images"):
        coco(tmp_path, memory=VAL, limit=3, memory_limit=5)


def test_karpathy(tmp_path: Path) -> None:
    """Karpathy's file: test asks, train and restval are the memory, val is left out."""
    split(tmp_path, "val2014", 1, many=4)
    records = [
        {
            "filepath": "val2014",
            "filename": f"{id:012}.jpg",
            "cocoid": id,
            "imgid": id + 100,
            "split": side,
            "sentids": [id * 7],
            "sentences": [{"raw": f"picture {id}", "sentid": id * 7, "tokens": []}],
        }
        for id, side in enumerate(["train", "restval", "test", "val"], 1)
    ]
    write(tmp_path / "dataset_coco.json", {"images": records, "dataset": "coco"})
    tasks = Coco(tmp_path, karpathy=Path("dataset_coco.json")).tasks()
    assert ids(tasks["captioning"]) == (["3"], ["1", "2"])
    assert ids(tasks["text-to-image"]) == (["21"], ["3"])
    assert tasks["captioning"].references == {"3": ("picture 3",)}
    with pytest.raises(DataError, match="leave out"):
        coco(tmp_path, karpathy=Path("dataset_coco.json"))


@pytest.mark.parametrize("missing", ["filename", "split", "sentences"])
def test_karpathys_bad_images_are_named(missing: str, tmp_path: Path) -> None:
    """One image that is not as it should be costs itself; where a side has no other, all is said."""
    split(tmp_path, "val2014", 1, many=3)
    records: list[dict[str, Any]] = [
        {"filename": f"val2014/{id:012}.jpg", "cocoid": id, "split": side,
         "sentences": [{"raw": f"picture {id}"}]}
        for id, side in enumerate(["train", "restval", "test"], 1)
    ]  # fmt: skip
    del records[0][missing]
    write(tmp_path / "dataset_coco.json", {"images": [None, *records]})
    tasks = Coco(tmp_path, karpathy=Path("dataset_coco.json")).tasks()
    assert ids(tasks["captioning"]) == (["3"], ["2"])
    assert named(tasks) == [
        ("broken annotation", "dataset_coco.json: images[0]"),
        ("broken annotation", "1"),
    ]
    assert f"images[1]: KeyError: '{missing}'" in tasks["captioning"].exclusions[1].reason
    records[2]["split"] = "TEST"
    write(tmp_path / "dataset_coco.json", {"images": records[1:]})
    with pytest.raises(DataError, match="no image for queries; other splits are 'TEST'; expected"):
        Coco(tmp_path, karpathy=Path("dataset_coco.json")).tasks()


def test_karpathys_instances_of_other_images(tmp_path: Path) -> None:
    """Instances that fit no image of the file would be silver relevance for nobody."""
    split(tmp_path, "val2014", 1, many=2)
    records = [
        {"filename": f"val2014/{id:012}.jpg", "cocoid": id, "split": side,
         "sentences": [{"raw": f"picture {id}"}]}
        for id, side in enumerate(["train", "test"], 1)
    ]  # fmt: skip
    write(tmp_path / "dataset_coco.json", {"images": records})
    things = {"categories": [{"id": 1, "name": "dog"}], "annotations": []}
    things["annotations"] = [{"image_id": 9, "category_id": 1}]
    write(tmp_path / "annotations" / "instances_val2014.json", things)
    with pytest.raises(DataError, match=r"not one of the instances' 1 images .*'9'.* it has '2'"):
        Coco(tmp_path, karpathy=Path("dataset_coco.json")).tasks()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"images": [',
        b"[]",
        b"null",
        b"{}",
        b'{"images": [], "annotations": {}}',
        b'{"images": [1], "annotations": []}',
        b"\xff\xd8\xff",
        b"[" * 100_000,
    ],
)
def test_what_is_not_coco(content: bytes, tmp_path: Path) -> None:
    """A broken file, or one of another kind, is one line that names it and what was expected."""
    split(tmp_path, "train", 1)
    (tmp_path / "val.json").write_bytes(content)
    with pytest.raises(DataError) as error:
        coco(tmp_path)
    assert str(tmp_path / "val.json") in str(error.value)
    assert "images and annotations" in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_files(tmp_path: Path) -> None:
    """A missing annotation file is an error that says what can be named instead."""
    with pytest.raises(DataError, match=r"captions_val2017\.json is missing"):
        Coco(tmp_path).tasks()
    with pytest.raises(DataError, match=r"val.json cannot be read \(No such file"):
        coco(tmp_path)
    split(tmp_path, "val", 1)
    with pytest.raises(DataError, match=r"instances\.json cannot be read"):
        coco(tmp_path, queries=Split(VAL.captions, VAL.images, Path("instances.json")))


@pytest.mark.parametrize(
    "instances",
    [
        {"categories": [], "annotations": [{"image_id": 1, "category_id": 1}]},
        {"categories": [{"id": 1}], "annotations": []},
        {"categories": [{"id": 1, "name": "dog"}], "annotations": [{"category_id": 1}]},
    ],
)
def test_instances_that_do_not_fit(instances: object, tmp_path: Path) -> None:
    """Instances without categories or images are an error, not silently no relevance."""
    split(tmp_path, "val", 1)
    write(tmp_path / "instances.json", instances)
    with pytest.raises(DataError, match="expected instances"):
        coco(tmp_path, queries=Split(VAL.captions, VAL.images, Path("instances.json")))


def test_single_bad_instances_are_counted(tmp_path: Path) -> None:
    """A warning says how many and which; ids match by their text; the others stay."""
    split(tmp_path, "train", 1)
    split(tmp_path, "val", 7, many=2)
    things = {"categories": [{"id": 1, "name": "dog"}, {"id": "2", "name": "cat"}]}
    good = [{"image_id": 7, "category_id": "1"}, {"image_id": "8", "category_id": 2}]
    bad = [None, {"image_id": None, "category_id": 1}, {"image_id": 7, "category_id": 99}]
    write(tmp_path / "instances.json", {**things, "annotations": [*good, *bad]})
    with pytest.warns(UserWarning, match=r"3 of 5 instances have no .*first: annotations\[2\]"):
        tasks = coco(tmp_path, queries=Split(VAL.captions, VAL.images, Path("instances.json")))
    assert tasks["text-to-image"].categories["70"] == {"dog"}
    assert tasks["text-to-image"].categories["80"] == {"cat"}


def test_a_category_of_two_names(tmp_path: Path) -> None:
    """Nobody knows which is meant: an error, and not the last one."""
    split(tmp_path, "val", 1)
    twice = [{"id": 1, "name": "dog"}, {"id": 1, "name": "zebra"}]
    write(tmp_path / "instances.json", {"categories": twice, "annotations": []})
    with pytest.raises(DataError, match="1 categories with more than one answer"):
        coco(tmp_path, queries=Split(VAL.captions, VAL.images, Path("instances.json")))


def test_lists_with_single_entries_that_are_none(tmp_path: Path) -> None:
    """A null among images or captions is one broken annotation, as `score` has it."""
    split(tmp_path, "train", 1)
    content = split(tmp_path, "val", 7)
    content["images"].insert(0, None)
    content["annotations"].insert(0, 5)
    write(tmp_path / "val.json", content)
    tasks = coco(tmp_path)
    assert ids(tasks["captioning"])[0] == ["7", "8", "9"]
    assert named(tasks) == [
        ("broken annotation", "val.json: images[0]"),
        ("broken annotation", "val.json: annotations[0]"),
    ]


def spoil(root: Path, content: dict[str, Any]) -> None:
    """Every kind of bad input into the query split of images 11 to 20."""
    images, annotations = content["images"], content["annotations"]
    files = [root / "val" / image["file_name"] for image in images]
    files[0].unlink()
    files[1].write_bytes(files[1].read_bytes()[:-30])
    files[2].write_bytes(b"")
    files[3].write_text("no image")
    files[4].unlink()
    files[4].symlink_to(root / "train" / "000000000001.jpg")
    images[5]["file_name"] = "../train/000000000001.jpg"
    images[6]["file_name"] = str(files[6])
    PIL.Image.new("1", (9_000, 8_000)).save(files[7])
    images += [{"id": 16, "file_name": "again.jpg"}, {"id": None, "file_name": "x"}, {"id": 99}]
    annotations[8]["caption"] = ""
    annotations += [
        {"id": 901, "image_id": 12345, "caption": "of nothing"},
        {"id": 200, "image_id": 20, "caption": "an id again"},
        {"id": 902, "image_id": 20},
        {"id": 903, "image_id": 20, "caption": 3},
        {"id": 904, "image_id": 20, "caption": "long " * 2_000},
        {"id": 905, "image_id": 20, "caption": "<b>bold & kept</b>"},
        {"image_id": 20, "caption": "no id"},
    ]


def test_every_bad_input_is_named(tmp_path: Path) -> None:
    """Each bad file and annotation is one named exclusion; nothing else is lost."""
    split(tmp_path, "train", 1)
    content = split(tmp_path, "val", 11, many=10, captions=1)
    spoil(tmp_path, content)
    write(tmp_path / "val.json", content)
    tasks = coco(tmp_path)
    assert ids(tasks["captioning"])[0] == ["20"]
    assert tasks["captioning"].references["20"] == (
        "picture 20 in voice 0",
        "an id again",
        "<b>bold & kept</b>",
        "no id",
    )
    assert Counter(named(tasks)) == Counter(
        [
            ("missing image", "11"),
            ("truncated image", "12"),
            ("empty file", "13"),
            ("not an image", "14"),
            ("outside the dataset's folder", "15"),
            ("outside the dataset's folder", "17"),
            ("image too large", "18"),
            ("duplicate image id", "16"),
            ("duplicate image id", "16"),
            ("unknown image", "160"),
            ("broken annotation", "val.json: images[11]"),
            ("broken annotation", "99"),
            ("empty caption", "190"),
            ("no captions", "19"),
            ("unknown image", "901"),
            ("broken annotation", "902"),
            ("caption is no text", "20#2"),
            ("caption too long", "20#3"),
        ]
    )


@pytest.mark.parametrize("ids_", ["same", "missing", "text"])
def test_captions_belong_to_their_image(ids_: str, tmp_path: Path) -> None:
    """Whatever the annotations' own ids are, every caption counts, as pycocoevalcap counts them."""
    split(tmp_path, "train", 1, captions=2)
    content = split(tmp_path, "val", 7, captions=2)
    for place, annotation in enumerate(content["annotations"]):
        annotation.pop("id")
        annotation["image_id"] = str(annotation["image_id"])
        if ids_ != "missing":
            annotation["id"] = 1 if ids_ == "same" else f"c{place}"
    write(tmp_path / "val.json", content)
    told = pytest.warns(match="share 1 ids") if ids_ == "same" else nullcontext()
    with told:
        tasks = coco(tmp_path)
    assert tasks["captioning"].references == {
        str(id): (f"picture {id} in voice 0", f"picture {id} in voice 1") for id in (7, 8, 9)
    }
    wanted = [f"c{n}" for n in range(6)] if ids_ == "text" else [
        f"{id}#{n}" for id in (7, 8, 9) for n in (0, 1)
    ]  # fmt: skip
    assert ids(tasks["text-to-image"])[0] == wanted
    assert named(tasks) == []


def test_instances_of_other_images(tmp_path: Path) -> None:
    """None that fits is an error with an id of each side; how many have none is said."""
    split(tmp_path, "train", 1)
    split(tmp_path, "val", 7)
    with_things = Split(VAL.captions, VAL.images, Path("instances.json"))
    things = {"categories": [{"id": 1, "name": "dog"}], "annotations": []}
    things["annotations"] = [{"image_id": "000007.jpg", "category_id": 1}]
    write(tmp_path / "instances.json", things)
    with pytest.raises(DataError, match=r"not one of its 1 images .*'000007.jpg', they have '7'"):
        coco(tmp_path, queries=with_things)
    things["annotations"].append({"image_id": 7, "category_id": 1})
    write(tmp_path / "instances.json", things)
    with pytest.warns(UserWarning, match="2 of 3 images have no instances: '8', '9'"):
        tasks = coco(tmp_path, queries=with_things)
    assert named(tasks) == []


def test_names_that_no_file_has(tmp_path: Path) -> None:
    """A file's name of 5,000 characters, or with NUL, is one named exclusion; so is an id of such."""
    split(tmp_path, "train", 1)
    content = split(tmp_path, "val", 7)
    content["images"][0]["file_name"] = "x" * 5_000 + ".jpg"
    content["images"][1]["file_name"] = "a\0b.jpg"
    content["images"].append({"id": "\ud800", "file_name": "x.jpg"})
    content["images"].append({"id": "y" * 5_000, "file_name": "x.jpg"})
    write(tmp_path / "val.json", content)
    tasks = coco(tmp_path)
    assert ids(tasks["captioning"])[0] == ["9"]
    assert Counter(kind for kind, _ in named(tasks)) == {
        "missing image": 1,
        "outside the dataset's folder": 1,
        "broken annotation": 2,
    }
    assert all(len(each.reason) < 300 for each in tasks["captioning"].exclusions)


def test_a_split_in_a_suite() -> None:
    """A split is written as a mapping; an unknown key in it is an error."""
    adapter = TypeAdapter(Split)
    assert adapter.validate_python({"captions": "a.json", "images": "a"}) == Split(
        Path("a.json"), Path("a")
    )
    with pytest.raises(ValidationError):
        adapter.validate_python({"captions": "a.json", "images": "a", "instance": "b.json"})


@pytest.mark.real_data
@real_data
def test_photographs_as_shot() -> None:
    """The 70 photographs of val2017 come in whole, 20 asking and 50 remembered."""
    queries = Split(Path("captions_val2017_subset.json"), Path("val2017"))
    tasks = Coco(DATA, queries=queries, memory="rest", limit=20).tasks()
    assert [len(side) for side in ids(tasks["captioning"])] == [20, 50]
    assert len(tasks["text-to-image"].queries) == 100
    assert named(tasks) == []


@pytest.mark.real_data
@real_data
def test_all_annotations_few_photographs() -> None:
    """With the complete annotation file the 4,930 photographs that are not there are named."""
    queries = Split(Path("captions_val2017.json"), Path("val2017"))
    tasks = Coco(DATA, queries=queries, memory="rest", limit=20).tasks()
    assert [len(side) for side in ids(tasks["captioning"])] == [20, 50]
    assert Counter(kind for kind, _ in named(tasks)) == {"missing image": 4_930}


def _classes(root: Path) -> Split:
    """Instances for the split `val`: 1 shows a dog alone, 2 a dog and a cat, 3 a car."""
    rows = {1: [18], 2: [17, 18], 3: [3]}
    things = {
        "annotations": [
            {"image_id": id, "category_id": c} for id, own in rows.items() for c in own
        ],
        "categories": [
            {"id": 17, "name": "cat", "supercategory": "animal"},
            {"id": 18, "name": "dog", "supercategory": "animal"},
            {"id": 3, "name": "car", "supercategory": "vehicle"},
        ],
    }
    write(root / "instances.json", things)
    return Split(VAL.captions, VAL.images, Path("instances.json"))


def test_classes_are_the_categories_of_a_supercategory(tmp_path: Path) -> None:
    """A picture has the one category of it that it shows; with none or two it has no class. Queries and
    memory have theirs apart, under the ids of the task."""
    split(tmp_path, "val", 1)
    own = _classes(tmp_path)
    tasks = coco(tmp_path, queries=own, memory="rest", limit=1, classes="animal", seed=1)
    both = {
        **tasks["captioning"].labels,
        **tasks["captioning"].memory_labels,
    }
    assert both == {"1": "dog"}
    image_task = tasks["image-generation"]
    assert {**image_task.labels, **image_task.memory_labels} in ({"1": "dog"}, {"10": "dog"})
    assert coco(tmp_path, queries=own, memory="rest", limit=1)["captioning"].memory_labels == {}


def test_classes_that_are_not_there(tmp_path: Path) -> None:
    """An unknown supercategory is named with those that there are; without instances there is none."""
    split(tmp_path, "val", 1)
    own = _classes(tmp_path)
    with pytest.raises(DataError, match=r"unknown supercategory 'animals'.*animal.*vehicle"):
        coco(tmp_path, queries=own, memory="rest", limit=1, classes="animals")
    with pytest.raises(DataError, match="classes: animal needs instances"):
        coco(tmp_path, memory="rest", limit=1, classes="animal")
