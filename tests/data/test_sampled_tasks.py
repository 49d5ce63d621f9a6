"""A task that is asked with some of its queries."""

from __future__ import annotations

from mmragbench.data.sampling import sampled
from mmragbench.planning.plan import load
from mmragbench.records import Query, Task, Text

QUERIES = [Query(f"q{n}", text=Text(f"q{n}", "a text"), group=f"image-{n // 5}") for n in range(50)]
TASK = Task("t", memory=[], queries=QUERIES, slices={"first": frozenset(q.id for q in QUERIES[:9])})
SUITE = {
    "name": "s",
    "dataset": {"use": "scenes"},
    "strategies": {"random": None},
    "tasks": {"text-to-image": {"measures": ["R@1"]}},
}


def test_a_larger_number_adds_to_a_smaller_one():
    """In the order of the task, with its slices cut to what is asked."""
    few, more = sampled(TASK, 10), sampled(TASK, 20)
    assert [q for q in more.queries if q in few.queries] == few.queries
    assert [q for q in QUERIES if q in more.queries] == more.queries
    asked = {query.id for query in more.queries}
    assert more.slices.get("first", frozenset()) == TASK.slices["first"] & asked


def test_queries_of_one_picture_are_drawn_together():
    """They are resampled together, too."""
    assert {q.group for q in sampled(TASK, 10).queries} == {
        q.group for q in sampled(TASK, 6).queries
    }
    assert len({q.group for q in sampled(TASK, 10).queries}) == 2


def test_all_queries_are_asked_by_default():
    """And where there are not more."""
    assert sampled(TASK, None) is TASK
    assert sampled(TASK, 50) is TASK


def test_a_number_of_queries_is_part_of_what_a_run_is():
    """A run's folder is another one; without a number it is what it was before there were any."""
    fewer = {"text-to-image": {"measures": ["R@1"], "queries": 3}}
    assert load(SUITE)[0].hash != load({**SUITE, "tasks": fewer})[0].hash
    assert "queries" in load(SUITE)[0].resolved()["tasks"]["text-to-image"]
