"""Which lines are captions, and whose."""

from __future__ import annotations

import pytest

from mmragbench.data.pdf import Limits, read
from mmragbench.data.pdf.figure_captions import begins
from support import papers
from support.papers import LEFT, figure, paper, picture, show, write


@pytest.mark.parametrize(
    "line",
    [
        "Figure 1: A house",
        "Figure 1. A house",
        "FIGURE 12 – A house",
        "Fig. 3.2 A house",
        "Fig 4a (left) a house",
        "Table II. Houses",
        "Table A.1: Houses",
        "Figure S2 | Houses",
        "figure 5",
        "Figure 6 红色的房子",
    ],
)
def test_a_label_and_a_number_begin_a_caption(line):
    """Figure, Fig. or Table, then a number (Arabic, Roman, of an appendix)."""
    assert begins(line)


@pytest.mark.parametrize(
    "line",
    [
        "Figure 3 shows a house",
        "Figure 2, however, shows none",
        "Figures 2 and 3: houses",
        "Figure: a house",
        "See Figure 1: A house",
        "Table in the kitchen",
        "Fig tree",
        "Tables IV",
        "",
    ],
)
def test_running_text_is_no_caption(line):
    """What goes on in lower case or with a comma, has no number, or stands within a line."""
    assert not begins(line)


def captions(tmp_path, draw) -> list[str]:
    """The captions of a page's figures, in drawing order."""
    path = paper(tmp_path / "a.pdf", draw)
    (page,) = read(path, "a.pdf", tmp_path / "figures", Limits()).pages
    return [f.caption for f in page.figures]


def test_below_or_above_the_nearest_wins(tmp_path):
    """Two figures with captions below, and two with captions above, each get their own."""

    def below(canvas):
        figure(canvas, "red", "Figure 1: Red", 600)
        figure(canvas, "blue", "Figure 2: Blue", 440)

    def above(canvas):
        figure(canvas, "red", "Figure 1: Red", 600, above=True)
        figure(canvas, "blue", "Figure 2: Blue", 450, above=True)

    assert captions(tmp_path, below) == ["Figure 1: Red", "Figure 2: Blue"]
    assert captions(tmp_path, above) == ["Figure 1: Red", "Figure 2: Blue"]


def test_of_two_equally_near_the_one_below_is_the_caption(tmp_path):
    """A figure halfway between two captions has the lower one."""

    def draw(canvas):
        write(canvas, LEFT, 620 + 10 + 2, ["Figure 1: Above"], 10)
        show(canvas, picture("red"), LEFT, 500)
        write(canvas, LEFT, 500 - 10 - 8, ["Figure 2: Below"], 10)

    assert captions(tmp_path, draw) == ["Figure 2: Below"]


def test_a_caption_goes_on_to_the_end_of_its_block(tmp_path):
    """Lines of the same size and distance belong to it; larger text, a wider gap and the next
    caption do not."""

    def draw(canvas):
        figure(canvas, "red", "Figure 1: A red thing that", 600)
        write(canvas, LEFT, 600 - 14 - 10.8, ["was photo-", "graphed at dawn."], 9)
        write(canvas, LEFT, 540, ["Body text."], 9)

    def set_larger(canvas):
        figure(canvas, "red", "Figure 1: A red thing", 600)
        write(canvas, LEFT, 600 - 14 - 12, ["Body text of the paper."], 11)

    assert captions(tmp_path, draw) == ["Figure 1: A red thing that was photographed at dawn."]
    assert captions(tmp_path, set_larger) == ["Figure 1: A red thing"]


def test_in_two_columns_each_figure_has_its_columns_caption(tmp_path):
    """A caption in the other column is none, however near its height is."""

    def draw(canvas):
        figure(canvas, "red", "Figure 1: Left", 500)
        show(canvas, picture("blue"), 330, 560)
        write(canvas, 330, 546, ["Figure 2: Right"], 9)
        show(canvas, picture("green"), 330, 200)

    assert captions(tmp_path, draw) == ["Figure 1: Left", "Figure 2: Right", ""]


def test_parts_side_by_side_share_a_caption(tmp_path):
    """Two panels above one caption; a picture further down has none."""

    def draw(canvas):
        show(canvas, picture("red"), 72, 500)
        show(canvas, picture("blue"), 242, 500)
        write(canvas, 72, 486, ["Figure 1: Red and blue, side by side, of one size"], 9)
        show(canvas, picture("green"), 72, 200)

    shared = "Figure 1: Red and blue, side by side, of one size"
    assert captions(tmp_path, draw) == [shared, shared, ""]


def test_a_caption_that_is_too_far_is_none(tmp_path):
    """More than six sizes of its letters away it is text like any other."""

    def draw(canvas):
        figure(canvas, "red", "", 600)
        write(canvas, LEFT, 500, ["Figure 1: Far away"], 9)

    path = paper(tmp_path / "a.pdf", draw)
    (page,) = read(path, "a.pdf", tmp_path / "figures", Limits()).pages
    assert [f.caption for f in page.figures] == [""]
    assert page.text == "Figure 1: Far away"


def test_paragraphs_flow_as_reportlab_sets_them(tmp_path):
    """A document set by reportlab's layout engine, justified: text, image, caption below in its
    own style, body text again."""
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Image, Paragraph, SimpleDocTemplate, Spacer

    styles = getSampleStyleSheet()
    photo = tmp_path / "photo.jpg"
    papers.picture("red", (200, 150)).save(photo)
    body = "The house stands on a hill and has been empty since the war of 1914. " * 8
    caption = "Figure 1. The red house on the hill, seen from the road that leads to it from the south, as it was before the fire, and before the trees had grown."
    story = [
        Paragraph(body, styles["BodyText"]),
        Image(str(photo), 240, 180),
        Paragraph(caption, styles["Italic"]),
        Spacer(1, 8),
        Paragraph(body, styles["BodyText"]),
    ]
    SimpleDocTemplate(str(tmp_path / "a.pdf"), invariant=1).build(story)
    (page,) = read(tmp_path / "a.pdf", "a.pdf", tmp_path / "figures", Limits()).pages
    assert [f.caption for f in page.figures] == [caption]
    assert page.text == (body * 2).strip()
