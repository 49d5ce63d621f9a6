"""Retrieval measures: trec_eval's values, on ties and empty rankings too."""

from __future__ import annotations

import math
import random
import time

import pytest

from mmragbench.evals.retrieval import PART, retrieval
from mmragbench.records import Absence, Hit, Measure, Query, Ranking, Scores, Task
from mmragbench.registry import find
from mmragbench.signature import parse

NAMES = [f"{name}@{k}" for name in ("R", "Success", "P", "RR", "nDCG", "AP") for k in (1, 5, 10)]
NAMES += ["RR", "AP", "nDCG", "Rprec"]
MEASURES = [Measure.parse(name) for name in NAMES]

ValuesByQuery = dict[str, dict[str, float]]


def brute_force(name: str, ids: list[str], grades: dict[str, int]) -> float:
    """Each measure written down from its definition."""
    measure = Measure.parse(name)
    k = measure.cutoff or len(ids)
    total = sum(grade > 0 for grade in grades.values())
    hits = [grades.get(id, 0) for id in ids[:k]]
    relevant = [grade > 0 for grade in hits]
    gains = lambda gs: sum(g / math.log2(i + 2) for i, g in enumerate(gs))  # noqa: E731
    ideal = sorted(grades.values(), reverse=True)[: measure.cutoff]
    precisions = [sum(relevant[: i + 1]) / (i + 1) for i in range(len(relevant)) if relevant[i]]
    return {
        "R": sum(relevant) / total,
        "Success": float(any(relevant)),
        "P": sum(relevant) / k if k else 0.0,
        "RR": 1 / (relevant.index(True) + 1) if any(relevant) else 0.0,
        "nDCG": gains(hits) / gains(ideal),
        "AP": sum(precisions) / total,
        "Rprec": sum(relevant[:total]) / total,
    }[measure.name]


def random_task(seed: int) -> tuple[Task, list[Ranking]]:
    """Many ties, unjudged documents, graded relevance, empty rankings, queries without gold."""
    random_ = random.Random(seed)
    documents = [f"d{i}" for i in range(40)]
    queries = [Query(f"q{i}") for i in range(30)]
    qrels, rankings = {}, []
    for i, query in enumerate(queries):
        judged = random_.sample(documents, random_.randint(1, 12))
        qrels[query.id] = {id: random_.choice([0, 1, 1, 2, 3]) if i % 7 else 0 for id in judged}
        if i % 7:
            qrels[query.id][judged[0]] = 1
        hits = [(id, random_.choice([0.1, 0.2, 0.2, 0.30000001, 0.3])) for id in documents]
        taken = random_.sample(hits, 0 if i % 5 == 0 else random_.randint(1, 30))
        rankings.append(Ranking.of(query.id, taken))
    return Task("t", [], queries, qrels), rankings


def values(scores: list[Scores]) -> ValuesByQuery:
    return {
        str(s.measure): {x.query: x.value for x in s.scores if x.value is not None} for s in scores
    }


@pytest.mark.parametrize("seed", range(20))
def test_equal_to_the_definition(seed: int) -> None:
    """Every measure is what its definition gives on the ranking as it is ordered."""
    task, rankings = random_task(seed)
    actual = values(retrieval(MEASURES, task, rankings, []))
    expected = {
        name: {
            ranking.query: brute_force(name, list(ranking.ids), dict(task.qrels[ranking.query]))
            for ranking in rankings
            if max(task.qrels[ranking.query].values()) > 0
        }
        for name in NAMES
    }
    for name in NAMES:
        assert actual[name] == pytest.approx(expected[name], abs=1e-9), name


@pytest.mark.parametrize("seed", range(5))
def test_equal_to_trec_eval(seed: int) -> None:
    """Equal to ir_measures called directly with scores (float32 has them apart here)."""
    import ir_measures

    task, rankings = random_task(seed)
    run = {r.query: {id: round(score, 1) for id, score in r.hits} for r in rankings if r.hits}
    rounded = [Ranking.of(query, hits.items()) for query, hits in run.items()]
    names = [name for name in NAMES if not name.startswith("RR@")]
    parsed = [ir_measures.parse_measure(name) for name in names]
    expected: ValuesByQuery = {name: {} for name in names}
    for metric in ir_measures.iter_calc(parsed, dict(task.qrels), run):
        if max(task.qrels[metric.query_id].values()) > 0 and metric.query_id in run:
            expected[str(metric.measure)][metric.query_id] = metric.value
    actual = values(retrieval([Measure.parse(name) for name in names], task, rounded, []))
    for name in names:
        assert actual[name] == pytest.approx(expected[name], abs=1e-12), name


def test_scores_that_single_precision_cannot_tell_apart() -> None:
    """1 + 1e-9 ranks before 1: the order is the ranking's, not that of scores read as floats."""
    task = Task("t", [], [Query("q")], {"q": {"a": 1}})
    ranking = Ranking.of("q", [("a", 1 + 1e-9), ("z", 1.0)])
    assert ranking.ids == ("a", "z")
    assert values(retrieval([Measure("RR")], task, [ranking], []))["RR"] == {"q": 1.0}


