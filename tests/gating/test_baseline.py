"""A baseline is small, reviewable, exact, and refused where it is not one."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mmragbench.errors import DataError
from mmragbench.gating import packing
from mmragbench.gating.baseline import Baseline
from mmragbench.gating.gate import save_baseline

floats = arrays.arrays(np.float32, st.integers(0, 50), elements=st.floats(width=32))


@settings(deadline=None)
@given(floats)
def test_values_come_back_as_they_were(values):
    """Every bit, nan included."""
    back = packing.unpack_values(packing.pack_values(values))
    assert back.tobytes() == values.tobytes()


@given(st.lists(st.text()))
def test_ids_come_back_as_they_were(ids):
    """Blanks, newlines and other scripts included."""
    assert packing.unpack_ids(packing.pack_ids(ids)) == ids


def test_hits_take_little_room():
    """Two thousand of them in about half a byte each."""
    hits = np.random.default_rng(0).integers(0, 2, 2_000).astype(np.float32)
    assert len(packing.pack_values(hits)) < 1_100


def test_a_baseline_is_read_as_it_was_written(baseline, tmp_path):
    """And written again byte by byte."""
    Baseline.read(baseline).write(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == baseline.read_bytes()


def test_a_number_is_a_line(baseline, made):
    """A pull request that changes one estimate changes one line of those that people read."""
    lines = baseline.read_text().splitlines()
    rows = json.loads((made / "summary.json").read_text())
    for row in rows:
        if row["slice"] == "all" and row["estimate"] is not None:
            system = [
                f'"{name}": {json.dumps(row[name])}' for name in ("task", "strategy", "measure")
            ]
            found = [x for x in lines if all(s in x for s in system) and "signature" in x]
            assert len(found) == 1
            assert json.loads(found[0].rstrip(","))["estimate"] == row["estimate"]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "not JSON",
        lambda text: "{}",
        lambda text: text.replace("baseline-1", "baseline-2"),
        lambda text: text.replace('"queries": 60', '"queries": 61'),
        lambda text: text.replace('"values": [\n"', '"values": [\n"!'),
        lambda text: text.replace('"cells": [', '"cell": ['),
    ],
)
def test_what_is_no_baseline_is_refused(baseline, tmp_path, change):
    """In one sentence, also where it is damaged."""
    text = change(baseline.read_text())
    assert text != baseline.read_text()
    (tmp_path / "other.json").write_text(text)
    with pytest.raises(DataError, match="is not a baseline of this version"):
        Baseline.read(tmp_path / "other.json")


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
        if row["measure"] == "CIDEr" and row["strategy"] == "random":
            return {**row, "estimate": None, "reason": "mine: KeyError: 'x'", "absence": "crashed"}
        return row

    copy.rows(crashed)
    with pytest.raises(DataError, match="1 numbers are missing .* captioning · random"):
        save_baseline(copy.folder, tmp_path / "b.json")
    assert not (tmp_path / "b.json").exists()
    assert save_baseline(copy.folder, tmp_path / "b.json", ["R@5"]).cells
