"""What a measure hands over is stored as plain numbers, or is a crash with its reason."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mmragbench.measuring.scoring import rows, score
from mmragbench.records import Measure, Output, Query, Score, Scores, Task
from mmragbench.registry import Component

TASK = Task("captioning", [], [Query("a"), Query("b")], output="caption")
OUTPUTS = [Output("a", text="x"), Output("b", text="y")]


def scored(**given) -> dict:
    """The one row of a measure that gives these scores."""
    measure = Measure("Odd")

    def evaluate(measures, task, rankings, outputs, **_):
        return [Scores(measure, "Odd|n:2", **given)]

    found = score({measure: Component("measure", "Odd", evaluate)}, TASK, [], OUTPUTS, None)
    (row,) = rows({"task": "captioning"}, found)
    return row


def values(*numbers) -> tuple[Score, ...]:
    return tuple(Score(query, number) for query, number in zip("ab", numbers))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"scores": values(1.0, float("nan"))}, "not finite"),
        ({"total": float("inf")}, "not finite"),
        ({"scores": values(1.0, 2.0), "bounds": (0.0, float("inf"))}, "two finite numbers"),
        ({"scores": values(1.0, 2.0), "bounds": (0.0, None)}, "TypeError"),
        ({"scores": values(1.0, 8.0), "bounds": (5, 6)}, "outside of its bounds"),
        ({"total": 1.0, "details": {"a": float("nan")}}, "not JSON compliant"),
        ({"scores": values("1", 2.0)}, "TypeError"),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_stored_is_a_crash_of_its_own_cell(given, reason):
    """With the reason, and no number; the run goes on."""
    row = scored(**given)
    assert (row["estimate"], row["absence"]) == (None, "crashed") and reason in row["reason"]


def test_numbers_of_numpy_become_pythons():
    """As JSON has them."""
    row = scored(scores=values(np.float32(1), np.float64(0.5)), bounds=(np.float32(0), 2))
    assert json.loads(json.dumps(row))["estimate"] == 0.75
    assert row["bounds"] == [0.0, 2.0]
