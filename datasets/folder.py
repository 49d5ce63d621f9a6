"""Folders of images with a table beside them: the imagefolder convention."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from mmragbench._printable import quoted
from mmragbench.contracts import Requirement
from mmragbench.data.coco_tasks import OUTPUTS
from mmragbench.data.entries import Entry, Limit, Sample
from mmragbench.data.files import required_folder
from mmragbench.data.intake import inside
from mmragbench.data.splits import MEMORY, QUERIES, REST, Splits, choose, warn_of_rest
from mmragbench.data.tables import Columns, Row, build_tasks_of_splits, gather
from mmragbench.errors import DataError, listed
from mmragbench.formats.csv_rows import NULLS, read_csv
from mmragbench.formats.json_values import read_objects
from mmragbench.records import Exclusion, Task
from mmragbench.registry import dataset

METADATA = ("metadata.jsonl", "metadata.csv")
CAPTIONS = ("captions", "caption", "text")
Rows = list[tuple[int, Row]]
WHOLE = ""
"""The split that is the whole table at the root."""
_LISTS = ("categories", "slices")
_EXPECTED = "rows with file_name and a caption"


@dataset
class Folder:
    """Images in folders, captions in `metadata.jsonl` or `metadata.csv` beside them."""

    outputs = OUTPUTS

    def __init__(
        self,
        root: Path,
        queries: str | None = None,
        memory: str | None = None,
        captions: str | None = None,
        limit: Limit | None = None,
        memory_limit: Limit | None = None,
        seed: int = 0,
    ) -> None:
        """Nothing is read before `tasks`.

        A table stands in each split's folder, or one at the root says by a column `split`, or by
        the first folder of `file_name`, what belongs where. A row names its picture in
        `file_name`, from the table's folder on; `id` (by default the file's path from the root),
        `categories` and `slices` (lists; in CSV separated by `;`) and `label`, the picture's class, may
        follow. Captions are a list, or one a row; rows of one id are one picture.

        Args:
            root: the folder that everything lies in.
            queries: the query split; by default `test`, else `validation`, `val` or `dev`. Where
                there is a single split, or the table at the root names none, it is drawn from that.
            memory: the memory split, by default `train`, else `rest`: what the draw leaves of the
                query split.
            captions: the column of captions; by default `captions`, `caption` or `text`.
            limit: how many query images to draw; by default all, beside the memory `rest` a fifth
                (50 or a half of few images, at most 1,000).
            memory_limit: how many memory images to draw; all by default.
            seed: for the draws.
        """
        self.root = Path(root).expanduser()
        self.queries = queries
        self.memory = memory
        self.captions = captions
        self.sample = Sample(limit, memory_limit, seed)

    def requirements(self) -> list[Requirement]:
        """The folder, where it is not there."""
        return required_folder(self.root, ["images", "metadata.jsonl or metadata.csv beside them"])

    def tasks(self) -> dict[str, Task]:
        """Text-to-image, image-to-text, captioning and image-generation.

        Raises:
            DataError: a table is missing or has no `file_name`, a split is missing or has no
                usable image, or the splits share one.
        """
        splits = self.splits()
        if self.memory is None and splits.memory == REST:
            warn_of_rest(self.root)
        return build_tasks_of_splits(self.read, *splits, self.sample)

    def splits(self) -> Splits:
        """The names of the query split and of the memory split; `""` is the whole table at the root."""
        folders = _split_folders(self.root)
        known = folders or _split_names(self.root)
        is_open = self.queries is None and self.memory in (None, REST)
        if is_open and not folders and _table(self.root) and not {*QUERIES, *MEMORY} & {*known}:
            return Splits(WHOLE, REST)
        return choose(known, self.queries, self.memory)

    def read(self, split: str, excluded: list[Exclusion]) -> list[Entry]:
        """The pictures of a split as its table promises them; rows that are none go to `excluded`."""
        own = _table(inside(self.root, split)) if _is_name(split) else None
        table = own or _table(self.root)
        if table is None:
            raise DataError(f"{self.root} has no split {split!r}: {_what_there_is(self.root)}")
        below = f"{split}/" if own else ""
        rows = list(_rows(table, below, excluded))
        if not rows and not excluded:
            raise DataError(f"{table} is empty; expected {_EXPECTED}")
        if not own and split != WHOLE:
            rows = self._of_split(table, split, rows)
        columns = Columns("file_name", self._captions(table, rows), "id")
        columns = replace(columns, categories="categories", slices="slices", label="label")
        locate = partial(_entry, table.parent)
        entries, broken = gather(rows, columns, f"{below}{table.name}", locate)
        excluded += broken
        return entries

    def _of_split(self, table: Path, split: str, rows: Rows) -> Rows:
        """The rows of a split, in a table of several."""
        chosen = [(number, row) for number, row in rows if _split(row) == split]
        if rows and not chosen:
            splits = ", ".join(_names(rows))[:200]
            advice = (
                f"there is {splits}" if splits else "it names none: leave out queries and memory"
            )
            raise DataError(f"{table}: no row belongs to the split {split!r}; {advice}")
        return chosen

    def _captions(self, table: Path, rows: Rows) -> str:
        """The column of captions, which some row must have."""
        present = {name: None for _, row in rows for name in row if name != "id"}
        wanted = (self.captions,) if self.captions else CAPTIONS
        column = next((name for name in wanted if name in present), None)
        if rows and column is None:
            raise DataError(
                f"{table}: there is no column {' or '.join(map(repr, wanted))}; its columns are "
                f"{quoted(', '.join(present))}; name the one with the captions: captions: <column>"
            )
        return column or wanted[0]


def _entry(folder: Path, _: int, row: Row, id: str) -> Entry:
    return Entry(id, folder, row["file_name"], ())


def _is_name(split: str) -> bool:
    """A split is one folder below the root, not a way out of it."""
    return split not in ("", ".", "..") and not {"/", "\\", "\0"} & set(split)


def _table(folder: Path) -> Path | None:
    """The folder's table; a warning says where it has two."""
    tables = [folder / name for name in METADATA if (folder / name).is_file()]
    if len(tables) > 1:
        warnings.warn(
            f"{folder} has {' and '.join(METADATA)}; the first is read, the other is not",
            stacklevel=2,
        )
    return tables[0] if tables else None


