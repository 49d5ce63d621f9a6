"""Rankings made elsewhere: TREC runs against judgements, and what does not fit."""

from __future__ import annotations

import random

import pytest

from mmragbench.errors import DataError, SuiteError
from mmragbench.evals.retrieval import retrieval
from mmragbench.formats import trec
from mmragbench.formats.trec_runs import read_run
from mmragbench.records import Measure, Query, Ranking, Task
from mmragbench.signature import parse
from mmragbench.submissions.problems import MissingOutputs
from mmragbench.submissions.submission_scores import score_rankings
from mmragbench.submissions.trec_rankings import rankings, read_qrels

QRELS = "q1 0 d1 1\nq1 0 d2 0\nq2 0 d3 2\nq2 0 d4 1\nq3 0 d5 0\n"
RUN = "q1 Q0 d2 1 0.9 s\nq1 Q0 d1 2 0.8 s\nq2 Q0 d3 1 0.7 s\n"


@pytest.fixture
def files(tmp_path):
    """Writes a run and judgements, and returns both paths."""

    def write(run=RUN, qrels=QRELS):
        paths = tmp_path / "system.trec", tmp_path / "qrels.txt"
        for path, text in zip(paths, (run, qrels)):
            path.write_text(text, encoding="utf-8")
        return paths

    return write


def estimates(judged):
    return {row["measure"]: row["estimate"] for row in judged.rows}


def test_the_measures_of_a_small_run(files):
    """Worked out by hand: q1 finds d1 second, q2 finds one of two first, q3 has no gold."""
    found = estimates(score_rankings(rankings(*files()), ["R@1", "R@10", "Success@1", "RR", "AP"]))
    assert found == {"R@1": 0.25, "R@10": 0.75, "Success@1": 0.5, "RR": 0.75, "AP": 0.5}


def test_beirs_judgements_are_recognised(files):
    """Three columns behind a header say the same as TREC's four."""
    beir = "query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\td2\t0\nq2\td3\t2\nq2\td4\t1\nq3\td5\t0\n"
    _, trec_file = files()
    plain = read_qrels(trec_file)
    assert read_qrels(files(qrels=beir)[1]) == plain
    assert read_qrels(files(qrels="\ufeff" + beir.replace("\n", "\r\n"))[1]) == plain


@pytest.mark.parametrize("seed", range(3))
def test_equal_to_trec_eval_whatever_the_files_order(files, seed):
    """`ir_measures` on the same files; lines shuffled, ranks wrong, many ties, unjudged hits."""
    import ir_measures

    dice = random.Random(seed)
    documents = [f"d{i}" for i in range(30)]
    qrels, run = [], []
    for q in range(20):
        judged = dice.sample(documents, 6)
        qrels += [f"q{q} 0 {d} {dice.choice([0, 1, 2]) if i else 1}" for i, d in enumerate(judged)]
        found = dice.sample(documents, dice.randint(1, 20))
        run += [f"q{q} Q0 {d} 0 {dice.choice([0.5, 0.25, 0.125])} x" for d in found]
    dice.shuffle(run)
    paths = files("\n".join(run), "\n".join(qrels))
    names = ["R@5", "Success@5", "nDCG@10", "AP", "RR"]
    expected = ir_measures.calc_aggregate(
        [ir_measures.parse_measure(name) for name in names],
        list(ir_measures.read_trec_qrels(str(paths[1]))),
        list(ir_measures.read_trec_run(str(paths[0]))),
    )
    actual = estimates(score_rankings(rankings(*paths), names))
    assert actual == pytest.approx({str(m): value for m, value in expected.items()}, abs=1e-9)


def test_ties_do_not_depend_on_the_order_of_lines(files):
    """Score, then id, both descending (several tools take the order of a dictionary)."""
    lines = [f"q1 Q0 {d} 1 0.5 s" for d in ("d1", "d2", "d3")]
    for order in (lines, lines[::-1]):
        ranking = rankings(*files("\n".join(order)), "zero").rankings[0]
        assert ranking.ids == ("d3", "d2", "d1")


def test_a_hit_with_the_querys_own_id_is_a_hit(files):
    """beir drops it: then image-to-image and duplicate-question retrieval lose their answers."""
    found = score_rankings(rankings(*files("a Q0 a 1 1.0 s\n", "a 0 a 1\n")), ["Success@1"])
    assert estimates(found) == {"Success@1": 1.0}


