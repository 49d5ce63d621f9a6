"""Faithfulness against a known answer and its definition; the rate of copies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw

from mmragbench.evals.faithfulness import NOTHING_SHOWN, copy_rate, faithfulness
from mmragbench.measuring.scoring import estimate, score
from mmragbench.records import Absence, Document, Image, Measure, Output, Query, Scores, Task, Text
from mmragbench.registry import find, find_measure

Rows = NDArray[np.float64]
FAITHFULNESS, COPIES = Measure("Faithfulness", "f"), Measure("CopyRate")
DIMENSIONS, TOPICS = 24, 40


class World:
    """Pictures and texts as vectors: a topic, which a query says, and what else a document shows.

    Pictures and texts of one topic are alike, and all pictures share a direction, as CLIP's do.
    """

    modalities = frozenset({"image", "text"})

    def __init__(self, seed: int = 0) -> None:
        self._draw = np.random.default_rng(seed)
        self.topics = self._draw.normal(size=(TOPICS, DIMENSIONS))
        self.cone = 2 * self._draw.normal(size=DIMENSIONS)
        self.rows: dict[str, Rows] = {}

    def picture(self, id: str, topic: int, of: Rows | float = 0.0, share: float = 0.0) -> Image:
        """A picture of a topic; `share` of what else it shows is that of the picture `of`."""
        rest = share * of + (1 - share) * self._draw.normal(size=DIMENSIONS)
        self.rows[id] = self.cone + self.topics[topic] + rest
        return Image(id, Path(id))

    def rest(self, id: str, topic: int) -> Rows:
        """What a picture shows beside its topic."""
        return self.rows[id] - self.cone - self.topics[topic]

    def text(self, id: str, topic: int) -> Text:
        self.rows[id] = self.topics[topic] + 0.2 * self._draw.normal(size=DIMENSIONS)
        return Text(id, id)

    def encode_images(self, images: Sequence[Image]) -> Rows:
        return np.array([self.rows[image.id] for image in images]).reshape(-1, DIMENSIONS)

    def encode_texts(self, texts: Sequence[Text]) -> Rows:
        return np.array([self.rows[text.content] for text in texts]).reshape(-1, DIMENSIONS)


def simulated(share: float, n: int = 200, seed: int = 0) -> Scores:
    """Outputs on the topic of their query, of which a share of the rest follows what was shown."""
    world = World(seed)
    memory = [
        Document(f"d{i}", world.picture(f"p{i}", i % TOPICS), (world.text(f"t{i}", i % TOPICS),))
        for i in range(20 * TOPICS)
    ]
    queries = [Query(f"q{i}", text=world.text(f"q{i}", i % TOPICS)) for i in range(n)]
    outputs = []
    for i, query in enumerate(queries):
        topic = i % TOPICS
        shown = [topic + TOPICS * j for j in world._draw.choice(20, 2, replace=False)]
        rest = np.mean([world.rest(f"p{j}", topic) for j in shown], axis=0)
        picture = world.picture(f"o{i}", topic, rest, share)
        outputs.append(Output(query.id, image=picture, shown=tuple(f"d{j}" for j in shown)))
    task = Task("image-generation", memory, queries, output="image")
    measures = {FAITHFULNESS: find_measure(FAITHFULNESS)}
    return score(measures, task, [], outputs, lambda _: world)["all"][0]  # type: ignore[arg-type, return-value]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_outputs_that_ignore_documents_are_about_zero(seed: int) -> None:
    """Though they fit the query as well as the documents do, and all pictures are alike: the interval
    has 0 in it, and is narrow."""
    scores = simulated(0.0, seed=seed)
    low, high = scores.interval or (None, None)
    assert low is not None and high is not None and low < 0 < high and high - low < 0.06


def test_the_more_an_output_follows_the_higher() -> None:
    """Between ignoring and showing nothing else it grows with the share that is followed."""
    values = [estimate(simulated(share))[0] or 0.0 for share in (0.0, 0.3, 0.6, 1.0)]
    assert values == sorted(values) and min(np.diff(values)) > 0.01
    low, _ = simulated(0.3).interval or (None, None)
    assert low is not None and low > 0


def by_definition(task: Task, output: Output, world: World) -> float:
    """One query's value, in the words of the docstring."""

    def unit(row: Rows) -> Rows:
        return row / np.linalg.norm(row)

    def whole(d: Document) -> Rows:
        sides = [unit(world.rows[d.image.id])] if d.image else []
        if d.texts:
            sides.append(unit(np.mean([unit(world.rows[t.content]) for t in d.texts], axis=0)))
        return unit(np.mean(sides, axis=0))

    query = unit(world.rows[output.query])
    fit = {d.id: float(whole(d) @ query) for d in task.memory}
    left = {d.id for d in task.memory if d.image} - set(output.shown)
    controls = []
    for id in output.shown:
        controls.append(min(sorted(left), key=lambda other: abs(fit[other] - fit[id])))
        left.remove(controls[-1])
    pictures = {d.id: unit(world.rows[d.image.id]) for d in task.memory if d.image}
    own = unit(world.rows[output.image.id]) if output.image else np.zeros(DIMENSIONS)
    return float(
        np.mean([pictures[id] @ own for id in output.shown])
        - np.mean([pictures[id] @ own for id in controls])
    )


