"""METEOR 1.5 (Denkowski and Lavie 2014), English, through pycocoevalcap's Java program.

Raw scale, 0 to 1. The set's value is METEOR's own aggregate, not the mean of the queries' values.
Where there is no Java there is no number, and the reason says so.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from mmragbench.evals.captions import PYTHON, Pairs, Tokenizer, pair, scores
from mmragbench.records import Measure, Output, Ranking, Scores, Task
from mmragbench.registry import measures as registered


@registered("METEOR", scores=("caption",))
def meteor(
    measures: Sequence[Measure],
    task: Task,
    rankings: Sequence[Ranking],
    outputs: Sequence[Output],
    tokenizer: Tokenizer = PYTHON,
    **_: Any,
) -> list[Scores]:
    """Unigram matches by form, stem, synonym and paraphrase; needs Java."""
    pairs = pair(task, outputs, tokenizer)
    return [_meteor(measure, pairs) for measure in measures]


def _meteor(measure: Measure, pairs: Pairs) -> Scores:
    if not pairs.candidates:
        return scores(measure, pairs, reason="no caption could be scored")
    if shutil.which("java") is None:
        return scores(measure, pairs, reason="Java is not installed")
    candidates = {query: [line] for query, line in pairs.candidates.items()}
    try:
        with _process(pairs.corpus.meteor) as process:
            total, values = process.compute_score(pairs.references, candidates)
    except (OSError, ValueError) as error:
        return scores(measure, pairs, reason=f"METEOR's Java program failed: {error}")
    by_query = dict(zip(candidates, values, strict=True))
    return scores(measure, pairs, by_query, total, set="corpus", meteor="1.5-en-norm")


@contextmanager
def _process(known: dict[tuple[str, ...], str]) -> Iterator[Any]:
    """pycocoevalcap's wrapper: its statistics are remembered, and its process always ends."""
    from pycocoevalcap.meteor.meteor import Meteor

    class Remembering(Meteor):  # type: ignore[misc]
        def _stat(self, hypothesis_str: str, reference_list: list[str]) -> str:
            key = (hypothesis_str, *reference_list)
            if key not in known:
                known[key] = super()._stat(hypothesis_str, reference_list)
            return known[key]

        def __del__(self) -> None:
            """The original waits here for a lock that an error leaves locked."""

    process = Remembering()
    try:
        yield process
    finally:
        process.meteor_p.kill()
        process.meteor_p.communicate()
