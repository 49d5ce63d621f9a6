"""Reader of a PDF file: its pages' text, its figures as picture files, and what could not be read.

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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from mmragbench.cache.cache import read_checked, write_checked
from mmragbench.cache.identity import code_digest, digest
from mmragbench.data.pdf.figure_captions import belonging
from mmragbench.data.pdf.figure_files import save_figure
from mmragbench.data.pdf.page_layout import Layout, lay_out
from mmragbench.data.pdf.passages import joined
from mmragbench.data.pdf.refusal import Refused, or_refusal
from mmragbench.errors import MissingExtra, first_line
from mmragbench.records import Exclusion

MAX_BYTES = 256 * 2**20
"""The largest file that is read."""
MAX_CHARACTERS = 200_000
"""The longest text of a page."""
MAX_FIGURES = 200
"""The most pictures of a page."""


class Limits(NamedTuple):
    """Limits on a file and on its figures.

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
    """The pages of a file, and what could not be used. An exclusion's id is the file's name, and for
    a page `<name>#p<page>`, for a figure `<name>#p<page>-fig<number>`."""

    pages: tuple[Page, ...]
    exclusions: tuple[Exclusion, ...] = ()


def read(path: Path, name: str, folder: Path, limits: Limits) -> Reading:
    """Read a file, or look it up: a file with the same bytes is read once.

    Args:
        path: the file.
        name: its name in ids.
        folder: where figures are written, under their content's name, and readings are kept.
        limits: on the file and its figures.

    Raises:
        MissingExtra: pypdf is not installed.
    """
    try:
        data = _bytes(path)
        stored = folder / "readings" / f"{_key(data, limits)}.checked"
        reading = _stored_reading(stored, folder)
        if reading is None:
            with _quiet():
                reading = _read(_open(data, limits), folder, limits)
            write_checked(stored, json.dumps(asdict(reading), ensure_ascii=True).encode())
    except Refused as refusal:
        reading = Reading((), (Exclusion(refusal.kind, "", refusal.detail),))
    named = (replace(e, id=f"{name}{e.id}") for e in reading.exclusions)
    return replace(reading, exclusions=tuple(named))


def _bytes(path: Path) -> bytes:
    """The content of a file.

    Raises:
        Refused: it is no regular file, too large, empty, or cannot be read.
    """
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise Refused("not a PDF", "it is not a regular file")
        if status.st_size > MAX_BYTES:
            raise Refused("PDF too large", f"{status.st_size:,} bytes, at most {MAX_BYTES:,}")
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise Refused("unreadable file", getattr(error, "strerror", None) or str(error)) from error
    if not data:
        raise Refused("empty file", "it has no bytes")
    return data


def _key(data: bytes, limits: Limits) -> str:
    """The digest of all that a reading depends on: file, limits, this code and the libraries."""
    import PIL

    code = [code_digest(part) for part in (_read, lay_out, belonging, joined, save_figure)]
    versions = [_pypdf().__version__, PIL.__version__]
    return digest([sha256(data).hexdigest(), limits, code, versions])


def _stored_reading(stored: Path, folder: Path) -> Reading | None:
    """The stored reading; None without one, or where one of its figures is gone."""
    content = read_checked(stored)
    if content is None:
        return None
    plain = json.loads(content)
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
    """Silences pypdf, which logs every flaw that it tolerates; those that matter are exclusions."""
    logger = logging.getLogger("pypdf")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _open(data: bytes, limits: Limits) -> Sequence[Any]:
    """The pages of a file; an encrypted one is read if it opens without a password."""
    pypdf = _pypdf()
    if b"/Encrypt" in data and not find_spec("cryptography"):
        raise MissingExtra("cryptography", "pdf")  # without it, AES reads as damage
    try:
        pages: Sequence[Any] = pypdf.PdfReader(io.BytesIO(data), strict=False).pages
        n = len(pages)
    except pypdf.errors.FileNotDecryptedError as error:
        raise Refused("encrypted PDF", "it wants a password; save it without one") from error
    except MemoryError:
        raise
    except Exception as error:  # on broken bytes a parser may raise anything
        kind = "damaged PDF" if b"%PDF-" in data[:1024] else "not a PDF"
        raise Refused(kind, first_line(error)) from error
    if n > limits.pages:
        raise Refused("too many pages", f"{n:,} pages, at most {limits.pages:,}")
    return pages


def _read(pages: Sequence[Any], folder: Path, limits: Limits) -> Reading:
    """The reading of an open file."""
    read: list[Page] = []
    excluded: list[Exclusion] = []
    for number in range(1, len(pages) + 1):
        reading = or_refusal(partial(_page, pages, number, folder, limits))
        if isinstance(reading, Refused):
            kind = reading.kind or "damaged page"
            excluded.append(Exclusion(kind, f"#p{number}", reading.detail))
            continue
        read.append(reading.page)
        excluded += reading.exclusions
    if not any(page.text for page in read):
        pictures = sum(len(page.figures) for page in read)
        what = "figures only" if pictures else "nothing to read"
        reason = f"{what} (pages: {len(pages):,}); drawings are not read, and there is no OCR"
        kind = "PDF without text" if pictures else "empty PDF"
        excluded.append(Exclusion(kind, "", reason))
    return Reading(tuple(read), tuple(excluded))


class PageReading(NamedTuple):
    """A page, and what of it could not be used."""

    page: Page
    exclusions: list[Exclusion]


def _page(pages: Sequence[Any], number: int, folder: Path, limits: Limits) -> PageReading:
    """The reading of a page, whose number counts from 1."""
    page = pages[number - 1]
    layout = lay_out(page)
    excluded: list[Exclusion] = []
    if layout.unreached:
        detail = f"{layout.unreached:,} inside of forms, which are not read"
        excluded.append(Exclusion("inline figures", f"#p{number}", detail))
    if len(layout.placements) > MAX_FIGURES:
        detail = f"{len(layout.placements):,} on the page, at most {MAX_FIGURES:,}; none is taken"
        excluded.append(Exclusion("too many figures", f"#p{number}", detail))
        layout = replace(layout, placements=[])
    caption_of = belonging(layout)
    figures: list[Figure] = []
    used: set[int] = set()
    for i, placement in enumerate(layout.placements):
        file = or_refusal(partial(save_figure, page, placement, folder, limits.side))
        if isinstance(file, Refused):
            kind, id = file.kind or "damaged figure", f"#p{number}-fig{i + 1}"
            excluded.append(Exclusion(kind, id, file.detail))
            continue
        caption = caption_of.get(i)
        figures.append(Figure(i + 1, file, caption.text if caption else ""))
        used |= set(range(caption.first, caption.end)) if caption else set()
    text = _text(layout, used)
    if len(text) > MAX_CHARACTERS:
        detail = f"{len(text):,} characters, at most {MAX_CHARACTERS:,}; its text is left out"
        excluded.append(Exclusion("page too long", f"#p{number}", detail))
        text = ""
    return PageReading(Page(number, text, tuple(figures)), excluded)


def _text(layout: Layout, used: set[int]) -> str:
    """A page's text without the captions of its figures, which would be there twice."""
    return joined([line.text for i, line in enumerate(layout.lines) if i not in used])
