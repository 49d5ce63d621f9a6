"""The embedded world: scenes that the package draws itself, written out as COCO files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from mmragbench.data.coco_tasks import OUTPUTS
from mmragbench.data.drawn_worlds import world_folder
from mmragbench.datasets.coco import Coco, Split
from mmragbench.errors import DataError
from mmragbench.records import Image, Task
from mmragbench.registry import dataset
from mmragbench.scenes.edits import Edits

_FOLLOWING = ("captioning", "image-generation")
"""The tasks whose right answers follow an edited memory."""


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
        """Text-to-image, image-to-text, captioning and image-generation; the slice `emblems`, whose
        queries have the emblem of the right answer as their label, by the memory's name.

        With edits a query has no label where the memory does not have what is right, and there is a
        slice for each kind of edit, and one of the `unedited` emblems.

        Raises:
            DataError: a split of no pictures, edits that cannot be, or a folder that cannot be written.
        """
        world = self.draw()
        tasks = _read(world)
        return tasks if self.edits is None else tasks | _edited(world, tasks)

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


def _edited(world: Path, tasks: Mapping[str, Task]) -> dict[str, Task]:
    """Captioning and image generation, whose right answers follow the edited memory.

    A caption follows it by the name that the memory has for the design, a picture by the design that the
    memory has for the name. What is original in the one is what follows in the other.
    """
    captioning, drawing = (_read(world, f"queries_{name}")[name] for name in _FOLLOWING)
    by_name, by_look = tasks["captioning"].labels, captioning.labels
    originals = {
        query.id: by_look[query.group] for query in drawing.queries if query.group in by_look
    }
    labels = captioning.memory_labels
    known = frozenset(labels.values())
    before = _read(world, memory="memory_unedited")["captioning"]
    gone: dict[str, list[Image]] = {}
    for document in before.memory:
        label = before.memory_labels.get(document.id)
        if document.image and label and label not in known:
            gone.setdefault(label, []).append(document.image)
    return {
        task.name: replace(
            task,
            memory=tasks[task.name].memory,
            labels={query: label for query, label in task.labels.items() if label in known},
            original_labels=original,
            label_images={label: tuple(images) for label, images in gone.items()},
        )
        for task, original in ((captioning, by_name), (drawing, originals))
    }


def _read(world: Path, queries: str = "queries", memory: str = "memory") -> dict[str, Task]:
    return Coco(world, queries=_split(queries), memory=_split(memory), classes="emblem").tasks()


def _split(name: str) -> Split:
    """A split by the name of its files; one with an underscore has images of several folders."""
    annotations = Path("annotations")
    return Split(
        annotations / f"captions_{name}.json",
        Path("images") if "_" in name else Path("images", name),
        annotations / f"instances_{name}.json",
    )
