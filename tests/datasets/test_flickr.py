"""Flickr8k and Flickr30k: caption files in both forms, split lists, ids."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from mmragbench.contracts import Dataset
from mmragbench.datasets.flickr import Flickr, read_captions
from mmragbench.errors import DataError
from mmragbench.records import Task
from mmragbench.registry import find
from support.paths import SHARED

DATA = SHARED / "flickr8k"

real_data = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data/flickr8k is not there")

CSV = """image,caption
q.jpg,A dog runs .
m.jpg,"A cat , asleep ."
q.jpg,"He says ""go"" <b>now</b> ."
other.jpg,Of a third split .
"""
BARS = """image_name| comment_number| comment
q.jpg| 0| A dog runs .
m.jpg| 0| A cat , asleep .
q.jpg| 1| He says "go" <b>now</b> .
other.jpg| 0| Of a third split .
"""
TOKENS = """q.jpg#0\tA dog runs .
m.jpg#0\tA cat , asleep .
q.jpg#1\tHe says "go" <b>now</b> .
other.jpg#0\tOf a third split .
"""


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMRAGBENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A data set of one query and one memory picture; a file of captions is still to come."""
    for folder in ("images", "splits"):
        (tmp_path / folder).mkdir()
    for name in ("q.jpg", "m.jpg", "other.jpg"):
        PIL.Image.new("RGB", (16, 12)).save(tmp_path / "images" / name)
    (tmp_path / "splits" / "dev.txt").write_text("q.jpg\n")
    (tmp_path / "splits" / "train.txt").write_text("m.jpg\r\n\r\n")
    return tmp_path


def named(tasks: Mapping[str, Task]) -> list[tuple[str, str]]:
    return [(e.kind, e.id) for e in tasks["captioning"].exclusions]


def test_is_a_dataset(tmp_path: Path) -> None:
    """The class is registered under its file's name and keeps the contract."""
    assert find("dataset", "flickr").make is Flickr
    assert isinstance(Flickr(tmp_path), Dataset)


@pytest.mark.parametrize("text", [CSV, TOKENS, BARS, "\ufeff" + CSV, CSV.replace("\n", "\r\n")])
def test_both_forms_say_the_same(text: str, root: Path) -> None:
    """CSV and token file give the same ids, captions and splits."""
    (root / "captions.txt").write_bytes(text.encode())
    tasks = Flickr(root).tasks()
    assert [(q.id, q.text and q.text.content) for q in tasks["text-to-image"].queries] == [
        ("q.jpg#0", "A dog runs ."),
        ("q.jpg#1", 'He says "go" <b>now</b> .'),
    ]
    assert [(d.id, [t.content for t in d.texts]) for d in tasks["captioning"].memory] == [
        ("m.jpg", ["A cat , asleep ."])
    ]
    assert named(tasks) == []


def test_commas_without_quotes(root: Path) -> None:
    """A caption whose commas lack their quotes is kept whole."""
    (root / "captions.txt").write_text("image,caption\nq.jpg,one, two,three\n")
    assert read_captions(root / "captions.txt")[0] == {"q.jpg": [("q.jpg#0", "one, two,three")]}


def test_numbers_count_what_is_excluded(root: Path) -> None:
    """A caption keeps its place's number when an earlier one is excluded."""
    (root / "captions.txt").write_text("image,caption\nq.jpg,\nq.jpg,a dog\nm.jpg,a cat\n")
    tasks = Flickr(root).tasks()
    assert [q.id for q in tasks["text-to-image"].queries] == ["q.jpg#1"]
    assert named(tasks) == [("empty caption", "q.jpg#0")]


@pytest.mark.parametrize(
    ("text", "line"), [(CSV + "alone\n", "captions.txt:6"), (TOKENS + "alone\n", "captions.txt:5")]
)
def test_lines_that_are_no_caption(text: str, line: str, root: Path) -> None:
    """A line that is not an image and a caption is excluded by its number."""
    (root / "captions.txt").write_text(text)
    assert named(Flickr(root).tasks()) == [("broken annotation", line)]


