"""PDF files for tests, drawn with reportlab: text in lines, pictures of one colour, captions."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image as Pillow
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from support import toy

WIDTH, HEIGHT = 595, 842
LEFT = 72


def picture(
    colour: str = "red", size: tuple[int, int] = (120, 90), mode: str = "RGB"
) -> Pillow.Image:
    """A picture of one colour."""
    return Pillow.new("RGB", size, toy.COLOURS[colour]).convert(mode)


def paper(path: Path, *pages: Callable[[Canvas], None], **how: object) -> Path:
    """A PDF file, a page for each function that draws one; the same bytes for the same drawing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    canvas = Canvas(str(path), pagesize=(WIDTH, HEIGHT), invariant=1, **how)
    for draw in pages:
        draw(canvas)
        canvas.showPage()
    canvas.save()
    return path


def write(canvas: Canvas, x: float, y: float, lines: Sequence[str], size: float = 11) -> None:
    """Lines below one another."""
    text = canvas.beginText(x, y)
    text.setFont("Helvetica", size)
    text.textLines(list(lines))
    canvas.drawText(text)


def show(
    canvas: Canvas, image: Pillow.Image, x: float, y: float, w: float = 160, h: float = 120, **how
) -> None:
    """A picture, its lower left corner at (x, y); JPEG as photographs are."""
    content = io.BytesIO()
    kept = image.mode in ("RGB", "L", "CMYK")
    image.save(content, "JPEG" if kept else "PNG")
    content.seek(0)
    canvas.drawImage(ImageReader(content), x, y, w, h, **how)


def figure(
    canvas: Canvas, colour: str, caption: str, y: float, x: float = LEFT, above: bool = False
) -> None:
    """A picture with a caption of one line, below it or above."""
    show(canvas, picture(colour), x, y)
    write(canvas, x, y + 126 if above else y - 14, [caption], size=9)


def world(root: Path) -> Path:
    """Two reports with passages and figures of toy colours, and eight questions about them."""

    def about(*sentences: str) -> Callable[[Canvas], None]:
        return lambda canvas: write(canvas, LEFT, 780, sentences)

    def first(canvas: Canvas) -> None:
        write(canvas, LEFT, 780, ["The red house was built in 1884.", "Nobody lives there."])
        figure(canvas, "red", "Figure 1: The red house", 500)
        figure(canvas, "blue", "Figure 2: The blue lake", 300)

    def second(canvas: Canvas) -> None:
        write(canvas, LEFT, 780, ["The yellow tower is 330 metres high.", "It stands in Lyon."])
        figure(canvas, "yellow", "Figure 3: The yellow tower at noon", 500)

    paper(root / "houses.pdf", first, second)
    paper(
        root / "more" / "plants.pdf",
        about("The green tree is an oak.", "It has stood for 200 years."),
        about("The purple flower is an iris.", "It flowers in May."),
        lambda canvas: figure(canvas, "orange", "Figure 1: The orange fruit", 500),
    )
    toy.draw(root / "asked.png", "green", side=70)
    questions = [
        ("When was the red house built?", ["1884"], [{"file": "houses.pdf", "page": 1}]),
        ("How high is the yellow tower?", ["330 metres", "330 m"], ["houses.pdf#p2-1"]),
        ("Which figure shows the blue lake?", ["Figure 2"], ["houses.pdf#p1-fig2"]),
        ("What kind of tree is the green one?", ["an oak", "oak"], ["more/plants.pdf#p1-1"]),
        ("When does the purple flower bloom?", ["in May"], ["more/plants.pdf#p2-1"]),
        ("What thing is orange ?", ["the fruit"], [{"file": "more/plants.pdf", "page": 3}]),
        ("What has this colour: green ?", ["the tree"], [{"file": "more/plants.pdf", "page": 1}]),
        ("Who wrote this?", ["nobody"], []),
    ]
    rows = [
        {"id": f"q{i}", "question": question, "answers": answers, "documents": gold}
        for i, (question, answers, gold) in enumerate(questions)
    ]
    rows[6]["image"] = "asked.png"
    ask(root, rows)
    return root


def ask(root: Path, rows: Sequence[object]) -> None:
    """The file of questions; a text is a line as it is."""
    lines = (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows)
    (root / "questions.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def suite(root: Path, **changes: object) -> dict:
    """A suite over `world` with toy models."""
    content: dict = {
        "name": "papers",
        "dataset": {"use": "pdf", "root": str(root)},
        "models": {
            "colours": {"use": "support.toy:ColourEncoder"},
            "namer": {"use": "support.toy:ColourCaptioner"},
        },
        "strategies": {
            "no-retrieval": {},
            "random": {},
            "shared-space": {"encoder": "colours", "document": "max"},
            "text-grounding": {"captioner": "namer", "encoder": "colours", "search": "both"},
            "separate-stores": {"image_encoder": "colours", "text_encoder": "colours"},
            "oracle": {},
        },
        "generators": {},
        "tasks": {
            "question-answering": {
                "generator": ["extract", "nearest", "consensus"],
                "k": [1, 3],
                "measures": ["R@1", "R@3", "EM", "F1"],
            }
        },
        "baseline": "random",
    }
    return {**content, **changes}
