"""Vectors of pictures and captions that were computed elsewhere and lie beside them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from mmragbench.errors import DataError
from mmragbench.formats.arrays import read_arrays

IMAGES = ("image_ids", "image_embeddings")
TEXT_IDS = ("caption_ids", "text_ids")


def vectors_file(root: Path, images: Collection[str]) -> str | None:
    """The name of a file in the folder that the model `precomputed` reads, with vectors of texts and of
    all these images; None where there is none."""
    for path in sorted(root.glob("*.npz")):
        try:
            arrays = read_arrays(path, [*IMAGES, *TEXT_IDS])
        except DataError:
            continue  # arrays of something else
        known = {str(id) for id in arrays["image_ids"].tolist()} if "image_ids" in arrays else set()
        if {*IMAGES} <= arrays.keys() and {*TEXT_IDS} & arrays.keys() and {*images} <= known:
            return path.name
    return None
