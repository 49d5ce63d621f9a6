"""FID and KID of pictures made elsewhere, or FID of the moments that are known of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mmragbench.contracts import Encoder
from mmragbench.errors import SuiteError
from mmragbench.outside.features import Features
from mmragbench.outside.images import lone
from mmragbench.outside.judging import Judged, components, judged
from mmragbench.outside.moments import Moments, frechet
from mmragbench.outside.problems import Policy, Problems
from mmragbench.outside.submission import Submission
from mmragbench.records import Image, Measure, Score, Scores, Task
from mmragbench.registry import every
from mmragbench.scoring import score
from mmragbench.signature import signature
from mmragbench.validation import CheckedEncoder

IMAGES = ("FID", "KID")
NO_KID = "KID needs the features of every picture, and an .npz has the moments only"

NO_INTERVAL = (
    "no interval, and no FID beyond this n: they need the features of every picture, and an .npz has "
    "the moments only"
)


def judge_images(
    submission: Submission, features: Features, names: Sequence[str] = IMAGES
) -> Judged:
    """FID and KID of two sets of pictures.

    Raises:
        SuiteError: a name is neither.
    """
    asked = components(names, distances(), features.name)
    task, outputs = submission.task, submission.outputs
    found = score(asked, task, [], outputs, lambda _: _encoder(features))["all"]
    found = [replace(scores, scores=_failed(submission)) for scores in found]
    return judged(submission, found, **features.facts)


def distances() -> list[str]:
    """The distances between two sets of pictures."""
    return [component.name for component in every("measure") if component.info.distance]


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
    asked = components(names, distances(), features.name)
    a = read_side(made, features, policy, real=False)
    b = read_side(real, features, policy, real=True)
    nothing = Submission("", Task("image-generation", [], []), Problems("", "pictures", 0), policy)
    submission = replace(a.submission or b.submission or nothing, name=made.stem)
    failed = _failed(submission)
    found = [replace(_distance(measure, a, b), scores=failed) for measure in asked]
    facts = features.facts if a.submission or b.submission else {}
    result = judged(submission, found, **facts)
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
        return Scores(measure, described, reason=NO_KID)
    total = frechet(real.moments, made.moments)
    return Scores(measure, described, total=total, interval=(None, None), warning=NO_INTERVAL)


def _made(submission: Submission) -> list[Image]:
    return [output.image for output in submission.outputs if output.image]
