"""PDF files read: text and figures, each once and under lasting names; what can't be read, by name."""

from __future__ import annotations

import io
import zlib

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject, NumberObject

from mmragbench.data.pdf import Limits, read
from mmragbench.data.pdf import pdf_reader as module
from support import papers
from support.papers import LEFT, figure, paper, picture, show, write

LIMITS = Limits()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "figures"


def kinds(found) -> list[tuple[str, str]]:
    return [(exclusion.kind, exclusion.id) for exclusion in found.exclusions]


def test_a_page_gives_its_text_and_its_figures(tmp_path, folder):
    """Text in reading order, figures in drawing order, the caption with its figure alone."""

    def draw(canvas):
        write(canvas, LEFT, 780, ["One line.", "Another line."])
        figure(canvas, "red", "Figure 1: A red thing", 500)
        write(canvas, LEFT, 440, ["The end."])

    found = read(paper(tmp_path / "a.pdf", draw), "a.pdf", folder, LIMITS)
    (page,) = found.pages
    assert (page.number, page.text) == (1, "One line. Another line. The end.")
    assert [(f.number, f.caption) for f in page.figures] == [(1, "Figure 1: A red thing")]
    assert not found.exclusions


def test_a_figures_file_holds_its_pixels(tmp_path, folder):
    """Lossless pictures come out pixel for pixel, whatever their mode in the file."""
    from PIL import Image, ImageChops

    for mode in ("1", "L", "P", "RGB"):
        image = Image.linear_gradient("L").resize((90, 70)).convert(mode)
        file = tmp_path / f"{mode}.pdf"
        paper(file, lambda c, i=image: c.drawImage(papers.ImageReader(i), 72, 72, 300, 200))
        (page,) = read(file, "a.pdf", folder, LIMITS).pages
        with Image.open(folder / page.figures[0].file) as stored:
            there = stored.convert("RGB")
        assert ImageChops.difference(there, image.convert("RGB")).getbbox() is None, mode


def test_the_same_bytes_give_the_same_reading(tmp_path, folder):
    """Names of figures are their content's; a second file with these bytes, elsewhere, and a read
    without anything remembered, give the same."""

    def draw(canvas):
        write(canvas, LEFT, 780, ["Some text."])
        figure(canvas, "red", "Fig. 1. Red", 500)

    first = read(paper(tmp_path / "a.pdf", draw), "a.pdf", folder, LIMITS)
    again = read(paper(tmp_path / "b.pdf", draw), "b.pdf", folder, LIMITS)
    anew = read(tmp_path / "b.pdf", "b.pdf", tmp_path / "other", LIMITS)
    assert first == again == anew
    assert len(list(folder.glob("*.png"))) == 1


def test_a_file_is_read_once(tmp_path, folder, monkeypatch):
    """A known file is looked up; if a figure of it is gone, it is read again."""
    path = paper(tmp_path / "a.pdf", lambda canvas: figure(canvas, "red", "Fig. 1: Red", 500))
    first = read(path, "a.pdf", folder, LIMITS)
    with monkeypatch.context() as patch:
        patch.setattr(module, "_open", lambda *_: pytest.fail("it was read again"))
        assert read(path, "a.pdf", folder, LIMITS) == first
    for file in folder.glob("*.png"):
        file.unlink()
    assert read(path, "a.pdf", folder, LIMITS) == first
    assert len(list(folder.glob("*.png"))) == 1


def test_text_that_is_not_ascii_survives(tmp_path, folder):
    """Accents, ligatures (as letters), Greek and Chinese, with embedded and with CID fonts."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont

    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))

    def draw(canvas):
        write(canvas, LEFT, 780, ["Où est la façade? Größe: 3 µm"])
        canvas.setFont("STSong-Light", 12)
        canvas.drawString(LEFT, 700, "红色的房子")

    (page,) = read(paper(tmp_path / "a.pdf", draw), "a.pdf", folder, LIMITS).pages
    assert page.text == "Où est la façade? Größe: 3 µm 红色的房子"


def test_columns_are_read_one_after_the_other(tmp_path, folder):
    """The order of the lines is the file's own: the left column, then the right."""

    def draw(canvas):
        write(canvas, LEFT, 780, ["Left one,", "left two."])
        write(canvas, 320, 780, ["Right one,", "right two."])

    (page,) = read(paper(tmp_path / "a.pdf", draw), "a.pdf", folder, LIMITS).pages
    assert page.text == "Left one, left two. Right one, right two."


