"""What is left out of the data is counted, said where numbers are, and bounded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from mmragbench.data.exclusions import LeftOut, bound, check, left_out
from mmragbench.datasets.beir import Beir
from mmragbench.errors import DataError, SuiteError
from mmragbench.records import Exclusion
from mmragbench.verbs import plan
from support import toy
from support.paths import TESTS

PROGRAM = Path(sys.executable).with_name("mmragbench")


def command(*arguments):
    return subprocess.run(
        [PROGRAM, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    )


@pytest.fixture
def photos(tmp_path):
    """A folder: 12 query pictures, of which 3 are cut short and one has no caption; 2 broken lines;
    8 memory pictures, of which one is missing."""
    for split, count in (("test", 12), ("train", 8)):
        lines = []
        for i in range(count):
            toy.draw(
                tmp_path / "photos" / split / f"{i}.png", "red" if split == "test" else "blue", i
            )
            captions = ["", " "] if (split, i) == ("test", 11) else [f"number {i}", "one of many"]
            lines.append(json.dumps({"file_name": f"{i}.png", "captions": captions}))
        lines += ["{", "[]"] if split == "test" else []
        (tmp_path / "photos" / split / "metadata.jsonl").write_text("\n".join(lines) + "\n")
    for i in range(3):
        file = tmp_path / "photos" / "test" / f"{i}.png"
        file.write_bytes(file.read_bytes()[:50])
    (tmp_path / "photos" / "train" / "5.png").unlink()
    return tmp_path / "photos"


@pytest.fixture
def suite(photos, tmp_path):
    content = {
        "name": "photos",
        "dataset": {"use": "folder", "root": str(photos)},
        "models": {"namer": {"use": "support.toy:ColourCaptioner"}},
        "strategies": {"no-retrieval": {}, "random": {}},
        "generators": {"captioner": {"captioner": "namer"}},
        "tasks": {
            "text-to-image": {"measures": ["R@1"]},
            "captioning": {"measures": ["ROUGE_L"], "generator": "captioner", "k": 1},
        },
    }
    path = tmp_path / "photos.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


COUNTS = {
    "query annotations": (2, 14),
    "query captions": (2, 18),
    "query images": (4, 12),
    "memory images": (1, 8),
}


def test_each_noun_is_counted_against_what_there_was(suite):
    """Lines, captions and pictures apart, each side apart; the totals are those of the files."""
    left = plan(suite).left_out
    assert {each.of: (each.count, each.total) for each in left} == COUNTS


def test_a_run_says_it_on_standard_error_and_in_its_reports(suite, tmp_path):
    """The counts by kind and the first of them; at the top of the page, and in the tables."""
    done = command("run", suite, "--output", tmp_path / "runs")
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stderr.splitlines() if line.startswith("left out: ")]
    assert len(said) == len(COUNTS)
    pictures = next(line for line in said if "query images" in line)
    assert (
        "4 of 12 query images (truncated image 3, no captions 1); first: test/0.png: " in pictures
    )
    assert pictures.endswith("; all in exclusions.json")
    folder = Path(done.stdout.splitlines()[-1]).parents[1]
    page = (folder / "report" / "index.html").read_text()
    answers, names = page.find('id="answers"'), page.find('id="excluded"')
    assert 0 < page.find("4 of 12 query images") < answers < names
    assert 0 < page.find('<a href="#excluded">By name</a>') < answers
    assert "Left out: 4 of 12 query images" in (folder / "report" / "tables.md").read_text()
    table = (folder / "report" / "tables" / "captioning.tex").read_text()
    assert "9 items of the data left out" in table  # of all nouns together


def test_a_plan_says_it_too(suite):
    """Before anything is computed."""
    done = command("plan", suite)
    assert done.returncode == 0
    assert done.stderr.count("left out: ") == len(COUNTS)


def test_outputs_that_failed_are_said(suite, photos, tmp_path):
    """How many, why, and the first."""
    (photos / "test" / "7.png").rename(photos / "test" / "7666")
    table = photos / "test" / "metadata.jsonl"
    table.write_text(table.read_text().replace("7.png", "7666"))
    done = command("run", suite, "--output", tmp_path / "runs")
    assert done.returncode == 0, done.stderr
    failed = [line for line in done.stderr.splitlines() if line.startswith("failed: ")]
    assert len(failed) == 1 and "1 output (the number of the beast 1)" in failed[0]
    assert "first: test/7666 (captioning · " in failed[0]


@pytest.mark.parametrize(
    "most, allowed", [("33%", False), ("34%", True), ("3", False), ("4", True)]
)
def test_more_than_may_be_left_out_is_refused(suite, most, allowed):
    """A share or a number, of each noun: 4 of 12 pictures are 33.3 %."""
    done = command("plan", suite, "--max-excluded", most)
    assert done.returncode == (0 if allowed else 2), done.stderr
    if not allowed:
        assert done.stderr.startswith("error: left out: 4 of 12 query images (truncated image 3")
        assert "--max-excluded 4" in done.stderr and len(done.stderr.splitlines()) == 1


def test_half_may_be_left_out_if_nothing_is_said(suite, photos):
    """Six of twelve pictures are allowed, seven are not; a suite can allow them."""
    files = [photos / "test" / f"{i}.png" for i in (3, 4, 5)]
    for file in files[:2]:
        file.write_bytes(b"")
    assert plan(suite).left_out
    files[2].write_bytes(b"")
    with pytest.raises(DataError, match="7 of 12 query images .* At most 50% may be"):
        plan(suite)
    assert plan(suite, ["max_excluded=60%"]).left_out


def test_the_bound_changes_no_result(suite):
    """A run with another bound is the same run, in the same folder."""
    from mmragbench.planning.plan import load

    assert load(suite, ("max_excluded=9",))[0].folder == load(suite)[0].folder


@pytest.mark.parametrize("value", ["0.5", 0.5, True, "-1", "101%", "many", "5 %", None, "1e3", "٣"])
def test_a_bound_is_a_share_or_a_whole_number(value, suite):
    """Anything else is refused with both forms."""
    with pytest.raises(ValueError, match="neither a share such as 5% nor a whole number"):
        bound(value)


def test_a_bad_bound_in_a_suite_names_its_line(suite):
    """As every other key."""
    suite.write_text(suite.read_text() + "max_excluded: 0.5\n")
    with pytest.raises(SuiteError, match=r"yaml:\d+: max_excluded: '0.5' is neither"):
        plan(suite)


def test_of_an_unknown_total_no_share_is_exceeded_but_a_number_is():
    """A dataset of someone's own that does not count."""
    left = LeftOut("items", None, (Exclusion("odd", "1", "why"),) * 3)
    check([left], "0%")
    with pytest.raises(DataError, match=r"3 items \(odd 3\); first: 1: why"):
        check([left], 2)


