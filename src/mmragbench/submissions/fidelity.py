"""Measures of another system's pictures: of the pictures themselves, or FID of stored moments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from mmragbench._validation import CheckedEncoder
from mmragbench.contracts import Encoder
from mmragbench.errors import SuiteError
from mmragbench.measuring.scoring import score
from mmragbench.records import Absence, Measure, Score, Scores, Task
from mmragbench.registry import Component, arguments, every
from mmragbench.signature import extended, signature
from mmragbench.submissions.features import Features
from mmragbench.submissions.image_folders import single_folder
from mmragbench.submissions.moments import Moments, frechet
from mmragbench.submissions.problems import Policy, Problems
from mmragbench.submissions.submission import Submission
from mmragbench.submissions.submission_scores import ScoredSubmission, components, scored

IMAGES = ("FID", "KID")

NO_INTERVAL = (
    "no interval, and no FID beyond this n: they need the features of every picture, and an .npz has "
    "the moments only"
)


def score_images(
    submission: Submission, features: Features, names: Sequence[str] = IMAGES
) -> ScoredSubmission:
    """Distances of two sets of pictures, and measures of their pairs.

    Raises:
        SuiteError: a name is none of them, or needs features that were not named.
    """
    measures = _components(names, features)
    task, outputs = submission.task, submission.outputs
    scores = score(measures, task, [], outputs, lambda _: _encoder(features))["all"]
    scores = [replace(s, scores=(*_values(s), *_failed(submission))) for s in scores]
    return scored(submission, _signed(scores, features.facts))


def _components(names: Sequence[str], features: Features) -> dict[Measure, Component]:
    """Measure -> its evaluator; measures that take features are taken on these."""
    known = [component.name for component in every("measure") if "image" in component.scores]
    for name in names:
        if name in known and "features" in arguments("measure", name) and not features.name:
            raise SuiteError(
                f"{name} compares pictures on features; name them: --features inception, "
                "--features shipped:scenes/clip, ..."
            )
    return components(names, known, features.name or None)


def _values(scores: Scores) -> Iterator[Score]:
    """The values of the pairs; a file without a value has its reason among the failures."""
    return (score for score in scores.scores if score.value is not None)


def _signed(scores: Sequence[Scores], facts: Mapping[str, object]) -> list[Scores]:
    """The scores with the features' identity in the signatures of measures that take features."""
    return [
        replace(s, signature=extended(s.signature, **facts)) if s.measure.features else s
        for s in scores
    ]


def _failed(submission: Submission) -> tuple[Score, ...]:
    return tuple(Score(name, error=why) for name, why in submission.failed.items())


def _encoder(features: Features) -> Encoder:
    if features.encoder is None:
        raise SuiteError(f"there is no encoder behind {features.name!r}, and there are pictures")
    return CheckedEncoder(features.encoder, features.name)


@dataclass(frozen=True)
class ImageSet:
    """The generated or the real pictures as moments; of a folder, also what was read from it."""

    moments: Moments
    submission: Submission | None = None

    @property
    def source(self) -> str | None:
        return f"npz-{self.moments.digest}" if self.moments.digest else None


def read_images(path: Path, features: Features, policy: Policy, real: bool) -> ImageSet:
    """The moments of an `.npz` file, or of a folder's pictures, which are encoded.

    Raises:
        DataError: it is neither, or has fewer than two pictures.
    """
    if path.suffix == ".npz":
        return ImageSet(Moments.read(path))
    submission = single_folder(path, policy, real)
    outputs = [output.image for output in submission.outputs if output.image]
    pictures = list(submission.task.targets.values()) if real else outputs
    return ImageSet(Moments.of(_encoder(features).encode_images(pictures)), submission)


class ScoredImages(NamedTuple):
    """What was read of the pictures, and its scores."""

    submission: Submission
    result: ScoredSubmission


def score_moments(
    generated: Path, real: Path, features: Features, names: Sequence[str], policy: Policy
) -> ScoredImages:
    """FID where one or both sets are an `.npz`; KID has a reason instead of a number.

    Raises:
        DataError: a file is not what it should be, or the dimensions differ.
    """
    measures = _components(names, features)
    a = read_images(generated, features, policy, real=False)
    b = read_images(real, features, policy, real=True)
    task, problems = Task("image-generation", [], []), Problems("", "pictures", 0)
    empty = Submission("", task, problems, policy, real)
    submission = replace(a.submission or b.submission or empty, name=generated.stem, gold=real)
    failed = _failed(submission)
    scores = [replace(_distance(measure, a, b), scores=failed) for measure in measures]
    facts = features.facts if a.submission or b.submission else {}
    result = scored(submission, _signed(scores, facts))
    if a.moments.n is None:
        result = replace(result, rows=[row | {"n": None} for row in result.rows])
    return ScoredImages(submission, result)


def _distance(measure: Measure, generated: ImageSet, real: ImageSet) -> Scores:
    """FID of two sets' moments; of another measure, the reason why there is none."""
    described = signature(
        measure,
        dims=len(real.moments.mean),
        real=real.source,
        generated=generated.source,
        n_real=real.moments.n or "unknown",
        n_generated=generated.moments.n or "unknown",
    )
    if measure.info.distance != "FID":
        reason = f"{measure.name} needs every picture, and an .npz has the moments only"
        return Scores(measure, described, absence=Absence(reason))
    total = frechet(real.moments, generated.moments)
    return Scores(
        measure,
        described,
        total=total,
        n=generated.moments.n or 0,
        interval=(None, None),
        warning=NO_INTERVAL,
    )
