"""Answers against the answers that count as right: SQuAD's exact match and token F1.

Values lie in 0 to 1; a query's is the best over its right answers. Before they are compared, both
are put into lower case, lose ASCII punctuation, then the articles a, an and the, and have their white
space made single (Rajpurkar et al. 2016, the evaluation of SQuAD 1.1). An answer of which nothing is
left matches only another of which nothing is left: `empty:match`, as in SQuAD 2.0's evaluation. A
failed or missing output is an error, not a zero; an empty answer is an answer.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mmragbench.records import Absence, Measure, Output, Ranking, Score, Scores, Task
from mmragbench.registry import measures as registered
from mmragbench.signature import signature, span

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(a|an|the)\b")


@registered("EM", "F1", scores=("answer",), unit="%", margin=0.02)
def answers(
    measures: Sequence[Measure],
    task: Task,
    rankings: Sequence[Ranking],
    outputs: Sequence[Output],
    **_: Any,
) -> list[Scores]:
    """Exact match and token F1, after SQuAD's normalisation."""
    by_query = {output.query: output for output in outputs}
    texts: dict[str, str] = {}
    errors: dict[str, str] = {}
    for query in task.queries:
        answer = _answer(by_query.get(query.id), task.references.get(query.id, ()))
        if isinstance(answer, Output):
            texts[query.id] = answer.text or ""
        else:
            errors[query.id] = answer
    return [_scores(measure, task, texts, errors) for measure in measures]


def normalised(text: str) -> str:
    """SQuAD 1.1's normal form.

    >>> normalised("  The  Eiffel-Tower (in Paris)!")
    'eiffeltower in paris'
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact_match(answer: str, right: str) -> float:
    """1 if both are the same in normal form, else 0."""
    return float(normalised(answer) == normalised(right))


def token_f1(answer: str, right: str) -> float:
    """The harmonic mean of precision and recall of the words, as multisets, in normal form.

    >>> token_f1("the cat sat", "a cat slept")
    0.5
    """
    given, wanted = normalised(answer).split(), normalised(right).split()
    if not given or not wanted:
        return float(given == wanted)
    common = sum((Counter(given) & Counter(wanted)).values())
    return 2 * common / (len(given) + len(wanted))


COMPARED: Mapping[str, Callable[[str, str], float]] = {"EM": exact_match, "F1": token_f1}


def _answer(output: Output | None, right: Sequence[str]) -> Output | str:
    """The output if it can be scored, or why it can't."""
    if not right:
        return "no answer is known to be right"
    if output is None:
        return "no output"
    if output.error is not None:
        return output.error
    return "the output is not a text" if output.text is None else output


def _scores(
    measure: Measure, task: Task, texts: Mapping[str, str], errors: Mapping[str, str]
) -> Scores:
    compare = COMPARED[measure.name]
    values = {
        query: max(compare(text, right) for right in task.references[query])
        for query, text in texts.items()
    }
    described = signature(
        measure,
        norm="squad1.1",
        empty="match",
        refs=span(len(task.references[query]) for query in texts),
        over="max",
        n=len(values),
    )
    scores = (Score(query.id, values.get(query.id), errors.get(query.id)) for query in task.queries)
    absence = None if values else Absence("no answer could be scored")
    return Scores(measure, described, tuple(scores), absence=absence, bounds=(0.0, 1.0))