def test_true_recall_is_not_hit_rate() -> None:
    """One of two relevant documents found: R 0.5, Success 1."""
    task = Task("t", [], [Query("q")], {"q": {"a": 1, "b": 1}})
    scores = retrieval(
        [Measure("R", cutoff=5), Measure("Success", cutoff=5)],
        task,
        [Ranking("q", (Hit("a", 1.0),))],
        [],
    )
    assert values(scores) == {"R@5": {"q": 0.5}, "Success@5": {"q": 1.0}}


def test_failed_missing_and_zero_differ() -> None:
    """No hits are a 0; no ranking is an error; without a relevant document there is neither."""
    queries = [Query(id) for id in ("empty", "missing", "unjudged", "irrelevant")]
    qrels = {"empty": {"a": 1}, "missing": {"a": 1}, "irrelevant": {"a": 0}}
    rankings = [Ranking(id) for id in ("empty", "unjudged", "irrelevant")]
    scores = retrieval([Measure("R", cutoff=5)], Task("t", [], queries, qrels), rankings, [])[0]
    assert [(s.query, s.value, s.error) for s in scores.scores] == [
        ("empty", 0.0, None),
        ("missing", None, "no ranking"),
        ("unjudged", None, None),
        ("irrelevant", None, None),
    ]


def test_order_and_number_of_rankings_do_not_matter() -> None:
    """More than are scored together, backwards; the first query has none, the others the second hit."""
    queries = [Query(f"q{i}") for i in range(PART + 50)]
    task = Task("t", [], queries, {query.id: {"right": 1} for query in queries})
    ranked = [Ranking(query.id, (Hit("wrong", 2.0), Hit("right", 1.0))) for query in queries[1:]]
    scores = retrieval([Measure("RR")], task, ranked[::-1], [])[0].scores
    assert [score.query for score in scores] == [query.id for query in queries]
    assert [score.value for score in scores] == [None] + [0.5] * (len(queries) - 1)
    assert [score.error for score in scores[:2]] == ["no ranking", None]


def test_no_gold_at_all_is_a_reason() -> None:
    """Without any relevant document there is no number, and it says why."""
    scores = retrieval([Measure("AP")], Task("t", [], [Query("q")]), [Ranking("q")], [])[0]
    assert (scores.absence, scores.total) == (Absence("no query could be scored"), None)


def test_slices_and_strangers() -> None:
    """A slice scores its own queries only; rankings of other queries are not looked at."""
    task, rankings = random_task(3)
    part = frozenset({"q1", "q2", "q3"})
    whole = values(retrieval(MEASURES, task, rankings, []))
    sliced = values(retrieval(MEASURES, task.subset(part), rankings, []))
    assert sliced == {n: {q: v for q, v in whole[n].items() if q in part} for n in NAMES}


def test_signature_says_what_matters() -> None:
    """Relevance, depth, ties and what happens to awkward queries."""
    task, rankings = random_task(0)
    facts = parse(retrieval([Measure("AP")], task, rankings, [], depth=50)[0].signature)
    assert {k: facts[k] for k in ("measure", "relevance", "depth", "ties", "norel", "empty")} == {
        "measure": "AP",
        "relevance": "gold",
        "depth": "50",
        "ties": "id-desc",
        "norel": "unscored",
        "empty": "0",
    }
    assert parse(retrieval(MEASURES[1:2], task, rankings, [])[0].signature)["depth"] == "5"


def test_registered_under_their_names() -> None:
    """Each measure is found with `k` for its cutoff."""
    for name in ("R@k", "Success@k", "P@k", "RR", "RR@k", "nDCG", "nDCG@k", "AP", "AP@k", "Rprec"):
        assert find("measure", name).make is retrieval


def test_speed() -> None:
    """2,500 queries, 100 hits each, 12 measures: seconds at the very most."""
    random_ = random.Random(0)
    documents = [f"d{i}" for i in range(5_000)]
    queries = [Query(f"q{i}") for i in range(2_500)]
    rankings = [
        Ranking.of(q.id, [(id, random_.random()) for id in random_.sample(documents, 100)])
        for q in queries
    ]
    qrels = {r.query: {hit.id: 1 for hit in random_.sample(r.hits, 3)} for r in rankings}
    start = time.perf_counter()
    retrieval(MEASURES[:12], Task("t", [], queries, qrels), rankings, [])
    assert time.perf_counter() - start < 5


def test_a_larger_gallery_is_another_protocol() -> None:
    """Recall among 5 documents and among 1,000 are different numbers: the signature says so."""
    from mmragbench.records import Document
    from mmragbench.signature import differences

    def signed(size: int) -> str:
        memory = [Document(str(i)) for i in range(size)]
        task = Task("t", memory, [Query("q")], {"q": {"1": 1}})
        return retrieval([Measure("R", cutoff=1)], task, [Ranking("q")], [])[0].signature

    assert differences(signed(5), signed(1000), paired=True) == {"docs": ("5", "1000")}
