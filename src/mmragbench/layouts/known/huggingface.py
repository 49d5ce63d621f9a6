"""Parquet files with pictures and captions, as the Hugging Face hub has them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmragbench._digits import counted
from mmragbench.data.splits import REST, choose
from mmragbench.errors import DataError, first_line
from mmragbench.layouts.data_folder import DataFolder

IMAGES = ("image", "img", "picture", "photo", "jpg", "png")
CAPTIONS = (
    "caption",
    "captions",
    "text",
    "texts",
    "sentences",
    "description",
    "alt_text",
    "prompt",
)
"""Usual names of columns; the first that is there is taken."""

SPLITS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "dev", "val"),
    "test": ("test", "testing", "eval", "evaluation"),
}
"""Split -> the words in files' names by which Hugging Face's library knows it."""

_SHARD = re.compile(r"(.+)-\d{5}-of-\d{5}")


def recognise(folder: Path) -> DataFolder | None:
    """Parquet files in the folder, or in folders there.

    Raises:
        DataError: a file cannot be read.
    """
    files = sorted([*folder.glob("*.parquet"), *folder.glob("*/*.parquet")])
    if not files:
        return None
    rows: Counter[str] = Counter()
    for path in files:
        rows[_split(path.relative_to(folder))] += _metadata(path).num_rows
    layout = counted(len(files), "parquet file")
    splits = ", ".join(f"{split} {n:,}" for split, n in rows.items())
    parts = (counted(rows.total(), "row"), f"splits: {splits}")
    columns = _metadata(files[0]).schema.to_arrow_schema().names
    image, captions = _column(columns, IMAGES), _column(columns, CAPTIONS)
    if image is None or captions is None:
        why = (
            f"its columns are {', '.join(columns)[:200]}: name those of pictures and captions in a "
            "suite, dataset: {use: huggingface, path: …, columns: {image: …, captions: …}}"
        )
        return DataFolder(folder, layout, "pictures", {}, 0, parts=parts, missing=(why,))
    queries, memory = choose(rows, None, None)
    dataset: dict[str, Any] = {
        "use": "huggingface",
        "path": str(folder),
        "columns": {"image": image, "captions": captions},
        **({"memory": REST} if memory == REST else {}),
    }
    return DataFolder(
        folder,
        layout,
        "pictures",
        dataset,
        rows[queries] if memory != REST or rows[queries] > 1 else 0,
        memory=rows[queries if memory == REST else memory],
        is_single=memory == REST,
        parts=parts,
    )


def _split(path: Path) -> str:
    """The split of a file, by its own name or its folder's."""
    shard = _SHARD.fullmatch(path.stem)
    if shard:
        return shard[1]
    words = re.findall("[a-z]+", path.with_suffix("").as_posix().lower())
    return next((split for split, known in SPLITS.items() if {*known} & {*words}), "train")


def _column(columns: Sequence[str], names: Sequence[str]) -> str | None:
    return next((name for name in names if name in columns), None)


def _metadata(path: Path) -> Any:
    """The footer of a parquet file: its columns and the number of its rows.

    Raises:
        DataError: it is damaged, or something else.
    """
    import pyarrow.parquet as pq

    try:
        return pq.read_metadata(path)
    except Exception as error:  # on damaged bytes the library raises a dozen kinds of error
        raise DataError(f"{path} cannot be read as parquet ({first_line(error)})") from error
