"""Inputs that components are tried on: a few drawn pictures with captions, as every kind of task.

Small, but awkward where real data are: pictures of several sizes and modes, two documents with the
same content (ties), ids whose order as strings is not their order, captions that look like markup.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from mmragbench._files import file_digest
from mmragbench.records import Document, Image, OutputKind, Query, Task, Text

COLOURS = {
    "red": (205, 40, 40), "green": (40, 150, 60), "blue": (45, 70, 200), "yellow": (235, 205, 50),
    "white": (245, 245, 245), "black": (20, 20, 20), "purple": (130, 50, 160), "orange": (240, 140, 40),
}  # fmt: skip
SHAPES = ("circle", "square", "bar")
SIZES = ((64, 48), (48, 64), (50, 50), (72, 40))
MODES = ("RGB", "RGB", "L", "RGBA")

MARKUP = "<script>alert('mmragbench')</script>"
"""A text that no page may have without escaping."""

AWKWARD = f"{MARKUP} 50% & $5_{{x}}^2 ~#\\ | שלום 🦄"


class LazySequence(Sequence[Any]):
    """A sequence that is no list: sized, indexable, nothing more, as large memories are."""

    def __init__(self, items: Sequence[Any]) -> None:
        self._items = items

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, at: Any) -> Any:
        return self._items[at]


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """The kit's folder, which is deleted when the process ends."""
    return tempfile.TemporaryDirectory(prefix="mmragbench-check-")


def folder(name: str) -> Path:
    """A folder of that name which lasts as long as the process."""
    path = Path(_folder().name) / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def caption(i: int) -> str:
    """The caption of the i-th picture."""
    return f"a {_colour(i)} {SHAPES[i % 3]} on {_colour(i + 3)}"


def _colour(i: int) -> str:
    return list(COLOURS)[i % len(COLOURS)]


@cache
def picture(i: int) -> Image:
    """The i-th picture, drawn when it is first asked for."""
    from PIL import Image as Pillow
    from PIL import ImageDraw

    width, height = SIZES[i % 4]
    drawn = Pillow.new("RGB", (width, height), COLOURS[_colour(i + 3)])
    draw, ink = ImageDraw.Draw(drawn), COLOURS[_colour(i)]
    left, top, side = 6 + i % 5, 5 + i % 3, min(width, height) // 2
    box = (left, top, left + side, top + (side // 3 if i % 3 == 2 else side))
    (draw.ellipse if i % 3 == 0 else draw.rectangle)(box, fill=ink)
    path = folder("pictures") / f"{i}.png"
    drawn.convert(MODES[i % 4]).save(path)
    return Image(f"picture-{i}", path, file_digest(path))


@cache
def unreadable() -> Image:
    """A file that is not a picture."""
    path = folder("pictures") / "unreadable.jpg"
    path.write_bytes(b"\xff\xd8\xff\xe0 not a picture")
    return Image("unreadable", path, file_digest(path))


def pictures() -> list[Image]:
    """Eight pictures, of several sizes and modes."""
    return [picture(i) for i in range(8)]


def texts() -> list[Text]:
    """Eight texts: short, long, empty, awkward, and one twice under two ids."""
    contents = [
        caption(0),
        "a",
        "",
        "word " * 60,
        AWKWARD,
        caption(0),
        caption(1),
        "ß İ 红色的房子",
    ]
    return [Text(f"text-{i}", content) for i, content in enumerate(contents)]


ORDER = (7, 10, 2, 9, 1, 11, 4, 3, 8, 0)
"""The order of a memory's documents: neither ascending nor descending."""


def memory(first: int = 0, image: bool = True, text: bool = True) -> list[Document]:
    """Ten documents from that picture on, and an eleventh with the content of the first."""
    documents = [_document(f"d{first + n}", first + n, image, text) for n in ORDER]
    return [*documents, _document(f"d{first + 12}", first + ORDER[0], image, text)]


def _document(id: str, i: int, image: bool, text: bool) -> Document:
    captions = (caption(i), AWKWARD if i % 5 == 4 else f"{caption(i)}, drawn by hand")
    texts = tuple(Text(f"{id}#{n}", content) for n, content in enumerate(captions) if text)
    return Document(id, picture(i) if image else None, texts)


def mixed() -> list[Document]:
    """Passages, bare pictures and pairs in one memory."""
    sides = [(True, True), (False, True), (True, False)]
    return [_document(f"d{n}", n, *sides[n % 3]) for n in ORDER]


def queries(image: bool = True, text: bool = True) -> list[Query]:
    """Seven queries, of pictures that no memory has."""
    return [_query(n, image, text) for n in (3, 0, 12, 1, 2, 8, 7)]


def _query(n: int, image: bool, text: bool) -> Query:
    words = Text(f"q{n}", caption(n)) if text else None
    return Query(f"q{n}", picture(40 + n) if image else None, words, f"q{n}")


def several() -> list[Query]:
    """Five queries with a text alone, a picture alone, or both."""
    sides = [(False, True), (True, True), (True, False)]
    return [_query(n, *sides[n % 3]) for n in (3, 0, 12, 1, 2)]


def _task(
    name: str, memory: list[Document], queries: list[Query], output: OutputKind = "none"
) -> Task:
    """A task whose gold is the first documents in turn, whose references are the captions, and whose
    classes are the shapes, which were others before."""
    named = {query.id: int(query.id[1:]) for query in queries}
    relevant = {query: memory[n % len(memory)].id for query, n in named.items()}
    return Task(
        name,
        memory,
        queries,
        {query: {document: 1} for query, document in relevant.items()},
        output=output,
        references={query: (caption(n), f"{caption(n)}, drawn") for query, n in named.items()},
        targets={query: picture(40 + n) for query, n in named.items()},
        labels={query: SHAPES[n % 3] for query, n in named.items()},
        original_labels={query: SHAPES[(n + 1) % 3] for query, n in named.items()},
        memory_labels={document.id: SHAPES[int(document.id[1:]) % 3] for document in memory},
    )


@cache
def tasks() -> dict[str, Task]:
    """Every kind of task by name, and `mixed`: all sorts of documents and queries at once."""
    every_kind = [
        _task("captioning", memory(), queries(text=False), "caption"),
        _task("image-generation", memory(), queries(image=False), "image"),
        _task("text-to-image", memory(text=False), queries(image=False)),
        _task("image-to-text", memory(image=False), queries(text=False)),
        _task("question-answering", mixed(), queries(image=False), "answer"),
        _task("mixed", mixed(), several(), "answer"),
    ]
    return {task.name: task for task in every_kind}


class SampleDataset:
    """The kit's tasks as a dataset, for a run of the kit's own."""

    def tasks(self) -> dict[str, Task]:
        return {name: task for name, task in tasks().items() if name != "mixed"}


def contexts(task: Task) -> Iterator[list[Document]]:
    """Three documents for each query, another three for the next."""
    for at in range(len(task.queries)):
        yield [task.memory[(at + n) % len(task.memory)] for n in range(3)]
