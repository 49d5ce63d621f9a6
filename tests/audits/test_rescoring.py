"""What a leak does to the scores, from a run."""

from __future__ import annotations

import json
import shutil

import pytest

import mmragbench as mb
from mmragbench.scenes import write


def side(name: str) -> dict[str, str]:
    """A split of the world, as the coco loader reads it."""
    return {"captions": f"annotations/captions_{name}.json", "images": f"images/{name}"}


def test_every_measure_has_its_number_without_the_leaked_queries(suite_file, tmp_path):
    """Two query pictures planted in the memory are found and named, and every number of the run is
    given without them: means over the others, and Bleu and FID scored again."""
    world = tmp_path / "world"
    write(world, {"memory": 60, "queries": 24})
    for place in (1, 2):
        query = world / f"images/queries/{2_000_000 + place:012d}.jpg"
        shutil.copy(query, world / f"images/memory/{1_000_000 + place:012d}.jpg")
    dataset = {"use": "coco", "root": str(world), "queries": side("queries"),
               "memory": side("memory")}  # fmt: skip
    tasks = {
        "captioning": {"generator": "nearest", "measures": ["R@5", "CIDEr", "Bleu_4"]},
        "image-generation": {"generator": "nearest", "measures": ["FID(colours)"]},
    }
    run = mb.run(suite_file(dataset=dataset, tasks=tasks), output=tmp_path / "runs")
    audits = json.loads((run.folder / "audits.json").read_text())["tasks"]
    assert audits["captioning"]["leak"]["leaked"] == ["2000001", "2000002"]
    for task in tasks:
        rows = [
            row
            for row in audits[task]["leak"]["without"]
            if row["estimate"] is not None and row["slice"] == "all"
        ]
        assert {row["measure"] for row in rows} == set(tasks[task]["measures"])
        assert all(row["without"] is not None for row in rows)
        of_outputs = [row for row in rows if row["measure"] != "R@5"]
        assert all(row["n_without"] == row["n"] - 2 for row in of_outputs)
    nearest = next(r for r in audits["captioning"]["leak"]["without"]
                   if (r["strategy"], r["measure"], r["slice"]) == ("oracle", "Bleu_4", "all"))  # fmt: skip
    assert nearest["without"] != pytest.approx(nearest["estimate"], abs=1e-6)
