"""Flickr8k and Flickr30k: a file of captions, a folder of images, lists that name the splits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from mmragbench._printable import quoted
from mmragbench.contracts import Requirement
from mmragbench.data.coco_tasks import OUTPUTS, build_tasks
from mmragbench.data.entries import Entry, Limit, Sample
from mmragbench.data.exclusions import Excluded
from mmragbench.data.files import required_folder
from mmragbench.data.splits import REST, warn_of_rest
from mmragbench.errors import DataError, listed
from mmragbench.formats.csv_rows import NULLS, read_csv
from mmragbench.formats.text_lines import read_lines
from mmragbench.formats.values import as_id
from mmragbench.records import Exclusion, Task
from mmragbench.registry import dataset

Captions = dict[str, list[tuple[str, object]]]
"""Image -> (caption id, caption), in the order of the file."""

Line = tuple[int, str, str, str | None]
"""Its number, the image, the caption's id ("" where the file has none), the caption (None: none)."""

QUERY_LISTS = (
    "splits/dev.txt", "splits/val.txt", "splits/test.txt", "test.txt", "val.txt", "dev.txt",
    "Flickr_8k.devImages.txt", "Flickr_8k.testImages.txt",
)  # fmt: skip
MEMORY_LISTS = ("splits/train.txt", "train.txt", "Flickr_8k.trainImages.txt")
"""Usual names of the lists that name the splits; the first that is there is taken."""

_EXPECTED = "CSV with the header image,caption, or lines like name.jpg#0<TAB>caption"
_BARS = re.compile(r"image_name\s*\|\s*comment_number\s*\|\s*comment\s*")
"""The header of Flickr30k's `results.csv`."""
_TOKEN = re.compile(r"(?P<image>.+)#(?P<number>\d+)\t(?P<caption>.*)", re.DOTALL)


@dataset
class Flickr:
    """Flickr8k or Flickr30k: captions as CSV or token file, split lists, a folder of images."""

    outputs = OUTPUTS

    def __init__(
        self,
        root: Path,
        captions: Path = Path("captions.txt"),
        images: Path = Path("images"),
        queries: Path | None = None,
        memory: Path | Literal["rest"] | None = None,
        limit: Limit | None = None,
        memory_limit: Limit | None = None,
        seed: int = 0,
    ) -> None:
        """Nothing is read before `tasks`. Relative paths start at the root.

        Args:
            root: the folder that everything lies in.
            captions: CSV with the header `image,caption`, lines `name.jpg#0<TAB>caption`, or
                Flickr30k's `results.csv` (`image_name| comment_number| comment`).
            images: the folder of the image files.
            queries: the list of the query images, one file name a line; by default `splits/dev.txt`, or
                another usual one; without one, the memory's list, or all images with captions.
            memory: the list of the memory images; by default `splits/train.txt`, without it `rest`:
                what the draw leaves of the query images.
            limit: how many query images to draw; by default all, beside the memory `rest` a fifth
                (50 or a half of few images, at most 1,000).
            memory_limit: how many memory images to draw; all by default.
            seed: for the draws.
        """
        self.root = Path(root).expanduser()
        self.captions = captions
        self.images = images
        self.queries = queries
        self.memory = memory
        self.sample = Sample(limit, memory_limit, seed)

    def requirements(self) -> list[Requirement]:
        """The folder, where it is not there."""
        lists = [name for name in (self.queries, self.memory) if name is not None and name != REST]
        return required_folder(self.root, [self.captions, self.images, *lists])

    def tasks(self) -> dict[str, Task]:
        """Text-to-image, image-to-text, captioning and image-generation.

        Image ids are file names; caption ids are `<image>#<number>`, numbered from 0.

        Raises:
            DataError: a file is missing or not what it should be, a split has no usable image,
                or the splits share one.
        """
        captions, excluded = read_captions(self.root / self.captions)
        query_list, memory_list = self.splits()
        if self.memory is None and memory_list == REST:
            warn_of_rest(self.root)
        queries = self.entries(query_list, captions)
        memory = None if memory_list == REST else self.entries(memory_list, captions)
        left = Excluded()
        left.add("lines of captions", sum(map(len, captions.values())), excluded)
        return build_tasks(queries, memory, self.sample, left)

    def splits(self) -> tuple[Path | None, Path | Literal["rest"]]:
        """The lists of the query and memory images; None stands for all images with captions."""
        own_memory = None if self.memory == REST else self.memory
        memory = own_memory or self._present(MEMORY_LISTS)
        queries = self.queries or self._present(QUERY_LISTS)
        if self.memory == REST or memory is None or queries is None:
            return queries or memory, REST
        return queries, memory

    def _present(self, lists: Sequence[str]) -> Path | None:
        return next((Path(name) for name in lists if (self.root / name).is_file()), None)

    def entries(self, split: Path | None, captions: Captions) -> list[Entry]:
        """The images of a list, or all images with captions."""
        names = list(captions) if split is None else _listed(self.root / split, captions)
        folder = self.root / self.images
        return [Entry(name, folder, name, tuple(captions.get(name, ()))) for name in names]


