"""Folders of images with a table beside them: the imagefolder convention."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

from mmragbench.captioned import Columns, Row, gather, is_id, pose_splits
from mmragbench.errors import DataError
from mmragbench.intake import inside
from mmragbench.pictures import Entry, Sample
from mmragbench.records import Exclusion, Task
from mmragbench.registry import dataset

METADATA = ("metadata.jsonl", "metadata.csv")
CAPTIONS = ("captions", "caption", "text")
_LISTS = ("categories", "slices")


@dataset
class Folder:
    """Images in folders, captions in `metadata.jsonl` or `metadata.csv` beside them."""

    def __init__(
        self,
        root: Path,
        queries: str = "test",
        memory: str = "train",
        captions: str | None = None,
        limit: int | None = None,
        memory_limit: int | None = None,
        seed: int = 0,
    ) -> None:
        """Nothing is read before `tasks`.

        A table stands in each split's folder, or one at the root says by a column `split`, or by
        the first folder of `file_name`, what belongs where. A row names its picture in
        `file_name`, from the table's folder on; `id` (by default the file's path from the root),
        `categories` and `slices` (lists; in CSV separated by `;`) may follow. Captions are a
        list, or one a row; rows of one id are one picture.

        Args:
            root: the folder that everything lies in.
            queries: the query split.
            memory: the memory split; `rest` takes from the query split what the limit leaves.
            captions: the column of captions; by default `captions`, `caption` or `text`.
            limit: how many query images to draw; all by default.
            memory_limit: how many memory images to draw; all by default.
            seed: for the draws.
        """
        self.root = Path(root).expanduser()
        self.queries = queries
        self.memory = memory
        self.captions = captions
        self.sample = Sample(limit, memory_limit, seed)

    def tasks(self) -> dict[str, Task]:
        """Text-to-image, image-to-text, captioning and image-generation.

        Raises:
            DataError: a table is missing or has no `file_name`, a split is missing or has no
                usable image, or the splits share one.
        """
        return pose_splits(self._read, self.queries, self.memory, self.sample)

    def _read(self, split: str, excluded: list[Exclusion]) -> list[Entry]:
        own = _table(inside(self.root, split)) if _is_name(split) else None
        table = own or _table(self.root)
        if table is None:
            raise DataError(f"{self.root} has no split {split!r}: {_what_there_is(self.root)}")
        below = f"{split}/" if own else ""
        rows = list(_rows(table, below, excluded))
        if not own:
            rows = [(number, row) for number, row in rows if _split(row) == split]
        columns = Columns("file_name", self.captions or _caption_column(rows), "id")
        columns = replace(columns, categories="categories", slices="slices")
        locate = partial(_entry, table.parent)
        entries, broken = gather(rows, columns, f"{below}{table.name}", locate)
        excluded += broken
        return entries


def _entry(folder: Path, _: int, row: Row, id: str) -> Entry:
    return Entry(id, folder, row["file_name"], ())


def _is_name(split: str) -> bool:
    """A split is one folder below the root, not a way out of it."""
    return split not in ("", ".", "..") and not {"/", "\\", "\0"} & set(split)


def _table(folder: Path) -> Path | None:
    return next((folder / name for name in METADATA if (folder / name).is_file()), None)


def _split(row: Row) -> object:
    first, slash, _ = row["file_name"].partition("/")
    return row.get("split", first if slash else None)


def _caption_column(rows: list[tuple[int, Row]]) -> str:
    return next((n for n in CAPTIONS if any(n in row for _, row in rows)), CAPTIONS[0])


def _rows(table: Path, below: str, excluded: list[Exclusion]) -> Iterator[tuple[int, Row]]:
    """The rows that name a file, by line number; those that don't are named."""
    read = _json_lines if table.suffix == ".jsonl" else _csv_rows
    for number, row, reason in read(table):
        if row is not None and isinstance(row.get("file_name"), str) and row["file_name"]:
            yield number, {**row, "id": _id(row, below)}
        else:
            why = reason or "the row has no file_name"
            excluded.append(Exclusion("broken annotation", f"{below}{table.name}:{number}", why))


def _id(row: Row, below: str) -> object:
    """The row's own id, else the file's path from the root; an id of another kind stays bad."""
    given = row.get("id")
    if given is None or given == "":
        return below + row["file_name"]
    return given if is_id(given) else None


def _json_lines(table: Path) -> Iterator[tuple[int, Row | None, str]]:
    with _opened(table) as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line.decode("utf-8-sig"))
            except (ValueError, RecursionError) as error:
                yield number, None, f"not a line of JSON ({error})"
                continue
            yield (number, row, "") if isinstance(row, dict) else (number, None, "not an object")


def _csv_rows(table: Path) -> Iterator[tuple[int, Row | None, str]]:
    with _opened(table) as file:
        lines = (line.decode("utf-8-sig", "surrogateescape") for line in file)
        rows = csv.reader(lines)
        header = [name.strip() for name in next(rows, [])]
        if "file_name" not in header:
            raise DataError(f"{table}: expected CSV whose header has file_name and a caption")
        while True:
            try:
                row = next(rows, None)
            except csv.Error as error:
                yield rows.line_num, None, f"not a row of CSV ({error})"
                continue
            if row is None:
                return
            if row and len(row) != len(header):
                yield rows.line_num, None, f"{len(row)} fields under {len(header)} names"
            elif row:
                yield rows.line_num, _typed(dict(zip(header, row, strict=True))), ""


def _typed(row: dict[str, str]) -> Row:
    """CSV has no lists: names are separated by semicolons."""
    lists = {name: row[name].split(";") for name in _LISTS if name in row}
    return {**row, **{name: [each.strip() for each in some] for name, some in lists.items()}}


def _opened(table: Path) -> BinaryIO:
    try:
        return table.open("rb")
    except OSError as error:
        raise DataError(f"{table} cannot be read ({error.strerror})") from error


def _what_there_is(root: Path) -> str:
    """What could be meant instead, for an error."""
    if not root.is_dir():
        return "there is no such folder"
    splits = sorted(path.name for path in root.iterdir() if path.is_dir() and _table(path))
    there = f"there is {', '.join(splits)}" if splits else "there is no metadata.jsonl or .csv"
    return f"{there}; a split is a folder with metadata, or named in the metadata at the root"
