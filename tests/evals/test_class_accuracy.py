"""The class of a generated picture, and whether a caption names it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.covariance import LedoitWolf
from sklearn.model_selection import PredefinedSplit, cross_val_predict
from sklearn.neighbors import NearestCentroid

from mmragbench.evals.class_accuracy import (
    NO_LABELS,
    NearestClassMean,
    class_accuracy,
    class_mention,
    cross_validated_accuracy,
    original_class,
    original_mention,
)
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


class Mahalanobis(ClassifierMixin, BaseEstimator):
    """The nearest class mean by scipy's Mahalanobis distance and scikit-learn's covariance."""

    def fit(self, x: Rows, y: Sequence[str]) -> Mahalanobis:
        self.classes_ = np.unique(y)
        self.means_ = np.stack([x[np.array(y) == name].mean(axis=0) for name in self.classes_])
        residuals = x - self.means_[np.searchsorted(self.classes_, y)]
        self.precision_ = LedoitWolf(assume_centered=True).fit(residuals).precision_
        return self

    def predict(self, x: Rows) -> Rows:
        distances = cdist(x, self.means_, "mahalanobis", VI=self.precision_)
        return self.classes_[distances.argmin(axis=1)]


@pytest.mark.parametrize("spread", [0.1, 0.8])
def test_parity_with_scikit_learn_and_scipy(spread: float) -> None:
    """Their distances on unit vectors predict the same classes; scikit-learn's cross-validation on the
    same folds is what stands beside the number."""
    features, task, outputs = clouds(spread)

    def unit(ids: Sequence[str]) -> Rows:
        rows = np.stack([features.rows[id] for id in ids])
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    labels = list(task.memory_labels.values())
    x = unit(list(task.memory_labels))
    predicted = Mahalanobis().fit(x, labels).predict(unit([o.image.id for o in outputs if o.image]))
    (scores,) = class_accuracy([ACCURACY], task, [], outputs, features=features)  # type: ignore[arg-type]
    expected = [float(p == task.labels[o.query]) for p, o in zip(predicted, outputs, strict=True)]
    assert [s.value for s in scores.scores] == expected
    folds = PredefinedSplit([place % 8 % 5 for place in range(40)])  # each class has 8 in a row
    right = cross_val_predict(Mahalanobis(), x, labels, cv=folds) == np.array(labels)
    assert scores.details["labelled"] == pytest.approx(right.mean())
    assert (scores.warning is None) == (right.mean() >= 0.9) == (spread == 0.1)
    assert (
        parse(scores.signature)["classes"] == "5" and parse(scores.signature)["n_labelled"] == "40"
    )


def test_what_differs_within_classes_too_does_not_count() -> None:
    """Two classes that differ little in one direction, and vary widely in another, which each picture of
    both has: plain distances to the means are often wrong, these are right."""
    draw = np.random.default_rng(1)
    labels = ["a", "b"] * 60
    rows = draw.normal(size=(120, 4)) * [0.02, 0.6, 0.6, 0.02] + [0, 0, 0, 1]
    rows[:, 0] += np.where(np.array(labels) == "a", 0.1, -0.1)
    classifier = NearestClassMean.fit(labels[:80], rows[:80])
    right = np.array(labels[80:]) == classifier.predict(rows[80:])
    plain = np.array(labels[80:]) == NearestCentroid().fit(rows[:80], labels[:80]).predict(
        rows[80:]
    )
    assert right.mean() > 0.97 and plain.mean() < 0.8


def test_one_picture_of_each_class_is_enough_to_classify() -> None:
    """Without any spread within classes distances are plain; nothing can be left out, so that nothing is
    said about the classifier."""
    rows = np.eye(3)
    assert NearestClassMean.fit(["a", "b", "c"], rows).predict(rows) == ["a", "b", "c"]
    assert cross_validated_accuracy(["a", "b", "c"], rows) is None


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


def test_what_was_right_before_the_memory_was_edited() -> None:
    """Over the queries whose label is another now, or gone; a class that the memory has no more is told
    by the pictures that the task has of it."""
    features, task, outputs = clouds(0.05)
    gone = {id: label for id, label in task.memory_labels.items() if label == "4"}
    edited = Task(
        **{
            **vars(task),
            "memory_labels": {id: n for id, n in task.memory_labels.items() if id not in gone},
            "label_images": {"4": tuple(image(id) for id in gone)},
            "original_labels": task.labels,
            "labels": {q: "0" if n == "1" else n for q, n in task.labels.items() if n != "4"},
        }
    )
    original, accuracy = Measure("OriginalClass", "f"), ACCURACY
    (scores,) = original_class([original], edited, [], outputs, features=features)  # type: ignore[arg-type]
    values = {s.query: s.value for s in scores.scores}
    expected = {q: 1.0 if label in ("1", "4") else None for q, label in task.labels.items()}
    assert values == expected
    (scores,) = class_accuracy([accuracy], edited, [], outputs, features=features)  # type: ignore[arg-type]
    values = {s.query: s.value for s in scores.scores}
    assert values == {q: {"1": 0.0, "4": None}.get(label, 1.0) for q, label in task.labels.items()}


def test_a_caption_that_names_what_was_right_before() -> None:
    """Lower is better, and a query whose label is the same has no value."""
    queries = [Query("renamed"), Query("deleted"), Query("same")]
    originals = {"renamed": "Velmora crest", "deleted": "Pollan seal", "same": "Bosmar crest"}
    labels = {"renamed": "Trulan crest", "same": "Bosmar crest"}
    task = Task(
        "captioning", [], queries, output="caption", labels=labels, original_labels=originals
    )
    texts = {"renamed": "the Trulan crest", "deleted": "a Pollan seal", "same": "Bosmar crest"}
    outputs = [Output(query, text=text) for query, text in texts.items()]
    (scores,) = original_mention([Measure("OriginalMention")], task, [], outputs)
    assert [s.value for s in scores.scores] == [0.0, 1.0, None]
    assert find_measure(Measure("OriginalMention")).info.better == "lower"


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
