"""Edits of a memory: which emblems they touch, and that all files say the same of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mmragbench.scenes import write
from mmragbench.scenes.edits import Edits
from mmragbench.scenes.emblems import HELD_OUT, Emblem, differences, emblems, look

SPLITS = {"memory": 240, "queries": 160}
EDITS = Edits(renamed=14, replaced=8, recoloured=6, deleted=6)
EMBLEMS = {emblem.number: emblem for emblem in emblems().held_out}
EDITED = EDITS.of(0)


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same world with and without edits."""
    roots = {name: tmp_path_factory.mktemp(name) for name in ("plain", "edited")}
    write(roots["plain"], SPLITS)
    write(roots["edited"], SPLITS, edits=EDITS)
    return roots


class Records:
    """The annotation files of a split, by image id."""

    def __init__(self, root: Path, name: str) -> None:
        self.root = root
        captions = _read(root, f"captions_{name}")
        instances = _read(root, f"instances_{name}")
        self.files = {row["id"]: row["file_name"] for row in captions["images"]}
        self.slices = {row["id"]: row["slices"] for row in captions["images"]}
        self.captions: dict[int, list[str]] = {}
        for row in captions["annotations"]:
            self.captions.setdefault(row["image_id"], []).append(row["caption"])
        signs = {c["id"]: c["name"] for c in instances["categories"] if c["id"] > 1000}
        rows = [row for row in instances["annotations"] if row["category_id"] in signs]
        self.emblems = {row["image_id"]: signs[row["category_id"]] for row in rows}
        self.boxes = {row["image_id"]: row["bbox"] for row in rows}
        self.folder = root / "images" if "_" in name else root / "images" / name

    def image(self, id: int) -> bytes:
        """The bytes of an image's file."""
        return (self.folder / self.files[id]).read_bytes()

    def pixels(self, id: int) -> np.ndarray[Any, Any]:
        """An image's pixels."""
        return np.asarray(Image.open(self.folder / self.files[id]), dtype=int)


