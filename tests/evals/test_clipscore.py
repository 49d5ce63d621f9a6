"""CLIPScore and RefCLIPScore, by the formulas of Hessel et al. 2021."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mmragbench.evals.clipscore import clipscore
from mmragbench.records import Absence, Image, Measure, Output, Query, Task, Text

MEASURES = [Measure("CLIPScore", "clip"), Measure("RefCLIPScore", "clip")]
VECTORS = {
    "photo": [1.0, 0.0],
    "A photo depicts good": [0.6, 0.8],
    "A photo depicts bad": [-1.0, 0.0],
    "A photo depicts gold": [0.8, 0.6],
    "A photo depicts other": [0.0, -1.0],
    "good": [0.0, 1.0],
}


class Space:
    """An encoder of known vectors, not normalised on purpose."""

    modalities = frozenset({"image", "text"})

    def encode_images(self, images: Sequence[Image]) -> NDArray[np.float32]:
        return np.array([VECTORS[image.id] for image in images], dtype=np.float32) * 3

    def encode_texts(self, texts: Sequence[Text]) -> NDArray[np.float32]:
        return np.array([VECTORS[text.content] for text in texts], dtype=np.float32) * 2


PHOTO = Image("photo", Path("photo"))


def test_captions() -> None:
    """2.5 max(cos, 0) of picture and caption; harmonic mean with the closest reference."""
    queries = [Query(id, image=PHOTO) for id in ("good", "bad", "none", "failed")]
    references = dict.fromkeys(("good", "bad", "failed"), ("other", "gold"))
    task = Task("captioning", [], queries, output="caption", references=references)
    outputs = [Output("good", text="good"), Output("bad", text="bad"), Output("none", text="good")]
    outputs.append(Output("failed", error="timeout"))
    clip, with_references = clipscore(MEASURES, task, [], outputs, features=Space())
    closest = 0.6 * 0.8 + 0.8 * 0.6
    assert [s.error or s.value for s in clip.scores] == [
        pytest.approx(1.5),
        0.0,
        pytest.approx(1.5),
        "timeout",
    ]
    assert [s.error or s.value for s in with_references.scores] == [
        pytest.approx(2 * 1.5 * closest / (1.5 + closest)),
        0.0,
        "no references",
        "timeout",
    ]


def test_pictures() -> None:
    """For generated pictures the query's text is taken as it is; references play no part."""
    queries = [Query("a", text=Text("t", "good")), Query("b", text=Text("t", "good"))]
    task = Task("image-generation", [], queries, output="image")
    results = clipscore(MEASURES, task, [], [Output("a", image=PHOTO)], features=Space())
    assert [(s.query, s.value, s.error) for s in results[0].scores] == [
        ("a", 0.0, None),
        ("b", None, "no output"),
    ]
    assert "prefix:none" in results[0].signature
    assert results[1].absence == Absence("RefCLIPScore is for captions")


def test_nothing_to_score() -> None:
    """Without any output there is a reason, not a number."""
    task = Task("captioning", [], [Query("a", image=PHOTO)], output="caption")
    results = clipscore(MEASURES, task, [], [], features=Space())
    assert [scores.absence for scores in results] == [Absence("no output could be scored")] * 2
