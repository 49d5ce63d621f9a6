"""Flickr8k and Flickr30k: a file of captions, a folder of images, lists that name the splits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from mmragbench._printable import quoted
from mmragbench.data.coco_tasks import build_tasks
from mmragbench.data.entries import Entry, Limit, Sample
from mmragbench.data.exclusions import Excluded
from mmragbench.data.intake import check_root
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

_EXPECTED = "CSV with the header image,caption, or lines like name.jpg#0<TAB>caption"
_TOKEN = re.compile(r"(?P<image>.+)#(?P<number>\d+)\t(?P<caption>.*)", re.DOTALL)


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
        limit: Limit | None = None,
        memory_limit: Limit | None = None,
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
        check_root(self.root)
        captions, excluded = read_captions(self.root / self.captions)
        queries, memory = (
            [
                Entry(name, self.root / self.images, name, tuple(captions.get(name, ())))
                for name in _listed(self.root / split, captions)
            ]
            for split in (self.queries, self.memory)
        )
        left = Excluded()
        left.add("lines of captions", sum(map(len, captions.values())), excluded)
        return build_tasks(queries, memory, self.sample, left)


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
        found = _TOKEN.fullmatch(line)
        if found:
            yield number, found["image"], f"{found['image']}#{found['number']}", found["caption"]
        elif line.strip():
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
