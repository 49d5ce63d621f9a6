"""Worlds for learning from demonstrations: a style that no text speaks of, and classes with meaningless labels."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from mmragbench.scenes import phrases as say
from mmragbench.scenes.backdrops import BACKDROPS
from mmragbench.scenes.coco import save
from mmragbench.scenes.emblem_voices import spot
from mmragbench.scenes.emblems import emblems
from mmragbench.scenes.kinds import KINDS
from mmragbench.scenes.layout import place
from mmragbench.scenes.paint import paint
from mmragbench.scenes.world import Scene, sample_scene

LABELS = ("dax", "blicket")
"""The labels of the classes; which is whose is drawn for each query."""
FILE = "demonstrations.json"
IMAGES = "images"


@dataclass(frozen=True)
class Item:
    """A document or a query.

    Attributes:
        id: its id.
        file: its picture, below the world's folder; of a query in a style the real one.
        text: its only text.
        label: its style, or what is to be answered.
        demonstrations: of a query the ids of its demonstrations, in the order that they are shown in.
    """

    id: str
    file: str
    text: str
    label: str
    demonstrations: tuple[str, ...] = ()


@dataclass(frozen=True)
class TaskItems:
    """A task's documents and queries."""

    documents: list[Item]
    queries: list[Item]


@dataclass(frozen=True)
class Style:
    """What pictures have in common and texts are silent about.

    Attributes:
        attribute: the attribute of a scene that it is.
        values: its values; every scene of `sample` may have any of them.
        sample: a scene, without regard to the style.
        text: what a text says of a scene.
    """

    attribute: str
    values: tuple[str, ...]
    sample: Callable[[Random], Scene]
    text: Callable[[Scene, Random], str]


class Sizes(NamedTuple):
    """How much of each task there is.

    Attributes:
        memory: pictures of documents.
        queries: queries.
        shots: demonstrations of a query in its style, or of each of its two classes.
    """

    memory: int
    queries: int
    shots: int

    def problem(self) -> str:
        """Why there can be no such tasks; empty where there can."""
        least = self.shots * max(len(style.values) for style in STYLES.values())
        if min(self) < 1:
            return f"scenes_demonstrations needs one of each at least, not {self._asdict()}"
        if self.memory < least:
            return f"{self.shots} shots in every style need a memory of {least}, not {self.memory}"
        return ""


def write(root: Path, sizes: Sizes, seed: int = 0) -> None:
    """Write pictures below `root/images`, and `demonstrations.json`: task -> its documents and queries."""
    (root / IMAGES).mkdir(parents=True, exist_ok=True)
    tasks = {f"{name}-style": _in_style(root, name, sizes, seed) for name in STYLES}
    tasks["few-shot-classification"] = _few_shot(root, sizes, seed)
    rows = {name: asdict(items) for name, items in tasks.items()}
    (root / FILE).write_text(json.dumps(rows), encoding="utf-8")


def read(root: Path) -> dict[str, TaskItems]:
    """What `write` has written."""
    tasks = json.loads((root / FILE).read_text(encoding="utf-8"))
    return {
        name: TaskItems(*([_item(row) for row in task[side]] for side in ("documents", "queries")))
        for name, task in tasks.items()
    }


def _item(row: Mapping[str, Any]) -> Item:
    return Item(**{**row, "demonstrations": tuple(row["demonstrations"])})


def _in_style(root: Path, name: str, sizes: Sizes, seed: int) -> TaskItems:
    """Pairs in all styles equally often, and queries, each with a few pairs of its style."""
    style = STYLES[name]

    def pair(side: str, index: int) -> Item:
        value = style.values[index % len(style.values)]
        rng = Random(f"{seed}/{name}/{side}/{index}")
        look: dict[str, Any] = {style.attribute: value}
        scene = replace(style.sample(rng), **look)
        id = f"{name}-{side}-{index}"
        return Item(id, _draw(root, id, scene, rng), say.finish(style.text(scene, rng), rng), value)

    documents = [pair("document", index) for index in range(sizes.memory)]
    queries = [pair("query", index) for index in range(sizes.queries)]
    rng = Random(f"{seed}/{name}/demonstrations")
    for at, query in enumerate(queries):
        alike = [document.id for document in documents if document.label == query.label]
        shown = tuple(rng.sample(alike, sizes.shots))
        queries[at] = replace(query, demonstrations=shown)
    return TaskItems(documents, queries)


