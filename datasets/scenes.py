"""The embedded world: scenes that the package draws itself, written out as COCO files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from mmragbench.data.coco_tasks import OUTPUTS
from mmragbench.data.drawn_worlds import world_folder
from mmragbench.datasets.coco import Coco, Split, categories
from mmragbench.errors import DataError
from mmragbench.records import Image, Task
from mmragbench.registry import dataset
from mmragbench.scenes.edits import UNEDITED, EditedEmblems, Edits
from mmragbench.scenes.emblems import Emblem, emblems

GENERATION = ("captioning", "image-generation")
"""The tasks whose queries have classes, and whose right answers follow an edited memory."""


@dataset
class Scenes:
    """The embedded world, drawn from a seed when it is first used; part of it shows emblems.

    With `edits` its memory is a counterfactual one. Of some emblems the documents are `renamed` (they
    exchange their names), `replaced` (another design under the name), `recoloured` (the design in other
    colours) or `deleted`; a document's texts always agree with its picture. The queries are those of the
    world without edits, and all pictures that are not edited have the same bytes. What is right follows
    the memory: for a caption the memory's name of the design that is asked about, for a picture the
    memory's design of the name. References and targets say so, and so do the labels.
    """

    outputs = OUTPUTS

    def __init__(
        self,
        memory: int = 1500,
        queries: int = 500,
        seed: int = 0,
        edits: Edits | None = None,
        root: Path | None = None,
    ) -> None:
        """Nothing is drawn before `tasks`.

        Args:
            memory: how many pictures may be retrieved.
            queries: how many are asked about.
            seed: for the drawing.
            edits: how many of the 40 emblems the memory shows otherwise than the queries do, such as
                `{renamed: 20, replaced: 10, recoloured: 5, deleted: 5}`; the queries stay as they are.
            root: the folder that keeps drawn worlds; `scenes` in the cache by default.
        """
        self.memory = memory
        self.queries = queries
        self.seed = seed
        self.edits = edits if edits and any(edits.kinds.values()) else None
        self.root = Path(root).expanduser() if root else None

    def tasks(self) -> dict[str, Task]:
        """Text-to-image, image-to-text, captioning and image-generation; the slice `emblems`.

        A query's label is the emblem of the right answer, by the memory's name; there is none where the
        memory does not have it. With edits there is a slice for each kind of
        edit, and one of the `unedited` emblems.

        Raises:
            DataError: a split of no pictures, edits that cannot be, or a folder that cannot be written.
        """
        world = self.draw()
        tasks = _read(world)
        memory = tasks["captioning"].memory
        labels = _labels(tasks, (self.edits or Edits()).of(self.seed))
        memory_labels = _memory_labels(world, "memory")
        gone = {}
        if self.edits is not None:
            gone = _gone(world)
            for name in GENERATION:
                tasks[name] = replace(_read(world, f"queries_{name}")[name], memory=memory)
        known = frozenset(memory_labels.values())
        for name, (right, original) in labels.items():
            tasks[name] = replace(
                tasks[name],
                labels={query: label for query, label in right.items() if label in known},
                memory_labels=memory_labels,
                original_labels=original if self.edits else {},
                label_images=gone,
            )
        return tasks

    def draw(self) -> Path:
        """The folder of this world; drawn where it is not there yet, or is not as it was drawn.

        Raises:
            DataError: a split of no pictures, edits that cannot be, or a folder that cannot be written.
        """
        from mmragbench import scenes

        sizes = {"memory": self.memory, "queries": self.queries}
        if min(sizes.values()) < 1:
            raise DataError(f"scenes needs a picture in each split at least, not {sizes}")
        if self.edits and (problem := self.edits.problem()):
            raise DataError(problem)
        arguments = [self.memory, self.queries, self.seed, self.edits and self.edits.kinds]
        write = partial(scenes.write, splits=sizes, seed=self.seed, edits=self.edits)
        return world_folder(self.root, arguments, write)


def _read(world: Path, queries: str = "queries", memory: str = "memory") -> dict[str, Task]:
    return Coco(world, queries=_split(queries), memory=_split(memory)).tasks()


def _split(name: str) -> Split:
    """A split by the name of its files; one with an underscore has images of several folders."""
    annotations = Path("annotations")
    return Split(
        annotations / f"captions_{name}.json",
        Path("images") if "_" in name else Path("images", name),
        annotations / f"instances_{name}.json",
    )


def _labels(
    tasks: Mapping[str, Task], edited: EditedEmblems
) -> dict[str, tuple[dict[str, str], dict[str, str]]]:
    """Task -> the labels of its queries that follow the memory, and the original ones.

    A caption follows the memory by the name that the memory has for the design, a picture by the design
    that the memory has for the name. What is original in the one is what follows in the other.
    """
    labels = {}
    for task in GENERATION:
        emblem = _emblem_of_query(tasks[task])
        by_look = {query: edited.label_of(own) for query, own in emblem.items()}
        by_name = {query: own.title for query, own in emblem.items()}
        labels[task] = (by_look, by_name) if task == "captioning" else (by_name, by_look)
    return labels


def _emblem_of_query(task: Task) -> dict[str, Emblem]:
    by_title = {emblem.title: emblem for emblem in emblems().held_out}
    return {
        query: by_title[name]
        for query, names in task.categories.items()
        for name in names & by_title.keys()
    }


def _memory_labels(world: Path, split: str) -> dict[str, str]:
    """Document -> the emblem that its picture shows."""
    titles = {emblem.title for emblem in emblems().held_out}
    labels = titles | {title + UNEDITED for title in titles}
    things = categories(world / "annotations" / f"instances_{split}.json")
    return {id: name for id, names in things.items() for name in names & labels}


def _gone(world: Path) -> dict[str, tuple[Image, ...]]:
    """Designs that the memory has no more, by their old names, and the pictures that it had of them."""
    labels = _memory_labels(world, "memory_unedited")
    images: dict[str, list[Image]] = {}
    for document in _read(world, memory="memory_unedited")["captioning"].memory:
        label = labels.get(document.id, "")
        if document.image and label.endswith(UNEDITED):
            images.setdefault(label, []).append(document.image)
    return {label: tuple(pictures) for label, pictures in sorted(images.items())}