def _listed(path: Path, captions: Captions) -> list[str]:
    """The names of a list, of which one at least must have captions."""
    lines = read_lines(path, "a list of file names, one a line")
    names = [name for _, line in lines if (name := line.strip())]
    if not names:
        raise DataError(f"{path} is empty; expected a list of file names, one a line")
    if not any(name in captions for name in names):
        raise DataError(
            f"{path}: not one of its {len(names):,} names has a caption: it has "
            f"{listed(names, 1)}, the captions have {listed(captions, 1) or 'none'}; do they "
            "agree?"
        )
    return names


def read_captions(path: Path) -> tuple[Captions, list[Exclusion]]:
    """All captions by image, and the lines that are none.

    Raises:
        DataError: the file is missing, not UTF-8, or neither CSV nor a token file.
    """
    first = next((line for _, line in read_lines(path, _EXPECTED) if line.strip()), "")
    if _TOKEN.fullmatch(first):
        return _captions(path, _tokens(path))
    if _BARS.fullmatch(first):
        return _captions(path, _bars(path))
    header, rows = read_csv(path, _EXPECTED, "image")
    if [name.lower() for name in header] != ["image", "caption"]:
        raise DataError(
            f"{path}: its columns are {quoted(', '.join(header))}; expected {_EXPECTED}"
        )
    return _captions(path, ((number, row[0], "", _caption(row[1:])) for number, row in rows))


def _caption(fields: Sequence[str]) -> str | None:
    """A caption, whose commas may lack quotes; None for no field, or a word for nothing."""
    caption = ",".join(fields)
    return caption if fields and caption not in NULLS else None


def _tokens(path: Path) -> Iterable[Line]:
    for number, line in read_lines(path, _EXPECTED):
        match = _TOKEN.fullmatch(line)
        if match:
            yield number, match["image"], f"{match['image']}#{match['number']}", match["caption"]
        elif line.strip():
            yield number, "", "", None


def _bars(path: Path) -> Iterable[Line]:
    for number, line in read_lines(path, _EXPECTED):
        image, order, caption = (*map(str.strip, line.split("|", 2)), "", "")[:3]
        if order.isdecimal():
            yield number, image, f"{image}#{order}", caption
        elif line.strip() and not _BARS.fullmatch(line):
            yield number, "", "", None


def _captions(path: Path, lines: Iterable[Line]) -> tuple[Captions, list[Exclusion]]:
    captions: Captions = {}
    excluded: list[Exclusion] = []
    for number, image, id, caption in lines:
        if caption is None or as_id(image) is None:
            where, reason = f"{path.name}:{number}", "not an image and a caption"
            excluded.append(Exclusion("broken annotation", where, reason))
        else:
            own = captions.setdefault(image, [])
            own.append((id or f"{image}#{len(own)}", caption))
    return captions, excluded
