"""Broken measures, datasets and reports: each rule catches its culprit."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace

import pytest

from mmragbench import registry
from mmragbench.checking import rules
from mmragbench.checking.inputs import AWKWARD, SampleDataset, picture, tasks
from mmragbench.evals.answers import answers
from mmragbench.records import Document, Exclusion, Query, Score, Task


def objections(make, kind=None) -> dict[str, str]:
    verdicts = [rule.verdict() for rule in rules(make, kind)]
    return {v.rule: v.message for v in verdicts if v.status in ("failed", "warning")}


def good(measures, task, rankings, outputs, **_):
    """Token F1, of which the broken ones are made."""
    return [
        replace(scores, measure=measure, signature=str(measure))
        for measure in measures
        for scores in answers([registry.Measure("F1")], task, rankings, outputs)
    ]


def one_by_one(change):
    """A measure whose scores are changed one by one."""

    def make(measures, task, rankings, outputs, **_):
        scores = good(measures, task, rankings, outputs)
        return [replace(s, scores=tuple(map(change, s.scores))) for s in scores]

    return make


def none_asked(measures, task, rankings, outputs, **_):
    return good([*measures, *measures], task, rankings, outputs)


def unsigned(measures, task, rankings, outputs, **_):
    return [replace(s, signature="") for s in good(measures, task, rankings, outputs)]


def only_two(measures, task, rankings, outputs, **_):
    return [replace(s, scores=s.scores[:2]) for s in good(measures, task, rankings, outputs)]


def zero_for_nothing(measures, task, rankings, outputs, **_):
    scores = good(measures, task, rankings, outputs)
    return [replace(s, total=None if outputs else 0.0) for s in scores]


def by_place(measures, task, rankings, outputs, **_):
    named = [replace(o, query=q.id) for o, q in zip(outputs, task.queries)]
    matched = named if len(outputs) == len(task.queries) else outputs
    return good(measures, task, rankings, matched)


def emptying(measures, task, rankings, outputs, **_):
    scores = good(measures, task, rankings, outputs)
    outputs.reverse()
    return scores


MEASURES = [
    (none_asked, "one result a measure"),
    (unsigned, "signatures say what was done"),
    (only_two, "one score a query"),
    (one_by_one(lambda s: replace(s, error="as well")), "values are numbers"),
    (one_by_one(lambda s: Score(s.query, s.value or 0.0)), "a failure is no zero"),
    (zero_for_nothing, "nothing to score is no number"),
    (
        one_by_one(
            lambda s: replace(s, value=None if s.value is None else s.value + random.random())
        ),
        "the same again",
    ),
    (by_place, "the order of results does not matter"),
    (
        one_by_one(lambda s: replace(s, value=s.value if s.value is None else 1.0)),
        "right and wrong differ",
    ),
    (emptying, "results stay as they were"),
]


@pytest.fixture
def as_measure():
    """Registers a function as the measure `Broken` of answers, for one test."""

    def put(make):
        registry.register(registry.Component("measure", "Broken", make, ("answer",)))
        return make

    yield put
    registry._components.pop(("measure", "Broken"), None)


def test_a_good_measure_has_no_objection(as_measure):
    """What the broken ones are made of keeps every rule."""
    assert objections(as_measure(good)) == {}


@pytest.mark.parametrize("make, rule", MEASURES, ids=[rule for _, rule in MEASURES])
def test_each_rule_of_measures_catches_its_culprit(as_measure, make, rule):
    """It, and few others."""
    broken = objections(as_measure(make))
    assert rule in broken and len(broken) <= 4, broken


def test_each_rule_of_measures_has_a_culprit(as_measure):
    """All of them."""
    assert {str(rule) for rule in rules(as_measure(good))} == {rule for _, rule in MEASURES}


class Changed:
    """The kit's captioning task, changed."""

    def __init__(self, **changes) -> None:
        self._changes = changes

    def tasks(self):
        task = replace(tasks()["captioning"], **self._changes)
        return {task.name: task}