def test_what_is_drawn_counts_and_what_lies_about_does_not(tmp_path, folder):
    """A picture drawn twice is one figure; one among the resources that no page draws is none;
    small ones (icons, rules) are named; inline ones and those inside of forms are figures."""

    def draw(canvas):
        write(canvas, LEFT, 800, ["Text."])
        red = papers.ImageReader(picture("red"))
        canvas.drawImage(red, 72, 600, 100, 80)
        canvas.drawImage(red, 72, 400, 200, 160)
        show(canvas, picture("blue", (20, 200)), 400, 600)
        canvas.drawInlineImage(picture("green"), 72, 250, 100, 80)
        canvas.beginForm("form")
        canvas.drawImage(papers.ImageReader(picture("purple")), 0, 0, 90, 90)
        write(canvas, 0, -14, ["Figure 7: Within a form"], 9)
        canvas.endForm()
        canvas.saveState()
        canvas.translate(300, 250)
        canvas.doForm("form")
        canvas.restoreState()

    def bare(canvas):
        write(canvas, LEFT, 780, ["A page that draws nothing."])

    path = paper(tmp_path / "a.pdf", draw, bare)
    writer = PdfWriter(clone_from=path)  # both pages share the first one's resources
    writer.pages[1][NameObject("/Resources")] = writer.pages[0]["/Resources"]
    writer.write(path)
    found = read(path, "a.pdf", folder, LIMITS)
    first, second = found.pages
    assert [f.number for f in first.figures] == [1, 3, 4]
    assert [f.caption for f in first.figures] == ["", "", "Figure 7: Within a form"]
    assert first.text == "Text."
    assert second.figures == ()
    assert kinds(found) == [("small figure", "a.pdf#p1-fig2")]


COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "yellow": (255, 255, 0)}


def corners(file) -> str:
    """The colours in a picture's corners, row by row."""
    from PIL import Image

    named = {colour: name for name, colour in COLOURS.items()}
    with Image.open(file) as opened:
        picture = opened.convert("RGB")
    w, h = picture.size
    return " ".join(named[picture.getpixel((x, y))] for y in (3, h - 4) for x in (3, w - 4))


