"""Runs to report: one written by hand, one by the engine."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

import mmragbench as mb
from support import toy
from support.fake_run import changed, run  # noqa: F401  these are fixtures


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run over coloured pictures, as the engine wrote it, with scores. Tests only read it."""
    root = tmp_path_factory.mktemp("finished")
    content = toy.suite(
        toy.write_coco(root / "coco", memory=24, queries=32),
        strategies={
            "random": {},
            "shared-space": {"encoder": "colours"},
            "images": {"use": "shared-space", "encoder": "colours", "document": "image"},
            "backwards": {"use": "support.toy:Backwards"},
            "oracle": {},
        },
        tasks={
            "text-to-image": {"measures": ["R@1", "RR"]},
            "captioning": {"generator": ["nearest", "consensus"], "k": 3, "measures": ["CIDEr"]},
        },
        baseline="random",
    )
    (root / "toy.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMRAGBENCH_CACHE", str(root / "cache"))
        return mb.run(root / "toy.yaml", output=root / "runs").folder
