"""Vectors and captions made elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mmragbench.errors import DataError, NotApplicable
from mmragbench.models.precomputed import Precomputed, PrecomputedCaptions
from mmragbench.records import Failure, Image, Text

ROWS = np.array([[3, 4], [0, 2], [5, 0]], np.float16)


def image(id: str) -> Image:
    return Image(id, Path("nowhere"))


@pytest.fixture(params=["npz", "safetensors"])
def file(request, tmp_path):
    path = tmp_path / f"vectors.{request.param}"
    if request.param == "npz":
        np.savez(path, image_ids=["a", "b", "c"], image_embeddings=ROWS)
    else:
        from safetensors.numpy import save_file

        save_file({"image_embeddings": ROWS}, path, {"image_ids": json.dumps(["a", "b", "c"])})
    return path


def test_vectors_are_found_by_id_and_scaled_to_length_one(file):
    """In the order asked, as float32."""
    rows = Precomputed(file).encode_images([image("c"), image("a")])
    np.testing.assert_allclose(rows, [[1, 0], [0.6, 0.8]], atol=1e-6)
    assert rows.dtype == np.float32


def test_an_id_without_a_vector_is_named(file):
    """With how many are missing, and what the file's ids look like."""
    with pytest.raises(DataError, match="no vector for 1 of 2 image ids, e.g. 'x'.*'a'"):
        Precomputed(file).encode_images([image("a"), image("x")])


def test_a_modality_that_the_file_lacks_is_not_applicable(file):
    """It has image vectors only, and says so."""
    assert Precomputed(file).modalities == {"image"}
    with pytest.raises(NotApplicable, match="no text vectors"):
        Precomputed(file).encode_texts([Text("a", "a")])


def test_a_file_with_pickled_objects_is_not_opened(tmp_path):
    """Nothing is ever unpickled."""
    path = tmp_path / "evil.npz"
    np.savez(path, image_ids=np.array([{"a": 1}], object), image_embeddings=ROWS[:1])
    with pytest.raises(ValueError, match="allow_pickle"):
        Precomputed(path).encode_images([image("a")])


def test_captions_by_image_id(tmp_path):
    """COCO's results format; an image that is missing fails by name."""
    path = tmp_path / "captions.json"
    path.write_text(json.dumps([{"image_id": 7, "caption": "a cat"}]))
    answers = PrecomputedCaptions(path).caption([image("7"), image("8")], ["", ""])
    assert answers[0] == "a cat"
    assert isinstance(answers[1], Failure) and "'8'" in answers[1].reason


def test_a_captions_file_of_another_kind_is_explained(tmp_path):
    """One line that says what was expected."""
    path = tmp_path / "captions.json"
    path.write_text('{"annotations": []}')
    with pytest.raises(DataError, match="COCO results file"):
        PrecomputedCaptions(path).caption([image("7")], [""])
