"""Folders of images with metadata: both files, both layouts, and every kind of bad row."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas
import PIL.Image
import pytest
import yaml

import mmragbench as mb
from mmragbench.contracts import Dataset
from mmragbench.datasets.folder import Folder
from mmragbench.errors import DataError
from mmragbench.records import Task
from mmragbench.registry import find
from support import toy


def picture(path: Path, shade: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.new("RGB", (16, 12), (shade % 256, 9, 9)).save(path)


def jsonl(path: Path, rows: Sequence[object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    path.write_text("\n".join(lines) + "\n")


def table(path: Path, rows: Sequence[Sequence[str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)


def split(root: Path, name: str, names: Sequence[str], **more: Any) -> list[dict[str, Any]]:
    """Good pictures in a folder of their own, and the rows about them, to be spoilt and written."""
    for number, file in enumerate(names):
        picture(root / name / file, number)
    rows = [{"file_name": n, "captions": [f"picture {n}", f"again {n}"], **more} for n in names]
    jsonl(root / name / "metadata.jsonl", rows)
    return rows


def ids(task: Task) -> tuple[list[str], list[str]]:
    return [query.id for query in task.queries], [document.id for document in task.memory]


def named(tasks: Mapping[str, Task]) -> list[tuple[str, str]]:
    return [(e.kind, e.id) for e in tasks["captioning"].exclusions]


def test_is_a_dataset(tmp_path):
    """The class is registered under its file's name and keeps the contract."""
    assert find("dataset", "folder").make is Folder
    assert isinstance(Folder(tmp_path), Dataset)


def test_a_table_in_each_split(tmp_path):
    """Ids are the files' paths from the root; captions count from 0."""
    split(tmp_path, "train", ["a.png", "deep/b.png"])
    split(tmp_path, "test", ["a.png"])
    tasks = Folder(tmp_path).tasks()
    assert list(tasks) == ["text-to-image", "image-to-text", "captioning", "image-generation"]
    assert ids(tasks["captioning"]) == (["test/a.png"], ["train/a.png", "train/deep/b.png"])
    assert [(q.id, q.text.content) for q in tasks["text-to-image"].queries] == [
        ("test/a.png#0", "picture a.png"),
        ("test/a.png#1", "again a.png"),
    ]
    assert named(tasks) == []
    assert tasks["captioning"].queries[0].image.open().size == (16, 12)


def test_one_table_at_the_root(tmp_path):
    """A column `split`, or the first folder of the file's name, says what belongs where."""
    for place in ("x.png", "train/y.png", "test/z.png"):
        picture(tmp_path / place)
    rows = [
        {"file_name": "x.png", "caption": "first", "split": "test"},
        {"file_name": "train/y.png", "caption": "second"},
        {"file_name": "test/z.png", "caption": "third"},
    ]
    jsonl(tmp_path / "metadata.jsonl", rows)
    tasks = Folder(tmp_path).tasks()
    assert ids(tasks["captioning"]) == (["x.png", "test/z.png"], ["train/y.png"])


def test_csv_says_the_same_as_json(tmp_path):
    """One caption a row; rows of one file are one picture; names in lists are separated by `;`."""
    rows = [
        ("file_name", "text", "id", "slices", "categories"),
        ("a.png", "one, with a comma", "7", "rare; odd", "dog;cat"),
        ("a.png", 'two "quoted"', "7", "", ""),
        ("b.png", "three\nlines", "8", "", "dog"),
    ]
    for name in ("test", "train"):
        for number, file in enumerate(("a.png", "b.png")):
            picture(tmp_path / name / file, number)
    table(tmp_path / "test" / "metadata.csv", rows)
    table(tmp_path / "train" / "metadata.csv", [rows[0], ("a.png", "mine", "9", "", "cat;dog")])
    tasks = Folder(tmp_path).tasks()
    assert ids(tasks["captioning"]) == (["7", "8"], ["9"])
    assert tasks["captioning"].references == {
        "7": ("one, with a comma", 'two "quoted"'),
        "8": ("three\nlines",),
    }
    assert tasks["captioning"].slices == {"odd": {"7"}, "rare": {"7"}}
    assert tasks["captioning"].relevance == "silver:categories"
    assert dict(tasks["captioning"].qrels) == {"7": {"9": 2}, "8": {"9": 1}}