def test_bad_entries_of_a_list(root: Path) -> None:
    """A name without file, without captions, twice, or leading out is excluded by name."""
    (root / "captions.txt").write_text(CSV + "gone.jpg,a dog\n../q.jpg,a dog\n")
    names = "q.jpg\ngone.jpg\nbare.jpg\nq.jpg\n../q.jpg\n"
    (root / "splits" / "dev.txt").write_text(names)
    assert sorted(named(Flickr(root).tasks())) == [
        ("duplicate image id", "q.jpg"),
        ("missing image", "gone.jpg"),
        ("no captions", "bare.jpg"),
        ("outside the dataset's folder", "../q.jpg"),
    ]


@pytest.mark.parametrize("end", ['says "Go"', 'Go"', "Go"])
def test_a_quotation_mark_that_only_opens(end: str, root: Path) -> None:
    """No caption holds another line, whether or not a later line closes the quotation."""
    text = f'image,caption\nq.jpg,"Stop\nm.jpg,a cat\nq.jpg,{end}\nm.jpg,two cats\n'
    (root / "captions.txt").write_text(text)
    tasks = Flickr(root).tasks()
    assert tasks["captioning"].references == {"q.jpg": ('"Stop', end)}
    assert [t.content for t in tasks["captioning"].memory[0].texts] == ["a cat", "two cats"]


@pytest.mark.parametrize("ending", [".jfif", ".avif", ".jp2", ""])
def test_a_quotation_mark_beside_any_picture(ending: str, root: Path) -> None:
    """A line is of its own picture whatever the ending of its name; csv would join two of them."""
    q, m = f"q{ending}", f"m{ending}"
    (root / "images" / "q.jpg").rename(root / "images" / q)
    (root / "images" / "m.jpg").rename(root / "images" / m)
    (root / "splits" / "dev.txt").write_text(q)
    (root / "splits" / "train.txt").write_text(m)
    text = f'image,caption\n{q},"Stop\n{q},he cries"\n{m},a cat\n'
    (root / "captions.txt").write_text(text)
    tasks = Flickr(root).tasks()
    assert tasks["captioning"].references == {q: ('"Stop', 'he cries"')}


@pytest.mark.parametrize("word", ["nan", "NaN", "None", "null", "NULL", "<NA>"])
def test_a_word_for_nothing_is_no_caption(word: str, root: Path) -> None:
    """What a program writes for a missing value is named, and not scored against."""
    (root / "captions.txt").write_text(f"image,caption\nq.jpg,{word}\nq.jpg,a dog\nm.jpg,a cat\n")
    tasks = Flickr(root).tasks()
    assert tasks["captioning"].references == {"q.jpg": ("a dog",)}
    assert named(tasks) == [("broken annotation", "captions.txt:2")]


def test_numbers_that_are_all_the_same(root: Path) -> None:
    """A converter that writes #0 on every line loses no caption."""
    (root / "captions.txt").write_text("q.jpg#0\ta dog\nm.jpg#0\ta cat\nq.jpg#0\ta big dog\n")
    with pytest.warns(UserWarning, match=r"2 captions share 1 ids \('q.jpg#0'\)"):
        tasks = Flickr(root).tasks()
    assert tasks["captioning"].references == {"q.jpg": ("a dog", "a big dog")}
    assert named(tasks) == []


def test_a_list_of_other_names(root: Path) -> None:
    """Names without their endings fit nothing: an error with one of each side."""
    (root / "captions.txt").write_text(CSV)
    (root / "splits" / "dev.txt").write_text("q\n")
    with pytest.raises(DataError, match=r"not one of its 1 names .*'q', the captions have 'q.jpg'"):
        Flickr(root).tasks()


def test_a_line_that_lacks_a_bar(root: Path) -> None:
    """Flickr30k's own file has one: it is left out by number, the others stay."""
    (root / "captions.txt").write_text(
        BARS + "m.jpg| 4   A dog runs across the grass .\n\nm.jpg| 5\n"
    )
    captions, broken = read_captions(root / "captions.txt")
    assert captions["m.jpg"] == [("m.jpg#0", "A cat , asleep ."), ("m.jpg#5", "")]
    assert [exclusion.id for exclusion in broken] == ["captions.txt:6"]


