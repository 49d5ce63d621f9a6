"""Letters in tables."""

from __future__ import annotations

import json
import re

import mmragbench as mb
from support import toy

STRATEGIES = {
    "random": {},
    "shared-space": {"encoder": "colours"},
    "images": {"use": "shared-space", "encoder": "colours", "document": "image"},
    "backwards": {"use": "support.toy:Backwards"},
    "oracle": {},
}


def test_strategies_that_cannot_be_told_apart_share_a_letter(suite_file, tmp_path):
    """In every format (papers' tables have bold and underlined instead); two that differ share none; controls have none. On a gallery without texts
    `shared-space` and `images` are the same, and both beat `backwards`."""
    toy.write_coco(tmp_path / "coco", memory=24, queries=32)
    tasks = {"text-to-image": {"measures": ["RR"]}}
    run = mb.run(
        suite_file(strategies=STRATEGIES, tasks=tasks, baseline="random"), output=tmp_path / "runs"
    )
    (pair,) = [
        row
        for row in json.loads((run.folder / "comparisons.json").read_text())
        if {row["a"], row["b"]} == {"shared-space", "images"}
    ]
    assert pair["difference"] == 0
    table = (run.folder / "report/tables/text-to-image.md").read_text()
    letters = dict(re.findall(r"\| \*?([\w-]+)\*?[^|]*\| [^|<]*<sup>(\w+)</sup>", table))
    assert letters["shared-space"] == letters["images"] == "a"
    assert letters["backwards"] == "b"
    assert letters.keys() == {"shared-space", "images", "backwards"}
    assert "share a letter" in table
    assert '<sup class="letters">b</sup>' in run.report.read_text()
    tex = (run.folder / "report/tables/text-to-image.tex").read_text()
    shown = dict(re.findall(r"^([\w-]+) & (\S+) &", tex, flags=re.MULTILINE))
    assert shown["shared-space"] == shown["images"] and shown["images"].startswith(r"\textbf{")
    assert re.fullmatch(r"[\d.]+", shown["backwards"])
