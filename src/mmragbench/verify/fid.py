"""Reference distances between two folders of pictures, computed as `mmragbench score images` computes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmragbench.records import Measure, Scores
from mmragbench.registry import find
from mmragbench.verify.references import Reference


def fid(references: Sequence[Reference], given: Mapping[str, Any], data: Path) -> dict[str, Scores]:
    """Our scores by the references' names.

    Args:
        references: measures of the same two folders.
        given: `made` and `real` (folders below the data folder), `features` (an encoder, as a suite
            says it).
        data: the data folder.

    Raises:
        NotApplicable: the features' weights are not there.
    """
    from mmragbench.evals.images import images
    from mmragbench.submissions.image_folders import images as read

    spec = dict(given["features"])
    name = spec.pop("use")
    encoder = find("encoder", name).make(**spec)
    submission = read(data / given["made"], data / given["real"], pairs="none")
    measures = list(dict.fromkeys(Measure(reference.measure, name) for reference in references))
    scored = images(measures, submission.task, [], submission.outputs, features=encoder)
    # Of two sets, no query has both a real and a generated picture, which is no failure.
    by_measure = {scores.measure.name: replace(scores, scores=()) for scores in scored}
    return {reference.name: by_measure[reference.measure] for reference in references}