@pytest.mark.parametrize("content", [b"", b"{}", b"name,text\na,b\n", b"\xff\xfe\x00"])
def test_captions_of_another_kind(content: bytes, root: Path) -> None:
    """A file of captions in no known form is one line that names it and what was expected."""
    (root / "captions.txt").write_bytes(content)
    with pytest.raises(DataError, match=r"captions\.txt") as error:
        Flickr(root).tasks()
    assert "expected" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "name, arguments",
    [
        ("captions.txt", {}),
        ("splits/dev.txt", {"queries": Path("splits/dev.txt")}),
        ("splits/train.txt", {"memory": Path("splits/train.txt")}),
    ],
)
def test_missing_files(name: str, arguments: dict[str, Path], root: Path) -> None:
    """A missing file is an error that names it."""
    (root / "captions.txt").write_text(CSV)
    (root / name).unlink()
    with pytest.raises(DataError, match=f"{name} cannot be read"):
        Flickr(root, **arguments).tasks()


@pytest.mark.parametrize(
    "lists, split",
    [([], "qm"), (["dev"], "q"), (["train"], "m"), (["val"], "q"), (["dev", "train"], None)],
)
def test_a_single_list_or_none(lists: list[str], split: str | None, root: Path) -> None:
    """Without both lists, the images of the one there is, or all with captions, are queries and
    memory, no image both."""
    names = {side: [f"{side}{n}.jpg" for n in range(10)] for side in "qm"}
    (root / "captions.txt").write_text(
        "image,caption\n" + "".join(f"{n},Text of {n}\n" for side in "qm" for n in names[side])
    )
    for file in (root / "splits").iterdir():
        file.unlink()
    for name in lists:
        side = "m" if name == "train" else "q"
        (root / "splits" / f"{name}.txt").write_text("\n".join(names[side]))
    for name in (*names["q"], *names["m"]):
        PIL.Image.new("RGB", (16, 12)).save(root / "images" / name)
    with nullcontext() if split is None else pytest.warns(UserWarning, match="no memory split"):
        task = Flickr(root).tasks()["captioning"]
    sides = [query.id for query in task.queries], [document.id for document in task.memory]
    if split is None:
        assert sides == (names["q"], names["m"])
    else:
        images = [name for side in split for name in names[side]]
        assert len(sides[0]) == len(images) // 2
        assert sorted(sides[0] + sides[1]) == sorted(images)


def test_lists_that_share_an_image(root: Path) -> None:
    """A picture in both lists is an error."""
    (root / "captions.txt").write_text(CSV)
    (root / "splits" / "train.txt").write_text("m.jpg\nq.jpg\n")
    with pytest.raises(DataError, match=r"share 1 images \(q.jpg\)"):
        Flickr(root).tasks()


@pytest.mark.real_data
@real_data
def test_flickr8k() -> None:
    """1,500 pictures are the memory, 1,000 ask with 5,000 captions, in the ids of the vectors."""
    tasks = Flickr(DATA).tasks()
    with np.load(DATA / "two_tower_embeddings.npz") as vectors:
        images, captions = vectors["image_ids"].tolist(), vectors["caption_ids"].tolist()
    assert named(tasks) == []
    retrieval, generation = tasks["image-to-text"], tasks["captioning"]
    assert len(generation.memory) == 1_500
    assert len(retrieval.queries) == 1_000
    assert len(tasks["text-to-image"].queries) == len(retrieval.memory) == 5_000
    assert {d.id for d in [*generation.memory, *tasks["text-to-image"].memory]} == set(images)
    texts = [
        *(d.texts[0] for d in retrieval.memory),
        *(t for d in generation.memory for t in d.texts),
    ]
    assert {text.id for text in texts} == set(captions)


@pytest.mark.real_data
@real_data
@pytest.mark.parametrize("arguments", [{"limit": 30, "memory_limit": 40, "seed": 3}])
def test_a_subset(arguments: dict[str, Any]) -> None:
    """Limits draw the same subset every time."""
    first, again = (Flickr(DATA, **arguments).tasks()["captioning"] for _ in range(2))
    assert (len(first.queries), len(first.memory)) == (30, 40)
    assert (first.queries, first.memory) == (again.queries, again.memory)
