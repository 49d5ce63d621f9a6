"""Flickr8k's and Flickr30k's files: captions by file name, a folder of pictures, lists of splits."""

from __future__ import annotations

from pathlib import Path

from mmragbench.data.splits import REST
from mmragbench.datasets.flickr import Flickr, read_captions
from mmragbench.layouts.data import Data
from mmragbench.layouts.pictures import captioned, picture_folder

FILES = (
    "captions.txt", "captions.csv", "results.csv", "Flickr8k.token.txt", "results_20130124.token",
)  # fmt: skip
"""Usual names of the file of captions, in the published archives and in copies of them."""


def recognise(folder: Path) -> Data | None:
    """A file of captions as CSV or in Flickr's token form, with pictures in a folder or beside it.

    Raises:
        DataError: the file of captions, or the list of a split, cannot be read.
    """
    file = next((name for name in FILES if (folder / name).is_file()), None)
    if file is None:
        return None
    captions, _ = read_captions(folder / file)
    images = picture_folder(folder, captions) or Path("images")
    dataset = Flickr(folder, captions=Path(file), images=images)
    queries, memory = dataset.splits()
    names = {
        "root": folder,
        "captions": file,
        "images": images,
        "queries": queries,
        "memory": memory,
    }
    return captioned(
        folder,
        f"{file} in the form of Flickr8k",
        {"use": "flickr", **{key: str(name) for key, name in names.items() if name is not None}},
        dataset.entries(queries, captions),
        None if memory == REST else dataset.entries(Path(memory), captions),
    )
