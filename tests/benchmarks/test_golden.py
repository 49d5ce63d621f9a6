"""The comparison of two records of everything that comes out (`benchmarks/golden.py`)."""

from __future__ import annotations

import importlib.util
import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from support.paths import ROOT

SCRIPT = ROOT / "benchmarks/golden.py"


@pytest.fixture
def golden():
    spec = importlib.util.spec_from_file_location("golden", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def records(tmp_path):
    """Two records of one run whose folders have different hashes."""
    old, new = tmp_path / "old", tmp_path / "new"
    run = old / "runs/toy-0a1b2c3d"
    run.mkdir(parents=True)
    (run / "summary.json").write_text(json.dumps([{"estimate": 0.5, "run": "runs/toy-0a1b2c3d"}]))
    (run / "tables.md").write_text("| a | 0.5 |\n")
    (run / "cost.json").write_text("1")
    np.savez(run / "features.npz", a=np.arange(3.0))
    pq.write_table(pa.table({"value": [0.1, 0.2]}), run / "scores.parquet")
    shutil.copytree(old, new)
    again = new / "runs/toy-9f8e7d6c"
    (new / "runs/toy-0a1b2c3d").rename(again)
    (again / "summary.json").write_text(json.dumps([{"estimate": 0.5, "run": "runs/toy-9f8e7d6c"}]))
    (again / "cost.json").write_text("2")
    return old, new, again


def test_names_of_runs_and_costs_are_no_difference(golden, records):
    old, new, _ = records
    assert golden.compare(old, new) == 0


@pytest.mark.parametrize("name", ["summary.json", "tables.md", "features.npz", "scores.parquet"])
def test_one_changed_value_is_found_and_named(golden, records, name, capsys):
    """In a JSON file, a line of text, an array, and a table's column."""
    old, new, again = records
    if name == "summary.json":
        (again / name).write_text(json.dumps([{"estimate": 0.5000001, "run": "runs/toy-9f8e7d6c"}]))
    elif name == "tables.md":
        (again / name).write_text("| a | 0.6 |\n")
    elif name == "features.npz":
        np.savez(again / name, a=np.array([0.0, 1.0, 2.0000001]))
    else:
        pq.write_table(pa.table({"value": [0.1, 0.3]}), again / name)
    assert golden.compare(old, new) == 1
    assert f"runs/toy/{name}: 1 of" in capsys.readouterr().out


def test_a_file_that_only_one_has_is_named(golden, records, capsys):
    old, new, again = records
    (again / "tables.md").unlink()
    assert golden.compare(old, new) == 1
    assert "only in the old: runs/toy/tables.md" in capsys.readouterr().out
