"""CLIP-I and DINO-I: the cosine of the generated and the real picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mmragbench.evals.image_similarity import image_similarity
from mmragbench.records import Absence, Image, Measure, Output, Query, Task
from mmragbench.registry import find_measure, named_measures
from mmragbench.signature import parse

VECTORS = {"real": [3.0, 4.0], "same": [0.6, 0.8], "other": [4.0, -3.0], "near": [0.0, 2.0]}
REAL = Image("real", Path("real"))


class Space:
    """An encoder of pictures alone with known vectors, not normalised on purpose."""

    modalities = frozenset({"image"})
    resize = "none"

    def encode_images(self, images: Sequence[Image]) -> NDArray[np.float32]:
        return np.array([VECTORS[image.id] for image in images], dtype=np.float32)


def test_the_cosine_with_the_querys_real_picture() -> None:
    """1 for the same direction, 0 for a right angle; a failure is an error, and a query without a real
    picture has neither."""
    ids = ("same", "other", "near", "failed", "no target")
    targets = dict.fromkeys(ids[:4], REAL)
    task = Task("image-generation", [], [Query(id) for id in ids], output="image", targets=targets)
    outputs = [Output(id, image=Image(id, Path(id))) for id in ids[:3]]
    outputs += [Output("failed", error="timeout"), Output("no target", image=REAL)]
    measures = [Measure("CLIP-I", "clip"), Measure("DINO-I", "dino")]
    for scores in image_similarity(measures, task, [], outputs, features=Space()):
        assert [s.value for s in scores.scores] == [
            pytest.approx(1),
            pytest.approx(0),
            pytest.approx(0.8),
            None,
            None,
        ]
        assert [s.error for s in scores.scores] == [None, None, None, "timeout", None]
        assert parse(scores.signature)["resize"] == "none" and parse(scores.signature)["n"] == "3"


def test_without_real_pictures_there_is_no_number() -> None:
    """Nothing to compare with is a reason, not a zero."""
    task = Task("image-generation", [], [Query("a")], output="image")
    outputs = [Output("a", image=REAL)]
    (scores,) = image_similarity([Measure("CLIP-I", "clip")], task, [], outputs, features=Space())
    assert scores.absence == Absence("no query has a real picture")


def test_the_literatures_names_are_measures() -> None:
    """`CLIP-I(clip)` is read as it is written in papers, and printed so."""
    for name in ("CLIP-I(clip)", "DINO-I(dino.v2-small)"):
        (measure,) = named_measures(name)
        assert str(measure) == name and find_measure(measure).name == measure.name
    with pytest.raises(ValueError, match="is not a measure"):
        Measure.parse("CLIP-(clip)")


@pytest.mark.real_data
def test_parity_with_torch_on_photographs(shared_data: Path) -> None:
    """On photographs, torch's cosine similarity of the shipped encoder's vectors."""
    import torch

    from mmragbench.registry import find

    files = sorted((shared_data / "flickr8k" / "images").glob("*.jpg"))[:24]
    pictures = [Image(str(n), file) for n, file in enumerate(files)]
    queries = [Query(str(n)) for n in range(12)]
    targets = {str(n): pictures[n] for n in range(12)}
    task = Task("image-generation", [], queries, output="image", targets=targets)
    outputs = [Output(str(n), image=pictures[12 + n]) for n in range(12)]
    clip = find("encoder", "open_clip").make(name="shipped:scenes/clip")
    (scores,) = image_similarity([Measure("CLIP-I", "clip")], task, [], outputs, features=clip)
    a, b = (torch.from_numpy(clip.encode_images(part)) for part in (pictures[12:], pictures[:12]))
    expected = torch.nn.functional.cosine_similarity(a, b).numpy()
    np.testing.assert_allclose([s.value for s in scores.scores], expected, atol=1e-6)
