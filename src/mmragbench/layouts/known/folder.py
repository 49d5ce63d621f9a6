"""A folder of pictures with `metadata.jsonl` or `metadata.csv`: the imagefolder convention."""

from __future__ import annotations

from pathlib import Path

from mmragbench.data.splits import REST
from mmragbench.datasets.folder import CAPTIONS, METADATA, Folder, text_columns
from mmragbench.layouts.data import Data
from mmragbench.layouts.pictures import captioned


def recognise(folder: Path) -> Data | None:
    """A table at the root, or one in each folder of a split.

    Raises:
        DataError: a table cannot be read, or has no captions.
    """
    tables = [path for name in METADATA for path in (*folder.glob(name), *folder.glob(f"*/{name}"))]
    if not tables:
        return None
    captions = _captions(tables[0])
    dataset = Folder(folder, captions=captions)
    queries, memory = dataset.splits()
    names = {"root": str(folder), "queries": queries, "memory": memory, "captions": captions}
    return captioned(
        folder,
        f"pictures with {tables[0].name}"
        + (f", captions in its column {captions}" if captions else ""),
        {"use": "folder", **{key: name for key, name in names.items() if name}},
        dataset.read(queries, []),
        None if memory == REST else dataset.read(memory, []),
    )


def _captions(table: Path) -> str | None:
    """The column of captions where it has none of the names that the dataset knows: the only column of
    texts."""
    columns = text_columns(table)
    return columns[0] if len(columns) == 1 and columns[0] not in CAPTIONS else None
