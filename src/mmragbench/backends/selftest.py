"""The self-test of encoders of pictures and texts, on a few drawn pictures with their captions.

It is an error if vectors are not finite rows of length 1, one for each picture or text. It is a
warning if fewer than half of the pictures are nearest to their own captions: no more than a warning,
since an encoder of X-rays need not know a drawing, and one with random weights is right for timing.

The self-test does not detect a wrong GELU (a model with it still distinguishes all drawings, and its
loss is as often lower as higher); the adapters compare configurations instead.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mmragbench import _crashes as crashes
from mmragbench._printable import shortened
from mmragbench._validation import as_rows, same_width, unusable
from mmragbench.contracts import Encoder, Vectors
from mmragbench.errors import ContractError, MmragbenchError, SuiteError
from mmragbench.records import Image, Text

PICTURES = 4
"""Pictures that are encoded; few, since a large model needs seconds for them."""

CAPTIONS = 8
"""Captions that are encoded; half of them belong to other pictures, which makes the task harder."""

SEED = 7


class Items(NamedTuple):
    """Pictures and captions; the first captions are the pictures' own, in their order."""

    images: list[Image]
    texts: list[Text]


def check(encoder: Encoder, name: str) -> list[str]:
    """Test an encoder of images and texts; returns the warnings.

    Raises:
        SuiteError: a row is not finite, not of length 1, or missing.
    """
    with tempfile.TemporaryDirectory() as folder:
        images, texts = _vectors(encoder, _draw(Path(folder)), name)
        return list(_misplaced(images, texts, name))


def _draw(folder: Path) -> Items:
    """Pictures of the drawn world, the longest caption of each, and captions of others."""
    from mmragbench.scenes import write

    write(folder, {"train": CAPTIONS}, seed=SEED)
    annotated = json.loads((folder / "annotations/captions_train.json").read_text())
    longest: dict[int, str] = {}
    for row in annotated["annotations"]:
        longest[row["image_id"]] = max(longest.get(row["image_id"], ""), row["caption"], key=len)
    files = {row["id"]: folder / "images/train" / row["file_name"] for row in annotated["images"]}
    images = [Image(f"self-test:{id}", files[id]) for id in list(longest)[:PICTURES]]
    return Items(images, [Text(f"self-test:{id}", caption) for id, caption in longest.items()])


def _vectors(encoder: Encoder, items: Items, name: str) -> tuple[Vectors, Vectors]:
    """The vectors of the pictures and of the captions.

    Raises:
        SuiteError: as `check`.
    """
    try:
        images = as_rows(encoder.encode_images(items.images), PICTURES, f"{name} (encoder, images)")
        texts = as_rows(encoder.encode_texts(items.texts), CAPTIONS, f"{name} (encoder, texts)")
        same_width({"image": images.shape[1], "text": texts.shape[1]}, name)
    except ContractError as error:
        raise SuiteError(str(error)) from error
    except MmragbenchError:
        raise
    except BaseException as error:
        crashes.pass_on(error)
        crashes.record(error, f"self-test of {name}", type(encoder))
        reason, place = shortened(crashes.summary(error), 200), crashes.place(error, type(encoder))
        raise SuiteError(
            f"{name} cannot encode the drawings and captions of its self-test ({reason}, {place}); an "
            "encoder that looks vectors up by id says so: by_id = True"
        ) from error
    _check_rows(images, name, "images")
    _check_rows(texts, name, "texts")
    return images, texts


def _check_rows(rows: Vectors, name: str, kind: str) -> None:
    """Refuse rows that are not finite, or not of length 1.

    Raises:
        SuiteError: says which, and of what kind of items.
    """
    if len(unusable(rows)):
        raise SuiteError(
            f"{name} gives {kind} vectors that are not all finite, or all zero; in 16 bits a "
            "model may overflow: say precision: fp32"
        )
    norms = np.linalg.norm(rows, axis=1)
    if np.abs(norms - 1).max() > 1e-3:
        raise SuiteError(f"{name} gives {kind} vectors of length {norms.max():.3g}, not 1")


def _misplaced(images: Vectors, texts: Vectors, name: str) -> Iterator[str]:
    """A warning, if fewer than half of the captions, or pictures, rank their own first."""
    scores, own = texts @ images.T, np.arange(PICTURES)
    captions = int((scores[:PICTURES].argmax(axis=1) == own).sum())
    pictures = int((scores.argmax(axis=0) == own).sum())
    if min(captions, pictures) < PICTURES / 2:
        yield (
            f"{name} ranks the right one first for {pictures} of {PICTURES} drawings and {captions} of "
            f"{PICTURES} captions: its weights may be untrained, or not those of its architecture"
        )
