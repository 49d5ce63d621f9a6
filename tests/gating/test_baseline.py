"""A baseline is small, reviewable, exact, and refused where it is not one."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mmragbench.errors import DataError, MmragbenchError
from mmragbench.gating import stored_values
from mmragbench.gating.gate import save_baseline
from mmragbench.gating.stored_baseline import Baseline, table_path
from mmragbench.gating.stored_values import SCHEMA, Table, TaskItems, read_table, write_table

floats = arrays.arrays(np.float32, st.integers(0, 50), elements=st.floats(width=32))
ids = st.lists(st.text())


@settings(deadline=None)
@given(st.lists(floats), ids, ids)
def test_a_table_is_read_as_it_was_written(values, queries, documents):
    """Values to every bit, nan included; ids with blanks, newlines and other scripts."""
    items = {"a": TaskItems(queries, queries, queries, documents, documents)}
    back, columns = read_table(write_table(Table(items, {"a": values})))
    assert back == items
    assert [column.tobytes() for column in columns["a"]] == [v.tobytes() for v in values]


def test_hits_take_little_room():
    """Two thousand more of them in about a bit each."""
    hits = np.random.default_rng(0).integers(0, 2, 2_000).astype(np.float32)
    items = {"a": TaskItems([], [], [], [], [])}
    once, twice = (len(write_table(Table(items, {"a": [hits] * n}))) for n in (1, 2))
    assert twice - once < 500


def test_a_baseline_is_read_as_it_was_written(baseline, tmp_path):
    """And written again byte by byte."""
    again = tmp_path / "again.json"
    Baseline.read(baseline).write(again)
    assert again.read_bytes() == baseline.read_bytes()
    assert table_path(again).read_bytes() == table_path(baseline).read_bytes()


def test_a_table_is_for_everybody(baseline):
    """pandas reads it: a row a task, with a list of values for each of its cells."""
    frame = pd.read_parquet(table_path(baseline)).set_index("task")
    cells = Baseline.read(baseline).cells
    for task, row in frame.iterrows():
        estimates = [cell.estimate for cell in cells if cell.task == task and cell.measure == "R@5"]
        of_task = [cell.measure for cell in cells if cell.task == task]
        means = [v.mean() for v, name in zip(row["values"], of_task, strict=True) if name == "R@5"]
        assert means == pytest.approx(estimates)


def test_a_number_is_a_line(baseline, made):
    """A pull request that changes one estimate changes one line of those that people read."""
    lines = baseline.read_text().splitlines()
    rows = json.loads((made / "summary.json").read_text())
    for row in rows:
        if row["slice"] == "all" and row["estimate"] is not None:
            system = [
                f'"{name}": {json.dumps(row[name])}' for name in ("task", "strategy", "measure")
            ]
            matching = [x for x in lines if all(s in x for s in system)]
            assert len(matching) == 1
            assert json.loads(matching[0].rstrip(","))["estimate"] == row["estimate"]


@pytest.fixture
def own(baseline, tmp_path) -> Path:
    """A copy of the baseline, to be changed."""
    for file in (baseline, table_path(baseline)):
        shutil.copy(file, tmp_path / file.name)
    return tmp_path / baseline.name


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "not JSON",
        lambda text: "{}",
        lambda text: text.replace("baseline-2", "baseline-1"),
        lambda text: text.replace('"cells": [', '"cell": ['),
        lambda text: text.replace('"n": 60', '"n": null', 1),
    ],
)
def test_what_is_no_baseline_is_refused(own, change):
    """In one sentence, also where it is damaged or of an older version, with what to do."""
    text = change(own.read_text())
    assert text != own.read_text()
    own.write_text(text)
    with pytest.raises(DataError, match="is not a baseline of this version") as caught:
        Baseline.read(own)
    assert str(caught.value).endswith(f"; write one with `mmragbench gate RUN --save {own}`")


def test_a_baseline_of_0_5_is_refused(tmp_path):
    """It was one file; how to save it again is said."""
    old = {"format": "mmragbench-baseline-1", "suite": "s", "mmragbench": "0.5.0", "tasks": [],
           "cells": [], "values": [], "items": {}}  # fmt: skip
    (tmp_path / "b.json").write_text(json.dumps(old))
    with pytest.raises(DataError, match="b.json is not a baseline of this version: format.*--save"):
        Baseline.read(tmp_path / "b.json")


def test_a_baseline_without_its_table_is_refused(own):
    """Only one of the two files was committed."""
    table_path(own).unlink()
    with pytest.raises(DataError, match=r"needs baseline.parquet beside it.*--save"):
        Baseline.read(own)


def test_a_table_of_another_save_is_refused(own, made):
    """One of the two files is older than the other."""
    save_baseline(made, own.with_name("other.json"), ["R@5"])
    table_path(own.with_name("other.json")).replace(table_path(own))
    with pytest.raises(DataError, match=r"was not saved together with baseline.json.*--save"):
        Baseline.read(own)


def retable(path: Path, content: bytes) -> None:
    """Put in another table, as if it had been saved with the summary."""
    table_path(path).write_bytes(content)
    summary = json.loads(path.read_text())
    path.write_text(json.dumps({**summary, "table": sha256(content).hexdigest()}))


@pytest.mark.parametrize(
    "change",
    [
        lambda row: row | {"queries": row["queries"][1:]},
        lambda row: row | {"gold": [*row["gold"], "00000000"]},
        lambda row: row | {"contents": []},
        lambda row: row | {"values": row["values"][1:]},
        lambda row: row | {"values": [row["values"][0][1:], *row["values"][1:]]},
        lambda row: row | {"task": "another"},
    ],
)
def test_a_table_that_does_not_fit_its_summary_is_refused(own, change):
    """Whoever wrote it."""
    first, *others = pq.read_table(table_path(own)).to_pylist()
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist([change(first), *others], SCHEMA), sink)
    retable(own, bytes(sink.getvalue()))
    with pytest.raises(DataError, match=r"parquet is not a baseline's table \(.+ other .+--save"):
        Baseline.read(own)


def test_a_table_that_is_none_is_refused(own, monkeypatch):
    """Bytes of something else, other columns, and more values than memory may hold."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"task": ["a"]}), sink)
    content = table_path(own).read_bytes()
    for wrong in (b"", b"PAR1PAR1", content[:-20], bytes(sink.getvalue())):
        retable(own, wrong)
        with pytest.raises(DataError, match="is not a baseline's table"):
            Baseline.read(own)
    retable(own, content)
    monkeypatch.setattr(stored_values, "MOST_VALUES", 99)
    with pytest.raises(DataError, match="it is too large"):
        Baseline.read(own)


