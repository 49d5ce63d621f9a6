"""The leak audit: what is found, what is not, and what it does to the scores."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageDraw, ImageEnhance, ImageOps

from mmragbench._files import file_digest
from mmragbench.audits import leak, without
from mmragbench.measuring import duplicates as pairs
from mmragbench.measuring import fingerprints as prints
from mmragbench.measuring.duplicates import matches, near_duplicates
from mmragbench.measuring.fingerprints import Pictures
from mmragbench.records import Document, Image, Measure, Query, Score, Scores, Task, Text
from support import toy


def one_query_task(image: Image, *memory_images: Image, **more) -> Task:
    """One query about a picture, and a memory of pictures."""
    memory = [Document(other.id, other) for other in memory_images]
    return Task("captioning", memory, [Query("q", image)], **more)


@pytest.mark.parametrize("name", ["captioning", "image-generation"])
def test_a_planted_leak_is_found_and_nothing_else(scenes, plant, name):
    """Of copies of query pictures in the memory, half of them re-encoded and resized, all are
    found; no other query of a world whose pictures look alike is."""
    task, planted = plant(scenes[name], 20)
    leaks = leak(task)
    assert leaks.queries.keys() == planted
    assert leaks.by == {"bytes": 10, "pixels": 0, "near": 10}
    assert {pair.document for pair in leaks.pairs} == {f"planted{i}" for i in range(20)}
    assert (leaks.n_queries, leaks.n_pictures) == (100, 320)


def test_a_world_without_leaks_is_clean(scenes):
    """Not one false alarm among 100 queries; the closest pairs are given to look at."""
    leaks = leak(scenes["captioning"])
    assert leaks.queries == {}
    assert leaks.by == {"bytes": 0, "pixels": 0, "near": 0}
    assert len(leaks.misses) == 3
    assert min(miss.levels for miss in leaks.misses) > pairs.LEVELS


@pytest.mark.real_data
def test_a_planted_leak_is_found_among_photographs(shared_data, plant):
    """The same on Flickr8k's photographs: all found, no false alarm."""
    paths = sorted((shared_data / "flickr8k" / "images").glob("*.jpg"))[:800]
    photos = [Image(path.stem, path, file_digest(path)) for path in paths]
    memory = [Document(photo.id, photo) for photo in photos[200:]]
    queries = [Query(photo.id, photo) for photo in photos[:200]]
    task, planted = plant(Task("captioning", memory, queries), 40)
    leaks = leak(task)
    assert leaks.queries.keys() == planted
    assert leaks.by == {"bytes": 20, "pixels": 0, "near": 20}


def _brightness(factor: float) -> Callable[[Pillow.Image], Pillow.Image]:
    return lambda image: ImageEnhance.Brightness(image).enhance(factor)


def _contrast(factor: float) -> Callable[[Pillow.Image], Pillow.Image]:
    return lambda image: ImageEnhance.Contrast(image).enhance(factor)


CHANGES = {
    "darker": (_brightness(0.7), 1.0),
    "brighter": (_brightness(1.15), 0.98),
    "flatter": (_contrast(0.7), 1.0),
    "harder": (_contrast(1.3), 0.98),
    "grey": (ImageOps.grayscale, 1.0),
    "mirrored": (ImageOps.mirror, 0.0),
}
"""What somebody did to a copy, and the share of such copies that is found at least (at most, for 0)."""


def changed_copies(task: Task, picture, change: Callable[[Pillow.Image], Pillow.Image]) -> Task:
    """The task with a changed copy of every query's picture in its memory."""
    changed = [(query.id, change(query.image.open().convert("RGB"))) for query in task.queries]
    copies = [
        Document(f"copy of {id}", picture(copy, f"{id}.jpg", quality=90)) for id, copy in changed
    ]
    return replace(task, memory=[*task.memory, *copies])


def check_changed(task: Task, picture, name: str) -> None:
    change, least = CHANGES[name]
    leaks = leak(changed_copies(task, picture, change))
    assert all(pair.document == f"copy of {pair.query}" for pair in leaks.pairs)
    share = len(leaks.queries) / len(task.queries)
    assert share >= least if least else share <= 0.02


