"""Files as Hugging Face's library reads them: parquet with pictures in it."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import PIL.Image
import pyarrow as pa
import pyarrow.parquet as pq

import datasets
from mmragbench.data.tables import Columns
from mmragbench.datasets.huggingface import Huggingface
from mmragbench.records import Task

TEXTS = datasets.Sequence(datasets.Value("string"))
STRING = datasets.Value("string")


def png(colour: tuple[int, int, int] = (200, 9, 9), kind: str = "PNG") -> bytes:
    content = io.BytesIO()
    PIL.Image.new("RGB", (16, 12), colour).save(content, kind)
    return content.getvalue()


def parquet(path: Path, rows: Sequence[dict[str, Any]], **features: Any) -> None:
    """A file in the library's form; written without it, since it refuses some of the bad rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = datasets.Features(features).arrow_schema
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), path)


def pictures(root: Path, split: str, count: int, first: int = 0) -> list[dict[str, Any]]:
    """Good rows with bytes and two captions each, written as a parquet file."""
    rows = [
        {
            "image": {"bytes": png((n, 9, 9)), "path": f"{n}.png"},
            "caption": [f"picture {n}", f"again {n}"],
            "name": f"p{n}",
        }
        for n in range(first, first + count)
    ]
    write(root, split, rows)
    return rows


def write(root: Path, split: str, rows: Sequence[dict[str, Any]]) -> None:
    features = {"image": datasets.Image(), "caption": TEXTS, "name": STRING}
    parquet(root / "data" / f"{split}-00000-of-00001.parquet", rows, **features)


def load(path: Path, **arguments: Any) -> dict[str, Task]:
    return Huggingface(str(path), **{"columns": Columns(id="name"), **arguments}).tasks()


def ids(task: Task) -> tuple[list[str], list[str]]:
    """Of a task's queries, and of its memory."""
    return [query.id for query in task.queries], [document.id for document in task.memory]


def named(tasks: Mapping[str, Task]) -> list[tuple[str, str]]:
    """What was left out: kind and id."""
    return [(e.kind, e.id) for e in tasks["captioning"].exclusions]
