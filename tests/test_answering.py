"""Question answering from end to end: every strategy and control, the files, the report."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas
import pytest
import yaml

import mmragbench as mb
import papers

TESTS = Path(__file__).resolve().parent


@pytest.fixture
def suite_of(tmp_path):
    root = papers.world(tmp_path / "reports")

    def write(**changes) -> Path:
        path = tmp_path / "papers.yaml"
        path.write_text(yaml.safe_dump(papers.suite(root, **changes), sort_keys=False))
        return path

    return write


@pytest.fixture
def finished(suite_of, tmp_path):
    return mb.run(suite_of(), output=tmp_path / "runs")


def mmragbench(*arguments) -> tuple[int, str]:
    """The exit code, and what was printed on one line."""
    program = Path(sys.executable).with_name("mmragbench")
    path = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [program, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    return done.returncode, " ".join((done.stderr + done.stdout).split())


def one(run, **wanted):
    wanted = {"slice": "all", "generator": None, "k": None, **wanted}
    (row,) = [row for row in run.rows if all(row[key] == value for key, value in wanted.items())]
    return row


def test_every_strategy_answers(finished):
    """Nothing crashes; each strategy has gold-document recall, exact match and F1; seven of the
    eight questions have gold documents."""
    assert not finished.crashed
    for strategy in ("random", "shared-space", "text-grounding", "separate-stores", "oracle"):
        recall = one(finished, strategy=strategy, measure="R@3")
        assert recall["estimate"] is not None and recall["n"] == 7
        f1 = one(finished, strategy=strategy, measure="F1", generator="extract", k=3)
        assert f1["n"] + f1["n_failed"] == 8


def test_strategies_find_passages_and_figures(finished):
    """In one memory of both, above chance and not above the ceiling, in text and figure slices."""
    for slice in ("all", "text", "figure"):
        found = {
            strategy: one(finished, strategy=strategy, measure="R@3", slice=slice)["estimate"]
            for strategy in ("shared-space", "text-grounding", "separate-stores", "oracle")
        }
        assert found.pop("oracle") == 1.0
        assert all(value > 0.5 for value in found.values()), (slice, found)


def test_the_oracle_answers_best(finished):
    """Extracting from gold documents beats extracting from random ones."""
    f1 = {
        s: one(finished, strategy=s, measure="F1", generator="extract", k=3)["estimate"]
        for s in ("random", "oracle")
    }
    assert f1["oracle"] > f1["random"]


def test_generators_of_captions_have_a_reason(finished):
    """`nearest` and `consensus` answer no questions; nothing is extracted from nothing."""
    for generator, reason in (
        ("nearest", "there is extract"),
        ("consensus", "answers no questions"),
    ):
        k = 1 if generator == "nearest" else 3
        row = one(finished, strategy="oracle", generator=generator, k=k, measure="EM")
        assert row["estimate"] is None and reason in row["reason"]
    floor = one(finished, strategy="no-retrieval", generator="extract", k=3, measure="EM")
    assert floor["estimate"] is None and "nothing was retrieved" in floor["reason"]


def test_answers_are_written_in_squads_format(finished):
    """`answers.json` is an object of answers by question; there are no captions; scores a query."""
    cell = finished.folder / "cells/question-answering/oracle/extract-k3"
    found = json.loads((cell / "answers.json").read_text())
    assert found["q1"] == "The yellow tower is 330 metres high."
    assert not (cell / "captions.json").exists()
    scores = pandas.read_parquet(cell / "scores.parquet").set_index(["query", "measure"])["value"]
    assert scores["q1", "EM"] == 0.0
    assert scores["q1", "F1"] == pytest.approx(2 * 2 / (6 + 2))


def test_the_report_speaks_of_questions_and_answers(finished):
    """Question, right answers, passages and figures that were found, the answer, in percent."""
    page = re.sub(r"\s+", " ", finished.report.read_text())
    assert "Answers</h3>" in page and "Generated captions" not in page
    assert "When was the red house built?" in page
    assert "Right answer</small>" in page and "2 right answers</small>" in page
    assert "The yellow tower is 330 metres high. It stands in Lyon." in page
    assert "Figure 3: The yellow tower at noon" in page
    assert '<small>% <span title="higher' in page
    assert "right answers are, word for word, all that a text of the memory says" in page
    assert "reference captions" not in page


def test_quotations_are_counted(finished):
    """The audit of copies counts answers that stand in what was shown: all that were extracted."""
    audits = json.loads((finished.folder / "audits.json").read_text())
    rows = audits["tasks"]["question-answering"]["copy"]
    (row,) = [r for r in rows if (r["strategy"], r["k"]) == ("oracle", 3)]
    assert row["copied"] == row["answered"] and row["recurring"] is None


def test_a_second_run_reads_nothing_again(finished, suite_of, tmp_path):
    """The same numbers, and no call to a model."""
    again = mb.run(suite_of(), output=tmp_path / "again")
    assert again.calls == 0
    assert again.rows == finished.rows


@pytest.mark.parametrize("document", ["image", "text", "mean", "max"])
def test_shared_space_ranks_what_it_has_of_each_document(suite_of, tmp_path, document):
    """Passages have no image and figures may lack a text: what is asked for decides what is found,
    and a document of only one kind is that."""
    strategies = {"random": {}, "shared-space": {"encoder": "colours", "document": document}}
    run = mb.run(suite_of(strategies=strategies), output=tmp_path / "runs")
    text, figure = (
        one(run, strategy="shared-space", measure="R@3", slice=slice)["estimate"]
        for slice in ("text", "figure")
    )
    assert figure > 0.5
    assert text == 0.0 if document == "image" else text > 0.5


def test_measures_of_captions_do_not_fit(suite_of):
    """CIDEr does not score answers, nor EM captions: the line, and what the task produces."""
    tasks = {"question-answering": {"generator": "extract", "measures": ["CIDEr"]}}
    code, said = mmragbench("plan", suite_of(tasks=tasks))
    assert code == 2
    assert "CIDEr scores caption outputs; question-answering produces answer" in said


def test_the_command_line_tells_what_is_wrong_in_a_line(suite_of):
    """No questions, an argument that does not exist: exit code 2, one line, no traceback."""
    for override, message in (
        ("dataset.questions=none.jsonl", "none.jsonl cannot be read"),
        ("dataset.pages=3", "unknown argument of pdf 'pages'"),
        ("dataset.overlap=500", "does not fit passages of 120 words"),
    ):
        code, said = mmragbench("run", suite_of(), override)
        assert code == 2 and message in said and "Traceback" not in said
