"""Pictures, and the four tasks that they pose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as some

from mmragbench.data.coco_tasks import build_tasks, tasks
from mmragbench.data.entries import Entry, Picture, Sample
from mmragbench.data.sampling import admit, draw, unique
from mmragbench.errors import DataError
from mmragbench.records import Image, Text


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMRAGBENCH_CACHE", str(tmp_path / "cache"))


def picture(id: str, *slices: str) -> Picture:
    own = tuple(Text(f"{id}-{n}", f"caption {n} of {id}") for n in "ab")
    return Picture(Image(id, Path(f"{id}.jpg")), own, slices=frozenset(slices))


def entry(folder: Path, id: str, *captions: object) -> Entry:
    """An entry whose file is there."""
    folder.mkdir(exist_ok=True)
    PIL.Image.new("RGB", (8, 8)).save(folder / f"{id}.png")
    pairs = tuple((f"{id}#{n}", caption) for n, caption in enumerate(captions or ("a dog",)))
    return Entry(id, folder, f"{id}.png", pairs)


MEMORY = [picture("m1"), picture("m2")]
QUERIES = [picture("q1", "emblems"), picture("q2")]


def test_text_to_image() -> None:
    """Every caption asks for its own image among the query images; the gallery has no texts."""
    task = tasks(MEMORY, QUERIES)["text-to-image"]
    assert [(q.id, q.group, q.image) for q in task.queries] == [
        ("q1-a", "q1", None),
        ("q1-b", "q1", None),
        ("q2-a", "q2", None),
        ("q2-b", "q2", None),
    ]
    assert [q.text for q in task.queries] == [c for p in QUERIES for c in p.captions]
    assert [(d.id, d.image, d.texts) for d in task.memory] == [(p.id, p.image, ()) for p in QUERIES]
    assert task.qrels == {
        "q1-a": {"q1": 1},
        "q1-b": {"q1": 1},
        "q2-a": {"q2": 1},
        "q2-b": {"q2": 1},
    }
    assert (task.relevance, task.output) == ("gold", "none")
    assert task.slices == {"emblems": {"q1-a", "q1-b"}}


def test_image_to_text() -> None:
    """Every query image asks for its captions; each caption is a document without an image."""
    task = tasks(MEMORY, QUERIES)["image-to-text"]
    assert [(q.id, q.group, q.image, q.text) for q in task.queries] == [
        (p.id, p.id, p.image, None) for p in QUERIES
    ]
    assert [(d.id, d.image, d.texts) for d in task.memory] == [
        (c.id, None, (c,)) for p in QUERIES for c in p.captions
    ]
    assert task.qrels == {"q1": {"q1-a": 1, "q1-b": 1}, "q2": {"q2-a": 1, "q2-b": 1}}
    assert task.slices == {"emblems": {"q1"}}


def test_captioning() -> None:
    """Query images, a memory of pairs, their own captions as references, silver relevance."""
    task = tasks(MEMORY, QUERIES)["captioning"]
    assert [q.image for q in task.queries] == [p.image for p in QUERIES]
    assert [(d.id, d.image, d.texts) for d in task.memory] == [
        (p.id, p.image, p.captions) for p in MEMORY
    ]
    assert task.references["q1"] == ("caption a of q1", "caption b of q1")
    assert (task.relevance, task.output, task.targets) == ("silver:cider", "caption", {})
    assert list(task.qrels) == list(task.affinity) == ["q1", "q2"]


def test_image_generation() -> None:
    """One caption a picture, the first, asks; the real image is the target."""
    task = tasks(MEMORY, QUERIES)["image-generation"]
    assert [(q.id, q.group, q.image) for q in task.queries] == [
        ("q1-a", "q1", None),
        ("q2-a", "q2", None),
    ]
    assert task.targets == {"q1-a": QUERIES[0].image, "q2-a": QUERIES[1].image}
    assert task.references["q2-a"] == ("caption a of q2", "caption b of q2")
    assert (task.relevance, task.output) == ("silver:cider", "image")
    assert list(task.qrels) == list(task.affinity) == ["q1-a", "q2-a"]
    assert task.slices == {"emblems": {"q1-a"}}


def test_memory_and_queries_are_apart() -> None:
    """An image in both splits is an error that names examples."""
    with pytest.raises(DataError, match=r"share 4 images \(m1, m2, q1, \.\.\.\)"):
        tasks([*MEMORY, *QUERIES], [*QUERIES, *MEMORY])


@pytest.mark.parametrize(
    ("caption", "kind"),
    [
        ("", "empty caption"),
        (" \n\t", "empty caption"),
        ("long " * 2_000, "caption too long"),
        ("x" * 1_001, "caption too long"),
        (None, "caption is no text"),
        (["a dog"], "caption is no text"),
        (17, "caption is no text"),
        ("half \ud800", "caption is no text"),
    ],
)
def test_awkward_captions(caption: object, kind: str, tmp_path: Path) -> None:
    """A caption that cannot be used is excluded by name; the image keeps its others."""
    pictures, excluded = admit([entry(tmp_path / "images", "1", "a dog", caption, "a cat")])
    assert [text.content for text in pictures["1"].captions] == ["a dog", "a cat"]
    assert [(e.kind, e.id) for e in excluded] == [(kind, "1#1")]


@pytest.mark.parametrize("caption", ["<script>alert('&')</script>", "x" * 1_000, "100 % \\LaTeX{}"])
def test_captions_are_kept_as_they_are(caption: str, tmp_path: Path) -> None:
    """HTML, LaTeX and length up to the limit are nobody's business before a page is written."""
    pictures, excluded = admit([entry(tmp_path / "images", "1", caption)])
    assert pictures["1"].captions == (Text("1#0", caption),)
    assert excluded == []


