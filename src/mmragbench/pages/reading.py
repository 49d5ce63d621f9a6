"""A PDF file read: its pages' text, and its figures as picture files; what can't be read, by name.

PDF files are untrusted: their size, the number of pages, the text of a page, the figures of a page
and the pixels of a figure are limited here, decompression and nesting by pypdf's own limits.
Nothing in them is run, and no link is followed. There is no OCR: a scan is a figure, not a text.
Drawings (vector graphics) are not figures.
"""

from __future__ import annotations

import io
import json
import logging
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mmragbench.cache import write_atomically
from mmragbench.errors import MissingExtra
from mmragbench.identity import code_digest, digest
from mmragbench.intake import MAX_PIXELS
from mmragbench.pages.captions import belonging
from mmragbench.pages.layout import Layout, Placement, lay_out
from mmragbench.pages.passages import joined
from mmragbench.records import Exclusion

if TYPE_CHECKING:
    import PIL.Image

MAX_BYTES = 256 * 2**20
"""Of a file."""
MAX_CHARACTERS = 200_000
"""Of a page's text."""
MAX_FIGURES = 200
"""Pictures that a page draws."""


class Limits(NamedTuple):
    """What is too much or too small.

    Attributes:
        pages: of a file, at most.
        side: pixels of a figure's shorter side, at least: icons, rules and logos are no figures.
    """

    pages: int = 500
    side: int = 64


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure: its number on the page (in drawing order, from 1), its file's name in the folder of
    figures, and its caption, empty if there is none."""

    number: int
    file: str
    caption: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its number (from 1), its text without the captions of figures, and its figures."""

    number: int
    text: str
    figures: tuple[Figure, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file gave, and what it could not give. An exclusion's id is the file's name, and for
    a page `<name>#p<page>`, for a figure `<name>#p<page>-fig<number>`."""

    pages: tuple[Page, ...]
    exclusions: tuple[Exclusion, ...] = ()


class _Refused(Exception):
    """Something that can't be used, and the kind of reason that it is counted by."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind, self.detail = kind, detail


def read(path: Path, name: str, folder: Path, limits: Limits) -> Reading:
    """Read a file, or look it up: a file with the same bytes is read once.

    Args:
        path: the file.
        name: what it is called in ids.
        folder: where figures are written, under their content's name, and readings are kept.
        limits: what is too much or too small.

    Raises:
        MissingExtra: pypdf is not installed.
    """
    try:
        data = _bytes(path)
        stored = folder / "readings" / f"{_key(data, limits)}.json"
        reading = _remembered(stored, folder)
        if reading is None:
            with _quiet():
                reading = _read(_open(data, limits), folder, limits)
            write_atomically(stored, json.dumps(asdict(reading), ensure_ascii=True))
    except _Refused as refusal:
        reading = Reading((), (Exclusion(refusal.kind, "", refusal.detail),))
    named = (replace(e, id=f"{name}{e.id}") for e in reading.exclusions)
    return replace(reading, exclusions=tuple(named))


def _bytes(path: Path) -> bytes:
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode):
            raise _Refused("not a PDF", "it is not a regular file")
        if found.st_size > MAX_BYTES:
            raise _Refused("PDF too large", f"{found.st_size:,} bytes, at most {MAX_BYTES:,}")
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise _Refused("unreadable file", getattr(error, "strerror", None) or str(error)) from error
    if not data:
        raise _Refused("empty file", "it has no bytes")
    return data


def _key(data: bytes, limits: Limits) -> str:
    """What a reading depends on: the file, the limits, this code and the libraries that read."""
    import PIL

    code = [code_digest(part) for part in (_read, lay_out, belonging, joined)]
    versions = [_pypdf().__version__, PIL.__version__]
    return digest([sha256(data).hexdigest(), limits, code, versions])


def _remembered(stored: Path, folder: Path) -> Reading | None:
    """An earlier reading, if all of its figures are still there."""
    try:
        plain = json.loads(stored.read_bytes())
    except (OSError, ValueError):
        return None
    pages = tuple(
        Page(page["number"], page["text"], tuple(Figure(**figure) for figure in page["figures"]))
        for page in plain["pages"]
    )
    if any(not (folder / figure.file).is_file() for page in pages for figure in page.figures):
        return None
    return Reading(pages, tuple(Exclusion(**exclusion) for exclusion in plain["exclusions"]))


def _pypdf() -> Any:
    try:
        import pypdf
    except ModuleNotFoundError as error:
        raise MissingExtra("pypdf", "pdf") from error
    return pypdf


@contextmanager
def _quiet() -> Iterator[None]:
    """pypdf logs every flaw that it reads over; what matters here becomes an exclusion."""
    logger = logging.getLogger("pypdf")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _open(data: bytes, limits: Limits) -> Sequence[Any]:
    """The pages of a file; a file that opens without a password counts as open."""
    pypdf = _pypdf()
    try:
        pages: Sequence[Any] = pypdf.PdfReader(io.BytesIO(data), strict=False).pages
        n = len(pages)
    except (pypdf.errors.FileNotDecryptedError, pypdf.errors.DependencyError) as error:
        raise _Refused("encrypted PDF", _one_line(error)) from error
    except MemoryError:
        raise
    except Exception as error:  # on broken bytes a parser may raise anything
        kind = "damaged PDF" if b"%PDF-" in data[:1024] else "not a PDF"
        raise _Refused(kind, _one_line(error)) from error
    if n > limits.pages:
        raise _Refused("too many pages", f"{n:,} pages, at most {limits.pages:,}")
    return pages


