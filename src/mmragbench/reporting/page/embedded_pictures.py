"""Pictures inside the page: each is there once, in base64, in a sheet that the page's script reads."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from mimetypes import guess_type
from pathlib import Path
from typing import NamedTuple

SHEET = 64
"""Pictures in one sheet."""

SUFFIXES = {".webp", ".jpg", ".jpeg", ".png", ".gif"}


class PictureFile(NamedTuple):
    """A picture's file and its size in bytes."""

    path: Path
    size: int


@dataclass
class EmbeddedPictures:
    """Pictures of the run folder, numbered in the order in which they are placed.

    `large` takes a picture from `pictures/` where the run has stored it in a larger size.
    """

    root: Path
    large: bool = False
    _numbers: dict[str, int] = field(default_factory=dict)
    _files: dict[str, PictureFile | None] = field(default_factory=dict)

    def place(self, name: str | None) -> int | None:
        """The number of a picture; None where there is none below the run folder."""
        if name is None or self._file(name) is None:
            return None
        return self._numbers.setdefault(name, len(self._numbers))

    def address(self, name: str | None) -> str | None:
        """The picture itself as a `data:` address, for what is shown without a script; None where
        there is none below the run folder."""
        file = self._file(name) if name else None
        if name is None or file is None:
            return None
        return f"data:{guess_type(file.path.name)[0]};base64,{self._encoded(name)}"

    def cost(self, names: Iterable[str | None]) -> int:
        """Characters that these pictures would add to the page."""
        new = (self._file(name) for name in set(names) if name and name not in self._numbers)
        return sum(file.size * 4 // 3 for file in new if file)

    def sheets(self) -> Iterator[str]:
        """All that were placed, in sheets of `SHEET`, one picture a line."""
        names = list(self._numbers)
        for start in range(0, len(names), SHEET):
            yield "\n".join(map(self._encoded, names[start : start + SHEET]))

    @cached_property
    def _real_root(self) -> Path:
        return self.root.resolve()

    def _file(self, name: str) -> PictureFile | None:
        if name not in self._files:
            self._files[name] = next(self._candidates(name), None)
        return self._files[name]

    def _candidates(self, name: str) -> Iterator[PictureFile]:
        """The files that there are of a picture below the run folder, the preferred one first."""
        larger = Path("pictures") / Path(name).with_suffix(".webp").name
        for relative in (larger, Path(name)) if self.large else (Path(name),):
            path = (self._real_root / relative).resolve()
            inside = path.is_relative_to(self._real_root)
            if inside and path.suffix.lower() in SUFFIXES and path.is_file():
                yield PictureFile(path, path.stat().st_size)

    def _encoded(self, name: str) -> str:
        file = self._file(name)
        return base64.b64encode(file.path.read_bytes()).decode("ascii") if file else ""
