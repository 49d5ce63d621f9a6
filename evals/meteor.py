"""METEOR 1.5 (Denkowski and Lavie 2014), English, through pycocoevalcap's Java program.

Raw scale, 0 to 1. The set's value is METEOR's own aggregate, not the mean of the queries' values.
Where there is no Java there is no number, and the reason says so.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmragbench.evals.captions import PYTHON, Pairs, Tokenizer, pair, scores
from mmragbench.records import Measure, Output, Ranking, Scores, Task
from mmragbench.registry import measures as registered

COUNTS = 23
"""Numbers in the program's answer about one caption."""


@registered("METEOR", scores=("caption",), unit="×100", margin=0.01)
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
        raise RuntimeError(f"METEOR's Java program: {error}") from error
    by_query = dict(zip(candidates, values, strict=True))
    result = scores(measure, pairs, by_query, total, set="corpus", meteor="1.5-en-norm")
    if len(values) < 2:
        return result
    from mmragbench.statistics import pseudo_values

    influences = pseudo_values(_counts(pairs), corpus_meteor).tolist()
    named = dict(zip(candidates, influences, strict=True))
    return replace(result, influences=named)


def _counts(pairs: Pairs) -> NDArray[np.float64]:
    """What each query adds to the set's totals (n, 23): the numbers that the program answered.

    The chunk of a caption that is one of its references, word by word, is none: as in the program.
    """
    answers = (
        pairs.corpus.meteor[(pairs.candidates[query], *lines)]
        for query, lines in pairs.references.items()
    )
    counts = np.array([[float(number) for number in answer.split()] for answer in answers])
    matched = counts[:, 4:20].reshape(-1, 4, 4).sum(axis=1)
    whole = (matched[:, :2] + matched[:, 2:] == counts[:, :2]).all(axis=1)
    counts[whole & (counts[:, 20] == 1), 20] = 0
    return counts


def corpus_meteor(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """METEOR of rows of totals (r, 23), as the Java program computes it from them for English.

    Matches by form, stem, synonym and paraphrase weigh 1, 0.6, 0.8 and 0.6; content words 0.75 and
    function words 0.25; recall 0.85 of the mean; fragmentation takes off up to 0.6.
    """
    lengths, matches = totals[:, :4], totals[:, 4:20].reshape(-1, 4, 4)
    chunks, *matched = totals[:, 20:].T
    words = 0.75 * (lengths[:, :2] - lengths[:, 2:]) + 0.25 * lengths[:, 2:]
    matched_words = np.einsum("s,rsw->rw", [1.0, 0.6, 0.8, 0.6], matches)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision, recall = ((0.75 * matched_words[:, :2] + 0.25 * matched_words[:, 2:]) / words).T
        mean = 1 / (0.15 / precision + 0.85 / recall)
        value = mean * (1 - 0.6 * (2 * chunks / (matched[0] + matched[1])) ** 0.2)
    return np.nan_to_num(value)


@contextmanager
def _process(known: dict[tuple[str, ...], str]) -> Iterator[Any]:
    """pycocoevalcap's wrapper: its statistics are remembered, and its process always ends."""
    from pycocoevalcap.meteor.meteor import Meteor

    class Remembering(Meteor):  # type: ignore[misc]
        def _stat(self, hypothesis_str: str, reference_list: list[str]) -> str:
            key = (hypothesis_str, *reference_list)
            if key not in known:
                answer: str = super()._stat(hypothesis_str, reference_list)
                if len(answer.split()) != COUNTS:
                    raise ValueError(f"it answered {answer.strip()[:40]!r} instead of its counts")
                known[key] = answer
            return known[key]

        def __del__(self) -> None:
            """The original waits here for a lock that an error leaves locked."""

    process = Remembering()
    try:
        yield process
    finally:
        process.meteor_p.kill()
        process.meteor_p.communicate()