def test_another_column_of_captions(tmp_path):
    """`captions` names the column where it is called something else."""
    for name in ("test", "train"):
        rows = split(tmp_path, name, ["a.png"])
        jsonl(tmp_path / name / "metadata.jsonl", [{**rows[0], "alt": f"{name}'s other text"}])
    tasks = Folder(tmp_path, captions="alt").tasks()
    assert tasks["captioning"].references == {"test/a.png": ("test's other text",)}


def test_limits_and_rest(tmp_path):
    """Limits draw by seed, the same every time; `rest` is what the limit leaves."""
    split(tmp_path, "test", [f"{n}.png" for n in range(12)])
    tasks = Folder(tmp_path, memory="rest", limit=5).tasks()
    again = Folder(tmp_path, memory="rest", limit=5).tasks()
    other = Folder(tmp_path, memory="rest", limit=5, seed=1).tasks()
    queries, memory = ids(tasks["captioning"])
    assert len(queries) == 5 and sorted(queries + memory) == sorted(
        f"test/{n}.png" for n in range(12)
    )
    assert ids(again["captioning"]) == (queries, memory) != ids(other["captioning"])
    unlimited = ids(Folder(tmp_path, memory="rest").tasks()["captioning"])
    assert [len(side) for side in unlimited] == [6, 6]  # half of so few, where no limit is given


def test_missing_splits_name_those_that_are_there(tmp_path):
    """An unknown split, a folder without metadata, no folder: one line, with what there is."""
    with pytest.raises(DataError, match="no such folder"):
        Folder(tmp_path / "none").tasks()
    with pytest.raises(DataError, match=r"no metadata\.jsonl"):
        Folder(tmp_path).tasks()
    split(tmp_path, "train", ["a.png"])
    with pytest.raises(DataError, match=r"no split 'test': there is train;"):
        Folder(tmp_path, queries="test").tasks()
    split(tmp_path, "test", ["a.png"])
    table(tmp_path / "val" / "metadata.csv", [("name", "text"), ("a.png", "x")])
    with pytest.raises(DataError, match="header has file_name"):
        Folder(tmp_path, queries="val").tasks()
    with pytest.raises(DataError, match="share 1 images"):
        Folder(tmp_path, queries="test", memory="test").tasks()


@pytest.mark.parametrize("name", ["..", "../elsewhere", "/etc", "", "."])
def test_a_split_is_no_way_out(name, tmp_path):
    """A split's name never leads out of the root."""
    split(tmp_path / "elsewhere", "", ["a.png"])
    split(tmp_path / "root", "train", ["a.png"])
    with pytest.raises(DataError, match="has no split"):
        Folder(tmp_path / "root", queries=name).tasks()


def test_a_split_that_is_a_link_outwards(tmp_path):
    """A split's folder that is a symbolic link out of the root is refused."""
    split(tmp_path, "elsewhere", ["a.png"])
    split(tmp_path / "root", "train", ["a.png"])
    (tmp_path / "root" / "test").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DataError, match="leads out of root/"):
        Folder(tmp_path / "root").tasks()


def test_every_bad_row_is_named(tmp_path):
    """Each bad file and row is one named exclusion; nothing else is lost."""
    split(tmp_path, "train", ["a.png"])
    names = [f"{n}.png" for n in range(10)]
    rows: list[Any] = split(tmp_path, "test", names)
    folder = tmp_path / "test"
    (folder / "0.png").unlink()
    (folder / "1.png").write_bytes((folder / "1.png").read_bytes()[:-20])
    (folder / "2.png").write_bytes(b"")
    (folder / "3.png").write_text("no image")
    rows[4]["file_name"] = "../train/a.png"
    rows[5]["file_name"] = str(folder / "5.png")
    (folder / "6.png").unlink()
    (folder / "6.png").symlink_to(tmp_path / "train" / "a.png")
    rows[7]["captions"] = ["", 7, None, "long " * 300]
    rows[8]["captions"] = ["good", ["nested"]]
    rows += [
        "{not json",
        "[1]",
        {"captions": ["no file"]},
        {"file_name": 5},
        {**rows[9], "captions": ["the same picture again"]},
        {**rows[9], "id": 2.5},
        "[" * 100_000,
        "",
    ]
    jsonl(folder / "metadata.jsonl", rows)
    tasks = Folder(tmp_path).tasks()
    assert ids(tasks["captioning"])[0] == ["test/8.png", "test/9.png"]
    assert tasks["captioning"].references["test/8.png"] == ("good",)
    where = "test/metadata.jsonl"
    assert Counter(named(tasks)) == Counter(
        [
            ("missing image", "test/0.png"),
            ("truncated image", "test/1.png"),
            ("empty file", "test/2.png"),
            ("not an image", "test/3.png"),
            ("outside the dataset's folder", "test/../train/a.png"),
            ("outside the dataset's folder", f"test/{folder / '5.png'}"),
            ("outside the dataset's folder", "test/6.png"),
            ("empty caption", "test/7.png#0"),
            ("caption is no text", "test/7.png#1"),
            ("caption is no text", "test/7.png#2"),
            ("caption too long", "test/7.png#3"),
            ("no captions", "test/7.png"),
            ("caption is no text", "test/8.png#1"),
            ("broken annotation", f"{where}:11"),
            ("broken annotation", f"{where}:12"),
            ("broken annotation", f"{where}:13"),
            ("broken annotation", f"{where}:14"),
            ("duplicate image id", "test/9.png"),
            ("broken annotation", f"{where}:16"),
            ("broken annotation", f"{where}:17"),
        ]
    )


