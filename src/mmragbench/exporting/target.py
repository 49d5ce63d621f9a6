"""What is exported, and where it goes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mmragbench._files import write_atomically

if TYPE_CHECKING:
    pass


@dataclass
class Export:
    """A folder in another tool's format.

    Attributes:
        folder: where it is.
        files: what was written, in order.
        left_out: what the format has no place for, or the run has nothing of -> the reason.
    """

    folder: Path
    files: list[Path] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    def write(self, name: str, lines: Iterable[str]) -> None:
        """A text file, line by line as they come (lines bring their ends); whole or not at all."""
        path = self.folder / name
        write_atomically(path, lines)
        self.files.append(path)

    def copy(self, source: Path, name: str) -> None:
        """A file as it is; once, if several ask for it."""
        path = self.folder / name
        if not path.exists():
            write_atomically(path, source.read_bytes())
            self.files.append(path)
