"""The embedded world: what `scenes.write` promises about its files."""

from __future__ import annotations

import hashlib
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pycocotools.coco import COCO

from mmragbench.scenes import write
from mmragbench.scenes.emblems import FOR_TRAINING, HELD_OUT, emblems

SPLITS = {"train": 60, "memory": 400, "queries": 200}
SIDE = 160


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small world, drawn once."""
    root = tmp_path_factory.mktemp("world")
    write(root, SPLITS)
    return root


def read(root: Path, name: str) -> dict[str, Any]:
    """One annotation file."""
    content: dict[str, Any] = json.loads((root / "annotations" / f"{name}.json").read_text())
    return content


def digests(root: Path) -> dict[str, str]:
    """The hash of every file below `root`."""
    files = (path for path in root.rglob("*") if path.is_file())
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }


def emblem_images(root: Path, split: str) -> dict[int, str]:
    """Image id to the emblem's full name, as the instances have it."""
    content = read(root, f"instances_{split}")
    names = {c["id"]: c["name"] for c in content["categories"] if c["supercategory"] == "emblem"}
    return {
        a["image_id"]: names[a["category_id"]]
        for a in content["annotations"]
        if a["category_id"] in names
    }


def captions_by_image(root: Path, split: str) -> dict[int, list[str]]:
    """Image id to its captions, in the order of the file."""
    by_image: dict[int, list[str]] = {}
    for row in read(root, f"captions_{split}")["annotations"]:
        by_image.setdefault(row["image_id"], []).append(row["caption"])
    return by_image


def test_same_call_gives_same_bytes_whatever_the_number_of_workers(tmp_path: Path) -> None:
    """The files depend on splits and seed only: one process, or two, write the same bytes."""
    splits = {"memory": 60, "queries": 20}
    write(tmp_path / "one", splits)
    write(tmp_path / "two", splits, workers=2)
    assert digests(tmp_path / "two") == digests(tmp_path / "one")


def test_a_longer_split_begins_like_a_shorter_one(world: Path, tmp_path: Path) -> None:
    """An image is a function of seed, split and index: asking for more changes none of the first."""
    write(tmp_path, {"queries": 12})
    whole = digests(world)
    images = {name: digest for name, digest in digests(tmp_path).items() if name.endswith(".jpg")}
    assert images == {name: whole[name] for name in images}


def test_another_seed_is_another_world(world: Path, tmp_path: Path) -> None:
    """With another seed, the images differ."""
    write(tmp_path, {"queries": 8}, seed=1)
    whole = digests(world)
    assert all(
        digest != whole[name] for name, digest in digests(tmp_path).items() if name.endswith(".jpg")
    )


def test_progress_adds_up(tmp_path: Path) -> None:
    """What `progress` hears adds up to the number of images."""
    heard: list[int] = []
    write(tmp_path, {"memory": 70, "queries": 5}, progress=heard.append)
    assert sum(heard) == 75


def test_an_unknown_split_is_refused_by_name(tmp_path: Path) -> None:
    """A split that the world does not have is an error that names the ones it has."""
    with pytest.raises(ValueError, match=r"no split 'val'.*train, memory, queries"):
        write(tmp_path, {"val": 1})


@pytest.mark.parametrize("split", SPLITS)
def test_files_are_coco(world: Path, split: str) -> None:
    """pycocotools loads both files; every image has five captions, an instance's area is its box's."""
    captions = COCO(str(world / "annotations" / f"captions_{split}.json"))
    instances = COCO(str(world / "annotations" / f"instances_{split}.json"))
    assert sorted(captions.imgs) == sorted(instances.imgs) and len(captions.imgs) == SPLITS[split]
    assert {len(captions.imgToAnns[image]) for image in captions.imgs} == {5}
    assert {len(instances.imgToAnns[image]) > 0 for image in instances.imgs} == {True}


@pytest.mark.parametrize("split", SPLITS)
def test_images_are_as_the_file_says(world: Path, split: str) -> None:
    """Every file named is there, an RGB JPEG of the size stated, and nothing else lies in the folder."""
    rows = read(world, f"captions_{split}")["images"]
    folder = world / "images" / split
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        row["file_name"] for row in rows
    )
    for row in rows[:20]:
        with Image.open(folder / row["file_name"]) as image:
            assert (image.format, image.mode, image.size) == (
                "JPEG",
                "RGB",
                (row["width"], row["height"]),
            )