def test_true_recall_and_hit_rate_have_two_names(files):
    """Five relevant captions per image, one found: mteb calls 0.2 recall, CLIP papers call 1."""
    qrels = "".join(f"image 0 caption{i} 1\n" for i in range(5))
    run = "image Q0 caption2 1 1.0 s\nimage Q0 other 2 0.5 s\n"
    found = estimates(score_rankings(rankings(*files(run, qrels)), ["R@5", "Success@5"]))
    assert found == {"R@5": 0.2, "Success@5": 1.0}


def test_missing_queries_follow_the_policy(files):
    """An error by default; left out; or 0, as in `trec_eval -c`."""
    paths = files(RUN.partition("q2")[0])
    with pytest.raises(MissingOutputs, match="1 of 2 queries missing: q2"):
        rankings(*paths)
    found = {}
    for policy in ("skip", "zero"):
        (row,) = score_rankings(rankings(*paths, policy), ["RR"]).rows
        facts = parse(row["signature"])
        assert (facts["missing"], facts["n_missing"]) == (policy, "1")
        found[policy] = row["estimate"], row["n"], row["n_failed"]
    assert found == {"skip": (0.5, 1, 0), "zero": (0.25, 2, 0)}


def test_unknown_queries_are_an_error_or_ignored(files):
    """A judged query without a relevant document is known."""
    more = RUN + "q3 Q0 d5 1 1.0 s\nq9 Q0 d1 1 1.0 s\n"
    with pytest.raises(MissingOutputs, match="1 queries unknown: q9"):
        rankings(*files(more))
    ignored = rankings(*files(more), "skip")
    assert ignored.problems.notes == {
        "unknown": {"count": 1, "ids": ["q9"]},
        "irrelevant": {"count": 1, "ids": ["q3"]},
    }
    assert estimates(score_rankings(ignored)) == estimates(score_rankings(rankings(*files())))


def test_a_run_folders_run_is_read_back(tmp_path):
    """Blanks in ids, written as %20, meet BEIR's ids, which may have blanks."""
    ranking = Ranking.of("a query", [("doc 1", 0.1 + 0.2), ("doc 2", 0.1)])
    run, qrels = tmp_path / "run.trec", tmp_path / "qrels.tsv"
    run.write_text("".join(trec.lines([ranking], "mine")))
    qrels.write_text("query-id\tcorpus-id\tscore\na query\tdoc 1\t1\n")
    assert read_run(run)[0] == {"a%20query": {"doc%201": 0.1 + 0.2, "doc%202": 0.1}}
    assert estimates(score_rankings(rankings(run, qrels), ["RR"])) == {"RR": 1.0}


@pytest.mark.parametrize("rows", ["g\tq1\ng\tq2\n", "query\tgroup\ng\tq1\n"])
def test_groups_the_other_way_round_are_an_error(files, tmp_path, rows):
    """It says that the columns are swapped."""
    groups = tmp_path / "groups.tsv"
    groups.write_text(rows)
    with pytest.raises(DataError, match=r"it has 'g'.*they have 'q1', .*the other way round"):
        rankings(*files(), groups=groups)


def test_groups_of_other_queries_are_an_error_with_an_id_of_each_side(files, tmp_path):
    """As without groups would be a wrong interval."""
    groups = tmp_path / "groups.tsv"
    groups.write_text("q1.jpg\ti1\nq2.jpg\ti1\n")
    with pytest.raises(
        DataError,
        match=r"'q1.jpg', ... \(\d+ in all\), they have 'q1', ... \(\d+ in all\); do the ids agree",
    ):
        rankings(*files(), groups=groups)


def test_how_many_queries_have_a_group_is_counted(files, tmp_path):
    """Queries without one, and groups of no query; a header is neither."""
    groups = tmp_path / "groups.tsv"
    groups.write_text("query-id\timage\nq1\ti1\nq9\ti1\n\n")
    problems = rankings(*files(), groups=groups).problems
    assert problems.ids["without a group"] == ("q2",)
    assert problems.ids["groups of no query"] == ("q9",)
    assert problems.line("groups of no query") == "1 groups of no query: q9"
    groups.write_text("q1\ti1\nq1\ti2\n")
    with pytest.raises(DataError, match="1 queries with more than one answer.*q1"):
        rankings(*files(), groups=groups)