def four_colours():
    from PIL import Image

    picture = Image.new("RGB", (120, 80))
    for i, colour in enumerate(COLOURS.values()):
        picture.paste(colour, (60 * (i % 2), 40 * (i // 2), 60 + 60 * (i % 2), 40 + 40 * (i // 2)))
    return papers.ImageReader(picture)


SHOWN = {
    "as it is": ((1, 0, 0, 1), "red green blue yellow"),
    "a quarter to the left": ((0, 1, -1, 0), "green yellow red blue"),
    "upside down": ((-1, 0, 0, -1), "yellow blue green red"),
    "a quarter to the right": ((0, -1, 1, 0), "blue red yellow green"),
    "left for right": ((-1, 0, 0, 1), "green red yellow blue"),
    "top for bottom": ((1, 0, 0, -1), "blue yellow red green"),
    "mirrored at one diagonal": ((0, 1, 1, 0), "yellow green blue red"),
    "mirrored at the other": ((0, -1, -1, 0), "red blue green yellow"),
    "askew": ((0.98, 0.17, -0.17, 0.98), "red green blue yellow"),
}


@pytest.mark.parametrize("within", ["page", "form"])
@pytest.mark.parametrize("how", SHOWN)
def test_a_figure_is_as_the_page_shows_it(how, within, tmp_path, folder):
    """Turned and mirrored by the matrices on its way, its own and those of the form that it is in."""
    turn, expected = SHOWN[how]

    def draw(canvas):
        if within == "form":
            canvas.beginForm("form")
            canvas.drawImage(four_colours(), 0, 0, 120, 80)
            canvas.endForm()
        canvas.translate(300, 400)
        canvas.transform(*turn, 0, 0)
        if within == "form":
            canvas.doForm("form")
        else:
            canvas.drawImage(four_colours(), 0, 0, 120, 80)

    (page,) = read(paper(tmp_path / "a.pdf", draw), "a.pdf", folder, LIMITS).pages
    assert corners(folder / page.figures[0].file) == expected


@pytest.mark.parametrize("degrees", [0, 90, 180, 270, -90, 450])
def test_a_page_is_read_as_it_is_turned(degrees, tmp_path, folder):
    """By /Rotate: figures upright, captions below them, whatever way round the page is stored."""

    def draw(canvas):
        canvas.translate(300, 400)
        canvas.rotate(degrees)  # against the page's turn, as programs write landscape pages
        canvas.drawImage(four_colours(), -60, -40, 120, 80)
        write(canvas, -60, -54, ["Figure 1: Four colours"], 9)

    path = paper(tmp_path / "a.pdf", draw)
    writer = PdfWriter(clone_from=path)
    writer.pages[0][NameObject("/Rotate")] = NumberObject(degrees)
    writer.write(path)
    (page,) = read(path, "a.pdf", folder, LIMITS).pages
    assert [figure.caption for figure in page.figures] == ["Figure 1: Four colours"]
    assert corners(folder / page.figures[0].file) == "red green blue yellow"


def test_inline_pictures_of_forms_are_counted(tmp_path, folder):
    """They are not read, and not left out unsaid."""

    def draw(canvas):
        canvas.beginForm("form")
        write(canvas, LEFT, 700, ["Within."])
        for x in (0, 200):
            canvas.drawInlineImage(picture("green"), x, 0, 100, 80)
        canvas.endForm()
        canvas.doForm("form")

    found = read(paper(tmp_path / "a.pdf", draw), "a.pdf", folder, LIMITS)
    assert kinds(found) == [("inline figures", "a.pdf#p1")]
    assert found.exclusions[0].reason == "2 inside of forms, which are not read"


def test_a_figure_is_cropped_as_the_page_crops_it(tmp_path, folder):
    """By a rectangle that confines drawing, in a form too, and by the page's edge; what is restored
    confines no longer; a picture of which nothing shows is named."""
    halves = {"left": (0, 0, 60, 80), "top": (0, 40, 120, 40), "wide": (-5, -5, 200, 200)}

    def draw(canvas):
        write(canvas, LEFT, 800, ["Text."])
        for i, half in enumerate(halves.values()):
            canvas.saveState()
            canvas.translate(100, 100 + 200 * i)
            path = canvas.beginPath()
            path.rect(*half)
            canvas.clipPath(path, stroke=0)
            canvas.drawImage(colours(i), 0, 0, 120, 80)
            canvas.restoreState()
        canvas.drawImage(colours(3), 595 - 60, 700, 120, 80)
        canvas.drawImage(colours(4), 700, 700, 120, 80)

    def colours(i):

        with_a_mark = four_colours()._image.copy()
        with_a_mark.putpixel(
            (30, 20), (i, 0, 0)
        )  # else they would be one picture, drawn five times
        return papers.ImageReader(with_a_mark)

    found = read(paper(tmp_path / "a.pdf", draw), "a.pdf", folder, Limits(side=20))
    files = [folder / figure.file for figure in found.pages[0].figures]
    assert [corners(file) for file in files] == [
        "red red blue blue",
        "red green red green",
        "red green blue yellow",
        "red red blue blue",
    ]
    assert kinds(found) == [("hidden figure", "a.pdf#p1-fig5")]


def encrypted(path, password, algorithm):
    paper(path, lambda canvas: write(canvas, 72, 700, ["Secret."]))
    writer = PdfWriter(clone_from=path)
    writer.encrypt(user_password=password, owner_password="owner", algorithm=algorithm)
    writer.write(path)
    return path


@pytest.mark.parametrize("algorithm", ["RC4-40", "RC4-128", "AES-128", "AES-256-R5", "AES-256"])
def test_a_locked_file_is_named(algorithm, tmp_path, folder):
    """A file that wants a password is excluded; one that any viewer opens without is read."""
    locked = read(encrypted(tmp_path / "a.pdf", "secret", algorithm), "a.pdf", folder, LIMITS)
    assert (locked.pages, kinds(locked)) == ((), [("encrypted PDF", "a.pdf")])
    assert locked.exclusions[0].reason == "it wants a password; save it without one"
    (page,) = read(encrypted(tmp_path / "b.pdf", "", algorithm), "b.pdf", folder, LIMITS).pages
    assert page.text == "Secret."


def test_without_cryptography_the_extra_is_named(tmp_path, folder, monkeypatch):
    """An encrypted file is not called damaged where a package is missing."""
    from mmragbench.errors import MissingExtra

    path = encrypted(tmp_path / "a.pdf", "", "AES-128")
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"cryptography is not installed; .*mmragbench\[pdf\]"):
        read(path, "a.pdf", folder, LIMITS)


def test_what_is_no_pdf_is_named(tmp_path, folder):
    """Empty, missing, a folder, another format, cut off: an exclusion with a reason each."""
    whole = paper(tmp_path / "a.pdf", lambda canvas: figure(canvas, "red", "Fig. 1: Red", 500))
    data = whole.read_bytes()
    (tmp_path / "folder.pdf").mkdir()
    cases = {
        "empty.pdf": (b"", "empty file"),
        "missing.pdf": (None, "unreadable file"),
        "folder.pdf": (None, "not a PDF"),
        "html.pdf": (b"<html>no</html>" * 90, "not a PDF"),
        "cut.pdf": (data[: len(data) // 3], "damaged PDF"),
        "header.pdf": (b"%PDF-1.7\n", "damaged PDF"),
    }
    for name, (content, kind) in cases.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
        found = read(tmp_path / name, name, folder, LIMITS)
        assert (found.pages, kinds(found)) == ((), [(kind, name)])
        assert found.exclusions[0].reason and "\n" not in found.exclusions[0].reason


def test_every_cut_of_a_file_is_read_or_named(tmp_path, folder):
    """Wherever a file breaks off or a byte is wrong, reading ends with a page or a reason."""
    data = paper(
        tmp_path / "a.pdf", lambda canvas: figure(canvas, "red", "Fig. 1: Red", 500)
    ).read_bytes()
    broken = [data[:n] for n in range(1, len(data), len(data) // 40)]
    broken += [data[:n] + b"\xff<<" + data[n + 3 :] for n in range(0, len(data), len(data) // 40)]
    for content in broken:
        (tmp_path / "b.pdf").write_bytes(content)
        found = read(tmp_path / "b.pdf", "b.pdf", folder, LIMITS)
        assert found.pages or found.exclusions


def test_a_file_without_text_says_so(tmp_path, folder):
    """No pages or blank ones: empty; pictures only, as a scan: the figures stay."""
    buffer = io.BytesIO()
    PdfWriter().write(buffer)
    (tmp_path / "none.pdf").write_bytes(buffer.getvalue())
    paper(tmp_path / "blank.pdf", lambda canvas: None)
    paper(tmp_path / "scan.pdf", lambda canvas: show(canvas, picture(), 0, 0, 595, 842))
    for name, kind, figures in (
        ("none.pdf", "empty PDF", 0),
        ("blank.pdf", "empty PDF", 0),
        ("scan.pdf", "PDF without text", 1),
    ):
        found = read(tmp_path / name, name, folder, LIMITS)
        assert kinds(found) == [(kind, name)]
        assert sum(len(page.figures) for page in found.pages) == figures


def test_what_is_too_much_is_named(tmp_path, folder, monkeypatch):
    """Too many pages or bytes: the file; too much text or too many figures: the page's."""

    def draw(canvas):
        write(canvas, LEFT, 780, ["many words " * 8])
        for i, colour in enumerate(("red", "blue", "green")):
            show(canvas, picture(colour), 72, 100 + 150 * i)

    path = paper(tmp_path / "a.pdf", draw, draw)
    assert kinds(read(path, "a.pdf", folder, Limits(pages=1))) == [("too many pages", "a.pdf")]
    with monkeypatch.context() as patch:
        patch.setattr(module, "MAX_BYTES", 100)
        assert kinds(read(path, "a.pdf", folder, LIMITS)) == [("PDF too large", "a.pdf")]
    monkeypatch.setattr(module, "MAX_CHARACTERS", 20)
    monkeypatch.setattr(module, "MAX_FIGURES", 2)
    assert kinds(read(path, "a.pdf", folder, LIMITS)) == [
        ("too many figures", "a.pdf#p1"),
        ("page too long", "a.pdf#p1"),
        ("too many figures", "a.pdf#p2"),
        ("page too long", "a.pdf#p2"),
        ("empty PDF", "a.pdf"),
    ]


def with_picture(path, data: bytes, filter: str, width: int, height: int):
    """A PDF with a line of text and a picture stream given byte for byte."""
    paper(
        path, lambda canvas: (write(canvas, LEFT, 780, ["Text."]), show(canvas, picture(), 72, 500))
    )
    writer = PdfWriter(clone_from=path)
    objects = writer.pages[0]["/Resources"]["/XObject"]
    (name,) = objects
    stream = DecodedStreamObject()
    stream.set_data(data)
    stream.update(
        {
            NameObject("/Subtype"): NameObject("/Image"),
            NameObject("/Width"): NumberObject(width),
            NameObject("/Height"): NumberObject(height),
            NameObject("/ColorSpace"): NameObject("/DeviceRGB"),
            NameObject("/BitsPerComponent"): NumberObject(8),
            NameObject("/Filter"): NameObject(filter),
        }
    )
    objects[NameObject(name)] = writer._add_object(stream)
    writer.write(path)
    return path


def test_a_bomb_is_named_and_costs_no_memory(tmp_path, folder):
    """A picture that declares or unpacks to too many pixels, and a page that unpacks to 200 MB."""
    import tracemalloc

    declared = with_picture(
        tmp_path / "a.pdf", zlib.compress(b"\0" * 99), "/FlateDecode", 90_000, 90_000
    )
    packed = zlib.compress(b"\0" * 200_000_000, 9)
    unpacked = with_picture(tmp_path / "b.pdf", packed, "/FlateDecode", 7000, 9000)
    paper(tmp_path / "c.pdf", lambda canvas: write(canvas, LEFT, 780, ["Text."]))
    writer = PdfWriter(clone_from=tmp_path / "c.pdf")
    stream = DecodedStreamObject()
    stream.set_data(packed)
    stream[NameObject("/Filter")] = NameObject("/FlateDecode")
    writer.pages[0][NameObject("/Contents")] = writer._add_object(stream)
    writer.write(tmp_path / "c.pdf")
    del packed
    tracemalloc.start()
    assert kinds(read(declared, "a.pdf", folder, LIMITS)) == [("image too large", "a.pdf#p1-fig1")]
    assert kinds(read(unpacked, "b.pdf", folder, LIMITS)) == [
        ("too much to unpack", "b.pdf#p1-fig1")
    ]
    content = kinds(read(tmp_path / "c.pdf", "c.pdf", folder, LIMITS))
    assert content == [("too much to unpack", "c.pdf#p1"), ("empty PDF", "c.pdf")]
    assert tracemalloc.get_traced_memory()[1] < 200e6
    tracemalloc.stop()


def test_a_form_that_draws_itself_ends(tmp_path, folder):
    """Forms that draw each other without end are read once."""

    def draw(canvas):
        canvas.beginForm("form")
        write(canvas, LEFT, 700, ["Within."])
        canvas.endForm()
        canvas.doForm("form")
        write(canvas, LEFT, 780, ["Without."])

    path = paper(tmp_path / "a.pdf", draw)
    writer = PdfWriter(clone_from=path)
    forms = writer.pages[0]["/Resources"]["/XObject"]
    (name,) = forms
    old, form = forms[name].get_object(), DecodedStreamObject()
    form.set_data(old.get_data() + f"\n{name} Do\n".encode())
    form.update({NameObject(k): old[k] for k in ("/Type", "/Subtype", "/BBox", "/Resources")})
    again = writer._add_object(form)
    form["/Resources"][NameObject("/XObject")] = DictionaryObject({NameObject(name): again})
    forms[NameObject(name)] = again
    writer.write(path)
    assert len(PdfReader(path).pages) == 1
    (page,) = read(path, "a.pdf", folder, LIMITS).pages
    assert sorted(page.text.split()) == ["Within.", "Without."]


def test_without_pypdf_the_extra_is_named(tmp_path, folder, monkeypatch):
    """One line says what to install."""
    from mmragbench.errors import MissingExtra

    path = paper(tmp_path / "a.pdf", lambda canvas: None)
    monkeypatch.setitem(__import__("sys").modules, "pypdf", None)
    with pytest.raises(MissingExtra, match=r"mmragbench\[pdf\]"):
        read(path, "a.pdf", folder, LIMITS)
