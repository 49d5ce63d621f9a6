"""The copy audit."""

from __future__ import annotations

import random

import pytest
from PIL import Image as Pillow
from PIL import ImageDraw

from mmragbench.audits import copies
from mmragbench.generators.consensus import Consensus
from mmragbench.generators.nearest import Nearest
from mmragbench.records import Document, Output, Task, Text


def document(id: str, *texts: str) -> Document:
    return Document(id, texts=tuple(Text(f"{id}{i}", text) for i, text in enumerate(texts)))


MEMORY = [document("d1", "A red house."), document("d2", "Two boats", ""), document("d3", "A dog")]


def test_a_caption_that_was_shown_is_a_copy():
    """Case, spacing and punctuation aside; a caption of a document that was not shown is none, but
    is in the memory. Errors are no answers, and an empty answer copies nothing."""
    outputs = [
        Output("a", text="a red  HOUSE", shown=("d1", "d2")),
        Output("b", text="a dog!", shown=("d1",)),
        Output("c", text="a cat", shown=("d1",)),
        Output("d", text="two boats"),
        Output("e", error="no", shown=("d1",)),
        Output("f", text=".", shown=("d2",)),
    ]
    result = copies(Task("captioning", MEMORY, []), outputs)
    assert (result.answered, result.shown, result.copied, result.recurring) == (5, 4, 1, 3)
    assert result.examples == (("a", "d1", "a red  HOUSE"),)


@pytest.mark.parametrize("make", [Nearest, Consensus])
def test_nearest_and_consensus_do_nothing_but_copy(scenes, make):
    """All of their answers are copies, by construction."""
    task = scenes["captioning"]
    contexts = [task.memory[i : i + 3] for i in range(len(task.queries))]
    result = copies(task, make().generate(task.queries, contexts))
    assert result.answered == result.shown == result.copied == result.recurring == len(task.queries)


def test_pictures_are_copies_by_bytes_pixels_and_near(scenes, picture, stored_again):
    """The file that was shown, its pixels in another format, and the same re-encoded and resized
    are copies; another picture is none."""
    task = scenes["image-generation"]
    shown, other = task.memory[0], task.memory[1]
    made = shown.image.open()
    answers = {
        "bytes": shown.image,
        "pixels": picture(made, "same.png"),
        "near": stored_again(shown.image, "near", random.Random(3)),
        "other": other.image,
    }
    ImageDraw.Draw(made).rectangle((20, 20, 60, 60), fill="red")
    answers["changed"] = picture(made, "changed.png")
    outputs = [Output(id, image=image, shown=(shown.id,)) for id, image in answers.items()]
    result = copies(task, outputs)
    assert (result.answered, result.shown, result.copied, result.recurring) == (5, 5, 3, None)
    assert sorted(result.examples) == [(id, shown.id, "") for id in ("bytes", "near", "pixels")]


def test_a_picture_that_was_not_shown_is_no_copy(picture):
    """Only what the generator was given can be copied."""
    image = picture(Pillow.new("RGB", (32, 32), "red"), "a.png")
    task = Task("image-generation", [Document("d", image)], [])
    assert copies(task, [Output("q", image=image)]).copied == 0
