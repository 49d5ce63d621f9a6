"""The Parquet file beside a baseline: each task's queries and documents, and each cell's values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

Values = NDArray[np.float32]
"""A cell's values, one for each query of its task; nan where there is none."""

QUERY_DIGITS, DOCUMENT_DIGITS = 8, 4
"""Hexadecimal digits that are stored of an item's digest: enough to name the items that changed;
the task's own digest, which is longer, proves that none did."""

MOST_VALUES = 1 << 26
"""The most values that a table may have: a small file can claim more than fits into memory."""


def _lists(element: pa.DataType) -> pa.DataType:
    return pa.list_(pa.field("element", element, nullable=False))


Part = Literal["queries", "query_digests", "gold_digests", "documents", "document_digests"]
COLUMNS: dict[Part, str] = {
    "queries": "queries",
    "query_digests": "asked",
    "gold_digests": "gold",
    "documents": "documents",
    "document_digests": "contents",
}
"""Field of `TaskItems` -> its column in the file."""

SCHEMA = pa.schema(
    [
        pa.field(name, kind, nullable=False)
        for name, kind in {
            "task": pa.string(),
            **dict.fromkeys(COLUMNS.values(), _lists(pa.string())),
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
        query_digests: of each query, the digest of its picture and texts.
        gold_digests: of each query, the digest of its references and relevant documents.
        document_digests: of each document.
    """

    queries: list[str]
    query_digests: list[str]
    gold_digests: list[str]
    documents: list[str]
    document_digests: list[str]

    def shortened(self) -> TaskItems:
        """The same items with the digits of their digests that are stored."""
        return replace(
            self,
            query_digests=[digest[:QUERY_DIGITS] for digest in self.query_digests],
            gold_digests=[digest[:QUERY_DIGITS] for digest in self.gold_digests],
            document_digests=[digest[:DOCUMENT_DIGITS] for digest in self.document_digests],
        )

    def digests(self, part: Part) -> dict[str, str]:
        """Query or document -> the first digits of its digest."""
        ids = self.documents if part == "document_digests" else self.queries
        return dict(zip(ids, getattr(self, part), strict=True))


class Table(NamedTuple):
    """The content of the file: task -> its items, and task -> the values of each of its cells."""

    items: Mapping[str, TaskItems]
    values: Mapping[str, Sequence[Values]]


def write_table(table: Table) -> bytes:
    """The file's bytes."""
    rows = [
        {
            "task": task,
            **{column: getattr(items, part) for part, column in COLUMNS.items()},
            "values": table.values[task],
        }
        for task, items in table.items.items()
    ]
    sink = pa.BufferOutputStream()
    pq.write_table(
        pa.Table.from_pylist(rows, SCHEMA), sink, compression="zstd", write_statistics=False
    )
    return bytes(sink.getvalue())


def read_table(content: bytes) -> Table:
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
    items = {
        row["task"]: TaskItems(**{part: row[column] for part, column in COLUMNS.items()})
        for row in rows
    }
    cells = (task.values for task in table["values"])
    values = [[cell.values.to_numpy() for cell in task] for task in cells]
    return Table(items, dict(zip(items, values, strict=True)))


def _size(metadata: pq.FileMetaData) -> int:
    """How many values a file claims to have, in all columns."""
    groups = map(metadata.row_group, range(metadata.num_row_groups))
    return sum(
        group.column(at).num_values for group in groups for at in range(metadata.num_columns)
    )