def test_a_line_is_bounded_whatever_ids_hold():
    """Ids, kinds and reasons of any length are cut in the middle."""
    named = tuple(Exclusion(f"{i}" * 500, "i" * 9_000, "r" * 9_000) for i in range(40))
    assert len(str(LeftOut("items", 40, named))) < 600


def test_of_beirs_files_each_noun_is_counted(tmp_path):
    """Judgements, judged queries and documents, documents, their images, queries."""
    (tmp_path / "qrels").mkdir()
    (tmp_path / "corpus.jsonl").write_text(
        '{"_id": "d1", "text": "a"}\n{"_id": "d2", "text": "b", "image": "no.png"}\n{"_id": "d3"}\n!\n'
    )
    (tmp_path / "queries.jsonl").write_text('{"_id": "q1", "text": "a"}\n{"_id": "q2"}\n')
    (tmp_path / "qrels/test.tsv").write_text(
        "query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\td9\t1\nq2\td1\t1\nq3\td2\t1\nq1\td1\t1\n"
    )
    left = left_out(Beir(tmp_path).tasks().values())
    assert {each.of: (each.count, each.total) for each in left} == {
        "judgements": (1, 5),
        "documents": (2, 4),
        "document images": (1, 1),
        "queries": (1, 2),
        "judged queries": (2, 3),
        "judged documents": (1, 3),
    }


@pytest.fixture
def run(tmp_path):
    """A TREC run of two queries, and judgements of five."""
    (tmp_path / "mine.trec").write_text("q1 Q0 d1 1 0.9 s\nq2 Q0 d2 1 0.7 s\n")
    (tmp_path / "qrels").write_text("".join(f"q{i} 0 d{i} 1\n" for i in range(1, 6)))
    return "score", "rankings", tmp_path / "mine.trec", "--qrels", tmp_path / "qrels"


def test_score_refuses_what_is_mostly_missing(run):
    """Three of five queries: `skip` needs a bound that allows it; `zero` leaves nothing out."""
    done = command(*run, "--missing", "skip")
    assert (done.returncode, done.stdout) == (2, "")
    assert "3 of 5 queries (missing 3); first: q3" in done.stderr
    for more in (("--missing", "skip", "--max-excluded", "60%"), ("--missing", "zero")):
        done = command(*run, *more)
        assert done.returncode == 0, done.stderr
        assert "3 of 5 queries missing: q3, q4, q5" in done.stderr


def test_score_refuses_a_bound_that_is_none(run):
    """Before anything is read."""
    done = command(*run, "--max-excluded", "0.5")
    assert done.returncode == 2 and "'0.5' is neither a share" in done.stderr


def test_a_name_is_said_once():
    """A reason that begins with the id, as readers of pictures write it, does not say it again."""
    lost = Exclusion("missing image", "a.jpg", "a.jpg: there is no such file")
    assert str(LeftOut("images", 2, (lost,))) == (
        "1 of 2 images (missing image 1); first: a.jpg: there is no such file"
    )