@pytest.mark.parametrize("split", SPLITS)
def test_boxes_lie_inside_the_image(world: Path, split: str) -> None:
    """No box reaches over the image's edge, and none is empty."""
    for row in read(world, f"instances_{split}")["annotations"]:
        x, y, w, h = row["bbox"]
        assert (
            x >= 0 and y >= 0 and w > 0 and h > 0 and x + w <= SIDE + 0.01 and y + h <= SIDE + 0.01
        )


def test_ids_are_unique_across_splits(world: Path) -> None:
    """No image id and no annotation id occurs in two splits."""
    files = [read(world, f"captions_{split}") for split in SPLITS]
    for key in ("images", "annotations"):
        ids = [row["id"] for content in files for row in content[key]]
        assert len(set(ids)) == len(ids)


def test_trained_and_held_out_emblems_are_disjoint() -> None:
    """No name and no design of the held-out emblems is among those for training, nor does any come twice."""
    held_out, training = emblems()
    assert (len(held_out), len(training)) == (HELD_OUT, FOR_TRAINING)
    every = (*held_out, *training)
    assert len({emblem.name for emblem in every}) == len(every)
    assert len({emblem.design for emblem in every}) == len(every)


def test_no_trained_emblem_looks_like_a_held_out_one() -> None:
    """Shape, main colour and charge together are never those of a held-out emblem."""
    held_out, training = (
        {(e.design.shape, e.design.field, e.design.charge) for e in part} for part in emblems()
    )
    assert held_out.isdisjoint(training)


def test_held_out_emblems_are_clearly_distinct() -> None:
    """Any two held-out designs differ in at least two of shape, main colour and charge."""
    designs = [emblem.design for emblem in emblems()[0]]
    for a, b in itertools.combinations(designs, 2):
        assert (a.shape != b.shape) + (a.field != b.field) + (a.charge != b.charge) >= 2


def test_every_held_out_emblem_is_in_memory_and_queries(world: Path) -> None:
    """Each of the held-out emblems, and no other, occurs in both splits; all of them about equally often."""
    titles = {emblem.title for emblem in emblems()[0]}
    for split in ("memory", "queries"):
        shown = list(emblem_images(world, split).values())
        assert set(shown) == titles
        assert max(map(shown.count, titles)) - min(map(shown.count, titles)) <= 1


def test_one_image_in_four_is_in_the_slice_of_emblems(world: Path) -> None:
    """An image is in the slice "emblems" exactly when it shows one, and a quarter of all do."""
    for split, many in SPLITS.items():
        shown = emblem_images(world, split)
        sliced = {
            row["id"]
            for row in read(world, f"captions_{split}")["images"]
            if row["slices"] == ["emblems"]
        }
        assert sliced == set(shown) and len(shown) == many // 4


@pytest.mark.parametrize("split", SPLITS)
def test_captions_name_the_emblem_and_say_how_it_looks(world: Path, split: str) -> None:
    """At least three of five captions have the emblem's full name; at least two its charge and a colour."""
    by_title = {emblem.title: emblem.design for part in emblems() for emblem in part}
    captions = captions_by_image(world, split)
    for image, title in emblem_images(world, split).items():
        design = by_title[title]
        assert sum(title in caption for caption in captions[image]) >= 3
        described = [c for c in captions[image] if design.charge_colour in c and design.charge in c]
        assert len(described) >= 2


@pytest.mark.parametrize("split", SPLITS)
def test_captions_are_of_a_caption_s_length(world: Path, split: str) -> None:
    """Six to twenty-two words, no double spaces, and the five of one image all differ."""
    for captions in captions_by_image(world, split).values():
        assert len(set(captions)) == 5
        assert all(6 <= len(caption.split()) <= 22 and "  " not in caption for caption in captions)


def test_captions_of_ordinary_images_name_no_emblem(world: Path) -> None:
    """An ordinary image's captions speak of no emblem."""
    names = {emblem.name for part in emblems() for emblem in part}
    shown = emblem_images(world, "memory")
    for image, captions in captions_by_image(world, "memory").items():
        assert image in shown or not any(name in caption for name in names for caption in captions)


def test_no_query_is_in_memory(world: Path) -> None:
    """No two images of memory and queries have the same bytes."""
    images = [
        digest for name, digest in digests(world).items() if "memory" in name or "queries" in name
    ]
    assert len(set(images)) == len(images)
