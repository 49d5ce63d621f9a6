"""`--against`: two systems on the items that both have, compared in pairs."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from mmragbench.signature import parse
from mmragbench.statistics import holm
from mmragbench.submissions.coco_results import captions
from mmragbench.submissions.problems import MissingOutputs
from mmragbench.submissions.submission_scores import score_captions, score_rankings
from mmragbench.submissions.trec_rankings import rankings
from mmragbench.submissions.versus import versus

PROGRAM = Path(sys.executable).with_name("mmragbench")
THINGS = ("bike", "dog", "plate", "cat", "boat", "train", "horse", "kite")
GOLD = {i: [f"A red {t} by the old wall.", f"One {t} near a wall"] for i, t in enumerate(THINGS)}
GOOD = {i: f"A red {thing} by the wall." for i, thing in enumerate(THINGS)}
BAD = dict.fromkeys(GOLD, "A red dog in the snow.")
QUICK = ("CIDEr", "Bleu_1", "Bleu_4", "ROUGE_L")


def score(*arguments):
    command = [PROGRAM, "score", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def write(tmp_path):
    """Writes COCO results under a name."""

    def results(name, given):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps([{"image_id": i, "caption": c} for i, c in given.items()]))
        return path

    return results


@pytest.fixture
def gold(tmp_path):
    rows = [{"image_id": i, "caption": text} for i, texts in GOLD.items() for text in texts]
    path = tmp_path / "gold.json"
    path.write_text(json.dumps({"annotations": rows}))
    return path


@pytest.fixture
def runs(tmp_path):
    """Two TREC runs: the first always right, the second on q0 and q1; it lacks q9."""
    (tmp_path / "qrels").write_text("".join(f"q{i} 0 d{i} 1\n" for i in range(10)))
    (tmp_path / "a.trec").write_text("".join(f"q{i} Q0 d{i} 1 1 s\n" for i in range(10)))
    (tmp_path / "b.trec").write_text("".join(f"q{i} Q0 d{min(i, 1)} 1 1 s\n" for i in range(9)))
    return tmp_path / "a.trec", tmp_path / "b.trec", tmp_path / "qrels"


def without(given, *ids):
    return {id: text for id, text in given.items() if id not in ids}


def test_the_difference_is_that_of_the_estimates_on_the_common_items(write, gold):
    """Means and corpus values (Bleu) alike; as if only the items of both had been asked."""
    a = captions(write("a", without(GOOD, 0)), gold, "skip")
    b = captions(write("b", without(BAD, 6, 7)), gold, "skip")
    found = versus(a, b, partial(score_captions, names=QUICK))
    alone = [
        score_captions(captions(write("c", without(system, 0, 6, 7)), gold, "skip"), QUICK)
        for system in (GOOD, BAD)
    ]
    assert [pair.measure for pair in found.pairs] == list(QUICK)
    for pair, x, y, p, q in zip(found.pairs, *(s.rows for s in (*found.sides, *alone))):
        assert (x["estimate"], y["estimate"]) == (p["estimate"], q["estimate"])
        assert x["signature"] == y["signature"] == p["signature"] == q["signature"]
        assert pair.difference == pytest.approx(x["estimate"] - y["estimate"], abs=1e-12)
        assert pair.low <= pair.difference <= pair.high
        assert (pair.n, x["n"], y["n"]) == (5, 5, 5)
    assert parse(found.sides[0].rows[0]["signature"])["n_missing"] == "3"
    assert found.unpaired == (("6", "7"), ("0",))


def test_the_other_way_round_is_the_opposite(write, gold):
    """RESULTS - OTHER, not the reverse."""
    a, b = captions(write("a", GOOD), gold), captions(write("b", BAD), gold)
    judge = partial(score_captions, names=["CIDEr"])
    (there,), (back,) = versus(a, b, judge).pairs, versus(b, a, judge).pairs
    assert (there.a, there.b, there.verdict, back.verdict) == ("a", "b", "better", "worse")
    assert there.difference == -back.difference > 0
    assert there.p_value == back.p_value


def test_identical_outputs_are_not_tested(write, gold):
    """Difference 0 with an interval that is no point, no p-value, and no number of queries would
    tell; names tell the files apart."""
    same = captions(write("a", GOOD), gold)
    for pair in versus(same, same, partial(score_captions, names=QUICK)).pairs:
        assert pair.low < pair.difference == 0 < pair.high
        assert (pair.p_value, pair.p_holm) == (None, None)
        assert (pair.verdict, pair.needed) == ("identical", None)


def test_identical_outputs_are_said_to_be_identical(write, gold):
    """In place of a test of nothing; systems that differ on one image are not."""
    first, copy = write("a", GOOD), write("b", GOOD)
    done = score("captions", first, "--references", gold, "--against", copy, "--measures", "CIDEr")
    assert "CIDEr: identical on all 8 images" in done.stdout.splitlines()
    assert "identical\n" in done.stdout and "can't tell" not in done.stdout
    other = write("c", {**GOOD, 0: BAD[0]})
    done = score("captions", first, "--references", gold, "--against", other, "--measures", "CIDEr")
    assert "identical on" not in done.stdout


def test_the_family_is_the_measures_shown(write, gold):
    """Holm's correction over all of them, where those that say the same (here every Bleu_1 and
    ROUGE_L stand in one proportion) are one; alone, a measure has no correction."""
    close = {**GOOD, 0: BAD[0], 3: BAD[3]}
    a, b = captions(write("a", GOOD), gold), captions(write("b", close), gold)
    together = versus(a, b, partial(score_captions, names=QUICK)).pairs
    first, bleu_1, bleu_4, rouge = together
    one_each = (first, bleu_1, bleu_4)
    assert [p.p_holm for p in one_each] == holm([p.p_value for p in one_each])
    assert (rouge.p_value, rouge.p_holm, rouge.tests) == (bleu_1.p_value, bleu_1.p_holm, 3)
    assert together[0].p_holm > together[0].p_value
    (alone,) = versus(a, b, partial(score_captions, names=QUICK[:1])).pairs
    assert alone.p_holm == alone.p_value == together[0].p_value
    assert (alone.verdict, alone.needed > 8) == ("can't tell", True)


def test_zero_keeps_what_one_lacks(runs):
    """It counts as 0 in the one that lacks it."""
    first, second, qrels = runs
    a, b = rankings(first, qrels, "zero"), rankings(second, qrels, "zero")
    found = versus(a, b, partial(score_rankings, names=["RR"]))
    (pair,) = found.pairs
    assert (pair.n, found.unpaired) == (10, ((), ()))
    assert pair.difference == pytest.approx(1 - found.sides[1].rows[0]["estimate"])


def test_groups_are_compared_together(runs, tmp_path):
    """Queries about one image are resampled together: fewer to draw from, a larger p-value."""
    first, second, qrels = runs
    groups = tmp_path / "groups.tsv"
    groups.write_text("".join(f"q{i}\tg{i // 5}\n" for i in range(10)))
    judge = partial(score_rankings, names=["RR"])
    free, tied = (
        versus(*(rankings(run, qrels, "skip", g) for run in (first, second)), judge).pairs[0]
        for g in (None, groups)
    )
    assert free.difference == tied.difference
    assert free.p_value < 0.05 < tied.p_value


def test_nothing_in_common_is_an_error(write, gold):
    """Each fits the gold, and neither the other."""
    a = captions(write("a", {0: "A", 1: "B"}), gold, "skip")
    b = captions(write("b", {2: "A", 3: "B"}), gold, "skip")
    with pytest.raises(MissingOutputs, match="no images in common"):
        versus(a, b, partial(score_captions, names=["CIDEr"]))


def test_what_the_other_lacks_is_one_line_and_exit_code_2(runs):
    """The file, the query, the option."""
    first, second, qrels = runs
    done = score("rankings", first, "--qrels", qrels, "--against", second)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    for part in (str(second), "1 of 10 queries missing: q9", "--missing skip"):
        assert part in done.stderr


def test_the_comparison_is_printed_below_the_tables(runs):
    """With what was left out, by name."""
    first, second, qrels = runs
    done = score("rankings", first, "--qrels", qrels, "--against", second, "--missing", "skip",
                 "--measures", "RR")  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    below = lines[lines.index(f"{first} - {second}:") + 1 :]
    assert below[0].split()[:2] == ["measure", "difference"]
    assert below[1].split()[0] == "RR" and below[1].rstrip().endswith("better")
    assert f"1 queries only in {first}: q9 (left out of both)" in below
    assert "1 of 10 queries missing: q9 (left out)" in lines


def test_json_has_scores_and_comparisons(runs, tmp_path):
    """On standard output and in the file of --output alike; the notes by file."""
    first, second, qrels = runs
    kept = tmp_path / "kept.json"
    done = score("rankings", first, "--qrels", qrels, "--against", second, "--missing", "skip",
                 "--measures", "RR,R@1", "--json", "--output", kept)  # fmt: skip
    found = json.loads(done.stdout)
    stored = json.loads(kept.read_text())
    assert found["comparisons"] == stored["comparisons"]
    assert found["scores"] == [row for system in stored["systems"] for row in system["rows"]]
    assert list(found) == ["scores", "comparisons"]
    assert [row["strategy"] for row in found["scores"]] == ["a", "a", "b", "b"]
    assert [pair["measure"] for pair in found["comparisons"]] == ["RR", "R@1"]
    notes = json.loads(done.stderr)["notes"]
    assert notes == {str(first): {}, str(second): {"missing": {"count": 1, "ids": ["q9"]}}}


@pytest.mark.real_data
def test_er_san_is_better_than_magic(shared_data):
    """On the 4,982 images of COCO's Karpathy test split that both have captions of."""
    data = shared_data / "caption_results"
    done = score("captions", data / "coco_er_san.json", "--references",
                 data / "coco_karpathy_test_references.json", "--against",
                 data / "coco_magic.json", "--missing", "skip", "--measures", "CIDEr", "--json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    (pair,) = found["comparisons"]
    a, b = found["scores"]
    assert pair["difference"] > 0.8
    assert pair["difference"] == pytest.approx(a["estimate"] - b["estimate"], abs=1e-9)
    assert (pair["verdict"], pair["n"], a["n"], b["n"]) == ("better", 4982, 4982, 4982)
    assert max(pair["p_value"], pair["p_holm"]) < 0.001
    assert a["signature"] == b["signature"]