def test_what_is_said_twice_is_counted(files):
    """The same pair in a run or in judgements: once, and named."""
    given = rankings(*files(RUN + "q1 Q0 d1 9 0.8 s\n", QRELS + "q1 0 d1 1.0\n"))
    assert given.problems.notes == {
        "irrelevant": {"count": 1, "ids": ["q3"]},
        "repeated judgements": {"count": 1, "ids": ["q1 d1"]},
        "repeated hits": {"count": 1, "ids": ["q1 d1"]},
    }


def test_blanks_of_unicode_are_parts_of_ids(files):
    """As for trec_eval, a field ends at a blank or a tab; a no-break space does not end it."""
    run, qrels = "q\u00a01\tQ0 d\u30001 1 0.5 s\n", "q\u00a01 0 d\u30001 1\n"
    assert estimates(score_rankings(rankings(*files(run, qrels)), ["RR"])) == {"RR": 1.0}


@pytest.mark.parametrize("grade", [10**9, -(10**9), 1_001])
def test_grades_from_elsewhere_are_bounded_too(grade):
    """Whoever made the judgements: trec_eval would take 8 bytes a step, and answer 0 without them."""
    task = Task("retrieval", [], [Query("q")], {"q": {"d": grade, "e": 1}})
    with pytest.raises(DataError, match="'q' has a grade beyond 1,000"):
        retrieval([Measure.parse("RR")], task, [Ranking.of("q", [("e", 1.0)])], [])


@pytest.mark.parametrize(
    "run",
    [
        "q1 d1 0.5\n",
        "q1 Q0 d1 1 high s\n",
        "q1 Q0 d1 1 nan s\n",
        "q1 Q0 d1 1 inf s\n",
        "q1 Q0 d1 1 -inf s\n",
        "q1 Q0 d1 1 1e400 s\n",
        "q1 Q0 d1 1 1,5 s\n",
        "q1 Q0 d1 1 1_0 s\n",
        "q1 Q0 d1 1 １ s\n",
        "q1 Q0 my d1 3 0.7 s\n",
        "q1 Q0 d1 1 0.7 my tag\n",
        "q1 Q0 d1 1 0.7\n",
        "q1 Q0 a\0b 1 0.7 s\n",
    ],
)
def test_what_is_not_a_run_is_named(files, run):
    """File, line, and what was expected; a score that is no number is never sorted."""
    with pytest.raises(DataError, match="line 1 is .* expected a TREC run"):
        rankings(*files(run))


@pytest.mark.parametrize("qrels", ["q1 d1 1\n", "q1 0 d1 yes\n", "q1 0 d1 0.5\n", "", "q1\td1\t\n"])
def test_what_is_not_judgements_is_named(files, qrels):
    """Two formats, nothing in between."""
    with pytest.raises(DataError, match="expected TREC qrels"):
        rankings(*files(qrels=qrels))


def test_contradictions_are_errors(files):
    """Two scores, or two grades, for one pair; the same one twice is no contradiction."""
    with pytest.raises(DataError, match="q1 d1"):
        rankings(*files(RUN + "q1 Q0 d1 9 0.1 s\n"))
    with pytest.raises(DataError, match="q1 d1"):
        rankings(*files(qrels=QRELS + "q1 0 d1 2\n"))
    assert rankings(*files(RUN + "q1 Q0 d1 9 0.8 s\n", QRELS + "q1 0 d1 1\n"))


def test_measures_without_their_cutoff_are_refused(files):
    """`R` alone is nothing here."""
    with pytest.raises(SuiteError, match="R@k"):
        score_rankings(rankings(*files()), ["R"])


def test_judgements_without_a_relevant_document(files):
    """Nothing is asked for then, which is said, with the queries."""
    with pytest.raises(MissingOutputs, match="gold asks for nothing: 2 queries irrelevant: q1, q2"):
        rankings(*files(qrels="q1 0 d1 0\nq2 0 d3 -1\n"))


@pytest.mark.parametrize("score", ["inf", "nan", "1e400", "2,5", "high"])
def test_a_score_that_is_no_number_is_named(files, score):
    """The line and the score: its six fields are right."""
    with pytest.raises(DataError, match=f"line 1 .* whose score '{score}' is no finite number"):
        read_run(files(run=f"q1 Q0 d1 1 {score} t\n")[0])


def test_a_run_with_carriage_returns_alone(files):
    """It is one long line: the error says how to convert it."""
    with pytest.raises(DataError, match=r"alone; convert it: tr '\\r' '\\n'; expected"):
        read_run(files(run=RUN.replace("\n", "\r"))[0])
