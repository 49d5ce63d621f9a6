"""Folders of pictures that other systems made: every picture below one, by its name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from filecmp import cmp
from pathlib import Path
from typing import NamedTuple
from unicodedata import normalize

from mmragbench._printable import printable
from mmragbench.data.intake import is_picture, take_in
from mmragbench.errors import DataError
from mmragbench.formats.file_names import files_below
from mmragbench.formats.values import refuse_contradictions
from mmragbench.records import Image


@dataclass(frozen=True)
class Listing:
    """The files below a folder: pictures, what is no picture, and what is hidden."""

    path: Path
    pictures: list[Path]
    others: list[Path]
    hidden: list[Path]

    def name(self, file: Path) -> str:
        """A file's name below the folder, as it can be shown."""
        return printable(file.relative_to(self.path).as_posix())

    def stem(self, file: Path) -> str:
        """The name without its ending, its accents normalised (NFC)."""
        return self.name(Path(normalize("NFC", str(file.with_suffix("")))))

    def stems(self) -> set[str]:
        """The stem of every picture."""
        return {self.stem(file) for file in self.pictures}


@dataclass(frozen=True)
class Folder:
    """A folder's pictures by name.

    Attributes:
        unreadable: name of a picture that cannot be read -> the reason.
        copies: names of pictures that are there twice, alike; one of each is left out.
    """

    listing: Listing
    images: dict[str, Image]
    unreadable: dict[str, str]
    copies: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        return self.listing.path

    @property
    def names(self) -> list[str]:
        return [*self.images, *self.unreadable]


def list_pictures(folder: Path) -> Listing:
    """The files below a folder.

    Raises:
        DataError: it is no folder, cannot be read, or has no pictures.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder of pictures")
    below = files_below(folder)
    pictures = [file for file in below.files if is_picture(file)]
    others = sorted(set(below.files) - set(pictures))
    if not pictures:
        raise DataError(
            f"{folder} has no pictures: {len(others):,} other files "
            f"({by_ending(map(str, others)) or 'none'}), {len(below.hidden):,} hidden ones"
        )
    return Listing(folder, pictures, others, below.hidden)


def read_folder(listing: Listing, whole: bool = False) -> Folder:
    """Every picture below a folder, decoded once.

    Args:
        whole: names keep their endings, so that `7.png` and `7.jpg` are two.

    Raises:
        DataError: as `named_files`.
    """
    files, copies = named_files(listing, whole)
    names = {str(path.absolute()): name for name, path in files.items()}
    taken, excluded = take_in([Image(id, Path(id)) for id in names])
    unreadable = {names[exclusion.id]: exclusion.kind for exclusion in excluded}
    return Folder(listing, {names[image.id]: image for image in taken}, unreadable, copies)


class NamedFiles(NamedTuple):
    """The pictures of a folder by name, and the names that are there twice, alike."""

    files: dict[str, Path]
    copies: tuple[str, ...]


def named_files(listing: Listing, whole: bool = False) -> NamedFiles:
    """Every picture below a folder by its name, not decoded.

    Raises:
        DataError: it has two different ones of one name.
    """
    files: dict[str, Path] = {}
    copies: list[str] = []
    contradictory: list[str] = []
    for file in listing.pictures:
        name = listing.name(file) if whole else listing.stem(file)
        if name in files:
            (copies if _same(files[name], file) else contradictory).append(name)
        files.setdefault(name, file)
    try:
        refuse_contradictions(str(listing.path), "names", contradictory)
    except DataError as error:
        raise DataError(f"{error}, or compare two sets: --pairs none") from error
    return NamedFiles(files, tuple(copies))


def by_ending(names: Iterable[str]) -> str:
    """How many files have which ending, the most first: `.txt 5, .json 3, without one 1`."""
    endings = Counter(Path(name).suffix.lower() or "without one" for name in names)
    return ", ".join(f"{printable(ending)} {n:,}" for ending, n in endings.most_common(8))


def _same(file: Path, other: Path) -> bool:
    """Whether two files have the same content."""
    try:
        return cmp(file, other, shallow=False)
    except OSError:  # one of them is not there
        return False
