"""The Parquet file beside a baseline: each task's queries and documents, and each cell's values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

Values = NDArray[np.float32]
"""One for each query of a task; nan where there is none."""

QUERY_DIGITS, DOCUMENT_DIGITS = 8, 4
"""Of an item's digest: enough to say which ones changed; the task's own digest says that none did."""

MOST_VALUES = 1 << 26
"""Of a table: a small file can say that it holds more than fits into memory."""


def _lists(element: pa.DataType) -> pa.DataType:
    return pa.list_(pa.field("element", element, nullable=False))


SCHEMA = pa.schema(
    [
        pa.field(name, kind, nullable=False)
        for name, kind in {
            "task": pa.string(),
            **dict.fromkeys(
                ("queries", "asked", "gold", "documents", "contents"), _lists(pa.string())
            ),
            "values": _lists(_lists(pa.float32())),
        }.items()
    ]
)
"""A row a task: its queries and documents, their digests, and for each of its cells the values in
the order of the queries."""


@dataclass(frozen=True)
class TaskItems:
    """A task's queries and documents: ids in order, and the first digits of their digests.

    Attributes:
        asked, gold: of each query, what is asked and what is relevant.
        contents: of each document.
    """

    queries: list[str]
    asked: list[str]
    gold: list[str]
    documents: list[str]
    contents: list[str]

    def digests(self, part: Literal["asked", "gold", "contents"]) -> dict[str, str]:
        """Query or document -> the first digits of its digest."""
        ids = self.documents if part == "contents" else self.queries
        return dict(zip(ids, getattr(self, part), strict=True))


def write_table(items: Mapping[str, TaskItems], values: Mapping[str, Sequence[Values]]) -> bytes:
    """The file's content; task -> items, and task -> the values of each of its cells."""
    rows = [{"task": task, **vars(items[task]), "values": values[task]} for task in items]
    sink = pa.BufferOutputStream()
    pq.write_table(
        pa.Table.from_pylist(rows, SCHEMA), sink, compression="zstd", write_statistics=False
    )
    return bytes(sink.getvalue())


def read_table(content: bytes) -> tuple[dict[str, TaskItems], dict[str, list[Values]]]:
    """The inverse of `write_table`.

    Raises:
        ValueError: it is not such a file, or holds more than `MOST_VALUES`.
    """
    file = pq.ParquetFile(pa.BufferReader(content))
    if not file.schema_arrow.equals(SCHEMA):
        raise ValueError("its columns are other ones")
    if _size(file.metadata) > MOST_VALUES:
        raise ValueError("it is too large")
    table = file.read()
    table.validate(full=True)
    rows: list[dict[str, Any]] = table.drop_columns("values").to_pylist()
    items = {row.pop("task"): TaskItems(**row) for row in rows}
    cells = (task.values for task in table["values"])
    values = [[cell.values.to_numpy() for cell in task] for task in cells]
    return items, dict(zip(items, values, strict=True))


def _size(metadata: pq.FileMetaData) -> int:
    """How many values a file says that it holds, in all columns."""
    groups = map(metadata.row_group, range(metadata.num_row_groups))
    return sum(
        group.column(at).num_values for group in groups for at in range(metadata.num_columns)
    )
