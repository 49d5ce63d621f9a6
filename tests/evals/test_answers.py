"""Exact match and token F1, against torchmetrics' SQuAD."""

from __future__ import annotations

import random
import warnings

import pytest

from mmragbench.evals.answers import answers
from mmragbench.records import Absence, Measure, Output, Query, Task

EM, F1 = Measure("EM"), Measure("F1")

NASTY = [
    "", " ", "a", "The", "an the a", "...", "!?", "1,000", "1000", "1.000", "3.14", "-5", "U.S.", "US",
    "the U.S.A.", "New York", "new-york", "New  York\tCity", "Ünïcode", "ünïcode", "ÜNÏCODE", "naïve café",
    "naı\u0308ve", "İstanbul", "istanbul", "ß", "SS", "“quoted”", '"quoted"', "quoted", "it's", "its", "“it’s”",
    "theater", "a theater", "anthem", "the the cat", "cat the", "cat cat dog", "dog cat", "红色 的 房子", "红色的房子",
    "№ 5", "5", "50 %", "50%", "$50", "50 dollars", "e=mc²", "x_y", "a_b", "A/B", "a\u00a0cat", "\u200bcat", "an apple",
    "apple", "Apple.", "🙂", "🙂 cat", "and", "in 1884", "1884", "In the year 1884", "\u0130\u0307",
]  # fmt: skip


def scored(pairs: list[tuple[str, list[str]]]) -> dict[str, list[float]]:
    task = Task(
        "question-answering",
        [],
        [Query(str(i)) for i in range(len(pairs))],
        output="answer",
        references={str(i): tuple(right) for i, (_, right) in enumerate(pairs)},
    )
    outputs = [Output(str(i), text=given) for i, (given, _) in enumerate(pairs)]
    results = answers([EM, F1], task, [], outputs)
    return {str(s.measure): [score.value for score in s.scores] for s in results}


def oracle(given: str, right: list[str]) -> tuple[float, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torchmetrics.functional.text import squad

        target = {"answers": {"answer_start": [0] * len(right), "text": right}, "id": "q"}
        squad_result = squad({"prediction_text": given, "id": "q"}, target)
    return float(squad_result["exact_match"]) / 100, float(squad_result["f1"]) / 100


def agree(pairs: list[tuple[str, list[str]]]) -> None:
    ours = scored(pairs)
    for i, (given, right) in enumerate(pairs):
        em, f1 = oracle(given, right)
        assert ours["EM"][i] == em, (given, right)
        assert ours["F1"][i] == pytest.approx(f1, abs=1e-6), (given, right)


def test_nasty_answers_score_as_torchmetrics_scores_them():
    """Every pair of some sixty: empty, articles alone, punctuation, numbers, accents, no-break and
    zero-width blanks, other scripts, dotted capital I."""
    agree([(given, [right]) for given in NASTY for right in NASTY])


def test_random_answers_score_as_torchmetrics_scores_them():
    """Hundreds of answers of random words with up to five right ones: the best counts."""
    draw = random.Random(7)
    words = [
        "the",
        "a",
        "cat",
        "Cat,",
        "dog",
        "1884",
        "(red)",
        "house",
        "HOUSE",
        "an",
        "oak-tree",
        "–",
        "é",
    ]

    def text() -> str:
        return " ".join(draw.choices(words, k=draw.randint(0, 7)))

    agree([(text(), [text() for _ in range(draw.randint(1, 5))]) for _ in range(500)])


def test_values_lie_between_0_and_1():
    """And 1 is reached: as raw values, not percent."""
    values = scored([("The Cat!", ["a cat"]), ("dog", ["cat"]), ("black cat", ["cat"])])
    assert values == {"EM": [1.0, 0.0, 0.0], "F1": [1.0, 0.0, pytest.approx(2 / 3)]}


def test_failed_missing_and_zero_are_three_things():
    """An error and a missing output have no value; an empty answer is a zero; a picture is an
    error, and so is a query of which nobody knows the answer."""
    queries = [Query(id) for id in ("failed", "missing", "empty", "picture", "unknown")]
    right = {query.id: ("cat",) for query in queries[:4]}
    task = Task("question-answering", [], queries, output="answer", references=right)
    outputs = [
        Output("failed", error="refused"),
        Output("empty", text=""),
        Output("picture"),
        Output("unknown", text="x"),
    ]
    (scores,) = answers([F1], task, [], outputs)
    assert [(s.query, s.value, s.error) for s in scores.scores] == [
        ("failed", None, "refused"),
        ("missing", None, "no output"),
        ("empty", 0.0, None),
        ("picture", None, "the output is not a text"),
        ("unknown", None, "no answer is known to be right"),
    ]
    (none,) = answers([F1], task, [], [])
    assert none.absence == Absence("no answer could be scored")


def test_the_signature_says_what_could_change_the_number():
    """Normal form, what nothing matches, how many right answers and which counts, n."""
    task = Task(
        "question-answering",
        [],
        [Query("a"), Query("b")],
        output="answer",
        references={"a": ("x",), "b": ("x", "y")},
    )
    outputs = [Output("a", text="x"), Output("b", text="y")]
    (scores,) = answers([EM], task, [], outputs)
    assert (
        scores.signature.rpartition("|")[0] == "EM|norm:squad1.1|empty:match|refs:1-2|over:max|n:2"
    )
