"""Pictures with captions: as annotations promise them, and as they were taken in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import Field

from mmragbench.data.intake import inside
from mmragbench.records import Exclusion, Image, Text


@dataclass(frozen=True, slots=True)
class Entry:
    """A picture as annotations promise it; nothing about it has been checked.

    Attributes:
        id: the image's id.
        folder: where the file must lie.
        file: its name below the folder.
        captions: (id, caption) pairs; a caption may turn out to be no string.
        categories: names of the things in it, where instances are known.
        slices: names of the slices that it belongs to.
        label: the class of the picture, where it has one.
        annotations: how many rows or records of a table it was made from.
        fetch: for a picture that is no file in a folder yet (bytes in a table): makes it one when
            it is drawn, and returns its path; raises BadImage where there is none, and DataError
            where it lies outside of what may be read.
    """

    id: str
    folder: Path
    file: str
    captions: tuple[tuple[str, object], ...]
    categories: frozenset[str] = frozenset()
    slices: frozenset[str] = frozenset()
    label: str = ""
    annotations: int = 1
    fetch: Callable[[], Path] | None = field(default=None, compare=False, repr=False)

    def path(self) -> Path:
        """Where its file lies; for bytes in a table, after writing them there.

        Raises:
            BadImage: there is no picture.
            DataError: it lies outside of what may be read.
        """
        return self.fetch() if self.fetch else inside(self.folder, self.file)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that was taken in: its file decodes, and it has a caption at least."""

    image: Image
    captions: tuple[Text, ...]
    categories: frozenset[str] = frozenset()
    slices: frozenset[str] = frozenset()
    label: str = ""

    @property
    def id(self) -> str:
        return self.image.id


Limit = Annotated[int, Field(ge=1)]
"""How many items to draw."""


class Sample(NamedTuple):
    """How much to draw: at most so many query and memory pictures (None: all), by this seed."""

    queries: int | None = None
    memory: int | None = None
    seed: int = 0


class Drawn(NamedTuple):
    """The pictures of a draw, the entries that it did not touch, and those it could not use."""

    pictures: list[Picture]
    rest: list[Entry]
    excluded: list[Exclusion]
