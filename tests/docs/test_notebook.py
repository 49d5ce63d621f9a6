"""The notebook of the docs: it runs, and what is stored of its outputs is fit to be read.

`PYTHONPATH=tests python tests/docs/test_notebook.py FOLDER` writes the outputs anew, from the run of
`scenes` in that folder.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

import mmragbench as mb
from support.paths import ROOT

NOTEBOOK = ROOT / "docs/notebook.ipynb"


def executed(folder: Path) -> Any:
    """The notebook, run in a folder in which there is `runs/scenes-…`."""
    nbformat = pytest.importorskip("nbformat", reason="nbclient is not installed")
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    book = nbformat.read(NOTEBOOK, as_version=4)
    where = {"metadata": {"path": str(folder)}}
    client = nbclient.NotebookClient(book, timeout=120, resources=where, record_timing=False)
    return client.execute()


def intervals(book: Any) -> dict[str, tuple[float, float, float]]:
    """The table of the notebook's own bootstrap: column -> mean, low, high."""
    outputs = [output for cell in book.cells for output in cell.get("outputs", [])]
    (table,) = (
        text
        for output in outputs
        if "ours" in (text := output.get("data", {}).get("text/plain", ""))
    )
    names, *rows = (line.split() for line in table.splitlines())
    return {name: tuple(float(row[i]) for row in rows) for i, name in enumerate(names, start=1)}


def test_it_runs_and_its_own_interval_is_the_summarys(tmp_path, monkeypatch, docs_cache):
    """On a small run: no cell fails, and two bootstraps of one mean agree within a tenth of their
    width at each end (percentile against studentised, 40 pictures)."""
    monkeypatch.setenv("MMRAGBENCH_CACHE", str(docs_cache))
    mb.run("scenes", ["dataset.queries=40", "dataset.memory=120"], output=tmp_path / "runs")
    found = intervals(executed(tmp_path))
    (mean, low, high), (estimate, below, above) = found["ours"], found["summary"]
    assert mean == estimate
    assert abs(low - below) + abs(high - above) < 0.2 * (above - below)


def test_what_is_stored_is_whole_small_and_of_no_machine():
    """Every code cell has been run, in order; no path, no error, and it opens quickly."""
    text = NOTEBOOK.read_text(encoding="utf-8")
    cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    kinds = {output["output_type"] for cell in cells for output in cell["outputs"]}
    assert kinds == {"execute_result", "display_data"}
    assert not re.search(r"/(home|root|tmp|work|Users)/|0x[0-9a-f]{8}", text)
    assert len(text) < 200_000


if __name__ == "__main__":
    import nbformat

    nbformat.write(executed(Path(sys.argv[1])), NOTEBOOK)
