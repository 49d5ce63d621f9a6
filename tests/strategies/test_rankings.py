"""Rankings of another system in a suite: a TREC run for each task, by content, what does not fit named."""

from __future__ import annotations

import json

import pytest

import mmragbench
from mmragbench.datasets.coco import Coco
from mmragbench.errors import DataError, SuiteError
from mmragbench.formats import trec
from mmragbench.planning.plan import load
from mmragbench.records import Ranking
from mmragbench.strategies.random import Random
from mmragbench.strategies.rankings import Rankings
from support import toy

TASKS = {"text-to-image": {"measures": ["R@1", "R@5", "RR"]}}


@pytest.fixture
def task(coco):
    return Coco(coco).tasks()["text-to-image"]


@pytest.fixture
def write(tmp_path):
    """Writes rankings as a TREC run, with lines put before, and returns its path."""

    def write(rankings, *lines, name="text-to-image.trec"):
        path = tmp_path / "service" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join([*(f"{line}\n" for line in lines), *trec.lines(rankings, "s")]))
        return path

    return write


def drawn(task, k=5):
    """Rankings that anything may have made."""
    strategy = Random(7)
    strategy.index(task.memory)
    return strategy.retrieve(task.queries, k)


def retrieved(task, runs, k=5):
    strategy = Rankings(task, runs)
    strategy.index(task.memory)
    return strategy, strategy.retrieve(task.queries, k)


def rows(run, strategy):
    return {
        (row["task"], row["measure"]): (row["estimate"], row["n"], row["n_failed"])
        for row in run.rows
        if row["strategy"] == strategy and row["slice"] == "all"
    }


@pytest.mark.parametrize("folder", [False, True])
def test_the_rankings_are_those_of_the_file(task, write, folder):
    """Hit by hit, from a file for the task or from a folder with one; no more than k."""
    rankings = drawn(task)
    path = write(rankings)
    strategy, actual = retrieved(task, path.parent if folder else {"text-to-image": path}, k=3)
    assert [ranking.ids for ranking in actual] == [ranking.ids[:3] for ranking in rankings]
    assert strategy.exclusions == ()


def test_a_query_without_a_line_has_failed(task, write):
    """It is counted and named, and no number rests on it; a ranking without hits would score 0."""
    _, actual = retrieved(task, {"text-to-image": write(drawn(task)[1:])})
    assert [ranking.query for ranking in actual if ranking.error] == [task.queries[0].id]
    assert not actual[0].hits


def test_what_the_data_does_not_know_is_left_out_and_named(task, write):
    """Hits that are no documents of the memory; queries that the task does not ask."""
    query = task.queries[0].id
    path = write(drawn(task), f"{query} Q0 nowhere 1 9.5 s", "nobody Q0 1001 1 1.0 s")
    strategy, actual = retrieved(task, {"text-to-image": path})
    assert {(e.kind, e.id) for e in strategy.exclusions} == {
        ("not in the memory", "nowhere"),
        ("not asked", "nobody"),
    }
    assert actual[0].ids == drawn(task)[0].ids


def test_ids_may_lack_a_pictures_ending(task, write):
    """`a.jpg` in the data is `a` in the file, unless another id of the data would be `a` too."""
    from dataclasses import replace

    queries = [replace(q, id=f"{q.id}.jpg") for q in task.queries]
    memory = [replace(d, id=f"{d.id}.png") for d in task.memory]
    renamed = replace(task, queries=queries, memory=memory)
    _, actual = retrieved(renamed, {"text-to-image": write(drawn(task))})
    assert [r.ids for r in actual] == [tuple(f"{id}.png" for id in r.ids) for r in drawn(task)]


@pytest.mark.parametrize("side", ["queries", "documents"])
def test_a_run_of_other_data_is_refused(task, write, side):
    """With an id of each, before anything is computed."""
    foreign = [
        Ranking(r.query if side == "documents" else f"x{r.query}",
                [(f"x{id}" if side == "documents" else id, s) for id, s in r.hits])
        for r in drawn(task)
    ]  # fmt: skip
    with pytest.raises(DataError, match=f"none of the task's [0-9]+ {side}.*do they agree"):
        Rankings(task, {"text-to-image": write(foreign)})


