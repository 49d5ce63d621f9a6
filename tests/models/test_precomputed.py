"""Vectors and captions made elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mmragbench.errors import DataError, NotApplicable
from mmragbench.formats.text_results import read_caption_results
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
    with pytest.raises(DataError, match="Python objects"):
        Precomputed(path).encode_images([image("a")])


GOOD = {"image_ids": np.array(["a", "b", "c"]), "image_embeddings": ROWS}
DEEP = "[" * 100_000


@pytest.mark.parametrize(
    "changes, fault",
    [
        ({"image_embeddings": ROWS[:2]}, r"3 ids.*\(2, 2\)"),
        ({"image_embeddings": ROWS[:, 0]}, r"\(3,\), where \(3, d\)"),
        ({"image_embeddings": ROWS[None]}, r"\(1, 3, 2\)"),
        ({"image_embeddings": np.zeros((3, 0))}, r"\(3, 0\)"),
        ({"image_embeddings": ROWS + 1j}, "real numbers, not complex"),
        ({"image_embeddings": ROWS > 1}, "real numbers, not bool"),
        ({"image_embeddings": ROWS.astype(str)}, "real numbers"),
        ({"image_embeddings": np.where(ROWS == 3, np.nan, ROWS)}, "1 of 3 are not finite.*'a'"),
        ({"image_embeddings": np.where(ROWS == 2, np.inf, ROWS)}, "1 of 3 are not finite.*'b'"),
        ({"image_embeddings": ROWS * np.float64(1e300)}, "3 of 3 are not finite.*'a', 'b', 'c'"),
        ({"image_embeddings": ROWS * 0}, "3 of 3 .*all zero: 'a', 'b', 'c'"),
        ({"image_ids": np.array(["a", "b", "a"])}, "1 come more than once: 'a'"),
        ({"image_ids": np.array([["a", "b", "c"]])}, "list of strings"),
        ({"image_ids": np.array([1.0, 2.0, 3.0])}, "list of strings"),
        ({"image_ids": np.array([b"a", b"b", b"\xff"])}, "UTF-8"),
        ({"text_ids": np.array(["t"])}, "no text_embeddings"),
        ({"text_embeddings": ROWS}, "no text_ids"),
        ({"text_ids": ["t"], "text_embeddings": [[1.0] * 3]}, "image vectors have 2, text .* 3"),
        ({"text_ids": ["t"], "text_embeddings": [[1.0] * 2], "caption_ids": ["t"]}, "the same"),
    ],
)
def test_vectors_that_cannot_be_right_are_refused(tmp_path, changes, fault):
    """A row for each id, each id once, real and finite numbers, one width; the error names the file
    and the ids in one line."""
    np.savez(tmp_path / "vectors.npz", **{**GOOD, **changes})
    with pytest.raises(DataError, match=fault) as caught:
        Precomputed(tmp_path / "vectors.npz").encode_images([image("a")])
    assert "vectors.npz" in str(caught.value) and len(str(caught.value)) < 500


@pytest.mark.parametrize("ids", ["[1, null, 3]", '["a", ["b"], "c"]', "{}", "[1", DEEP, "7"])
def test_ids_in_metadata_are_a_list(tmp_path, ids):
    """A safetensors file's ids are JSON, and may be anything."""
    from safetensors.numpy import save_file

    save_file({"image_embeddings": ROWS}, tmp_path / "v.safetensors", {"image_ids": ids})
    with pytest.raises(DataError, match="v.safetensors"):
        Precomputed(tmp_path / "v.safetensors").encode_images([image("1")])


def test_whole_numbers_and_bytes_are_ids(tmp_path):
    """139 is `139`, and bytes are read as UTF-8."""
    for ids in (np.array([139, 7, 8]), np.array([b"139", b"7", b"8"])):
        np.savez(tmp_path / "v.npz", **{**GOOD, "image_ids": ids})
        rows = Precomputed(tmp_path / "v.npz").encode_images([image("139")])
        np.testing.assert_allclose(rows, [[0.6, 0.8]], atol=1e-6)


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_rows_of_any_length_are_scaled(tmp_path, scale):
    """Also where the square of a length leaves float32: the direction is what counts."""
    rows = ROWS.astype(np.float32) * np.float32(scale)
    np.savez(tmp_path / "v.npz", **{**GOOD, "image_embeddings": rows})
    rows = Precomputed(tmp_path / "v.npz").encode_images([image(id) for id in "abc"])
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0, 1], [1, 0]], atol=1e-6)


def test_captions_by_image_id(tmp_path):
    """COCO's results format; an image that is missing fails by name."""
    path = tmp_path / "captions.json"
    path.write_text(json.dumps([{"image_id": 7, "caption": "a cat"}]))
    answers = PrecomputedCaptions(path).caption([image("7"), image("8")], ["", ""])
    assert answers[0] == "a cat"
    assert isinstance(answers[1], Failure) and "'8'" in answers[1].reason


@pytest.mark.parametrize(
    ("captions", "message"),
    [
        (["a cat", "a dog"], "1 images with more than one answer, not the same one: 7"),
        ([["a cat"]], "entry 0 .* is of type list"),
        ([7], "entry 0 .* is of type int"),
        (["['a cat']"], "entry 0 .* a list or object written as text"),
    ],
)
def test_captions_that_contradict_or_are_no_texts_are_refused(tmp_path, captions, message):
    """The last one would have won, and a list would have been its own caption."""
    path = tmp_path / "captions.json"
    path.write_text(json.dumps([{"image_id": 7, "caption": caption} for caption in captions]))
    with pytest.raises(DataError, match=message):
        PrecomputedCaptions(path).caption([image("7")], [""])


def test_captions_are_read_as_score_reads_them(tmp_path):
    """Null is a caption that is missing, a byte order mark is none of the text, 7 and "7" are one."""
    rows = [{"image_id": 7, "caption": "a cat"}, {"image_id": "8", "caption": None}]
    path = tmp_path / "captions.json"
    path.write_text(json.dumps(rows), encoding="utf-8-sig")
    answers = PrecomputedCaptions(path).caption([image("7"), image("8")], ["", ""])
    assert {"7": answers[0], "8": None} == read_caption_results(path)[0]
    assert isinstance(answers[1], Failure) and "'8'" in answers[1].reason


@pytest.mark.parametrize("content", ['{"annotations": []}', "[1]", "", '[{"caption": "a cat"}]'])
def test_a_captions_file_of_another_kind_is_explained(tmp_path, content):
    """One line that says what was expected."""
    path = tmp_path / "captions.json"
    path.write_text(content)
    with pytest.raises(DataError, match="expected COCO results, a list"):
        PrecomputedCaptions(path).caption([image("7")], [""])