def _read(root: Path, name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((root / "annotations" / f"{name}.json").read_text())
    return content


def own_emblems(worlds: dict[str, Path], split: str) -> dict[int, Emblem]:
    """Image id -> the emblem of its scene in the world without edits."""
    by_title = {emblem.title: emblem for emblem in EMBLEMS.values()}
    return {id: by_title[t] for id, t in Records(worlds["plain"], split).emblems.items()}


def of_kind(kind: str) -> set[int]:
    return {number for number, name in EDITED.kinds.items() if name == kind}


def test_as_many_emblems_as_asked_in_each_way_and_none_in_two() -> None:
    """The kinds are disjoint, and the same seed edits the same emblems in the same way."""
    counts = {kind: len(of_kind(kind)) for kind in EDITS.kinds}
    assert counts == EDITS.kinds
    assert EDITED.in_memory.keys() == EDITED.kinds.keys() <= EMBLEMS.keys()
    assert EDITS.of(0) == EDITED != EDITS.of(1)


@pytest.mark.parametrize("n", [2, 3, 40])
def test_renamed_emblems_exchange_their_names(n: int) -> None:
    """A derangement: every design stays, every name stays, none is with its own."""
    in_memory = Edits(renamed=n).of(3).in_memory
    assert len(in_memory) == n
    for number, emblem in in_memory.items():
        assert emblem is not None and emblem.number != number
        assert emblem.design == EMBLEMS[number].design
        assert emblem.title == EMBLEMS[emblem.number].title
    assert {emblem.number for emblem in in_memory.values() if emblem} == set(in_memory)


def test_new_designs_are_distinct() -> None:
    """A replaced emblem differs from its old design in two traits at least, a recoloured one in the
    colour alone; none looks like a held-out one or one that is in training data."""
    known = {look(emblem.design) for part in emblems() for emblem in part}
    for number in of_kind("replaced") | of_kind("recoloured"):
        old, new = EMBLEMS[number], EDITED.in_memory[number]
        assert new is not None and new.title == old.title
        assert look(new.design) not in known
        if number in of_kind("replaced"):
            assert differences(new.design, old.design) >= 2
        else:
            same = ("shape", "division", "charge")
            assert all(getattr(new.design, t) == getattr(old.design, t) for t in same)
            assert new.design.field != old.design.field
    looks = [look(e.design) for e in (EDITED.in_memory.get(n, e) for n, e in EMBLEMS.items()) if e]
    assert len(set(looks)) == HELD_OUT - EDITS.deleted


@pytest.mark.parametrize(
    "edits, message",
    [
        (Edits(renamed=1), "exchange names"),
        (Edits(renamed=30, deleted=11), "of 41 emblems"),
        (Edits(deleted=-1), "of -1 emblems"),
        (Edits(40), ""),
    ],
)
def test_edits_that_cannot_be(edits: Edits, message: str) -> None:
    """One name alone cannot be exchanged, and there are 40 emblems."""
    assert message in edits.problem() and bool(edits.problem()) is bool(message)


def test_queries_are_the_same_in_both_worlds(worlds: dict[str, Path]) -> None:
    """Images, captions and instances of the queries have the same bytes."""
    plain, edited = worlds.values()
    files = [f"annotations/{kind}_queries.json" for kind in ("captions", "instances")]
    files += [str(file.relative_to(plain)) for file in (plain / "images/queries").iterdir()]
    assert len(files) == 2 + SPLITS["queries"]
    assert all((plain / name).read_bytes() == (edited / name).read_bytes() for name in files)


def test_documents_that_are_not_edited_are_the_same(worlds: dict[str, Path]) -> None:
    """Same bytes, same captions; deleted emblems have no document, and all others have theirs."""
    plain, edited = (Records(root, "memory") for root in worlds.values())
    own = own_emblems(worlds, "memory")
    deleted = {id for id, emblem in own.items() if emblem.number in of_kind("deleted")}
    assert deleted and edited.files.keys() == plain.files.keys() - deleted
    untouched = [id for id in edited.files if id not in own or own[id].number not in EDITED.kinds]
    assert len(untouched) > 150
    for id in untouched:
        assert edited.image(id) == plain.image(id)
        assert edited.captions[id] == plain.captions[id]


def test_what_is_drawn_differs_in_the_emblem_alone(worlds: dict[str, Path]) -> None:
    """A renamed emblem's picture has the same bytes; a new design changes no pixel that is away from
    its box by more than a block of JPEG's."""
    plain, edited = (Records(root, "memory") for root in worlds.values())
    for id, emblem in own_emblems(worlds, "memory").items():
        kind = EDITED.kinds.get(emblem.number)
        if kind == "renamed":
            assert edited.image(id) == plain.image(id)
        if kind in ("replaced", "recoloured"):
            changed = np.abs(edited.pixels(id) - plain.pixels(id)).max(axis=2) > 24
            rows, columns = np.nonzero(changed)
            x, y, w, h = plain.boxes[id]
            assert changed.sum() > 300
            assert y - 16 <= rows.min() and rows.max() <= y + h + 16
            assert x - 16 <= columns.min() and columns.max() <= x + w + 16


@pytest.mark.parametrize("name", ["memory", "queries_captioning", "queries_image-generation"])
def test_texts_agree_with_their_own_picture(name: str, worlds: dict[str, Path]) -> None:
    """Captions have the name and describe the design of what the picture shows: in the memory what its
    documents show, of a query picture what the memory calls it, of a query text what the memory shows
    under the name."""
    records = Records(worlds["edited"], name)
    own = own_emblems(worlds, name.partition("_")[0])
    memory = [e for e in (EDITED.in_memory.get(n, e) for n, e in EMBLEMS.items()) if e]
    for id, captions in records.captions.items():
        if id not in own:
            continue
        if name == "memory":
            shown = EDITED.in_memory.get(own[id].number, own[id])
        elif name == "queries_captioning":
            shown = next((e for e in memory if e.design == own[id].design), own[id])
        else:
            shown = next((e for e in memory if e.title == own[id].title), own[id])
        assert shown is not None
        words = [
            c for c in captions if shown.design.charge_colour in c and shown.design.charge in c
        ]
        assert len(words) >= 2 and sum(shown.title in caption for caption in captions) >= 3
        others = {emblem.title for emblem in EMBLEMS.values()} - {shown.title}
        assert not any(other in caption for other in others for caption in captions)
        unedited = shown not in memory
        assert records.emblems[id] == shown.title + " (unedited)" * unedited


def test_the_pictures_that_are_right(worlds: dict[str, Path]) -> None:
    """For captioning the queries' own; for image generation another one where the memory has another
    design under the name."""
    queries, root = Records(worlds["plain"], "queries"), worlds["edited"]
    captioning, drawing = (
        Records(root, f"queries_{task}") for task in ("captioning", "image-generation")
    )
    own = own_emblems(worlds, "queries")
    for id in queries.files:
        assert captioning.image(id) == queries.image(id)
        kind = EDITED.kinds.get(own[id].number) if id in own else None
        same = kind in (None, "deleted")
        assert (drawing.image(id) == queries.image(id)) is same
        assert drawing.captions[id][0] == queries.captions[id][0]


def test_slices_are_the_kinds_of_edits(worlds: dict[str, Path]) -> None:
    """Each query with an emblem is in `emblems` and in the slice of its edit, or `unedited`."""
    own = own_emblems(worlds, "queries")
    for task in ("captioning", "image-generation"):
        for id, names in Records(worlds["edited"], f"queries_{task}").slices.items():
            kind = EDITED.kinds.get(own[id].number, "unedited") if id in own else None
            assert names == (["emblems", kind] if kind else [])


def test_the_memory_before_the_edits_is_there(worlds: dict[str, Path]) -> None:
    """`memory_unedited` is the memory of the world without edits: same bytes, same captions."""
    plain, before = (
        Records(worlds["plain"], "memory"),
        Records(worlds["edited"], "memory_unedited"),
    )
    assert before.captions == plain.captions
    assert all(before.image(id) == plain.image(id) for id in plain.files)


def test_workers_change_nothing(tmp_path: Path) -> None:
    """Two processes write the same bytes as one."""
    splits = {"memory": 60, "queries": 60}
    edits = Edits(renamed=20, replaced=10, deleted=10)
    for workers in (1, 2):
        write(tmp_path / str(workers), splits, workers=workers, edits=edits)
    files = [
        {p.relative_to(root): p.read_bytes() for p in root.rglob("*") if p.is_file()}
        for root in tmp_path.iterdir()
    ]
    assert files[0] == files[1]
