"""Checks that results can be written, made before anything is computed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmragbench._printable import one_line
from mmragbench.errors import MmragbenchError


def unusable_folder(path: Path) -> str | None:
    """The reason why a folder cannot be written into, or cannot be created; None where it can."""
    try:
        if "\0" in str(path):
            return "its name has a NUL"
        if path.exists() and not path.is_dir():
            return "it is a file"
        existing = next(parent for parent in (path, *path.absolute().parents) if parent.exists())
    except (OSError, ValueError) as error:
        return _reason(error)
    if not existing.is_dir():
        return f"{existing} is a file"
    if not os.access(existing, os.W_OK | os.X_OK):
        return "it cannot be written" if existing == path else f"{existing} cannot be written"
    return None


def unusable_file(path: Path) -> str | None:
    """The reason why a file cannot be written or created; None where it can."""
    try:
        if path.is_dir():
            return "it is a folder"
        if path.exists() and not path.is_file():
            return None  # a pipe or a device
    except (OSError, ValueError) as error:
        return _reason(error)
    return unusable_folder(path.parent)


def check_folder(option: str, path: Path | None) -> None:
    """Make sure that an option's folder can be written; None stands for an option that is not given.

    Raises:
        MmragbenchError: it cannot be; names the option, the folder and the reason.
    """
    if path is not None and (reason := unusable_folder(path)):
        raise MmragbenchError(_message(option, path, reason, "a folder"))


def check_file(option: str, path: Path | None) -> None:
    """Make sure that an option's file can be written; None stands for an option that is not given.

    Raises:
        MmragbenchError: it cannot be; names the option, the file and the reason.
    """
    if path is not None and (reason := unusable_file(path)):
        raise MmragbenchError(_message(option, path, reason, "a file"))


@contextmanager
def private() -> Iterator[None]:
    """A context in which new files are for the user alone, as with `umask 077`; also a decorator."""
    before = os.umask(0o077)
    os.umask(before | 0o077)
    try:
        yield
    finally:
        os.umask(before)


def _message(option: str, path: Path, reason: str, kind: str) -> str:
    return f"{option} {one_line(path, 200)} cannot be written ({reason}); name {kind} that can be"


def _reason(error: OSError | ValueError) -> str:
    strerror = error.strerror if isinstance(error, OSError) else None
    return (strerror or str(error)).lower()