@pytest.mark.parametrize("name", CHANGES)
def test_a_copy_in_another_light_is_found(scenes, picture, name):
    """Brighter, darker, flatter, harder or grey: found, and no other picture is; mirrored: not,
    as the report says."""
    check_changed(scenes["captioning"], picture, name)


@pytest.mark.real_data
@pytest.mark.parametrize("name", CHANGES)
def test_a_photograph_in_another_light_is_found(shared_data, picture, name):
    """The same for 120 of Flickr8k's photographs, among all 2,500."""
    paths = sorted((shared_data / "flickr8k" / "images").glob("*.jpg"))
    photos = [Image(path.stem, path, file_digest(path)) for path in paths]
    memory = [Document(photo.id, photo) for photo in photos[120:]]
    queries = [Query(photo.id, photo) for photo in photos[:120]]
    check_changed(Task("captioning", memory, queries), picture, name)


def test_plain_colours_are_no_copies_of_each_other(picture):
    """Light and dark red differ by their brightness only, and are two pictures."""
    light, dark = (Pillow.new("RGB", (32, 32), (level, 0, 0)) for level in (255, 190))
    assert leak(one_query_task(picture(light, "a.png"), picture(dark, "b.png"))).queries == {}


def test_the_candidates_miss_nothing(scenes, plant):
    """The perceptual hash proposes every pair that comparing all with all finds."""
    task, chosen = plant(scenes["captioning"], 20, seed=1)
    some = [query for query in task.queries if query.id in chosen] + list(task.queries)[:20]
    queries = Pictures.of([query.image for query in some])
    memory = Pictures.of([document.image for document in task.memory])
    every = np.array([(i, j) for i in range(len(queries)) for j in range(len(memory))])
    _, near = near_duplicates(queries.thumbs[every[:, 0]], memory.thumbs[every[:, 1]])
    expected = {tuple(pair) for pair in every[near].tolist()}
    assert {(m.query, m.memory) for m in matches(queries, memory) if m.how} == expected


def test_same_pixels_in_another_format(scenes, picture):
    """A PNG and a BMP of the same picture have other bytes, and the same pixels."""
    made = scenes["captioning"].queries[0].image.open()
    leaks = leak(one_query_task(picture(made, "a.png"), picture(made, "b.bmp")))
    assert leaks.by == {"bytes": 0, "pixels": 1, "near": 0}


def test_one_small_difference_makes_another_picture(scenes, picture):
    """A scene with one small thing added is near-identical, and no duplicate."""
    made = scenes["captioning"].queries[0].image.open()
    other = made.copy()
    x, y, side = made.width // 2, made.height // 3, made.width // 8
    ImageDraw.Draw(other).ellipse((x, y, x + side, y + side), fill=(255, 0, 255))
    leaks = leak(one_query_task(picture(made, "a.png"), picture(other, "b.png")))
    assert leaks.queries == {}
    (miss,) = leaks.misses
    assert miss.document == "b.png"


def test_pages_of_text_are_told_apart(picture):
    """Pages that differ in their lines only are no duplicates, although all of them are light grey."""

    def page(seed: int) -> Pillow.Image:
        draw, made = random.Random(seed), Pillow.new("RGB", (600, 800), "white")
        for line in range(40, 760, 18):
            if draw.random() < 0.8:
                ImageDraw.Draw(made).line((50, line, draw.randint(80, 550), line), "black", 4)
        return made

    leaks = leak(
        one_query_task(
            picture(page(0), "a.png"), *(picture(page(i), f"{i}.png") for i in range(1, 20))
        )
    )
    assert leaks.queries == {}


def test_the_encoder_proposes_too(scenes, stored_again, monkeypatch):
    """Where the perceptual hash proposes nothing, the encoder finds the copy, and tells how alike."""
    monkeypatch.setattr(pairs, "_by_hash", lambda *_: iter(()))
    task = scenes["captioning"]
    copy = stored_again(task.queries[0].image, "copy", random.Random(0))
    task = replace(task, memory=[*task.memory, Document("planted", copy)])
    assert leak(task).queries == {}
    leaks = leak(task, toy.ColourEncoder())
    assert leaks.queries == {task.queries[0].id: "near"}
    assert leaks.pairs[0].cosine == pytest.approx(1, abs=0.01)


