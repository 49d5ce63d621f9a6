"""A folder of pictures with `metadata.jsonl` or `metadata.csv`: the imagefolder convention."""

from __future__ import annotations

from pathlib import Path

from mmragbench.data.splits import REST
from mmragbench.datasets.folder import METADATA, Folder
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
    dataset = Folder(folder)
    queries, memory = dataset.splits()
    names = {"root": str(folder), "queries": queries, "memory": memory}
    return captioned(
        folder,
        f"pictures with {tables[0].name}",
        {"use": "folder", **{key: name for key, name in names.items() if name}},
        dataset.read(queries, []),
        None if memory == REST else dataset.read(memory, []),
    )
