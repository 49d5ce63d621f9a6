"""The files below a folder, and their names as a person can be shown them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from mmragbench.errors import DataError

SYSTEM = frozenset({"__macosx", "thumbs.db", "desktop.ini", "lost+found", "@eadir"})
"""Names, in lower case, under which operating systems keep what nobody put there."""
MAX_FOLDERS = 100_000
"""Folders below one, with links followed: more are links that lead through each other."""


class Files(NamedTuple):
    """The files below a folder in the order of their names, and the hidden ones, left out."""

    files: list[Path]
    hidden: list[Path]


def files_below(folder: Path) -> Files:
    """Every file below a folder.

    Links are followed, save one that leads to a folder in which it lies itself. What begins with a
    dot, or is an operating system's own (`__MACOSX`, `Thumbs.db`), is hidden with all below it.

    Raises:
        DataError: a folder cannot be read, or there are more than `MAX_FOLDERS`.
    """
    listing = Files([], [])
    waiting = [_Folder(folder)]
    for _ in range(MAX_FOLDERS):
        if not waiting:
            return Files(sorted(listing.files), sorted(listing.hidden))
        here = waiting.pop()
        for path in here.entries():
            hidden = here.hidden or is_hidden(path.name)
            if path.is_dir():
                below = _Folder(path, hidden, (*here.way, os.path.realpath(here.path)))
                waiting += [] if below.is_cycle else [below]
            else:
                (listing.hidden if hidden else listing.files).append(path)
    raise DataError(f"{folder} has more than {MAX_FOLDERS:,} folders below it; name a smaller one")


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name is hidden."""
    return name.startswith(".") or name.lower() in SYSTEM


class _Folder(NamedTuple):
    """A folder to be read; `way` are those above it, as they are without links."""

    path: Path
    hidden: bool = False
    way: tuple[str, ...] = ()

    @property
    def is_cycle(self) -> bool:
        return os.path.realpath(self.path) in self.way

    def entries(self) -> list[Path]:
        try:
            return list(self.path.iterdir())
        except OSError as error:
            raise DataError(f"{self.path} cannot be read ({error.strerror})") from error