def test_the_definition() -> None:
    """Shown documents minus their matched controls; documents without a picture are no controls."""
    world = World()
    memory = [
        Document(
            f"d{i}",
            None if i % 5 == 4 else world.picture(f"p{i}", i % 7),
            tuple(world.text(f"t{i}-{n}", i % 7) for n in range(i % 3)),
        )
        for i in range(30)
    ]
    memory = [d for d in memory if d.image or d.texts]
    queries = [Query(f"q{i}", text=world.text(f"q{i}", i % 7)) for i in range(8)]
    outputs = [
        Output(q.id, image=world.picture(f"o{q.id}", 1), shown=(f"d{i}", f"d{i + 15}"))
        for i, q in enumerate(queries)
        if {i % 5, (i + 15) % 5} != {4}
    ]
    task = Task("image-generation", memory, queries, output="image")
    (scores,) = faithfulness([FAITHFULNESS], task, [], outputs, features=world)
    values = {s.query: s.value for s in scores.scores if s.value is not None}
    assert values == pytest.approx({o.query: by_definition(task, o, world) for o in outputs})


def test_captions_are_compared_with_texts() -> None:
    """For captions, the shown documents' texts count, and the query's picture says what fits."""
    world = World()
    memory = [
        Document(f"d{i}", world.picture(f"p{i}", i), (world.text(f"t{i}", i),)) for i in range(20)
    ]
    query = Query("q", image=world.picture("q", 3))
    world.rows["a copy"] = world.rows["t3"]
    task = Task("captioning", memory, [query], output="caption")
    output = Output("q", text="a copy", shown=("d3",))
    (scores,) = faithfulness([FAITHFULNESS], task, [], [output], features=world)
    value = scores.scores[0].value
    texts = [world.rows[f"t{i}"] / np.linalg.norm(world.rows[f"t{i}"]) for i in range(20)]
    assert value is not None
    assert any(value == pytest.approx(1 - texts[3] @ texts[i]) for i in range(20) if i != 3)
    assert "of:text" in scores.signature


def test_where_nothing_was_shown_there_is_no_value() -> None:
    """Neither a zero nor an error; a failed output is an error, and of the set there is a reason."""
    world = World()
    memory = [Document(f"d{i}", world.picture(f"p{i}", i)) for i in range(5)]
    queries = [Query(id, text=world.text(id, 1)) for id in ("shown", "alone", "unknown", "failed")]
    task = Task("image-generation", memory, queries, output="image")
    picture = world.picture("o", 1)
    outputs = [
        Output("alone", image=picture),
        Output("unknown", image=picture, shown=("elsewhere",)),
        Output("failed", error="timeout", shown=("d1",)),
    ]
    for evaluate, measure in ((faithfulness, FAITHFULNESS), (copy_rate, COPIES)):
        given = {"features": world} if measure.features else {}
        (scores,) = evaluate([measure], task, [], outputs, **given)
        assert scores.absence == Absence(NOTHING_SHOWN)
        assert [s.value for s in scores.scores] == [None] * 4
        assert [s.error for s in scores.scores] == ["no output", None, None, "timeout"]