def test_bad_rows_of_csv(tmp_path):
    """A row of another length and one that is too long for any caption end nothing."""
    split(tmp_path, "train", ["a.png"])
    picture(tmp_path / "test" / "a.png", 3)
    (tmp_path / "test" / "metadata.csv").write_bytes(
        b"\xef\xbb\xbffile_name,text\r\na.png,good\r\na.png\r\n\r\n"
        + b"a.png,"
        + b"x" * 200_000
        + b"\r\na.png,also good\r\n"
    )
    tasks = Folder(tmp_path).tasks()
    assert tasks["captioning"].references == {"test/a.png": ("good", "also good")}
    assert named(tasks) == [
        ("broken annotation", "test/metadata.csv:3"),
        ("caption too long", "test/a.png#1"),
    ]


@pytest.mark.parametrize(
    "layout",
    [
        "mine/{}.png",
        "mine/pictures/{}.png",
        "mine/cats/{}.png mine/dogs/{}.png",
        "mine/train/{}.png",
    ],
)
def test_a_table_of_one_split(layout, tmp_path):
    """Pictures beside their table, or in folders that are no splits: queries are drawn from them by the
    seed, the others are the memory."""
    files = [file.format(n) for n in range(6) for file in layout.split()]
    rows = []
    for number, file in enumerate(files):
        picture(tmp_path / file, number)
        rows.append({"file_name": file.removeprefix("mine/"), "caption": f"caption {number}"})
    jsonl(tmp_path / "mine" / "metadata.jsonl", rows)
    with pytest.warns(UserWarning, match=r"there is no memory split; .* \(memory: rest\)"):
        queries, memory = ids(Folder(tmp_path / "mine").tasks()["captioning"])
    assert len(queries) == len(files) // 2
    assert sorted(queries + memory) == sorted(row["file_name"] for row in rows)
    assert ids(Folder(tmp_path / "mine").tasks()["captioning"]) == (queries, memory)
    seeded = Folder(tmp_path / "mine", limit=3, seed=1).tasks()["captioning"]
    assert ids(seeded) != ids(Folder(tmp_path / "mine", limit=3).tasks()["captioning"])


def test_a_single_folder_with_a_table(tmp_path):
    """One folder with a table is queries and memory, whatever its name; of several, a usual name asks
    and `train` is the memory."""
    split(tmp_path, "mine", [f"{n}.png" for n in range(6)])
    with pytest.raises(DataError, match="no split 'test': there is mine;"):
        Folder(tmp_path, memory="train").tasks()
    with pytest.raises(DataError, match="it names none: leave out queries and memory"):
        Folder(tmp_path / "mine", queries="test").tasks()
    tasks = Folder(tmp_path, limit=2).tasks()
    assert [len(side) for side in ids(tasks["captioning"])] == [2, 4]
    with pytest.raises(DataError, match="the limit of 9 leaves nothing .* 6 images"):
        Folder(tmp_path, queries="mine", memory="rest", limit=9).tasks()
    split(tmp_path, "train", ["a.png"])
    split(tmp_path, "val", ["b.png"])
    assert ids(Folder(tmp_path).tasks()["captioning"]) == (["val/b.png"], ["train/a.png"])


