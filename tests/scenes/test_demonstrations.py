"""Worlds of demonstrations: texts are silent about the style, pictures show it, examples are labelled."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmragbench.scenes.demonstrations import LABELS, STYLES, Sizes, TaskItems, read, write
from mmragbench.scenes.skies import SKIES

SIZES = Sizes(memory=72, queries=24, shots=3)
STYLE_WORDS = {
    "weather": r"\b(sun|sunny|sunshine|sunset|bright|warm|clouds?|cloudy|rain|rainy|rainbow|wet|snow\w*|cold|evening|night|moon|stars?|starry|dark)\b",
    "wall": r"wall|paper|background",
    "mount": r"sign|board|flag|banner|cloth|stone|plaque|poster|pole",
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small world, drawn once."""
    root = tmp_path_factory.mktemp("world")
    write(root, SIZES)
    return root


@pytest.fixture(scope="module")
def tasks(world: Path) -> dict[str, TaskItems]:
    """Its tasks."""
    return read(world)


@pytest.mark.parametrize("style", STYLES)
def test_texts_say_nothing_about_the_style(style: str, tasks: dict[str, TaskItems]) -> None:
    """No text of a document or a query has a word for a weather, a wall or a mount."""
    items = tasks[f"{style}-style"]
    for item in (*items.documents, *items.queries):
        assert not re.search(STYLE_WORDS[style], item.text.lower()), item.text
        assert len(item.text.split()) >= 4


@pytest.mark.parametrize("style", STYLES)
def test_demonstrations_share_the_style_of_the_query(
    style: str, tasks: dict[str, TaskItems]
) -> None:
    """As many as asked, all different, all of the query's style; all styles occur equally often."""
    items = tasks[f"{style}-style"]
    label_of = {document.id: document.label for document in items.documents}
    assert len(label_of) == SIZES.memory and len(items.queries) == SIZES.queries
    assert set(label_of.values()) == set(STYLES[style].values)
    assert len(set(Counter(label_of.values()).values())) == 1
    for query in items.queries:
        assert len(set(query.demonstrations)) == SIZES.shots
        assert {label_of[id] for id in query.demonstrations} == {query.label}


def test_the_sky_is_that_of_the_weather(world: Path, tasks: dict[str, TaskItems]) -> None:
    """The top row of a picture is nearest to the upper colour of its weather's sky."""
    names = STYLES["weather"].values
    colours = np.array([SKIES[name][0] for name in names])
    items = tasks["weather-style"]
    for item in (*items.documents, *items.queries):
        row = np.median(np.asarray(Image.open(world / item.file), dtype=float)[0], axis=0)
        assert names[np.abs(colours - row).sum(axis=1).argmin()] == item.label


def test_the_wall_has_the_colour_of_the_style(world: Path, tasks: dict[str, TaskItems]) -> None:
    """By its hue: of red, green and blue, which are the larger ones at the top of the picture."""
    order = {"blue": "bgr", "green": "gbr", "pink": "rbg", "yellow": "rgb"}
    items = tasks["wall-style"]
    for item in (*items.documents, *items.queries):
        top = np.asarray(Image.open(world / item.file), dtype=float)[:8].mean(axis=(0, 1))
        largest = "".join("rgb"[i] for i in np.argsort(-top))
        assert (
            (largest in ("gbr", "grb")) if item.label == "green" else largest == order[item.label]
        )


def test_examples_alternate_between_the_classes(tasks: dict[str, TaskItems]) -> None:
    """Of each pair of examples one has each label, in either order; a kind of thing has one label for one
    query, and both of them over all queries: a label means nothing by itself."""
    items = tasks["few-shot-classification"]
    by_id = {document.id: document for document in items.documents}
    firsts, meanings = Counter(), set()
    for query in items.queries:
        examples = [by_id[id] for id in query.demonstrations]
        assert len(examples) == 2 * SIZES.shots == len({e.file for e in examples})
        for one, other in zip(examples[::2], examples[1::2], strict=True):
            assert {one.text, other.text} == set(LABELS)
            firsts[one.text] += 1
        kinds = {(re.sub(r"-\d+\.jpg$", "", e.file), e.label) for e in examples}
        assert len(kinds) == 2 and {label for _, label in kinds} == set(LABELS)
        meanings |= kinds
        assert query.label in LABELS and all(label in query.text for label in LABELS)
    assert min(firsts[label] for label in LABELS) > 0.3 * firsts.total()
    assert len(meanings) > len({kind for kind, _ in meanings})
    answers = Counter(query.label for query in items.queries)
    assert min(answers[label] for label in LABELS) >= 0.25 * SIZES.queries


def test_same_call_gives_same_bytes(world: Path, tmp_path: Path) -> None:
    """All files depend on sizes and seed only; another seed draws other pictures."""
    write(tmp_path / "again", SIZES)
    write(tmp_path / "other", SIZES, seed=1)
    again, other = (files(tmp_path / name) for name in ("again", "other"))
    whole = files(world)
    assert again == whole
    assert all(other[name] != whole[name] for name in whole.keys() & other.keys())


def files(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    "sizes, message",
    [
        (Sizes(24, 1, 4), ""),
        (Sizes(23, 1, 4), "need a memory of 24, not 23"),
        (Sizes(24, 0, 4), "one of each at least"),
    ],
)
def test_sizes_that_cannot_be(sizes: Sizes, message: str) -> None:
    """There is a query, and for each style as many documents as shots."""
    assert message in sizes.problem() and bool(sizes.problem()) is bool(message)
