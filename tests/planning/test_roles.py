"""One model of a suite in several roles."""

from __future__ import annotations

from typing import Any

import pytest

from mmragbench import verbs
from mmragbench.cache.cache import Cache
from mmragbench.engine.assembly import Assembly
from mmragbench.engine.meter import Meter
from mmragbench.errors import SuiteError
from mmragbench.planning.plan import load
from support import checkpoints

GENERATORS = {
    "reader": {"chat": "both"},
    "draw_in_context": {"painter": "both", "ranker": "clip", "best_of": 3},
}
TASKS = {
    "captioning": {"generator": "reader", "k": 2, "measures": ["CIDEr"]},
    "image-generation": {
        "generator": "draw_in_context",
        "k": 2,
        "measures": ["CLIPScore(clip)"],
    },
}


def suite(model: dict[str, Any], *tasks: str) -> dict[str, Any]:
    """A suite that uses the model `both` as chat, as painter, or as both."""
    return {
        "name": "roles",
        "dataset": {"use": "scenes", "queries": 4, "memory": 8},
        "models": {
            "both": {"use": "transformers", "name": "BAAI/Emu3-Gen-hf", **model},
            "clip": {"use": "open_clip", "name": "shipped:scenes/clip"},
        },
        "strategies": {"random": None},
        "generators": {
            TASKS[task]["generator"]: GENERATORS[TASKS[task]["generator"]] for task in tasks
        },
        "tasks": {task: TASKS[task] for task in tasks},
    }


def test_each_role_takes_its_own_arguments():
    """And those that both have; what only the other has changes nothing of its identity."""
    given = {"guidance": 2, "max_new_tokens": 9, "temperature": 0.5}
    plan, _ = load(suite(given, *TASKS))
    chat, painter = plan.models["chat", "both"].args, plan.models["painter", "both"].args
    assert (chat["max_new_tokens"], chat["temperature"]) == (9, 0.5) and "guidance" not in chat
    assert (painter["guidance"], painter["temperature"]) == (2, 0.5)
    assert "max_new_tokens" not in painter
    other, _ = load(suite({**given, "guidance": 3}, *TASKS))
    assert other.models["chat", "both"].args == chat
    assert other.hash != plan.hash


@pytest.mark.parametrize(
    "task, argument, message",
    [
        ("captioning", "guidance", "guidance is for a painter, and the suite uses both as chat"),
        (
            "image-generation",
            "max_new_tokens",
            "max_new_tokens is for a captioner or chat, and the suite uses both as painter",
        ),
        ("captioning", "guidnce", "unknown argument of transformers 'guidnce'"),
    ],
)
def test_an_argument_that_no_used_role_takes_is_refused(task, argument, message):
    """It would change nothing."""
    with pytest.raises(SuiteError, match=f"models.both.{argument}: {message}"):
        load(suite({argument: 2}, task))


def test_a_model_in_two_roles_is_in_memory_once(tmp_path):
    """Both are the same loaded checkpoint."""
    folder = str(checkpoints.emu3(tmp_path))
    plan, _ = load(suite({"name": folder}, *TASKS))
    assembly = Assembly(plan.suite, Cache(tmp_path / "cache"), Meter())
    chat, painter = (assembly.model(role, "both").inner for role in ("chat", "painter"))
    assert chat.checkpoint is painter.checkpoint


def test_plan_counts_each_drawing_that_a_ranker_chooses_from():
    """At most: queries times `best_of`; the chat is asked once a query."""
    summary = verbs.plan(suite({}, *TASKS))
    counts = {(row.role, row.model): row.items for row in summary.models}
    queries = {row["task"]: row["queries"] for row in summary.cells}
    assert counts["painter", "both"] == 3 * queries["image-generation"]
    assert counts["chat", "both"] == queries["captioning"]
