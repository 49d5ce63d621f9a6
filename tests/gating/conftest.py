"""A toy run, made once, and copies of it in which something is different."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

import mmragbench as mb
from support import toy


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> Path:
    """A finished run on 400 queries. Tests only read it."""
    root = tmp_path_factory.mktemp("gate")
    patch = pytest.MonkeyPatch()
    patch.setenv("MMRAGBENCH_CACHE", str(root / "cache"))
    strategies = {"random": {}, "shared-space": {"encoder": "colours"}, "oracle": {}}
    tasks = {
        "text-to-image": {"measures": ["R@5", "Success@1"]},
        "captioning": {"generator": ["nearest"], "measures": ["R@5", "CIDEr", "Bleu_4"]},
    }
    coco = toy.write_coco(root / "coco", memory=40, queries=60)
    suite = toy.suite(coco, strategies=strategies, tasks=tasks, baseline="random")
    (root / "toy.yaml").write_text(yaml.safe_dump(suite, sort_keys=False))
    try:
        return mb.run(root / "toy.yaml", output=root / "runs").folder
    finally:
        patch.undo()


@pytest.fixture(scope="session")
def baseline(made, tmp_path_factory) -> Path:
    """Its baseline, with its controls."""
    path = tmp_path_factory.mktemp("baseline") / "baseline.json"
    mb.save_baseline(made, path, controls=True)
    return path


Values = Callable[[np.ndarray], np.ndarray]


class Copy:
    """A copy of a run that can be changed, since it has no list of its files."""

    def __init__(self, run: Path, target: Path) -> None:
        self.folder = target
        shutil.copytree(
            run, target, ignore=shutil.ignore_patterns("report", "thumbnails", "files.json")
        )

    def scores(self, cell: str, measures: Mapping[str, Values]) -> Copy:
        """With other values per query, and the summary's estimates to match."""
        file = self.folder / "cells" / cell / "scores.parquet"
        frame = pq.read_table(file).to_pandas()
        for measure, change in measures.items():
            chosen = frame["measure"] == measure
            frame.loc[chosen, "value"] = change(frame.loc[chosen, "value"].to_numpy().copy())
        pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), file)
        return self

    def rows(self, change: Callable[[dict], dict | None]) -> Copy:
        """With each row of the summary changed, or left out where there is none."""
        file = self.folder / "summary.json"
        rows = [change(row) for row in json.loads(file.read_text())]
        file.write_text(json.dumps([row for row in rows if row is not None]))
        return self

    def items(self, task: str, name: str, change: Callable) -> Copy:
        """With another `queries.parquet` or `documents.parquet`."""
        file = self.folder / "tasks" / task / f"{name}.parquet"
        frame = change(pq.read_table(file).to_pandas())
        pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), file)
        return self


@pytest.fixture
def copy(made, tmp_path) -> Copy:
    """A copy of the run, to be changed."""
    return Copy(made, tmp_path / "copy")
