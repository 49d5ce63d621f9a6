"""Measures of pictures made elsewhere, or FID of the moments that are known of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mmragbench._validation import CheckedEncoder
from mmragbench.contracts import Encoder
from mmragbench.errors import SuiteError
from mmragbench.measuring.scoring import score
from mmragbench.records import Absence, Image, Measure, Score, Scores, Task
from mmragbench.registry import Component, arguments, every
from mmragbench.signature import extended, signature
from mmragbench.submissions.features import Features
from mmragbench.submissions.images import lone
from mmragbench.submissions.moments import Moments, frechet
from mmragbench.submissions.problems import Policy, Problems
from mmragbench.submissions.scoring import Judged, components, judged
from mmragbench.submissions.submission import Submission

IMAGES = ("FID", "KID")

NO_INTERVAL = (
    "no interval, and no FID beyond this n: they need the features of every picture, and an .npz has "
    "the moments only"
)


def judge_images(
    submission: Submission, features: Features, names: Sequence[str] = IMAGES
) -> Judged:
    """Distances of two sets of pictures, and measures of their pairs.

    Raises:
        SuiteError: a name is none of them, or needs features that were not named.
    """
    asked = _components(names, features)
    task, outputs = submission.task, submission.outputs
    found = score(asked, task, [], outputs, lambda _: _encoder(features))["all"]
    found = [replace(s, scores=(*_values(s), *_failed(submission))) for s in found]
    return judged(submission, _signed(found, features.facts))


def _components(names: Sequence[str], features: Features) -> dict[Measure, Component]:
    """The evaluators of measures of pictures, those that take features on these."""
    known = [component.name for component in every("measure") if "image" in component.scores]
    for name in names:
        if name in known and "features" in arguments("measure", name) and not features.name:
            raise SuiteError(
                f"{name} compares pictures on features; name them: --features inception, "
                "--features shipped:scenes/clip, ..."
            )
    return components(names, known, features.name or None)


def _values(scores: Scores) -> Iterator[Score]:
    """Those of the pairs; the reason for every file without one stands among the failures."""
    return (score for score in scores.scores if score.value is not None)


def _signed(found: Sequence[Scores], facts: Mapping[str, object]) -> list[Scores]:
    """With what identifies the features, where a measure takes some."""
    return [
        replace(s, signature=extended(s.signature, **facts)) if s.measure.features else s
        for s in found
    ]


def _failed(submission: Submission) -> tuple[Score, ...]:
    return tuple(Score(name, error=why) for name, why in submission.failed.items())


def _encoder(features: Features) -> Encoder:
    if features.encoder is None:
        raise SuiteError(f"there is no encoder behind {features.name!r}, and there are pictures")
    return CheckedEncoder(features.encoder, features.name)


@dataclass(frozen=True)
class Side:
    """The generated or the real pictures, as moments; a folder's, with what is wrong in it."""

    moments: Moments
    submission: Submission | None = None

    @property
    def source(self) -> str | None:
        return f"npz-{self.moments.digest}" if self.moments.digest else None


def read_side(path: Path, features: Features, policy: Policy, real: bool) -> Side:
    """An `.npz` is read, a folder's pictures are encoded.

    Raises:
        DataError: it is neither, or has fewer than two pictures.
    """
    if path.suffix == ".npz":
        return Side(Moments.read(path))
    found = lone(path, policy, real)
    pictures = list(found.task.targets.values()) if real else _made(found)
    return Side(Moments.of(_encoder(features).encode_images(pictures)), found)


def judge_moments(
    made: Path, real: Path, features: Features, names: Sequence[str], policy: Policy
) -> tuple[Submission, Judged]:
    """FID where a side, or both, is an `.npz`; for KID there is a reason instead.

    Raises:
        DataError: a file is not what it should be, or the dimensions differ.
    """
    asked = _components(names, features)
    a = read_side(made, features, policy, real=False)
    b = read_side(real, features, policy, real=True)
    nothing = Submission("", Task("image-generation", [], []), Problems("", "pictures", 0), policy)
    submission = replace(a.submission or b.submission or nothing, name=made.stem)
    failed = _failed(submission)
    found = [replace(_distance(measure, a, b), scores=failed) for measure in asked]
    facts = features.facts if a.submission or b.submission else {}
    result = judged(submission, _signed(found, facts))
    if a.moments.n is None:
        result = replace(result, rows=[row | {"n": None} for row in result.rows])
    return submission, result


def _distance(measure: Measure, made: Side, real: Side) -> Scores:
    described = signature(
        measure,
        dims=len(real.moments.mean),
        real=real.source,
        generated=made.source,
        n_real=real.moments.n or "unknown",
        n_generated=made.moments.n or "unknown",
    )
    if measure.info.distance != "FID":
        reason = f"{measure.name} needs every picture, and an .npz has the moments only"
        return Scores(measure, described, absence=Absence(reason))
    total = frechet(real.moments, made.moments)
    return Scores(
        measure,
        described,
        total=total,
        n=made.moments.n or 0,
        interval=(None, None),
        warning=NO_INTERVAL,
    )


def _made(submission: Submission) -> list[Image]:
    return [output.image for output in submission.outputs if output.image]