def test_splits_of_a_table_are_named(tmp_path):
    """Where the table has splits, those that there are."""
    picture(tmp_path / "a.png")
    jsonl(tmp_path / "metadata.jsonl", [{"file_name": "a.png", "caption": "x", "split": "val"}])
    with pytest.raises(DataError, match="no row belongs to the split 'test'; there is val"):
        Folder(tmp_path, queries="test").tasks()


@pytest.mark.parametrize("captions", [None, "alt"])
def test_a_column_of_captions_that_is_not_there(captions, tmp_path):
    """The error names the columns that there are, and how to say which one it is."""
    split(tmp_path, "test", ["a.png"])
    jsonl(tmp_path / "test" / "metadata.jsonl", [{"file_name": "a.png", "description": "x"}])
    with pytest.raises(
        DataError, match=r"columns are 'file_name, description'.*captions: <column>"
    ):
        Folder(tmp_path, memory="test", captions=captions).tasks()


@pytest.mark.parametrize("name", ["metadata.jsonl", "metadata.csv"])
def test_a_table_that_is_not_utf8(name, tmp_path):
    """One error with the encoding that fits; no line is dropped, no caption half read."""
    split(tmp_path, "train", ["a.png"])
    picture(tmp_path / "test" / "a.png", 3)
    line = b'{"file_name": "a.png", "caption": "caf\xe9"}\n'
    (tmp_path / "test" / name).write_bytes(
        line if name.endswith("l") else b"file_name,caption\na.png,caf\xe9\n"
    )
    with pytest.raises(DataError, match=rf"{name}, line \d, is not UTF-8 .* iconv -f CP1252"):
        Folder(tmp_path).tasks()


def test_rows_of_one_id_are_one_file(tmp_path):
    """A row that gives the id of another picture is named, and its caption goes to neither."""
    split(tmp_path, "train", ["a.png"])
    for number, file in enumerate(("a.png", "b.png")):
        picture(tmp_path / "test" / file, number)
    rows = [("file_name", "text", "id"), ("a.png", "of a", "7"), ("b.png", "of b", "7")]
    table(tmp_path / "test" / "metadata.csv", [*rows, ("a.png", "of a too", "7")])
    tasks = Folder(tmp_path).tasks()
    assert tasks["captioning"].references == {"7": ("of a", "of a too")}
    assert named(tasks) == [("broken annotation", "test/metadata.csv:3")]


@pytest.mark.parametrize("name", ["metadata.jsonl", "metadata.csv"])
@pytest.mark.parametrize("text", ["['a dog', 'a cat']", '["a dog"]', "{'raw': 'a dog'}"])
def test_a_list_written_as_text_is_no_caption(name, text, tmp_path):
    """In both tables: it is named, never a caption as it stands."""
    split(tmp_path, "train", ["a.png"])
    picture(tmp_path / "test" / "a.png", 3)
    rows = [{"file_name": "a.png", "caption": caption} for caption in (text, "a good one")]
    if name.endswith("l"):
        jsonl(tmp_path / "test" / name, rows)
    else:
        table(tmp_path / "test" / name, [list(rows[0]), *(list(row.values()) for row in rows)])
    tasks = Folder(tmp_path).tasks()
    assert tasks["captioning"].references == {"test/a.png": ("a good one",)}
    assert named(tasks) == [("caption is no text", "test/a.png#0")]


@pytest.mark.parametrize("categories", [{"a": 1}, [1.5], [None], [["dog"]], 1.5, True])
def test_categories_that_are_no_names(categories, tmp_path):
    """The row is named; it is not silently in no category."""
    split(tmp_path, "train", ["a.png"])
    rows = split(tmp_path, "test", ["a.png", "b.png"])
    rows[0]["categories"] = categories
    jsonl(tmp_path / "test" / "metadata.jsonl", rows)
    assert named(Folder(tmp_path).tasks()) == [("broken annotation", "test/metadata.jsonl:1")]


