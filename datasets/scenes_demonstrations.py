"""Learning from demonstrations: pictures in a style that no text speaks of, and classes of few examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mmragbench.data.drawn_worlds import world_folder
from mmragbench.data.intake import take_in
from mmragbench.errors import DataError
from mmragbench.records import Document, Image, OutputKind, Query, Task, Text
from mmragbench.registry import dataset

if TYPE_CHECKING:
    from mmragbench.scenes.demonstrations import Item, TaskItems

STYLES = ("weather-style", "wall-style", "mount-style")
CLASSES = "few-shot-classification"


@dataset
class ScenesDemonstrations:
    """Tasks that their relevant documents, shown in the context, teach: in `scenes`' drawings.

    In the styles (`weather-style`, `wall-style`, `mount-style`) a query is a text that says nothing
    about the style; its relevant documents are pairs of picture and text in one style, whose texts are
    silent about it too, and the picture made must have it: it is the query's label. In
    `few-shot-classification` a query is a picture and the names of two classes, which mean nothing; its
    relevant documents are examples of both, labelled by their only text, and the answer is a label.
    Chance is 1/2. `oracle` shows the demonstrations: k of a style, k/2 of each class for an even k.
    """

    outputs: Mapping[str, OutputKind] = {**dict.fromkeys(STYLES, "image"), CLASSES: "answer"}

    def __init__(
        self,
        memory: int = 240,
        queries: int = 120,
        shots: int = 4,
        seed: int = 0,
        root: Path | None = None,
    ) -> None:
        """Nothing is drawn before `tasks`.

        Args:
            memory: how many pictures the documents of each task have.
            queries: how many queries each task has.
            shots: how many demonstrations there are of a query's style, or of each of its two classes.
            seed: for the drawing.
            root: the folder that keeps drawn worlds; `scenes` in the cache by default.
        """
        self.memory = memory
        self.queries = queries
        self.shots = shots
        self.seed = seed
        self.root = Path(root).expanduser() if root else None

    def tasks(self) -> dict[str, Task]:
        """A task for each style, and few-shot classification.

        Raises:
            DataError: sizes that cannot be, or a folder that cannot be written.
        """
        from mmragbench.scenes.demonstrations import read

        world = self.draw()
        return {name: _task(world, name, items) for name, items in read(world).items()}

    def draw(self) -> Path:
        """The folder of this world; drawn where it is not there yet, or is not as it was drawn.

        Raises:
            DataError: sizes that cannot be, or a folder that cannot be written.
        """
        from mmragbench.scenes.demonstrations import Sizes, write

        sizes = Sizes(self.memory, self.queries, self.shots)
        if problem := sizes.problem():
            raise DataError(problem)
        draw = partial(write, sizes=sizes, seed=self.seed)
        return world_folder(self.root, ["demonstrations", *sizes, self.seed], draw)


def _task(world: Path, name: str, items: TaskItems) -> Task:
    images = _images(world, [*items.documents, *items.queries])
    order = {
        query.id: {id: float(-place) for place, id in enumerate(query.demonstrations)}
        for query in items.queries
    }
    answered = _answered if name == CLASSES else _drawn
    return replace(
        answered(items, images),
        name=name,
        memory=[Document(d.id, images[d.file], (_text(d),)) for d in items.documents],
        qrels={query: dict.fromkeys(demonstrations, 1) for query, demonstrations in order.items()},
        affinity=order,
    )


def _answered(items: TaskItems, images: Mapping[str, Image]) -> Task:
    return Task(
        CLASSES,
        memory=[],
        queries=[Query(query.id, images[query.file], _text(query)) for query in items.queries],
        output="answer",
        references={query.id: (query.label,) for query in items.queries},
    )


def _drawn(items: TaskItems, images: Mapping[str, Image]) -> Task:
    labels = {query.id: query.label for query in items.queries}
    return Task(
        "",
        memory=[],
        queries=[Query(query.id, text=_text(query)) for query in items.queries],
        output="image",
        references={query.id: (query.text,) for query in items.queries},
        targets={query.id: images[query.file] for query in items.queries},
        categories={query: frozenset({label}) for query, label in labels.items()},
        labels=labels,
        memory_labels={document.id: document.label for document in items.documents},
    )


def _images(world: Path, items: Sequence[Item]) -> dict[str, Image]:
    """File -> the picture, taken in."""
    files = {Path(item.file).stem: item.file for item in items}
    pictures, _ = take_in([Image(id, world / file) for id, file in files.items()])
    return {files[picture.id]: picture for picture in pictures}


def _text(item: Item) -> Text:
    return Text(f"{item.id}-text", item.text)
