"""The folder that an export writes, its files, and what the format has no place for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from mmragbench._files import write_atomically


@dataclass
class Export:
    """A folder in another tool's format.

    Attributes:
        files: those that were written, in order.
        left_out: a part of the run that is not in the folder -> the reason.
    """

    folder: Path
    files: list[Path] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    def write(self, name: str, lines: Iterable[str]) -> None:
        """Write a text file from its lines, which have their ends; whole or not at all."""
        path = self.folder / name
        write_atomically(path, lines)
        self.files.append(path)

    def copy(self, source: Path, name: str) -> None:
        """Copy a file; once, if several documents have it."""
        path = self.folder / name
        if not path.exists():
            write_atomically(path, source.read_bytes())
            self.files.append(path)