def test_a_document_that_is_the_whole_memory_has_no_control() -> None:
    """With nothing to compare it with there is no number."""
    world = World()
    task = Task(
        "image-generation",
        [Document("d", world.picture("p", 0))],
        [Query("q", text=world.text("q", 0))],
        output="image",
    )
    output = Output("q", image=world.picture("o", 0), shown=("d",))
    (scores,) = faithfulness([FAITHFULNESS], task, [], [output], features=world)
    assert scores.absence is not None and scores.scores[0].value is None


def picture(path: Path, seed: int, **save: int) -> Image:
    """A picture of coloured boxes by its seed."""
    drawn, draw = Pillow.new("RGB", (96, 96)), np.random.default_rng(seed)
    for _ in range(12):
        left, top = draw.integers(0, 70, 2).tolist()
        colour = tuple(draw.integers(0, 256, 3).tolist())
        ImageDraw.Draw(drawn).rectangle((left, top, left + 24, top + 24), fill=colour)
    drawn.save(path, **save)
    return Image(path.name, path)


def test_copies_of_pictures(tmp_path: Path) -> None:
    """The same file, or one compressed again, is a copy; another picture, or one of another query's
    documents, is none."""
    memory = [Document(f"d{i}", picture(tmp_path / f"{i}.png", i)) for i in range(3)]
    again = picture(tmp_path / "again.jpg", 1, quality=40)
    other = picture(tmp_path / "other.png", 9)
    assert memory[0].image is not None
    outputs = [
        Output("file", image=memory[0].image, shown=("d0",)),
        Output("again", image=again, shown=("d2", "d1")),
        Output("other", image=other, shown=("d0", "d1")),
        Output("elsewhere", image=memory[0].image, shown=("d1",)),
    ]
    task = Task("image-generation", memory, [Query(o.query) for o in outputs], output="image")
    (scores,) = copy_rate([COPIES], task, [], outputs)
    assert [s.value for s in scores.scores] == [1.0, 1.0, 0.0, 0.0]


def test_copies_of_captions() -> None:
    """Case and punctuation aside, a caption of a shown document is a copy."""
    memory = [Document("d", texts=(Text("t", "A dog, on a beach."), Text("u", "two cats")))]
    texts = {"same": "a dog on a beach", "part": "a dog on", "own": "a horse"}
    outputs = [Output(id, text=text, shown=("d",)) for id, text in texts.items()]
    task = Task("captioning", memory, [Query(id) for id in texts], output="caption")
    (scores,) = copy_rate([COPIES], task, [], outputs)
    assert [s.value for s in scores.scores] == [1.0, 0.0, 0.0]


def test_real_pictures_of_a_drawn_world_follow_nothing(tmp_path: Path) -> None:
    """With the shipped encoder: the real pictures, which nobody made from documents, are near 0 whatever
    was shown; copies are far above, in the same units. A copy rate tells the two apart."""
    from mmragbench.datasets.scenes import Scenes

    task = Scenes(memory=120, queries=30, root=tmp_path).tasks()["image-generation"]
    clip = find("encoder", "open_clip").make(name="shipped:scenes/clip")
    shown = {
        query.id: task.memory[int(np.random.default_rng(n).integers(120))]
        for n, query in enumerate(task.queries)
    }
    real = [Output(id, image=task.targets[id], shown=(d.id,)) for id, d in shown.items()]
    copies = [replace(output, image=shown[output.query].image) for output in real]
    results = {}
    for name, outputs in (("real", real), ("copies", copies)):
        measures = {m: find_measure(m) for m in (FAITHFULNESS, COPIES)}
        results[name] = score(measures, task, [], outputs, lambda _: clip)["all"]
    low, high = results["real"][0].interval or (None, None)
    assert low is not None and high is not None and low < 0 < high
    assert estimate(results["copies"][0])[0] > 0.4  # type: ignore[operator]
    assert [estimate(results[name][1])[0] for name in ("real", "copies")] == [0.0, 1.0]
