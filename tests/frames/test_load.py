"""A run as data frames: columns, types, what is missing, and the numbers of the run itself."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import mmragbench as mb
import toy
from mmragbench.comparing.evidence import RunFolder
from mmragbench.comparing.pairs import within
from mmragbench.errors import DataError, MmragbenchError
from mmragbench.frames import tables

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Iterator[mb.verbs.Run]:
    """A run in which a picture can't be captioned. Tests only read it."""
    root = tmp_path_factory.mktemp("frames")
    coco = toy.write_coco(root / "coco")
    for split in ("captions_val2017",):
        path = coco / f"annotations/{split}.json"
        path.write_text(path.read_text().replace("1001", "1666"))
        (coco / "val2017/000000001001.png").rename(coco / "val2017/000000001666.png")
    suite = toy.suite(coco)
    suite["tasks"]["captioning"]["measures"].append("Bleu_4")
    (root / "toy.yaml").write_text(yaml.safe_dump(suite, sort_keys=False))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMRAGBENCH_CACHE", str(root / "cache"))
        yield mb.run(root / "toy.yaml", output=root / "runs")


@pytest.fixture
def results(made):
    return mb.load(made.folder)
