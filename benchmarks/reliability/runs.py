"""One small run, made once in a process, for the doors that read run folders."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import yaml

import mmragbench as mb
from mmragbench.records import Document, Query, Ranking

COLOURS = {
    "red": (220, 30, 30),
    "green": (30, 180, 40),
    "blue": (30, 60, 220),
    "white": (245, 245, 245),
}


class Sorted:
    """The memory in the order of its ids, whatever is asked."""

    reverse = False

    def index(self, memory: Sequence[Document]) -> None:
        self._ids = sorted((document.id for document in memory), reverse=self.reverse)

    def retrieve(self, queries: Sequence[Query], k: int) -> list[Ranking]:
        return [Ranking.of(q.id, [(id, -i) for i, id in enumerate(self._ids)], k) for q in queries]


class Reversed(Sorted):
    """The other way round."""

    reverse = True


@cache
def finished() -> Path:
    """The folder of a run of a few pictures."""
    root = Path(tempfile.mkdtemp(prefix="fuzz-run-"))
    os.environ["MMRAGBENCH_CACHE"] = str(root / "cache")
    _write_data(root / "data")
    suite = {
        "name": "small",
        "dataset": {
            "use": "folder",
            "root": str(root / "data"),
            "queries": "asked",
            "memory": "held",
        },
        "strategies": {
            "random": {},
            "reversed": {"use": "runs:Reversed"},
            "sorted": {"use": "runs:Sorted"},
            "oracle": {},
        },
        "tasks": {
            "text-to-image": {"measures": ["R@1", "Success@2"]},
            "captioning": {"generator": ["nearest"], "k": 1, "measures": ["CIDEr", "Bleu_4"]},
        },
        "baseline": "random",
    }
    (root / "small.yaml").write_text(yaml.safe_dump(suite, sort_keys=False))
    return mb.run(root / "small.yaml", output=root / "runs").folder


def _write_data(root: Path) -> None:
    import PIL.Image

    for split, count in (("asked", 6), ("held", 8)):
        (root / split).mkdir(parents=True)
        lines = []
        for i in range(count):
            name, (red, green, blue) = list(COLOURS.items())[i % 4]
            picture = PIL.Image.new("RGB", (16, 16), (red, green, max(0, blue - i)))
            picture.save(root / split / f"{i}-{split}.png")
            row = {"file_name": f"{i}-{split}.png", "text": f"a {name} picture {i}"}
            lines.append(json.dumps(row) + "\n")
        (root / split / "metadata.jsonl").write_text("".join(lines))