def text_columns(table: Path) -> list[str]:
    """The columns of a table that hold texts, or lists of texts, in its first row, but those that have
    another meaning than captions."""
    row = next((row for _, row in _rows(table, "", [])), {})
    own = {
        name: value[0] if isinstance(value, list) and value else value
        for name, value in row.items()
    }
    texts = [name for name, value in own.items() if isinstance(value, str)]
    return [name for name in texts if name not in ("file_name", "id", "split", "label", *_LISTS)]


def _split_folders(root: Path) -> list[str]:
    """The names of the folders below the root that have a table of their own."""
    return sorted(path.name for path in root.glob("*/") if _table(path))


def _split_names(root: Path) -> list[str]:
    """The names of the splits that the rows of the table at the root belong to."""
    table = _table(root)
    return _names(_rows(table, "", [])) if table else []


def _names(rows: Iterable[tuple[int, Row]]) -> list[str]:
    return sorted({str(name) for _, row in rows if (name := _split(row)) is not None})


def _split(row: Row) -> object:
    first, slash, _ = row["file_name"].partition("/")
    return row.get("split", first if slash else None)


def _rows(table: Path, below: str, excluded: list[Exclusion]) -> Iterator[tuple[int, Row]]:
    """The rows that name a file, by line number; those that don't are named."""
    read = read_objects(table, _EXPECTED) if table.suffix == ".jsonl" else _csv_rows(table)
    for number, row, reason in read:
        if row is not None and isinstance(row.get("file_name"), str) and row["file_name"]:
            yield number, {**row, "id": _id(row, below)}
        else:
            why = reason or f"no file_name; the row has {listed(row or (), 8)}"
            excluded.append(Exclusion("broken annotation", f"{below}{table.name}:{number}", why))


def _id(row: Row, below: str) -> object:
    """The row's own id, else the file's path from the root."""
    given = row.get("id")
    return below + row["file_name"] if given is None or given == "" else given


def _csv_rows(table: Path) -> Iterator[tuple[int, dict[str, object] | None, str]]:
    header, rows = read_csv(table, "CSV whose header has file_name and a caption", "file_name")
    for number, row in rows:
        if len(row) == len(header):
            yield number, _typed(dict(zip(header, row, strict=True))), ""
        else:
            yield number, None, f"{len(row)} fields under {len(header)} names"


def _typed(row: dict[str, str]) -> dict[str, object]:
    """CSV has no lists: names are separated by semicolons; and no null but a word for it."""
    values = {name: value for name, value in row.items() if value not in NULLS}
    lists = {name: values[name].split(";") for name in _LISTS if name in values}
    named = {name: [each.strip() for each in some] for name, some in lists.items()}
    return {**dict.fromkeys(row), **values, **named}


def _what_there_is(root: Path) -> str:
    """What could be meant instead, for an error."""
    if not root.is_dir():
        return "there is no such folder"
    splits = ", ".join(_split_folders(root)) or "no metadata.jsonl or .csv"
    return f"there is {splits}; a split is a folder with metadata, or named in the metadata at the root"
