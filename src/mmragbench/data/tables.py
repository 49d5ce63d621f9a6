"""Tables of captioned pictures: rows with columns named by the user become entries.

A row has a picture and all its captions (a list), or one caption (a string); in the second form
rows of the same id are one picture, and name or hold the same file. Nothing is checked here but what
makes a row a row: pictures and captions go through the same intake as everyone's
(`mmragbench.data.coco_tasks`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

from mmragbench._printable import quoted
from mmragbench.data.coco_tasks import build_tasks
from mmragbench.data.entries import Entry, Sample
from mmragbench.data.exclusions import Excluded
from mmragbench.data.splits import REST
from mmragbench.errors import BadImage, DataError
from mmragbench.formats.values import as_id
from mmragbench.records import Exclusion, Task

Row = Mapping[str, Any]

Locate = Callable[[int, Row, str], Entry]
"""Row number, row and image id to an entry that says where the picture is; captions come later."""


@dataclass(frozen=True)
class Columns:
    """The names of a table's columns. A dot goes into a structure: `sentences.raw`.

    Attributes:
        image: the picture: bytes, or the name of a file. Several columns joined by `/` make up a
            path: `filepath/filename`.
        captions: a list of captions, or one caption a row.
        id: the image's id; by default the split and the number of the row.
        caption_ids: ids of the captions; by default `<image id>#<number>`, numbered from 0.
        split: the split that a row belongs to, where one table holds several.
        categories: names of the things in the picture, for silver relevance.
        slices: names of the slices that it belongs to.
        label: the class of the picture.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    image: str = "image"
    captions: str = "caption"
    id: str | None = None
    caption_ids: str | None = None
    split: str | None = None
    categories: str | None = None
    slices: str | None = None
    label: str | None = None

    def described(self) -> list[str]:
        """The columns that say something about a picture, all but the picture itself."""
        named = (self.captions, self.id, self.caption_ids, self.split, self.categories, self.slices)
        return [name for name in (*named, self.label) if name]


def gather(
    rows: Iterable[tuple[int, Row]], columns: Columns, split: str, locate: Locate
) -> tuple[list[Entry], list[Exclusion]]:
    """The entries of a split, and the rows that are none; in the order of the rows.

    Args:
        rows: each with its number in the file or table.
        columns: what is called how.
        split: the split's name; it goes into ids that no column gives.
        locate: finds the picture of a row.
    """
    rows_of_picture: list[list[Entry]] = []  # of each picture, the entry of each of its rows
    captions: list[list[tuple[str, object]]] = []
    by_id: dict[str, int] = {}
    excluded: list[Exclusion] = []
    for number, row in rows:
        try:
            id = image_id(row, columns, split, number)
            own, one = _captions(row, columns)
            entry = _described(locate(number, row, id), row, columns)
            known = by_id.get(id) if one else None
            if known is None:
                rows_of_picture.append([])
                captions.append([])
                known = len(rows_of_picture) - 1
                if one:
                    by_id[id] = known
            else:
                _same_file(rows_of_picture[known][0], entry)
        except DataError as error:
            excluded.append(Exclusion("broken annotation", f"{split}:{number}", str(error)))
            continue
        rows_of_picture[known].append(entry)
        held = captions[known]
        held += [(name or f"{id}#{len(held) + n}", caption) for n, (name, caption) in own]
    return [_merged(*of_one) for of_one in zip(rows_of_picture, captions, strict=True)], excluded


def _merged(entries: Sequence[Entry], captions: Iterable[tuple[str, object]]) -> Entry:
    """The rows of one picture as one entry. Pictures in the table itself are compared when they are
    drawn: to read them all would take long."""
    fetches = [entry.fetch for entry in entries if entry.fetch]
    fetch = partial(_same_content, fetches) if len(fetches) > 1 else entries[0].fetch
    return replace(entries[0], captions=tuple(captions), annotations=len(entries), fetch=fetch)


