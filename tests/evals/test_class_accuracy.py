"""The class of a generated picture, and whether a caption names it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mmragbench.evals.class_accuracy import NO_LABELS, class_accuracy, class_mention
from mmragbench.measuring.scoring import estimate, score
from mmragbench.records import Absence, Document, Image, Measure, Output, Query, Task
from mmragbench.registry import find, find_measure
from mmragbench.signature import parse

Rows = NDArray[np.float64]
ACCURACY, MENTION = Measure("ClassAccuracy", "f"), Measure("ClassMention")


class Features:
    """Features by the image's id."""

    modalities = frozenset({"image"})

    def __init__(self, rows: dict[str, Rows]) -> None:
        self.rows = rows

    def encode_images(self, images: Sequence[Image]) -> Rows:
        return np.stack([self.rows[image.id] for image in images])


def image(id: str) -> Image:
    return Image(id, Path(id))


def clouds(spread: float, classes: int = 5, each: int = 8) -> tuple[Features, Task, list[Output]]:
    """Classes of pictures around random directions, two queries for each class, and their outputs."""
    draw = np.random.default_rng(0)
    centres = draw.normal(size=(classes, 6))
    rows = {
        f"m{c}-{i}": centres[c] + spread * draw.normal(size=6)
        for c in range(classes)
        for i in range(each)
    }
    generated = {
        f"o{c}-{i}": centres[c] + spread * draw.normal(size=6)
        for c in range(classes)
        for i in range(2)
    }
    memory = [Document(id, image(id)) for id in rows]
    queries = [Query(id.replace("o", "q")) for id in generated]
    task = Task(
        "image-generation",
        [*memory, Document("plain", image("plain"))],
        queries,
        output="image",
        labels={query.id: query.id[1] for query in queries},
        memory_labels={id: id[1] for id in rows},
    )
    outputs = [Output(id.replace("o", "q"), image=image(id)) for id in generated]
    return Features({**rows, **generated, "plain": np.ones(6)}), task, outputs


@pytest.mark.parametrize("spread", [0.1, 0.8])
def test_parity_with_scikit_learn(spread: float) -> None:
    """scikit-learn's nearest centroid on unit vectors predicts the same classes; its leave-one-out
    accuracy is what stands beside the number."""
    from sklearn.model_selection import LeaveOneOut, cross_val_score
    from sklearn.neighbors import NearestCentroid

    features, task, outputs = clouds(spread)

    def unit(ids: Sequence[str]) -> Rows:
        rows = np.stack([features.rows[id] for id in ids])
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    labels = list(task.memory_labels.values())
    x = unit(list(task.memory_labels))
    predicted = (
        NearestCentroid().fit(x, labels).predict(unit([o.image.id for o in outputs if o.image]))
    )
    (scores,) = class_accuracy([ACCURACY], task, [], outputs, features=features)  # type: ignore[arg-type]
    expected = [float(p == task.labels[o.query]) for p, o in zip(predicted, outputs, strict=True)]
    assert [s.value for s in scores.scores] == expected
    left_out = cross_val_score(NearestCentroid(), x, labels, cv=LeaveOneOut()).mean()
    assert scores.details["labelled"] == pytest.approx(left_out)
    assert (scores.warning is None) == (left_out >= 0.9) == (spread == 0.1)
    assert (
        parse(scores.signature)["classes"] == "5" and parse(scores.signature)["n_labelled"] == "40"
    )


def test_the_expected_class_is_the_tasks() -> None:
    """What is right is what the task says, not what the target shows: with the labels turned round,
    right answers are wrong. A query without a label has no value, a failure is an error."""
    features, task, outputs = clouds(0.05)
    turned = {query: str((int(label) + 1) % 5) for query, label in task.labels.items()}
    first, second, third = task.queries[:3]
    del turned[first.id]
    turned[third.id] = task.labels[third.id]
    given = [o for o in outputs if o.query not in (first.id, second.id)]
    given += [Output(first.id, error="timeout"), Output(second.id, error="timeout")]
    changed = Task(**{**vars(task), "labels": turned})
    (scores,) = class_accuracy([ACCURACY], changed, [], given, features=features)  # type: ignore[arg-type]
    by_query = {s.query: s for s in scores.scores}
    assert (by_query[first.id].value, by_query[first.id].error) == (None, None)
    assert by_query[second.id].error == "timeout"
    assert by_query[third.id].value == 1.0
    assert {s.value for s in scores.scores[3:]} == {0.0}


def test_without_classes_there_is_no_number() -> None:
    """The reason says whether queries or memory lack them."""
    features, task, outputs = clouds(0.1)
    for labels, memory_labels, reason in (
        ({}, {}, NO_LABELS),
        (task.labels, {}, "needs labelled pictures of two classes in the memory"),
    ):
        bare = Task(**{**vars(task), "labels": labels, "memory_labels": memory_labels})
        (scores,) = class_accuracy([ACCURACY], bare, [], outputs, features=features)  # type: ignore[arg-type]
        assert scores.absence == Absence(reason)
    bare = Task("captioning", [], [Query("q")], output="caption")
    (scores,) = class_mention([MENTION], bare, [], [Output("q", text="a dog")])
    assert scores.absence == Absence(NO_LABELS)


def test_a_caption_names_its_class() -> None:
    """Whole words in order, whatever their case and punctuation; parts of words do not count."""
    captions = {
        "The VELMORA-crest, on a wall": 1.0,
        "a crest of Velmora": 0.0,
        "Velmora crests": 0.0,
        "": 0.0,
    }
    queries = [Query(caption) for caption in captions]
    labels = dict.fromkeys(captions, "Velmora crest")
    task = Task("captioning", [], queries, output="caption", labels=labels)
    outputs = [Output(caption, text=caption) for caption in captions]
    (scores,) = class_mention([MENTION], task, [], outputs)
    assert {s.query: s.value for s in scores.scores} == captions


def test_emblems_of_the_drawn_world(tmp_path: Path) -> None:
    """In `scenes` the class is the emblem: of the real pictures all, of a turn of them none are right;
    queries without an emblem have no value."""
    from mmragbench.datasets.scenes import Scenes

    task = Scenes(memory=640, queries=40, root=tmp_path).tasks()["image-generation"]
    assert set(task.labels) == task.slices["emblems"]
    assert len(set(task.memory_labels.values())) == 40
    clip = find("encoder", "open_clip").make(name="shipped:scenes/clip")
    own = [Output(query, image=task.targets[query]) for query in task.labels]
    turned = [Output(a.query, image=b.image) for a, b in zip(own, own[1:] + own[:1], strict=True)]
    measure = Measure("ClassAccuracy", "clip")
    for outputs, expected in ((own, 1.0), (turned, 0.0)):
        given = [
            *outputs,
            *(
                Output(q.id, image=task.targets[q.id])
                for q in task.queries
                if q.id not in task.labels
            ),
        ]
        (scores,) = score({measure: find_measure(measure)}, task, [], given, lambda _: clip)["all"]
        assert estimate(scores)[:2] == (expected, len(task.labels))
        assert scores.details["labelled"] > 0.95 and scores.warning is None  # type: ignore[operator]
