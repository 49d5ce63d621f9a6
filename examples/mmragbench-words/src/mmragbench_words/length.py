"""How long captions are: no measure of quality, but the first thing to look at where CIDEr is odd."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmragbench.records import Absence, Measure, Output, Query, Ranking, Score, Scores, Task
from mmragbench.registry import measures as registered
from mmragbench.signature import signature


@registered("Length", scores=("caption", "answer"))
def length(
    measures: Sequence[Measure],
    task: Task,
    rankings: Sequence[Ranking],
    outputs: Sequence[Output],
    **_: Any,
) -> list[Scores]:
    """Words in a caption or an answer, split at white space."""
    by_query = {output.query: output for output in outputs}
    scores = tuple(_score(query, by_query.get(query.id)) for query in task.queries)
    n = sum(score.value is not None for score in scores)
    absence = None if n else Absence("there is no text to count")
    return [
        Scores(m, signature(m, tok="white-space", n=n), scores, absence=absence) for m in measures
    ]


def _score(query: Query, output: Output | None) -> Score:
    """Failed, missing and zero are three things."""
    if output is None:
        return Score(query.id, error="no output")
    if output.text is None:
        return Score(query.id, error=output.error or "the output is not a text")
    return Score(query.id, float(len(output.text.split())))