class Nameless:
    def tasks(self):
        return {"": replace(tasks()["captioning"], name="")}


class Escaping:
    def tasks(self):
        return {"../up": replace(tasks()["captioning"], name="../up")}


class Drawn(Changed):
    def tasks(self):
        self._changes = {"memory": random.sample(TASK.memory, len(TASK.memory))}
        return super().tasks()


TASK: Task = tasks()["captioning"]
FOREIGN = Document("d99", picture(40 + 3))
TWICE = tuple(Exclusion("truncated image", id, "why", "images") for id in ("x.jpg", "y.jpg"))
LEFT_OUT = (Exclusion("truncated image", "x.jpg", ""),)
DATASETS = [
    (Nameless, "tasks have their names"),
    (Escaping, "tasks have their names"),
    (lambda: Changed(output="song"), "outputs are of known kinds"),
    (lambda: Changed(queries=[], qrels={}, references={}, targets={}, labels={}, original_labels={}), "memory and queries are sequences"),
    (lambda: Changed(memory=[*TASK.memory, TASK.memory[0]]), "ids are unique"),
    (lambda: Changed(memory=[*TASK.memory, Document("d99")]), "documents have something"),
    (lambda: Changed(references={"q999": ("a",)}), "gold leads somewhere"),
    (lambda: Changed(memory=TASK.memory[1:4]), "gold leads somewhere"),
    (lambda: Changed(qrels={}, references={}), "there is gold"),
    (lambda: Changed(memory=[*TASK.memory, FOREIGN]), "memory and queries share no picture"),
    (lambda: Changed(queries=[Query("q3", replace(picture(43), digest="0"))], qrels={}, references={"q3": ("a",)}, targets={}), "pictures open"),
    (Drawn, "the same when made anew"),
    (lambda: Changed(exclusions=LEFT_OUT), "exclusions have reasons"),
    (lambda: Changed(exclusions=TWICE, totals={"images": 1}), "exclusions have reasons"),
]  # fmt: skip


def test_a_good_dataset_has_no_objection():
    """The kit's own."""
    assert objections(SampleDataset, "dataset") == {}


@pytest.mark.parametrize("make, rule", DATASETS, ids=[rule for _, rule in DATASETS])
def test_each_rule_of_datasets_catches_its_culprit(make, rule):
    """It, and few others."""
    broken = objections(make, "dataset")
    assert rule in broken and len(broken) <= 2, broken


def test_each_rule_of_datasets_has_a_culprit():
    """All of them, but for the methods, which any class can lack."""
    named = {str(rule) for rule in rules(SampleDataset, "dataset")} - {"it has its methods"}
    assert named == {rule for _, rule in DATASETS}


def plain(run, target):
    """The summary as it is, of which the broken ones are made."""
    target.mkdir(parents=True)
    return shutil.copy(run / "summary.json", target / "summary.json")


def mute(run, target):
    plain(run, target)


def untidy(run, target):
    (target.parent / "beside.txt").parent.mkdir(parents=True, exist_ok=True)
    (target.parent / "beside.txt").write_text("here")
    return plain(run, target)


def dated(run, target):
    main = plain(run, target)
    main.write_text(f"{target} of {run}")
    return main


def unescaped(run, target):
    target.mkdir(parents=True)
    main = target / "page.html"
    main.write_text(AWKWARD, encoding="utf-8")
    return main


REPORTS = [
    (mute, "the main file is returned"),
    (untidy, "it writes below its target only"),
    (dated, "the same bytes again"),
    (unescaped, "texts of the data are no markup"),
]


@pytest.mark.parametrize("make, rule", REPORTS, ids=[rule for _, rule in REPORTS])
def test_each_rule_of_reports_catches_its_culprit(make, rule):
    """It, and no other."""
    assert set(objections(make, "report")) == {rule}


def test_a_good_report_has_no_objection():
    """And there is no rule without a culprit."""
    assert objections(plain, "report") == {}
    assert {str(rule) for rule in rules(plain, "report")} == {rule for _, rule in REPORTS}