def test_every_document_with_the_picture_is_named(picture):
    """The same file in three documents is three pairs, and one leaked query."""
    image = picture(Pillow.new("RGB", (32, 32), "red"), "a.png")
    task = one_query_task(
        image, replace(image, id="x"), replace(image, id="y"), replace(image, id="z")
    )
    leaks = leak(task)
    assert sorted(pair.document for pair in leaks.pairs) == ["x", "y", "z"]
    assert leaks.by == {"bytes": 1, "pixels": 0, "near": 0}


def test_the_gold_document_is_no_leak(picture):
    """Where the picture itself is what has to be found, finding it is the task; silver relevance
    is no such wish."""
    image = picture(Pillow.new("RGB", (32, 32), "red"), "a.png")
    task = one_query_task(image, image, qrels={"q": {"a.png": 1}})
    assert leak(task).queries == {}
    assert leak(task).pairs[0].wanted
    assert leak(replace(task, relevance="silver:cider")).queries == {"q": "bytes"}


def test_without_pictures_there_is_nothing_to_look_for(scenes):
    """Queries of text, or a memory of texts, have no picture to leak."""
    assert leak(scenes["text-to-image"]).n_queries == 0
    assert leak(scenes["image-to-text"]).n_pictures == 0


def test_a_file_that_cannot_be_read_is_counted(picture, tmp_path):
    """A broken or missing file is counted; the others are audited."""
    image = picture(Pillow.new("RGB", (32, 32), "red"), "a.png")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n")
    broken, missing = (Image(n, tmp_path / f"{n}.png") for n in ("broken", "missing"))
    leaks = leak(one_query_task(image, image, broken, missing))
    assert (leaks.unreadable, leaks.queries) == (2, {"q": "bytes"})


def test_fingerprints_are_taken_once(scenes, monkeypatch):
    """The second audit decodes nothing."""
    first = leak(scenes["captioning"])
    monkeypatch.setattr(prints.Fingerprint, "of", lambda _: pytest.fail("decoded again"))
    assert leak(scenes["captioning"]) == first


def test_references_that_recur_are_told_apart_from_leaks():
    """References in the memory are counted, whatever their case, spacing and punctuation; they
    make no query leak. A query all of whose references recur is named."""

    def document(id: str, *texts: str) -> Document:
        return Document(id, texts=tuple(Text(f"{id}{i}", text) for i, text in enumerate(texts)))

    memory = [
        document("d1", "A red house!", "A boat."),
        document("d2", "a  BOAT"),
        document("d3", "!"),
    ]
    references = {
        "q1": ("a red house", "Nothing like it"),
        "q2": ("a boat", "A Red HOUSE"),
        "q3": ("?",),
    }
    task = Task("captioning", memory, [Query(id) for id in references], references=references)
    leaks = leak(task)
    assert leaks.queries == {}
    assert leaks.references.captions == 5
    assert [(r.query, r.caption, r.documents) for r in leaks.references.recurring] == [
        ("q1", "a red house", ["d1"]),
        ("q2", "A Red HOUSE", ["d1"]),
        ("q2", "a boat", ["d1", "d2"]),
    ]
    assert leaks.references.whole == ("q2",)
    assert leaks.references.chance == 2 / 3


def test_estimates_without_the_leaked_queries():
    """The mean over the others; none for a measure of the whole set, none where nothing is left."""
    scored = (Score("a", 1.0), Score("b", 0.0), Score("c", 0.5), Score("d", error="no"))
    means = Scores(Measure("CIDEr"), "CIDEr|n:3", scored)
    whole = Scores(Measure("Bleu_4"), "Bleu_4|n:3", scored, total=0.3)
    some, of_set = without({"all": [means, whole]}, frozenset({"a"}))
    assert (some["estimate"], some["n"], some["without"], some["n_without"]) == (0.5, 3, 0.25, 2)
    assert (of_set["estimate"], of_set["without"]) == (0.3, None)
    again = {str(whole.measure): Scores(whole.measure, "m|n:2", total=0.2, n=2)}
    (anew,) = without({"all": [whole]}, frozenset({"a"}), again)
    assert (anew["without"], anew["n_without"]) == (0.2, 2)
    (nothing,) = without({"all": [means]}, frozenset("abc"))
    assert (nothing["without"], nothing["n_without"]) == (None, 0)
