"""PDF files: turned, nested, locked, of odd numbers, damaged and cut off."""

from __future__ import annotations

import io
import random
from pathlib import Path

import PIL.Image
from pypdf import PdfWriter
from pypdf.generic import ArrayObject, FloatObject, NameObject, NumberObject
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from doors import Outcome

VALUES = (b"99999999999999999999", b"-1", b"0", b"1e400", b"nan", b"null", b"<<>>", b"[]", b"(x", b"/X",
          b"<ff", b"true", b"1 0 R", b"999 0 R", b"-0.0000001", b"4294967296", b"endobj", b">>")  # fmt: skip
FILTERS = ("/FlateDecode", "/LZWDecode", "/ASCII85Decode", "/DCTDecode", "/JPXDecode", "/RunLengthDecode",
           "/CCITTFaxDecode", "/JBIG2Decode", "/Crypt", "/Nothing")  # fmt: skip


def make(rng: random.Random, folder: Path) -> None:
    """One file; `pages` says how many a whole one has."""
    pages = rng.randint(1, 3)
    data = _drawn(rng, pages)
    whole = rng.random() < 0.25
    if rng.random() < 0.7:
        data = _edited(rng, data, whole)
    if not whole:
        harm = rng.choice([_cut, _flip, _value, _value, _splice, _other])
        data = harm(rng, data)
    (folder / "pages").write_text(str(pages) if whole else "")
    (folder / "a.pdf").write_bytes(data)


def enter(folder: Path) -> Outcome:
    """As a data set reads it; a page that gives nothing is named, or the file is."""
    from mmragbench.data.pdf import Limits, read

    reading = read(folder / "a.pdf", "a.pdf", folder / "figures", Limits(side=4))
    for exclusion in reading.exclusions:
        assert len(exclusion.reason) < 500, exclusion
        assert "\n" not in exclusion.reason, exclusion
    for page in reading.pages:
        for figure in page.figures:
            with PIL.Image.open(folder / "figures" / figure.file) as picture:
                picture.load()
    assert reading.pages or reading.exclusions
    given = (folder / "pages").read_text()
    if not given:
        return Outcome(None, len(reading.pages), len(reading.exclusions))
    pages = {e.id for e in reading.exclusions if e.id.partition("#p")[2].isdigit()}
    return Outcome(int(given), len(reading.pages), len(pages))


def _drawn(rng: random.Random, pages: int) -> bytes:
    content = io.BytesIO()
    canvas = Canvas(content, pagesize=(400, 300), invariant=1, pageCompression=rng.randint(0, 1))
    for number in range(pages):
        for _ in range(rng.randint(0, 3)):
            canvas.saveState()
            canvas.translate(rng.randint(-50, 400), rng.randint(-50, 300))
            canvas.transform(*(rng.choice([-1, 0, 0.5, 1, 1e-9]) for _ in range(4)), 0, 0)
            if rng.random() < 0.3:
                path = canvas.beginPath()
                path.rect(0, 0, rng.randint(-9, 60), rng.randint(-9, 60))
                canvas.clipPath(path, stroke=0)
            picture = _picture(rng)
            form = f"form{number}"
            if rng.random() < 0.3 and not canvas.hasForm(form):
                canvas.beginForm(form)
                canvas.drawImage(picture, 0, 0, 50, 40)
                canvas.endForm()
                canvas.doForm(form)
            else:
                canvas.drawImage(picture, 0, 0, 50, 40)
            canvas.restoreState()
        for line in range(rng.randint(0, 4)):
            text = rng.choice(
                ["Figure 1: A thing", "Table 2. Things", "Some words", "(((", "\xe4\xf6"]
            )
            canvas.drawString(50, 40 + 14 * line, text)
        canvas.showPage()
    canvas.save()
    return content.getvalue()


def _picture(rng: random.Random) -> ImageReader:
    mode = rng.choice(["RGB", "L", "1", "CMYK", "RGBA"])
    return ImageReader(PIL.Image.new(mode, (rng.randint(1, 20), rng.randint(1, 20))))


def _edited(rng: random.Random, data: bytes, whole: bool) -> bytes:
    """Turned pages, and odd boxes and keys; locked; both as a program would write them."""
    writer = PdfWriter(clone_from=io.BytesIO(data))
    for page in writer.pages:
        page[NameObject("/Rotate")] = NumberObject(rng.choice([0, 90, 180, 270, -90, 450, 37]))
        if rng.random() < 0.2:
            numbers = [FloatObject(rng.choice([0, -5, 100, 300, 1e9])) for _ in range(4)]
            page[NameObject("/CropBox")] = ArrayObject(numbers)
    if rng.random() < 0.2:
        algorithm = rng.choice(["RC4-40", "RC4-128", "AES-128", "AES-256"])
        password = "" if whole else rng.choice(["", "secret"])
        writer.encrypt(password, "owner", algorithm=algorithm)
    content = io.BytesIO()
    writer.write(content)
    return content.getvalue()


def _cut(rng: random.Random, data: bytes) -> bytes:
    return data[: rng.randint(0, len(data))]


def _flip(rng: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randint(1, 20)):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def _value(rng: random.Random, data: bytes) -> bytes:
    """Another value for some key's, often of another type."""
    keys = [b"/Width", b"/Height", b"/Rotate", b"/Length", b"/Matrix", b"/BBox", b"/Kids", b"/Count",
            b"/Resources", b"/XObject", b"/Subtype", b"/ColorSpace", b"/BitsPerComponent", b"/Filter",
            b"/MediaBox", b"/Contents", b"/Font", b"/SMask", b"/Root", b"/Type", b" cm", b" Do"]  # fmt: skip
    for _ in range(rng.randint(1, 3)):
        key = rng.choice(keys)
        at = data.find(key, rng.randrange(len(data)))
        if at >= 0:
            value = rng.choice([*VALUES, *(name.encode() for name in FILTERS)])
            data = (
                data[: at + len(key)]
                + b" "
                + value
                + b" "
                + data[at + len(key) + rng.randint(0, 6) :]
            )
    return data


def _splice(rng: random.Random, data: bytes) -> bytes:
    at, to = (rng.randint(0, len(data)) for _ in range(2))
    return data[:at] + data[to:] + rng.randbytes(rng.randint(0, 40))


def _other(rng: random.Random, data: bytes) -> bytes:
    return rng.choice(
        [b"", b"%PDF-1.7\n", b"<html>", b"%PDF-9.9\n" + rng.randbytes(300), b"\0" * 2000 + data]
    )
