"""Pictures with captions below a folder: where they lie, how many there are, and in which splits."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from mmragbench._digits import counted
from mmragbench.data.entries import Entry
from mmragbench.data.splits import REST
from mmragbench.formats.file_names import is_hidden
from mmragbench.layouts.data_folder import DataFolder
from mmragbench.layouts.vectors_file import vectors_file

SAMPLE = 50
"""Names that are looked for in every folder."""


def picture_folder(root: Path, names: Iterable[str]) -> Path | None:
    """The folder that has most of the first names: the root, or one at most two levels below it.

    Its path is relative to the root. Of equals it is the one nearer to the root, then the first by
    name; None where no folder has a picture of these names.
    """
    sample = list(islice(names, SAMPLE))
    counts = {folder: sum(_is_file(root / folder / n) for n in sample) for folder in _folders(root)}
    best = max(counts, key=lambda folder: counts[folder])
    return best if counts[best] else None


def captioned_folder(
    folder: Path,
    layout: str,
    dataset: Mapping[str, Any],
    queries: Sequence[Entry],
    memory: Sequence[Entry] | None,
) -> DataFolder:
    """The data of a folder of captioned pictures, of which those count whose files are there.

    Args:
        folder: the folder.
        layout: the layout's name, in words.
        dataset: the dataset and its arguments, without the memory `rest`.
        queries: the pictures of the query split.
        memory: the pictures of the memory split; None where the memory is the rest of the queries'.
    """
    promised = [*queries, *(memory or ())]
    query_entries, memory_entries = present(queries), present(memory or ())
    entries = [*query_entries, *memory_entries]
    total = sum(len(entry.captions) for entry in entries)
    parts = [f"{counted(len(entries), 'picture')} with {counted(total, 'caption')}"]
    if memory is None:
        parts.append("one split: some of them are queries, the others the memory")
        dataset = {**dataset, "memory": REST}
    else:
        parts.append(
            f"splits: {len(query_entries):,} queries, {len(memory_entries):,} in the memory"
        )
    lost = len(promised) - len(entries)
    return DataFolder(
        folder=folder,
        layout=layout,
        kind="pictures",
        dataset=dataset,
        queries=0 if memory is None and len(entries) < 2 else len(query_entries),
        memory=len(query_entries if memory is None else memory_entries),
        is_single=memory is None,
        is_partial=2 * lost > len(promised),
        parts=tuple(parts),
        missing=(f"{lost:,} of {counted(len(promised), 'picture')} are not there",) if lost else (),
        vectors=vectors_file(folder, [entry.id for entry in entries]),
    )


def present(entries: Sequence[Entry]) -> list[Entry]:
    """The entries with captions whose files are there; each folder is listed once."""
    result: list[Entry] = []
    for folder, group in groupby(entries, key=lambda entry: entry.folder):
        own = [entry for entry in group if entry.captions]
        names = _files(folder, [entry.file for entry in own])
        result += [entry for entry in own if entry.file in names]
    return result


def _files(folder: Path, names: Collection[str]) -> set[str]:
    if any("/" in name for name in names):
        return {name for name in names if _is_file(folder / name)}
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that is too long, or has a NUL
        return False


def _folders(root: Path) -> list[Path]:
    """The root, its folders, and theirs, as paths from the root."""
    below = _visible(root)
    deeper = [path for folder in below for path in _visible(folder)]
    return [Path(), *(path.relative_to(root) for path in (*below, *deeper))]


def _visible(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.glob("*/")) if not is_hidden(path.name)]
