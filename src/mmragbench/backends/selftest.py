"""An encoder of pictures and texts is tried first: a few drawn pictures with their captions.

What has to hold for any encoder is an error: finite rows of length 1, one a picture or text. What
holds for a model that understands pictures is a warning: that most pictures are nearest to their own
captions. No more than a warning, since an encoder of X-rays need not know a drawing, and one with
random weights is right for timing.

A wrong GELU does not show here (tried: a model with it still tells all drawings apart, and its loss
is as often lower as higher); the adapters compare configurations instead.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mmragbench import _crashes as crashes
from mmragbench._printable import shortened
from mmragbench._validation import as_rows, same_width, unusable
from mmragbench.contracts import Encoder, Vectors
from mmragbench.errors import ContractError, MmragbenchError, SuiteError
from mmragbench.records import Image, Text

PICTURES = 4
"""Pictures cost, and more so with a large model."""

CAPTIONS = 8
"""Captions do not: four of other pictures make the choice harder."""

SEED = 7

Pairs = tuple[list[Image], list[Text]]


def check(encoder: Encoder, name: str) -> list[str]:
    """Try an encoder of images and texts; the warnings.

    Raises:
        SuiteError: a row is not finite, not of length 1, or missing.
    """
    with tempfile.TemporaryDirectory() as folder:
        pairs = _draw(Path(folder))
        images, texts = _rows(encoder, pairs, name)
        return list(_misplaced(images, texts, name))


def _draw(folder: Path) -> Pairs:
    """Pictures of the embedded world, the most detailed caption of each, and captions of others."""
    from mmragbench.scenes import write

    write(folder, {"train": CAPTIONS}, seed=SEED)
    found = json.loads((folder / "annotations/captions_train.json").read_text())
    longest: dict[int, str] = {}
    for row in found["annotations"]:
        longest[row["image_id"]] = max(longest.get(row["image_id"], ""), row["caption"], key=len)
    files = {row["id"]: folder / "images/train" / row["file_name"] for row in found["images"]}
    images = [Image(f"self-test:{id}", files[id]) for id in list(longest)[:PICTURES]]
    return images, [Text(f"self-test:{id}", caption) for id, caption in longest.items()]


def _rows(encoder: Encoder, pairs: Pairs, name: str) -> tuple[Vectors, Vectors]:
    try:
        images = as_rows(encoder.encode_images(pairs[0]), PICTURES, f"{name} (encoder, images)")
        texts = as_rows(encoder.encode_texts(pairs[1]), CAPTIONS, f"{name} (encoder, texts)")
        same_width({"image": images.shape[1], "text": texts.shape[1]}, name)
    except ContractError as error:
        raise SuiteError(str(error)) from error
    except MmragbenchError:
        raise
    except BaseException as error:
        crashes.pass_on(error)
        crashes.log(f"self-test of {name}", error)
        reason, place = shortened(crashes.said(error), 200), crashes.place(error, type(encoder))
        raise SuiteError(
            f"{name} cannot encode the drawings and captions of its self-test ({reason}, {place}); an "
            "encoder that looks vectors up by id says so: by_id = True"
        ) from error
    for what, rows in (("images", images), ("texts", texts)):
        if len(unusable(rows)):
            raise SuiteError(
                f"{name} gives {what} vectors that are not all finite, or all zero; in 16 bits a "
                "model may overflow: say precision: fp32"
            )
        norms = np.linalg.norm(rows, axis=1)
        if np.abs(norms - 1).max() > 1e-3:
            raise SuiteError(f"{name} gives {what} vectors of length {norms.max():.3g}, not 1")
    return images, texts


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
