"""CLIPScore and RefCLIPScore against the paper's formulas, query by query."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmragbench.records import Image, Measure, Output, Query, Task, Text
from parities.part import Part, value, worst


class Made:
    """Unit vectors drawn from a text's or an image's id: the formula does not care."""

    modalities = frozenset({"image", "text"})

    def encode_texts(self, texts: Sequence[Text]) -> NDArray[np.float32]:
        return np.stack([self.vector(text.content) for text in texts])

    def encode_images(self, images: Sequence[Image]) -> NDArray[np.float32]:
        return np.stack([self.vector(image.id) for image in images])

    def vector(self, name: str) -> NDArray[np.float32]:
        row = np.random.default_rng(list(name.encode())).normal(0.3, 1.0, 32)
        return np.asarray(row / np.linalg.norm(row), np.float32)


def agreement(data: Path) -> Part:
    """CLIPScore and RefCLIPScore against the paper's formulas, loop by loop."""
    from mmragbench.evals.clipscore import clipscore

    part = Part("CLIPScore")
    ids = [f"i{n}" for n in range(500)]
    queries = [Query(id, image=Image(id, Path(id))) for id in ids]
    references = {id: tuple(f"reference {id} {j}" for j in range(5)) for id in ids}
    task = Task("captioning", [], queries, output="caption", references=references)
    outputs = [Output(id, text=f"a caption of {id}") for id in ids]
    measures = [Measure("CLIPScore", "made"), Measure("RefCLIPScore", "made")]
    found = clipscore(measures, task, [], outputs, features=Made())
    theirs = by_formula(references)
    tool = "Hessel et al. 2021, equations 1 and 2"
    for scores in found:
        expected = theirs[scores.measure.name]
        got = {score.query: score.value or 0.0 for score in scores.scores}
        mean = math.fsum(expected.values()) / len(expected)
        part.add(scores.measure.name, value(scores), mean, tool, "500 random vectors, 5 references")
        gap = worst((got[id], expected[id]) for id in ids)
        part.notes.append(f"{scores.measure.name}: worst query {gap:.0e}.")
    return part


def by_formula(references: dict[str, tuple[str, ...]]) -> dict[str, dict[str, float]]:
    vector = Made().vector
    plain, with_references = {}, {}
    for id, texts in references.items():
        caption = vector(f"A photo depicts a caption of {id}").astype(float)
        plain[id] = 2.5 * max(float(caption @ vector(id).astype(float)), 0.0)
        closest = max(float(caption @ vector(f"A photo depicts {t}").astype(float)) for t in texts)
        a, b = plain[id], max(closest, 0.0)
        with_references[id] = 2 * a * b / (a + b) if a and b else 0.0
    return {"CLIPScore": plain, "RefCLIPScore": with_references}