def test_an_image_without_captions(tmp_path: Path) -> None:
    """Without any usable caption an image is excluded, and so is every caption by name."""
    bare = Entry("2", tmp_path, "2.png", ())
    pictures, excluded = admit([entry(tmp_path / "images", "1", " "), bare])
    assert pictures == {}
    assert [(e.kind, e.id) for e in excluded] == [
        ("empty caption", "1#0"),
        ("no captions", "1"),
        ("no captions", "2"),
    ]


def test_duplicates(tmp_path: Path) -> None:
    """Of two images with one id the first wins, and the other is named. A caption belongs to its
    image: one whose id is missing, or that others have, counts under an id of its own."""
    first, other = entry(tmp_path, "1", "a"), entry(tmp_path, "1", "b")
    third = Entry("2", tmp_path, "1.png", (("x", "c"), ("x", "d"), ("y", "e")))
    fourth = Entry("3", tmp_path, "1.png", (("", "f"), ("z", "g")))
    fifth = Entry("4", tmp_path, "1.png", (("2#1", "h"), ("w", "i")))
    with pytest.warns(UserWarning, match=r"2 captions share 1 ids \('x'\)"):
        kept, excluded = unique([first, other, third, fourth, fifth])
    assert [e.captions for e in kept] == [
        (("1#0", "a"),),
        (("2#0", "c"), ("2#1", "d"), ("2#2", "e")),
        (("3#0", "f"), ("3#1", "g")),
        (("w", "i"),),
    ]
    assert [(e.kind, e.id) for e in excluded] == [
        ("duplicate image id", "1"),
        ("duplicate caption id", "2#1"),
    ]


def test_draw_makes_room(tmp_path: Path) -> None:
    """An entry that cannot be used does not count against the limit; what is left stays whole."""
    entries = [entry(tmp_path / "images", str(i)) for i in range(20)]
    for gone in entries[:12]:
        (gone.folder / gone.file).unlink()
    drawn = draw(entries, 5, seed=1)
    assert len(drawn.pictures) == 5
    assert len(drawn.pictures) + len(drawn.rest) + len(drawn.excluded) == 20
    assert {e.kind for e in drawn.excluded} <= {"missing image"}


def test_draw_is_seeded_and_in_order(tmp_path: Path) -> None:
    """The same seed draws the same, another differs; larger limits add; the order is the file's."""
    entries = [entry(tmp_path / "images", str(i)) for i in range(30)]

    def ids(limit: int | None, seed: int) -> list[str]:
        return [picture.id for picture in draw(entries, limit, seed).pictures]

    assert ids(10, 0) == ids(10, 0)
    assert ids(10, 0) != ids(10, 1)
    assert set(ids(5, 0)) < set(ids(10, 0))
    assert ids(10, 0) == sorted(ids(10, 0), key=int)
    assert ids(None, 0) == [e.id for e in entries]
    assert ids(99, 0) == [e.id for e in entries]


@given(some.lists(some.integers(0, 9), max_size=20))
def test_nothing_is_lost(ids: list[int]) -> None:
    """Every entry is kept or named."""
    entries = [Entry(str(id), Path(), "x", ()) for id in ids]
    kept, excluded = unique(entries)
    assert len(kept) + len(excluded) == len(entries)
    assert [e.id for e in kept] == list(dict.fromkeys(str(id) for id in ids))


def test_pose_names_everything(tmp_path: Path) -> None:
    """The exclusions of every step end up in every task."""
    folder = tmp_path / "images"
    queries = [entry(folder, "1"), entry(folder, "1"), entry(folder, "2", "", "a cat")]
    memory = [entry(folder, "3"), Entry("4", folder, "../4.png", (("4#0", "a dog"),))]
    for task in build_tasks(queries, memory, Sample()).values():
        assert [(e.kind, e.id) for e in task.exclusions] == [
            ("duplicate image id", "1"),
            ("empty caption", "2#0"),
            ("outside the dataset's folder", "4"),
        ]


@pytest.mark.parametrize("side", ["query", "memory"])
def test_a_split_of_nothing(side: str, tmp_path: Path) -> None:
    """A split without a usable picture is an error that counts why."""
    good = [entry(tmp_path / "images", "1")]
    gone = [Entry(str(i), tmp_path, f"{i}.png", (("c", "a"),)) for i in (2, 2, 3)]
    splits: dict[str, Any] = {"query": (gone, good), "memory": (good, gone)}
    with pytest.raises(DataError, match=f"not one {side} image can be used") as error:
        build_tasks(*splits[side], Sample())
    assert "missing image 2" in str(error.value) and "duplicate image id 1" in str(error.value)


def test_a_limit_of_nothing(tmp_path: Path) -> None:
    """A limit under 1 is an error."""
    with pytest.raises(DataError, match="1 or more"):
        draw([entry(tmp_path / "images", "1")], 0)