def test_a_baseline_is_not_named_after_its_table(made, tmp_path):
    """The two files would be one."""
    with pytest.raises(MmragbenchError, match=r"name the one for people, like .*b.json"):
        save_baseline(made, tmp_path / "b.parquet")
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("name", ["CIDEr@0", "", "FID(a/../..)", "not a measure"])
def test_a_measure_that_is_none_is_no_baseline(baseline, tmp_path, name):
    """Whose name was changed by hand."""
    content = json.loads(baseline.read_text())
    content["cells"][0]["measure"] = name
    (tmp_path / "b.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match="is not a baseline of this version: cells.0.measure"):
        Baseline.read(tmp_path / "b.json")


def test_no_baseline_is_saved_of_a_run_with_crashes(copy, tmp_path):
    """The crashed cells would never be missed; those of other measures can be saved."""

    def crashed(row):
        if row["measure"] == "CIDEr" and row["strategy"] == "shared-space":
            return {**row, "estimate": None, "reason": "mine: KeyError: 'x'", "absence": "crashed"}
        return row

    copy.rows(crashed)
    with pytest.raises(DataError, match="1 numbers are missing .* captioning · shared-space"):
        save_baseline(copy.folder, tmp_path / "b.json")
    assert not (tmp_path / "b.json").exists()
    assert save_baseline(copy.folder, tmp_path / "b.json", ["R@5"]).cells