def _same_content(fetches: Sequence[Callable[[], Path]]) -> Path:
    """The file of a picture that several rows hold, which is named after its content.

    Raises:
        BadImage: they hold different ones.
    """
    paths = {fetch() for fetch in fetches}
    if len(paths) > 1:
        raise BadImage(f"the {len(fetches)} rows of its id hold {len(paths)} different pictures")
    return paths.pop()


def image_id(row: Row, columns: Columns, split: str, number: int) -> str:
    """The id of a row's picture.

    Raises:
        DataError: the row has none, or it is neither text nor a whole number.
    """
    if columns.id is None:
        return f"{split}-{number}"
    value = pick(row, columns.id)
    id = as_id(value)
    if id is None:
        raise DataError(f"the row has no usable {columns.id!r}: it is {quoted(value)}")
    return id


def pick(row: Any, name: str) -> Any:
    """What a column holds, None where there is none: `a.b` is b of a, or of each a in a list."""
    if isinstance(row, Mapping) and name in row:
        return row[name]
    head, dot, rest = name.partition(".")
    if isinstance(row, list):
        return [pick(each, name) for each in row]
    if not dot or not isinstance(row, Mapping):
        return None
    return pick(row.get(head), rest)


def names(row: Row, column: str | None) -> frozenset[str]:
    """A column of names, or of one name, as a set; empty where there is no such column.

    Raises:
        DataError: it is neither a list of names nor a name.
    """
    value = pick(row, column) if column else None
    if value is None or value == "":
        return frozenset()
    listed = value if isinstance(value, list) else [value]
    named = [as_id(each) for each in listed if each != ""]
    if isinstance(value, dict) or None in named:
        raise DataError(f"{column!r} is not a list of names: {quoted(value)}")
    return frozenset(filter(None, named))


Split = TypeVar("Split")


def build_tasks_of_splits(
    read: Callable[[Split, list[Exclusion]], list[Entry]],
    queries: Split,
    memory: Split | Literal["rest"],
    sample: Sample,
) -> dict[str, Task]:
    """The four tasks of two splits; the memory `rest` is what the draw leaves of the queries.

    Args:
        read: a split's entries; appends what it cannot use to the list.
        queries: the query split.
        memory: the memory split, or `rest`.
        sample: how much of them.

    Raises:
        DataError: a split that is missing, empty, or shares an image.
    """
    left = Excluded()

    def entries(side: str, split: Split) -> list[Entry]:
        broken: list[Exclusion] = []
        read_entries = read(split, broken)
        left.add(f"{side} annotations", 0, broken)
        return read_entries

    query_entries = entries("query", queries)
    memory_entries = None if memory == REST else entries("memory", memory)
    return build_tasks(query_entries, memory_entries, sample, left)


def _captions(row: Row, columns: Columns) -> tuple[list[tuple[int, tuple[str, object]]], bool]:
    """A row's numbered captions with their ids (empty for none), and whether it is one caption."""
    value = pick(row, columns.captions)
    one = not isinstance(value, list)
    captions: Sequence[object] = [value] if one else value
    ids: Sequence[str] = [""] * len(captions)
    if columns.caption_ids:
        given = pick(row, columns.caption_ids)
        ids = [as_id(id) or "" for id in (given if isinstance(given, list) else [given])]
        if len(ids) != len(captions) or not all(ids):
            raise DataError(f"{len(captions)} captions, but other than as many usable ids")
    return list(enumerate(zip(ids, captions, strict=True))), one


def _same_file(first: Entry, entry: Entry) -> None:
    """Refuse a row of the same id that names another file."""
    if first.file != entry.file and entry.fetch is None:
        raise DataError(f"the id {quoted(entry.id)} belongs to {quoted(first.file)}")


def _described(entry: Entry, row: Row, columns: Columns) -> Entry:
    categories, slices = names(row, columns.categories), names(row, columns.slices)
    label = names(row, columns.label)
    if len(label) > 1:
        raise DataError(f"{columns.label!r} is not one class: {quoted(sorted(label))}")
    return replace(entry, categories=categories, slices=slices, label="".join(label))
