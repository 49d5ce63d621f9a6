"""Reference numbers of captions, scored as `mmragbench score captions` scores them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmragbench.records import Measure, Scores
from mmragbench.registry import find_measure
from mmragbench.verify.references import Reference


def captions(
    references: Sequence[Reference], given: Mapping[str, Any], data: Path
) -> dict[str, Scores]:
    """Our scores by the references' names.

    Args:
        references: measures of the same captions.
        given: `results`, `references` (files below the data folder), `tokenizer`. Images without a
            caption are left out, of the idf's corpus too.
        data: the data folder.
    """
    from mmragbench.evals.captions import JAVA, PYTHON
    from mmragbench.submissions.coco_results import captions as read

    tokenizer = {JAVA.name: JAVA, PYTHON.name: PYTHON}[given["tokenizer"]]
    submission = read(data / given["results"], data / given["references"], "skip")
    measures = dict.fromkeys(Measure.parse(reference.measure) for reference in references)
    families: dict[Callable[..., list[Scores]], list[Measure]] = {}
    for measure in measures:
        families.setdefault(find_measure(measure).make, []).append(measure)
    by_measure: dict[str, Scores] = {}
    for evaluate, family in families.items():
        scored = evaluate(family, submission.task, [], submission.outputs, tokenizer=tokenizer)
        by_measure |= {str(scores.measure): scores for scores in scored}
    return {reference.name: by_measure[reference.measure] for reference in references}