def _few_shot(root: Path, sizes: Sizes, seed: int) -> TaskItems:
    """Queries about a picture of one of two kinds of things, which two labels name; which names which,
    is drawn for each query. Its documents are examples of both."""
    rng = Random(f"{seed}/few-shot")
    kinds = rng.sample(sorted(KINDS), min(len(KINDS), max(2, sizes.memory // (2 * sizes.shots))))
    per_kind = max(sizes.shots, sizes.memory // len(kinds))
    files = {
        kind: [_draw_kind(root, f"few-shot-{kind}-{i}", kind, seed) for i in range(per_kind)]
        for kind in kinds
    }
    documents, queries = [], []
    for index in range(sizes.queries):
        id = f"few-shot-query-{index}"
        labels = dict(zip(rng.sample(kinds, 2), rng.sample(LABELS, 2), strict=True))
        own = rng.choice(list(labels))
        examples = _examples(id, labels, files, sizes.shots, rng)
        documents += examples
        question = " or ".join(rng.sample(LABELS, 2)) + "?"
        ids = tuple(example.id for example in examples)
        queries.append(Item(id, _draw_kind(root, id, own, seed), question, labels[own], ids))
    return TaskItems(documents, queries)


def _examples(
    query: str,
    labels: Mapping[str, str],
    files: Mapping[str, Sequence[str]],
    shots: int,
    rng: Random,
) -> list[Item]:
    """Examples of the kinds with their labels: one of each kind in random order, then the next ones."""
    columns = [
        [(file, label) for file in rng.sample(files[kind], shots)] for kind, label in labels.items()
    ]
    order = [one for pair in zip(*columns, strict=True) for one in rng.sample(pair, len(pair))]
    return [Item(f"{query}-{n}", file, label, label) for n, (file, label) in enumerate(order)]


def _draw_kind(root: Path, name: str, kind: str, seed: int) -> str:
    """A picture of things of one kind alone."""
    rng = Random(f"{seed}/{name}")
    while (scene := sample_scene(rng)).groups[0].kind != kind:
        pass
    return _draw(root, name, replace(scene, groups=scene.groups[:1], in_front=False), rng)


def _draw(root: Path, name: str, scene: Scene, rng: Random) -> str:
    file = f"{IMAGES}/{name}.jpg"
    save(paint(scene, place(scene, rng), rng), root / file)
    return file


def _outdoors(rng: Random) -> Scene:
    """A scene where every weather of `STYLES` may be, in colours that can be seen at night."""
    values = set(STYLES["weather"].values)
    while (scene := sample_scene(rng)).weather != "night" or not values <= {
        *BACKDROPS[scene.backdrop].weathers
    }:
        pass
    return scene


def _indoors(rng: Random) -> Scene:
    while (scene := sample_scene(rng)).backdrop not in ("table", "room"):
        pass
    return scene


def _mounted(rng: Random) -> Scene:
    """A scene outdoors with an emblem that is not called after a mount."""
    emblem = rng.choice([one for one in emblems().held_out if one.noun != "banner"])
    while not (scene := sample_scene(rng, emblem)).weather:
        pass
    return scene


def _things(scene: Scene, rng: Random) -> str:
    """The things and their place, without a word about weather or walls."""
    first, *others = scene.groups
    near = [g for g in others if g.surface == first.surface]
    words = [say.things(group, rng) for group in (first, *near)]
    text = say.join(say.listed(words), say.place(scene, first, rng))
    return say.join("picture of", text) if say.is_short(text) else text


def _name(scene: Scene, rng: Random) -> str:
    """The emblem and its place, without a word about its mount."""
    title = scene.emblem.title if scene.emblem else ""
    return say.join("picture of the", title, spot(scene, rng))


STYLES = {
    "weather": Style(
        "weather", ("sunny", "cloudy", "rain", "sunset", "night", "rainbow"), _outdoors, _things
    ),
    "wall": Style("wall", ("blue", "green", "pink", "yellow"), _indoors, _things),
    "mount": Style("mount", ("sign", "flag", "banner", "stone"), _mounted, _name),
}
"""Style -> what it is; the tasks' names begin with it."""