def test_a_file_that_is_not_there_is_named(task, tmp_path):
    """In one line; a folder without the task's run is a system that has no rankings for it."""
    with pytest.raises(DataError, match="there is no file .*mine.trec"):
        Rankings(task, {"text-to-image": tmp_path / "mine.trec"})
    _, actual = retrieved(task, tmp_path)
    assert not any(ranking.hits or ranking.error for ranking in actual)


def test_a_task_that_the_suite_lacks_is_refused(coco, tmp_path):
    """A typo in the name of a task names the nearest."""
    strategies = {"service": {"use": "rankings", "runs": {"text-to-imge": str(tmp_path / "x")}}}
    with pytest.raises(SuiteError, match="Did you mean 'text-to-image'"):
        load(toy.suite(coco, strategies=strategies, tasks=TASKS, baseline=None))


def test_a_system_of_elsewhere_is_compared_like_ours(coco, task, write, tmp_path):
    """Its numbers are those of the rankings, it is tested against ours, its cost is not zero but not
    known, and its failures are counted; the dry run takes it too."""
    rankings = drawn(task, 5)
    path = write(rankings[1:], f"{rankings[1].query} Q0 nowhere 0 9 s")
    strategies = {
        "random": {},
        "shared-space": {"encoder": "colours"},
        "service": {"use": "rankings", "runs": str(path.parent)},
        "twin": {"use": "random", "seed": 7},
    }
    suite = toy.suite(coco, strategies=strategies, tasks=TASKS, baseline="random")
    assert {row["strategy"] for row in mmragbench.plan(suite).cells} == set(strategies)
    run = mmragbench.run(suite, output=tmp_path / "runs")
    service = rows(run, "service")
    assert {failed for _, _, failed in service.values()} == {1}
    pairs = json.loads((run.folder / "comparisons.json").read_text())
    assert {(p["a"], p["b"]) for p in pairs} >= {("service", "shared-space"), ("service", "random")}
    assert json.loads((run.folder / "cells/text-to-image/service/cost.json").read_text()) == {}
    failures = json.loads((run.folder / "failures.json").read_text())
    assert [(f["strategy"], f["query"]) for f in failures] == [("service", rankings[0].query)]
    excluded = json.loads((run.folder / "exclusions.json").read_text())
    assert [(e["kind"], e["id"]) for e in excluded] == [("not in the memory", "nowhere")]
    assert [left.count for left in run.left_out] == [1]
    assert str(path.parent) in json.loads((run.folder / "manifest.json").read_text())["files"]


def test_a_run_counts_by_its_content(coco, task, write, tmp_path):
    """A file that changed is read anew; one that moved is not another."""

    def numbers(path):
        strategies = {
            "random": {},
            "service": {"use": "rankings", "runs": {"text-to-image": str(path)}},
        }
        suite = toy.suite(coco, strategies=strategies, tasks=TASKS, baseline=None)
        run = mmragbench.run(suite, output=tmp_path / "runs")
        manifest = json.loads((run.folder / "manifest.json").read_text())
        return rows(run, "service"), manifest["files"][str(path)]

    path = write(drawn(task))
    first, first_digest = numbers(path)
    best = [Ranking.of(q.id, [(q.group, 1.0)]) for q in task.queries]
    second, second_digest = numbers(write(best))
    assert first != second and first_digest != second_digest
    moved = path.rename(tmp_path / "moved.trec")
    assert numbers(moved) == (second, second_digest)


def test_a_run_that_is_not_as_deep_as_a_measure_says_so(coco, task, write, tmp_path):
    """R@20 of five hits a query is a number of five; R@5 is not affected."""
    strategies = {
        "random": {},
        "service": {"use": "rankings", "runs": str(write(drawn(task)).parent)},
    }
    tasks = {"text-to-image": {"measures": ["R@5", "R@6", "AP"]}}
    run = mmragbench.run(
        toy.suite(coco, strategies=strategies, tasks=tasks, baseline=None), output=tmp_path / "runs"
    )
    warnings = {row["measure"]: row["warning"] for row in run.rows if row.get("warning")}
    assert set(warnings) == {"R@6", "AP"}
    assert "no ranking has more than 5 hits" in warnings["AP"]
