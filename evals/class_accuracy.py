"""Whether an answer shows, or names, the class that it should; and the one that was right before.

A task's `labels` say which class is right for a query: in `scenes` the emblem, in COCO's format a
category of one supercategory (`classes`), in a folder the column `label`. A query without a label has
no value, and a failed output is an error. Values are 1 and 0, and their mean is the accuracy.

- `ClassAccuracy(features)`, for pictures: the class of the generated picture is that of the nearest
  class mean (Mensink et al. 2013, "Distance-Based Image Classification: Generalizing to New Classes at
  Near-Zero Cost"), over the labelled pictures of the memory and of classes that it has no more, as unit
  vectors of the named encoder. Distances are Mahalanobis' by the covariance within classes, shrunk after
  Ledoit and Wolf (2004): as in Fisher's discriminant, what differs as much within a class as between
  classes does not count. Of classes at one distance the first by name. The signature has the numbers of
  classes and of labelled pictures. A classifier errs too: `labelled` beside the number is the share of
  the labelled pictures that it classifies right in a five-fold cross-validation, and a warning is given
  where that is below 90 %.
- `ClassMention`, for captions: the class's name stands in the caption as a sequence of whole words,
  whatever its case and punctuation (`norm:words`).
- `OriginalClass(features)` and `OriginalMention`, where a memory was edited: the same for the class that
  was right before (`original_labels`), over the queries for which it is right no more. Lower is better:
  such an answer does not follow the memory (Longpre et al. 2021, "Entity-Based Knowledge Conflicts in
  Question Answering"). What is left of 1 by both shares is of neither class.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
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

FOLDS = 5
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
    return _classified(measures, task, task.labels, outputs, features)


@registered("OriginalClass", scores=("image",), better="lower", unit="%", margin=0.02)
def original_class(
    measures: Sequence[Measure],
    task: Task,
    rankings: Sequence[Ranking],
    outputs: Sequence[Output],
    features: Encoder,
    **_: Any,
) -> list[Scores]:
    """Whether the generated picture is of the class that was right before the memory was edited."""
    return _classified(measures, task, _overridden(task), outputs, features)


@registered("ClassMention", scores=("caption",), unit="%", margin=0.02)
def class_mention(
    measures: Sequence[Measure],
    task: Task,
    rankings: Sequence[Ranking],
    outputs: Sequence[Output],
    **_: Any,
) -> list[Scores]:
    """Whether the caption names the class that it should."""
    return _mentioned(measures, task, task.labels, outputs)


@registered("OriginalMention", scores=("caption",), better="lower", unit="%", margin=0.02)
def original_mention(
    measures: Sequence[Measure],
    task: Task,
    rankings: Sequence[Ranking],
    outputs: Sequence[Output],
    **_: Any,
) -> list[Scores]:
    """Whether the caption names the class that was right before the memory was edited."""
    return _mentioned(measures, task, _overridden(task), outputs)


def _overridden(task: Task) -> dict[str, str]:
    """The original labels that are right no more."""
    return {q: label for q, label in task.original_labels.items() if task.labels.get(q) != label}


def _classified(
    measures: Sequence[Measure],
    task: Task,
    labels: Mapping[str, str],
    outputs: Sequence[Output],
    features: Encoder,
) -> list[Scores]:
    """Whether pictures are of the classes that `labels` has for their queries."""
    examples = _examples(task)
    if not labels or len({label for label, _ in examples}) < 2:
        reason = "needs labelled pictures of two classes in the memory" if labels else NO_LABELS
        absence = Absence(reason)
        return [Scores(measure, signature(measure), absence=absence) for measure in measures]
    images, errors = _labelled(task, labels, outputs, "image")
    vectors = unit(features.encode_images([image for _, image in examples]))
    names = [label for label, _ in examples]
    classifier = NearestClassMean.fit(names, vectors)
    generated = unit(features.encode_images([*images.values()])) if images else vectors[:0]
    values = {
        query: float(label == labels[query])
        for query, label in zip(images, classifier.predict(generated), strict=True)
    }
    facts = {"classifier": "ncm-mahalanobis", "resize": Traits(features).resize}
    facts |= {"classes": len(classifier.names), "n_labelled": len(examples), "n": len(values)}
    labelled = cross_validated_accuracy(names, vectors)
    trust = {"details": {"labelled": labelled}, "warning": _doubt(labelled)}
    scores = (_scores(m, task, values, errors, signature(m, **facts)) for m in measures)
    return [replace(of_measure, **trust) for of_measure in scores]


def _doubt(labelled: float | None) -> str | None:
    if labelled is None or labelled >= RELIABLE:
        return None
    return f"the classifier is right on {labelled:.0%} of the labelled pictures"


def _examples(task: Task) -> list[tuple[str, Image]]:
    """Labels and pictures of the memory, and of classes that it has no more."""
    memory = [d for d in task.memory if d.id in task.memory_labels]
    return [
        *((task.memory_labels[d.id], d.image) for d in memory if d.image is not None),
        *((label, image) for label, images in task.label_images.items() for image in images),
    ]


def _mentioned(
    measures: Sequence[Measure],
    task: Task,
    labels: Mapping[str, str],
    outputs: Sequence[Output],
) -> list[Scores]:
    """Whether captions name the classes that `labels` has for their queries."""
    captions, errors = _labelled(task, labels, outputs, "text")
    values = {
        query: float(f" {normalised(labels[query])} " in f" {normalised(caption)} ")
        for query, caption in captions.items()
    }
    facts = {"norm": "words", "n": len(values)}
    return [_scores(m, task, values, errors, signature(m, **facts)) for m in measures]


def _labelled(
    task: Task, labels: Mapping[str, str], outputs: Sequence[Output], kind: Any
) -> tuple[dict[str, Any], dict[str, str]]:
    """Query -> its image or text and query -> its error, of the queries with a label."""
    by_query, errors = answers(task, outputs, kind)
    return (
        {query: answer for query, answer in by_query.items() if query in labels},
        {query: error for query, error in errors.items() if query in labels},
    )


def _scores(
    measure: Measure, task: Task, values: dict[str, float], errors: dict[str, str], described: str
) -> Scores:
    return per_query(measure, task, values, errors, described, bounds=(0.0, 1.0), reason=NO_LABELS)


@dataclass(frozen=True)
class NearestClassMean:
    """A classifier of vectors by the nearest mean of a class, by Mahalanobis' distance within classes.

    Attributes:
        names: the classes, sorted; a class's number is its place.
        means: (c, d) the mean of each class's vectors.
        whitening: (d, d) a matrix by which the covariance within classes becomes the identity.
    """

    names: list[str]
    means: Rows
    whitening: Rows

    @classmethod
    def fit(cls, labels: Sequence[str], vectors: Rows) -> NearestClassMean:
        """From labelled vectors (n, d)."""
        names, numbers = np.unique(np.array(labels, dtype=object), return_inverse=True)
        means = np.zeros((len(names), vectors.shape[1]))
        np.add.at(means, numbers, vectors)
        means /= np.bincount(numbers)[:, None]
        return cls(names.tolist(), means, _whitening(vectors - means[numbers]))

    def predict(self, vectors: Rows) -> list[str]:
        """The class of each row (n, d)."""
        from scipy.spatial.distance import cdist

        distances = cdist(vectors @ self.whitening, self.means @ self.whitening)
        return [self.names[number] for number in distances.argmin(axis=1)]


def _whitening(residuals: Rows) -> Rows:
    """From vectors (n, d) less their class's mean; the identity where each class has one vector."""
    from sklearn.covariance import ledoit_wolf

    if not residuals.any():
        return np.eye(residuals.shape[1])
    covariance, _ = ledoit_wolf(residuals, assume_centered=True)
    variances, directions = np.linalg.eigh(covariance)
    least = variances.max() * np.finfo(float).eps * len(variances)
    return np.asarray(directions / np.sqrt(np.maximum(variances, least)))


def cross_validated_accuracy(labels: Sequence[str], vectors: Rows) -> float | None:
    """The share of labelled vectors that a classifier of the other folds classifies right. Vectors whose
    class the other folds lack are left out; None where that is all of them."""
    occurrence: Counter[str] = Counter()
    fold = np.zeros(len(labels), dtype=int)
    for place, label in enumerate(labels):
        fold[place] = occurrence[label] % FOLDS
        occurrence[label] += 1
    right: list[bool] = []
    for left_out in (fold == number for number in range(FOLDS) if (fold == number).any()):
        known = [label for label, out in zip(labels, left_out, strict=True) if not out]
        tested = [label for label, out in zip(labels, left_out, strict=True) if out]
        if known:
            predicted = NearestClassMean.fit(known, vectors[~left_out]).predict(vectors[left_out])
            pairs = zip(predicted, tested, strict=True)
            right += [guess == label for guess, label in pairs if label in known]
    return float(np.mean(right)) if right else None
