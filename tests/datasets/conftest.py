"""What Hugging Face's library prepares goes where a test ends."""

from __future__ import annotations

import pytest


@pytest.fixture
def own_tables(tmp_path_factory, monkeypatch):
    import datasets

    folder = tmp_path_factory.mktemp("hf")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", folder)
    monkeypatch.setattr(datasets.config, "DOWNLOADED_DATASETS_PATH", folder / "downloads")
    datasets.disable_progress_bars()
