"""Flickr8k and Flickr30k: a file of captions, a folder of images, lists that name the splits."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from mmragbench.errors import DataError
from mmragbench.exclusions import Excluded
from mmragbench.pictures import Entry, Sample, pose
from mmragbench.records import Exclusion, Task
from mmragbench.registry import dataset

Captions = dict[str, list[tuple[str, object]]]
"""Image -> (caption id, caption), in the order of the file."""

_TOKEN = re.compile(r"(?P<image>.+)#(?P<number>\d+)\t(?P<caption>.*)")


@dataset
class Flickr:
    """Flickr8k or Flickr30k: captions as CSV or token file, split lists, a folder of images."""

    def __init__(
        self,
        root: Path,
        captions: Path = Path("captions.txt"),
        images: Path = Path("images"),
        queries: Path = Path("splits/dev.txt"),
        memory: Path = Path("splits/train.txt"),
        limit: int | None = None,
        memory_limit: int | None = None,
        seed: int = 0,
    ) -> None:
        """Nothing is read before `tasks`. Relative paths start at the root.

        Args:
            root: the folder that everything lies in.
            captions: CSV with the header `image,caption`, or lines `name.jpg#0<TAB>caption`.
            images: the folder of the image files.
            queries: the list of the query images, one file name a line.
            memory: the list of the memory images.
            limit: how many query images to draw; all by default.
            memory_limit: how many memory images to draw; all by default.
            seed: for the draws.
        """
        self.root = Path(root).expanduser()
        self.captions = captions
        self.images = images
        self.queries = queries
        self.memory = memory
        self.sample = Sample(limit, memory_limit, seed)

    def tasks(self) -> dict[str, Task]:
        """Text-to-image, image-to-text, captioning and image-generation.

        Image ids are file names; caption ids are `<image>#<number>`, numbered from 0.

        Raises:
            DataError: a file is missing or not what it should be, a split has no usable image,
                or the splits share one.
        """
        captions, excluded = read_captions(self.root / self.captions)
        queries, memory = (
            [
                Entry(name, self.root / self.images, name, tuple(captions.get(name, ())))
                for line in _lines(self.root / split, "a list of file names, one a line")
                if (name := line.strip())
            ]
            for split in (self.queries, self.memory)
        )
        left = Excluded()
        left.add("lines of captions", sum(map(len, captions.values())), excluded)
        return pose(queries, memory, self.sample, left)


def read_captions(path: Path) -> tuple[Captions, list[Exclusion]]:
    """All captions by image, and the lines that are none.

    Raises:
        DataError: the file is missing, or neither CSV nor a token file.
    """
    lines = _lines(path, "captions")
    header = [name.strip().lower() for name in lines[0].split(",")] if lines else []
    if header == ["image", "caption"]:
        return _from_csv(path, lines)
    if lines and _TOKEN.fullmatch(lines[0]):
        return _from_tokens(path, lines)
    raise DataError(
        f"{path}: expected CSV with the header image,caption, or lines like name.jpg#0<TAB>caption"
    )


def _from_csv(path: Path, lines: Sequence[str]) -> tuple[Captions, list[Exclusion]]:
    captions: Captions = {}
    excluded: list[Exclusion] = []
    for number, row in _rows(path, lines):
        if len(row) < 2:
            excluded.append(_broken(path, number))
        elif row:
            own = captions.setdefault(row[0], [])
            own.append((f"{row[0]}#{len(own)}", ",".join(row[1:])))  # commas may lack quotes
    return captions, excluded


def _rows(path: Path, lines: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    rows = csv.reader(f"{line}\n" for line in lines)
    try:
        next(rows)
        for row in rows:
            if row:
                yield rows.line_num, row
    except csv.Error as error:
        raise DataError(f"{path}, line {rows.line_num}: not CSV ({error})") from error


def _from_tokens(path: Path, lines: Sequence[str]) -> tuple[Captions, list[Exclusion]]:
    captions: Captions = {}
    excluded: list[Exclusion] = []
    for number, line in enumerate(lines, 1):
        found = _TOKEN.fullmatch(line)
        if found:
            own = captions.setdefault(found["image"], [])
            own.append((f"{found['image']}#{found['number']}", found["caption"]))
        elif line.strip():
            excluded.append(_broken(path, number))
    return captions, excluded


def _broken(path: Path, number: int) -> Exclusion:
    return Exclusion("broken annotation", f"{path.name}:{number}", "not an image and a caption")


def _lines(path: Path, what: str) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); expected {what}") from error
    except ValueError as error:
        raise DataError(f"{path} is not UTF-8 text; expected {what}") from error
