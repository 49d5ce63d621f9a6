"""A model is tried when it is loaded."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from mmragbench.backends.selftest import check
from mmragbench.cache.vectors import VectorFile
from mmragbench.engine.cached_models import CachedEncoder
from mmragbench.engine.meter import Meter
from mmragbench.errors import SuiteError
from mmragbench.models.open_clip import OpenClip
from mmragbench.records import Text
from support import tiny


class Fixed:
    """Gives what it is told to."""

    modalities = frozenset({"image", "text"})

    def __init__(self, images: np.ndarray, texts: np.ndarray) -> None:
        self._images, self._texts = images, texts

    def load(self) -> None:
        pass

    def encode_images(self, images):
        return self._images[: len(images)]

    def encode_texts(self, texts):
        return self._texts[: len(texts)]


def test_a_trained_model_raises_no_warning():
    """Drawings of its world are nearest to their own captions."""
    assert check(OpenClip("shipped:scenes/clip"), "clip") == []


def test_random_weights_are_named(tmp_path):
    """A model that ranks no better than chance works, with a warning that says so."""
    encoder = OpenClip(tiny.open_clip_folder(tmp_path / "m"))
    (warning,) = check(encoder, "clip")
    assert warning.startswith("clip ranks the right one first for") and "untrained" in warning


@pytest.mark.parametrize(
    "spoil, match",
    [
        (lambda rows: rows * 2, "length 2, not 1"),
        (lambda rows: np.where(rows == 1, np.nan, rows), "not all finite.*precision: fp32"),
        (lambda rows: rows[:, :-1], "dimensions"),
        (lambda rows: rows[:-1], "shape"),
    ],
)
def test_what_cannot_be_is_an_error(spoil, match):
    """Rows that are not of length 1, not finite, of another width or missing."""
    good = np.eye(8, dtype=np.float32)
    good = np.hstack([good, np.zeros((8, 1), np.float32)])
    assert check(Fixed(good, good), "clip") == []
    with pytest.raises(SuiteError, match=match):
        check(Fixed(good, spoil(good)), "clip")


def test_it_is_tried_once_and_only_if_it_is_asked(tmp_path):
    """What is known needs no model; the first question loads and tries it."""
    swapped = np.eye(8, dtype=np.float32)[::-1]
    model = Fixed(np.eye(8, dtype=np.float32), swapped)
    remembered = CachedEncoder(model, "clip", VectorFile(tmp_path / "i"), Meter())
    with pytest.warns(UserWarning, match="0 of 4"):
        remembered.encode_texts([Text("a", "a")])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        remembered.encode_texts([Text("b", "b")])
        again = CachedEncoder(model, "clip", VectorFile(tmp_path / "i"), Meter())
        again.encode_texts([Text("a", "a")])


class Blind(Fixed):
    """Has none of the self-test's pictures."""

    load = None

    def encode_images(self, images):
        return np.stack([{"a": np.eye(9)[0]}[image.id] for image in images])


def test_an_encoder_that_loads_nothing_is_tried_too(tmp_path):
    """Rows that are not of length 1 are noticed before anything is searched with them."""
    rows = np.eye(9, dtype=np.float32) * 3
    encoder = Fixed(rows, rows)
    encoder.load = None
    remembered = CachedEncoder(encoder, "mine", VectorFile(tmp_path / "v"), Meter())
    with pytest.raises(SuiteError, match="mine gives images vectors of length 3"):
        remembered.encode_texts([Text("t", "a text")])


def test_an_encoder_by_id_is_not_tried(tmp_path):
    """It knows no drawing; one that forgot to say so is told what to say."""
    eye = np.eye(9, dtype=np.float32)
    encoder = Blind(eye, eye)
    remembered = CachedEncoder(encoder, "mine", VectorFile(tmp_path / "v"), Meter())
    with pytest.raises(SuiteError, match="self-test.*KeyError.*by_id = True"):
        remembered.encode_texts([Text("t", "a text")])
    encoder.by_id = True
    remembered = CachedEncoder(encoder, "mine", VectorFile(tmp_path / "w"), Meter())
    assert remembered.encode_texts([Text("t", "a text")]).shape == (1, 9)