def _read(pages: Sequence[Any], folder: Path, limits: Limits) -> Reading:
    read: list[Page] = []
    excluded: list[Exclusion] = []
    for number in range(1, len(pages) + 1):
        refused, page = _or_refusal(partial(_page, pages, number, folder, limits))
        if page:
            read.append(page[0])
            excluded += page[1]
        if refused:
            kind = refused.kind or "damaged page"
            excluded.append(Exclusion(kind, f"#p{number}", refused.detail))
    if not any(page.text for page in read):
        pictures = sum(len(page.figures) for page in read)
        what = "figures only" if pictures else "nothing to read"
        reason = f"{what} (pages: {len(pages):,}); drawings are not read, and there is no OCR"
        kind = "PDF without text" if pictures else "empty PDF"
        excluded.append(Exclusion(kind, "", reason))
    return Reading(tuple(read), tuple(excluded))


def _or_refusal(work: Callable[[], Any]) -> tuple[_Refused | None, Any]:
    """What a piece of work gives, or why it gives nothing."""
    try:
        return None, work()
    except _Refused as refusal:
        return refusal, None
    except MemoryError:
        raise
    except Exception as error:  # on broken bytes a parser may raise anything
        return _Refused("", _one_line(error)), None


def _page(
    pages: Sequence[Any], number: int, folder: Path, limits: Limits
) -> tuple[Page, list[Exclusion]]:
    page = pages[number - 1]
    layout = lay_out(page)
    excluded: list[Exclusion] = []
    if len(layout.placements) > MAX_FIGURES:
        detail = f"{len(layout.placements):,} on the page, at most {MAX_FIGURES:,}; none is taken"
        excluded.append(Exclusion("too many figures", f"#p{number}", detail))
        layout = replace(layout, placements=[])
    own = belonging(layout)
    figures: list[Figure] = []
    used: set[int] = set()
    for i, placement in enumerate(layout.placements):
        refused, file = _or_refusal(partial(_figure, page, placement, folder, limits))
        if refused:
            kind, id = refused.kind or "damaged figure", f"#p{number}-fig{i + 1}"
            excluded.append(Exclusion(kind, id, refused.detail))
            continue
        figures.append(Figure(i + 1, file, own[i].text if i in own else ""))
        used |= set(range(own[i].first, own[i].end)) if i in own else set()
    text = _text(layout, used)
    if len(text) > MAX_CHARACTERS:
        detail = f"{len(text):,} characters, at most {MAX_CHARACTERS:,}; its text is left out"
        excluded.append(Exclusion("page too long", f"#p{number}", detail))
        text = ""
    return Page(number, text, tuple(figures)), excluded


def _text(layout: Layout, used: set[int]) -> str:
    """A page's text without the captions that figures have, so that nothing stands there twice."""
    return joined([line.text for i, line in enumerate(layout.lines) if i not in used])


def _figure(page: Any, placement: Placement, folder: Path, limits: Limits) -> str:
    """Write a figure under the name of its content; the file's name."""
    *_, name = placement.key
    declared = _declared(page, placement)
    if declared and declared[0] * declared[1] > MAX_PIXELS:
        raise _Refused("image too large", f"{_size(declared)}, at most {MAX_PIXELS:,} pixels")
    if declared and min(declared) < limits.side:
        raise _small(declared, limits)
    found = page.images[name if len(placement.key) == 1 else placement.key]
    if found.image is None:
        raise _Refused("damaged figure", "it does not decode")
    if min(found.image.size) < limits.side:
        raise _small(found.image.size, limits)
    content = _png(found.image)
    file = f"{sha256(content).hexdigest()}.png"
    if not (folder / file).is_file():
        write_atomically(folder / file, content)
    return file


def _small(size: tuple[int, int], limits: Limits) -> _Refused:
    return _Refused("small figure", f"{_size(size)}, at least {limits.side} along each side")


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]:,} x {size[1]:,} pixels"


def _declared(page: Any, placement: Placement) -> tuple[int, int] | None:
    """The size that a picture declares, known before it is decoded; None for an inline one."""
    holder = page
    for name in placement.key:
        if name.startswith("~"):
            return None
        holder = holder["/Resources"]["/XObject"][name].get_object()
    return int(holder["/Width"]), int(holder["/Height"])


def _png(picture: PIL.Image.Image) -> bytes:
    """The pixels as they were decoded, in a format that loses nothing."""
    if picture.mode not in ("1", "L", "LA", "P", "RGB", "RGBA"):
        picture = picture.convert("RGB")
    content = io.BytesIO()
    picture.save(content, "PNG", compress_level=3)
    return content.getvalue()


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
