"""Listing of the files below a folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from mmragbench.errors import DataError

SYSTEM = frozenset({"__macosx", "thumbs.db", "desktop.ini", "lost+found", "@eadir"})
"""Names, in lower case, of files and folders that operating systems create by themselves."""

MAX_FOLDERS = 100_000
"""The most folders below one, with links followed; more come from links that lead through each other."""


class Files(NamedTuple):
    """The files below a folder in the order of their names, and the hidden ones apart."""

    files: list[Path]
    hidden: list[Path]


def files_below(folder: Path) -> Files:
    """Every file below a folder.

    Links are followed, but for those that lead to a folder above them. What begins with a dot, or is
    an operating system's own (`__MACOSX`, `Thumbs.db`), is hidden with all below it.

    Raises:
        DataError: a folder cannot be read, or there are more than `MAX_FOLDERS`.
    """
    listing = Files([], [])
    waiting = [_Folder(folder)]
    for _ in range(MAX_FOLDERS):
        if not waiting:
            return Files(sorted(listing.files), sorted(listing.hidden))
        current = waiting.pop()
        for path in current.entries():
            hidden = current.hidden or is_hidden(path.name)
            if path.is_dir():
                parents = (*current.parents, os.path.realpath(current.path))
                below = _Folder(path, hidden, parents)
                waiting += [] if below.is_cycle else [below]
            else:
                (listing.hidden if hidden else listing.files).append(path)
    raise DataError(f"{folder} has more than {MAX_FOLDERS:,} folders below it; name a smaller one")


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name is hidden."""
    return name.startswith(".") or name.lower() in SYSTEM


class _Folder(NamedTuple):
    """A folder to be listed; `parents` are the real paths of those above it."""

    path: Path
    hidden: bool = False
    parents: tuple[str, ...] = ()

    @property
    def is_cycle(self) -> bool:
        """Whether the folder is one of its own parents."""
        return os.path.realpath(self.path) in self.parents

    def entries(self) -> list[Path]:
        """The folder's files and folders.

        Raises:
            DataError: it cannot be read.
        """
        try:
            return list(self.path.iterdir())
        except OSError as error:
            raise DataError(f"{self.path} cannot be read ({error.strerror})") from error
