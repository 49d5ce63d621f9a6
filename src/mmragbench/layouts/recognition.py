"""Recognition of the layout of a folder of data: each known layout looks at the folder."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from pathlib import Path

from mmragbench._digits import counted
from mmragbench._printable import one_line
from mmragbench.data.intake import endings
from mmragbench.errors import DataError, listed
from mmragbench.formats.file_names import files_below
from mmragbench.layouts import known
from mmragbench.layouts.data_folder import DataFolder

LOOKED_FOR = (
    "metadata.jsonl, metadata.csv, captions.txt, captions_*.json (COCO), corpus.jsonl (BEIR), PDF files, "
    "parquet files"
)

TABLES = frozenset({".csv", ".tsv", ".json", ".jsonl", ".txt", ".xlsx"})
"""Endings of files that may have captions."""


def recognise(folder: Path) -> DataFolder:
    """What a folder holds; of several known layouts, the first by the name of its file in `known/`.

    Raises:
        DataError: nothing in it is known, something is missing, or a file cannot be read; one line.
    """
    return recognise_all(folder)[0]


def recognise_all(folder: Path) -> list[DataFolder]:
    """The same for each layout that fits and has all that a suite needs; never empty.

    Raises:
        DataError: as `recognise`.
    """
    readings, errors = _read(folder)
    complete = [data for data in readings if data.queries]
    if complete:
        return complete
    if errors:
        raise errors[0]
    if readings:
        raise DataError(f"{readings[0]}; {'; '.join(readings[0].missing) or 'too few of them'}")
    inner = _known_folders(folder)
    advice = f"; data lies in {listed(inner)}: name one" if inner else _pictures(folder)
    raise DataError(f"nothing in {one_line(folder, 200)} is data of a known layout{advice}")


def _read(folder: Path) -> tuple[list[DataFolder], list[DataError]]:
    """What each layout that fits has found, and the errors of those that cannot be read."""
    readings: list[DataFolder] = []
    errors: list[DataError] = []
    for module in sorted(pkgutil.iter_modules(known.__path__), key=lambda module: module.name):
        try:
            data: DataFolder | None = import_module(f"{known.__name__}.{module.name}").recognise(
                folder
            )
        except DataError as error:
            errors.append(error)
        except OSError as error:
            errors.append(DataError(f"{error.filename} cannot be read ({error.strerror})"))
        else:
            readings += [data] if data is not None else []
    return readings, errors


def _known_folders(folder: Path) -> list[str]:
    """The folders in a folder that are data of a known layout; the first 20 are looked at."""
    children = sorted(path for path in folder.iterdir() if path.is_dir())[:20]
    return [str(path) for path in children if any(data.queries for data in _read(path)[0])]


def _pictures(folder: Path) -> str:
    """For an error: what pictures without captions lack, or what was looked for."""
    n = sum(path.suffix.lower() in endings() for path in files_below(folder).files)
    if not n:
        return f"; looked for {LOOKED_FOR}"
    tables = sorted(path.name for path in folder.iterdir() if path.suffix.lower() in TABLES)
    return (
        f": {counted(n, 'picture')}, no captions. Write metadata.jsonl beside them, a line for each: "
        '{"file_name": "a.jpg", "caption": "…"}'
        + (f"; there is {listed(tables)}" if tables else "")
    )
