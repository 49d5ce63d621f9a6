"""What all tests share: a cache of their own, the toy world, the real data where it is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from support import toy
from support.paths import SHARED, TESTS

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tests share the cores by processes

SLOW = (
    "audits/", "backends/", "checking/", "cli/", "docs/", "engine/", "evals/", "exporting/", "frames/",
    "gating/", "generators/", "models/", "reliability/", "submissions/", "verify/",
    "comparing/test_equivalence.py", "comparing/test_families.py", "data/test_exclusions.py",
    "layouts/test_runs.py",
    "reporting/test_explorer", "reporting/test_paper_tables.py", "reports/", "scenes/",
    "statistics/test_distances.py", "test_fingerprint.py",
    "test_core_only.py", "test_import_time.py", "test_peers.py", "test_verbs.py",
)  # fmt: skip
"""Folders and files whose tests need a model, a server, a whole command or a simulation."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what lies among slow tests, or runs a suite."""
    for item in items:
        path = item.path.relative_to(TESTS).as_posix()
        if path.startswith(SLOW) or "suite_file" in getattr(item, "fixturenames", ()):
            item.add_marker("slow")


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """No test reads what another one, or the user, has cached."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("MMRAGBENCH_CACHE", str(folder))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return folder


@pytest.fixture
def own_tables(tmp_path_factory, monkeypatch):
    """What Hugging Face's library prepares goes where a test ends."""
    import datasets

    folder = tmp_path_factory.mktemp("hf")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", folder)
    monkeypatch.setattr(datasets.config, "DOWNLOADED_DATASETS_PATH", folder / "downloads")
    datasets.disable_progress_bars()


@pytest.fixture
def coco(tmp_path) -> Path:
    """A small COCO folder."""
    return toy.write_coco(tmp_path / "coco")


@pytest.fixture
def suite_file(tmp_path, coco):
    """Writes a toy suite, with changes, and returns its path."""

    def write(**changes) -> Path:
        path = tmp_path / "toy.yaml"
        path.write_text(yaml.safe_dump(toy.suite(coco, **changes), sort_keys=False))
        return path

    return write


@pytest.fixture
def shared_data() -> Path:
    """The folder of real data beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip("the real data of ../shared/data is not here")
    return SHARED
