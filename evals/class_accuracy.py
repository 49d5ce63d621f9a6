"""Whether an answer shows, or names, the class that it should.

A task's `labels` say which class is right for a query: in `scenes` the emblem, in COCO's format a
category of one supercategory (`classes`), in a folder the column `label`. A query without a label has
no value, and a failed output is an error. Values are 1 and 0, and their mean is the accuracy.

- `ClassAccuracy(features)`, for pictures: the class of the generated picture is that of the nearest
  class mean (Mensink et al. 2013, "Distance-Based Image Classification: Generalizing to New Classes at
  Near-Zero Cost"): the mean of the class's labelled pictures in the memory, unit vectors of the named
  encoder, by Euclidean distance; of classes at one distance the first by name. The signature has the
  numbers of classes and of labelled pictures. A classifier errs too: `labelled` beside the number is the
  share of the memory's own pictures that it classifies right, each left out of its class's mean, and a
  warning is given where that is below 90 %.
- `ClassMention`, for captions: the class's name stands in the caption as a sequence of whole words,
  whatever its case and punctuation (`norm:words`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mmragbench.contracts import Encoder, Traits
from mmragbench.measuring.answers import Rows, answers, per_query, unit
from mmragbench.measuring.caption_index import normalised
from mmragbench.records import Absence, Image, Measure, Output, Ranking, Scores, Task
from mmragbench.registry import measures as registered
from mmragbench.signature import signature

NO_LABELS = "no query has a class: the dataset gives none"

RELIABLE = 0.9
"""Below this share of labelled pictures that are classified right, the number comes with a warning."""


@registered("ClassAccuracy", scores=("image",), unit="%", margin=0.02)
def class_accuracy(
    measures: Sequence[Measure],
    task: Task,
    rankings: Sequence[Ranking],
    outputs: Sequence[Output],
    features: Encoder,
    **_: Any,
) -> list[Scores]:
    """Whether the generated picture is of the class that it should show, by the nearest class mean."""
    images, errors = _labelled(task, outputs, "image")
    memory = [document for document in task.memory if document.id in task.memory_labels]
    pictures = [(task.memory_labels[d.id], d.image) for d in memory if d.image is not None]
    if len({label for label, _ in pictures}) < 2:
        reason = (
            "needs labelled pictures of two classes in the memory" if task.labels else NO_LABELS
        )
        return [
            Scores(measure, signature(measure), absence=Absence(reason)) for measure in measures
        ]
    classifier = NearestClassMean.of(*zip(*pictures, strict=True), features=features)
    predicted = (
        classifier.predict(unit(features.encode_images([*images.values()]))) if images else []
    )
    values = {
        query: float(label == task.labels[query])
        for query, label in zip(images, predicted, strict=True)
    }
    facts = {"classifier": "ncm", "resize": Traits(features).resize}
    facts |= {"classes": len(classifier.names), "n_labelled": len(pictures), "n": len(values)}
    labelled = classifier.left_out_accuracy()
    warning = None
    if labelled is not None and labelled < RELIABLE:
        warning = f"the classifier is right on {labelled:.0%} of the memory's own labelled pictures"
    return [
        replace(
            _scores(measure, task, values, errors, signature(measure, **facts)),
            warning=warning,
            details={"labelled": labelled},
        )
        for measure in measures
    ]


@registered("ClassMention", scores=("caption",), unit="%", margin=0.02)
def class_mention(
    measures: Sequence[Measure],
    task: Task,
    rankings: Sequence[Ranking],
    outputs: Sequence[Output],
    **_: Any,
) -> list[Scores]:
    """Whether the caption names the class that it should."""
    captions, errors = _labelled(task, outputs, "text")
    values = {
        query: float(f" {normalised(task.labels[query])} " in f" {normalised(caption)} ")
        for query, caption in captions.items()
    }
    facts = {"norm": "words", "n": len(values)}
    return [_scores(m, task, values, errors, signature(m, **facts)) for m in measures]


def _labelled(
    task: Task, outputs: Sequence[Output], kind: Any
) -> tuple[dict[str, Any], dict[str, str]]:
    """Query -> its image or text and query -> its error, of the queries with a label."""
    by_query, errors = answers(task, outputs, kind)
    return (
        {query: answer for query, answer in by_query.items() if query in task.labels},
        {query: error for query, error in errors.items() if query in task.labels},
    )


def _scores(
    measure: Measure, task: Task, values: dict[str, float], errors: dict[str, str], described: str
) -> Scores:
    return per_query(measure, task, values, errors, described, bounds=(0.0, 1.0), reason=NO_LABELS)


@dataclass(frozen=True)
class NearestClassMean:
    """A classifier of unit vectors by the nearest mean of a class.

    Attributes:
        names: the classes, sorted; a class's number is its place.
        vectors: (n, d) the labelled vectors.
        classes: (n,) their classes' numbers.
    """

    names: list[str]
    vectors: Rows
    classes: Any

    @classmethod
    def of(
        cls, labels: Sequence[str], images: Sequence[Image], features: Encoder
    ) -> NearestClassMean:
        """From labelled pictures."""
        names, classes = np.unique(np.array(labels, dtype=object), return_inverse=True)
        return cls(names.tolist(), unit(features.encode_images(images)), classes)

    @property
    def sums(self) -> Rows:
        """(c, d) the sum of each class's vectors."""
        sums = np.zeros((len(self.names), self.vectors.shape[1]))
        np.add.at(sums, self.classes, self.vectors)
        return sums

    @property
    def counts(self) -> Rows:
        """(c, 1) how many vectors each class has."""
        return np.bincount(self.classes).astype(float)[:, None]

    def predict(self, vectors: Rows) -> list[str]:
        """The class of each row."""
        means = self.sums / self.counts
        distances = ((vectors[:, None] - means) ** 2).sum(axis=2)
        return [self.names[number] for number in distances.argmin(axis=1)]

    def left_out_accuracy(self) -> float | None:
        """The share of labelled vectors that are classified right without their own part in the mean of
        their class; None where every class has a single one. A class of one is left out."""
        sums, counts = self.sums, self.counts
        right = []
        for vector, number in zip(self.vectors, self.classes, strict=True):
            if counts[number, 0] > 1:
                means = sums / counts
                means[number] = (sums[number] - vector) / (counts[number] - 1)
                right.append(((vector - means) ** 2).sum(axis=1).argmin() == number)
        return float(np.mean(right)) if right else None
