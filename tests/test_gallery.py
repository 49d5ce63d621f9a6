"""The queries that a report shows."""

from __future__ import annotations

import json

from mmragbench.gallery import FIRST, write_gallery
from mmragbench.loop import Cell
from mmragbench.records import Document, Query, Ranking, Task, Text
from mmragbench.stages import Rankings, Retrieved


def test_every_relevant_hit_that_is_shown_is_marked(tmp_path):
    """With thousands of relevant documents not all are named, but a shown hit's mark is right."""
    ids = [f"{i:05d}" for i in range(3000)]
    task = Task(
        "t",
        [Document(id, texts=(Text(id, id),)) for id in ids],
        [Query("q", text=Text("q", "q"))],
        {"q": dict.fromkeys(ids[:2999], 1)},
    )
    shown = ["02998", "02999"]
    ranking = Ranking.of("q", [(id, -i) for i, id in enumerate(shown)])
    write_gallery(tmp_path, task, [Cell("t", "s", Retrieved(Rankings([ranking])))])
    row = json.loads((tmp_path / "tasks/t/gallery.jsonl").read_text())
    assert row["n_relevant"] == 2999
    assert "02998" in row["relevant"]
    assert "02999" not in row["relevant"]
    assert len(row["relevant"]) <= FIRST + len(shown)
