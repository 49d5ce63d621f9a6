"""Which cell stands for a task."""

from __future__ import annotations

import pytest

from mmragbench.reporting.facts.headline import headlines
from mmragbench.run_folder.reading import Run


def number(task: str, generator: str, estimate: float | None, measure: str, **more: object) -> dict:
    place = {"task": task, "strategy": "a", "generator": generator, "k": 1, "slice": "all"}
    counts = {"n": 5, "n_failed": 0, "signature": "s"}
    return place | counts | {"measure": measure, "estimate": estimate} | more


@pytest.mark.parametrize(
    "task, measure, drawn, expected",
    [
        ("image-generation", "KID(clip)", 0.05, "draw"),
        ("image-generation", "KID(clip)", None, "nearest"),
        ("captioning", "CIDEr", 1.0, "nearest"),
    ],
)
def test_pictures_that_are_drawn_stand_for_a_task(changed, task, measure, drawn, expected):
    """Though a document's own picture is nearer to real ones; of captions the best is shown, and
    documents where nothing else has a number."""
    best = 0.001 if task == "image-generation" else 2.0
    summary = [
        number(task, "nearest", best, measure, copies=True),
        number(task, "draw", drawn, measure),
    ]
    (headline,) = headlines(Run(changed("suite.yaml", summary=summary)))
    assert headline.generator == expected
