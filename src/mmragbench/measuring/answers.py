"""The answers to a task's queries that a measure takes, and its scores query by query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmragbench.records import Absence, Measure, Output, Score, Scores, Task

Rows = NDArray[np.float64]


class Answers(NamedTuple):
    """Query -> its image or text, and query -> why it has none."""

    by_query: dict[str, Any]
    errors: dict[str, str]


def answers(task: Task, outputs: Sequence[Output], kind: Literal["image", "text"]) -> Answers:
    """The images or texts among the outputs; a query without one has an error."""
    by_query = {output.query: output for output in outputs}
    result = Answers({}, {})
    for query in task.queries:
        output = by_query.get(query.id) or Output(query.id, error="no output")
        answer = getattr(output, kind)
        if answer is None:
            result.errors[query.id] = output.error or f"the output has no {kind}"
        else:
            result.by_query[query.id] = answer
    return result


def per_query(
    measure: Measure,
    task: Task,
    values: Mapping[str, float],
    errors: Mapping[str, str],
    described: str,
    *,
    bounds: tuple[float, float],
    reason: str,
) -> Scores:
    """A value for each query that has one, an error for one that has an error; others have neither.
    Where no query has a value, the first error, or else `reason`, says why there is no number."""
    scores = tuple(
        Score(query.id, error=errors[query.id])
        if query.id in errors
        else Score(query.id, float(values[query.id]) if query.id in values else None)
        for query in task.queries
    )
    why = next((f"no query could be scored: {score.error}" for score in scores if score.error), "")
    absence = None if values else Absence(reason if len(errors) < len(scores) else why or reason)
    return Scores(measure, described, scores, absence=absence, bounds=bounds)


def unit(vectors: Any) -> Rows:
    """Rows (n, d) of length 1, in double precision."""
    rows = np.asarray(vectors, dtype=np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-12))