def test_the_column_label_is_the_class(tmp_path):
    """A text or a whole number; a picture without one has no class, and two are no class."""
    for name in ("test", "train"):
        rows = split(tmp_path, name, ["a.png", "b.png", "c.png", "d.png"])
        for row, label in zip(rows, ["dog", 7, None, ["dog", "cat"]]):
            row["label"] = label
        jsonl(tmp_path / name / "metadata.jsonl", rows)
    tasks = Folder(tmp_path).tasks()
    assert tasks["captioning"].labels == {"test/a.png": "dog", "test/b.png": "7"}
    assert tasks["captioning"].memory_labels == {"train/a.png": "dog", "train/b.png": "7"}
    assert set(tasks["image-generation"].labels.values()) == {"dog", "7"}
    broken = {("broken annotation", f"{name}/metadata.jsonl:4") for name in ("test", "train")}
    assert set(named(tasks)) == broken


def test_a_run_from_a_suite(tmp_path):
    """A suite over a folder runs; run again elsewhere it ends with the same bytes."""
    for name, first in (("train", 0), ("test", 16)):
        rows = []
        for n in range(16):
            colour = toy.NAMES[n % 8]
            toy.draw(tmp_path / "data" / name / f"{n}.png", colour, first + n)
            rows.append({"file_name": f"{n}.png", "text": f"a {colour} picture"})
        jsonl(tmp_path / "data" / name / "metadata.jsonl", rows)
    content = toy.suite(tmp_path, dataset={"use": "folder", "root": str(tmp_path / "data")})
    suite = tmp_path / "suite.yaml"
    suite.write_text(yaml.safe_dump(content))
    first, again = (mb.run(suite, output=tmp_path / place) for place in ("one", "two"))
    kept = [
        "summary.json",
        "exclusions.json",
        *(f"tasks/{name}/task.json" for name in content["tasks"]),
    ]
    for file in kept:
        assert (first.folder / file).read_bytes() == (again.folder / file).read_bytes()
    found = {
        (row["task"], row["strategy"], row["measure"]): row["estimate"]
        for row in first.rows
        if row["slice"] == "all"
    }
    assert found["text-to-image", "shared-space", "Success@5"] == 1
    assert first.crashed == []


def test_a_column_twice(tmp_path):
    """Of two columns of one name nobody knows which is meant: an error that names them."""
    picture(tmp_path / "test" / "a.png")
    table(tmp_path / "test" / "metadata.csv", [("file_name", "text", "text"), ("a.png", "x", "y")])
    with pytest.raises(DataError, match="several columns are called 'text'; give each a name"):
        Folder(tmp_path, queries="test", memory="test").tasks()


def test_words_for_nothing_in_csv(tmp_path):
    """What pandas reads as missing is no caption and no id; JSON has null for it."""
    for number, file in enumerate(("test/a.png", "test/b.png", "train/a.png")):
        picture(tmp_path / file, number)
    rows = [("file_name", "text", "id"), ("a.png", "nan", "1"), ("b.png", "a boat", "None")]
    table(tmp_path / "test" / "metadata.csv", rows)
    table(tmp_path / "train" / "metadata.csv", [rows[0], ("a.png", "a cat", "3")])
    tasks = Folder(tmp_path).tasks()
    frame = pandas.read_csv(tmp_path / "test" / "metadata.csv")
    assert frame["text"].isna().tolist() == [True, False]
    assert tasks["captioning"].references == {"test/b.png": ("a boat",)}
    assert ("caption is no text", "1#0") in named(tasks)


def test_nothing_left_for_the_memory_says_what_was_left_out(tmp_path):
    """Rows of one id are one picture: the limit is not what is wrong then."""
    for number, name in enumerate("abc"):
        picture(tmp_path / "all" / f"{name}.png", number)
    rows = [{"file_name": f"{name}.png", "text": name, "id": 1} for name in "abc"]
    jsonl(tmp_path / "all" / "metadata.jsonl", rows)
    with pytest.raises(DataError, match="there are 1 images that can be used: 2 left out .broken"):
        Folder(tmp_path, queries="all", memory="rest", limit=2).tasks()


def test_two_tables_in_one_folder(tmp_path):
    """Of metadata.jsonl and metadata.csv the first is read, and that is said."""
    split(tmp_path, "test", ["a.png"])
    split(tmp_path, "train", ["b.png"])
    table(tmp_path / "test" / "metadata.csv", [("file_name", "text"), ("a.png", "another")])
    with pytest.warns(UserWarning, match="has metadata.jsonl and metadata.csv; the first is read"):
        tasks = Folder(tmp_path).tasks()
    assert tasks["captioning"].references == {"test/a.png": ("picture a.png", "again a.png")}
