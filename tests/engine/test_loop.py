"""The loop: every cell, reuse by identity, resumption, and what is not a number."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import mmragbench as mb
from support import toy
from support.paths import TESTS


def rows(run, **wanted):
    return [row for row in run.rows if all(row[key] == value for key, value in wanted.items())]


def one(run, **wanted):
    (row,) = rows(run, slice="all", **wanted)
    return row


@pytest.fixture
def finished(suite_file, tmp_path):
    return mb.run(suite_file(), output=tmp_path / "runs")


def test_every_cell_has_its_rows(finished):
    """(task × strategy × measure), and for generators (× generator), each exactly once."""
    keys = [
        (r["task"], r["strategy"], r["generator"], r["k"], r["slice"], r["measure"])
        for r in finished.rows
    ]
    assert len(keys) == len(set(keys))
    assert len(rows(finished, task="text-to-image")) == 5 * 2
    assert len(rows(finished, task="captioning")) == 5 * (1 + 3)


def test_the_summary_on_disk_is_what_was_returned(finished):
    """`summary.json` is a JSON list of the rows, with the documented keys."""
    stored = json.loads((finished.folder / "summary.json").read_text())
    assert stored == finished.rows
    wanted = {
        "task",
        "strategy",
        "generator",
        "k",
        "slice",
        "measure",
        "estimate",
        "low",
        "high",
        "n",
        "n_failed",
        "signature",
    }
    assert all(wanted <= row.keys() for row in stored)


def test_every_estimate_has_an_interval_around_it(finished):
    """95 %, by image; an absent estimate has none, nor has one whose values are all alike and not
    at an end of the scale."""
    for row in finished.rows:
        if row["estimate"] is None:
            assert row["low"] is None and row["high"] is None
        elif row["low"] is None:
            assert row["high"] is None
            assert len(set(values(finished, row))) == 1
            assert row["estimate"] not in row["bounds"]
        else:
            assert row["low"] <= row["estimate"] <= row["high"]


def values(run, row):
    """The values per query behind a row."""
    pandas = pytest.importorskip("pandas")
    cell = run.folder / "cells" / row["task"] / row["strategy"]
    if row["generator"] is not None:
        cell = cell / f"{row['generator']}-k{row['k']}"
    scores = pandas.read_parquet(cell / "scores.parquet")
    return scores[scores["measure"] == row["measure"]]["value"].dropna()


def test_a_world_of_colours_is_solved_by_colour(finished):
    """The toy encoder sees colours, so shared-space finds a picture of the right colour, above
    chance and not above the oracle."""
    found = {
        s: one(finished, task="captioning", strategy=s, measure="R@5")["estimate"]
        for s in ("random", "shared-space", "oracle")
    }
    assert found["random"] < found["shared-space"] <= found["oracle"]


def test_what_makes_no_sense_has_a_reason_and_no_number(finished):
    """`nearest` after `no-retrieval`, and a captioner after a retrieval, are not applicable."""
    nearest = one(finished, strategy="no-retrieval", generator="nearest", measure="CIDEr")
    assert nearest["estimate"] is None
    assert "nothing was retrieved" in nearest["reason"]
    alone = one(finished, strategy="oracle", generator="captioner", measure="CIDEr")
    assert alone["estimate"] is None
    assert "reads nothing" in alone["reason"]
    floor = one(finished, task="text-to-image", strategy="no-retrieval", measure="R@1")
    assert floor["estimate"] is None
    assert floor["reason"] == "retrieves nothing"


def test_the_run_folder_holds_the_fields_own_formats(finished):
    """A TREC run, COCO results, scores a query, costs, the suite and the manifest."""
    cell = finished.folder / "cells/captioning/shared-space"
    first = (cell / "run.trec").read_text().splitlines()[0].split(" ")
    assert first[1::2] == ["Q0", "1", "shared-space"]
    captions = json.loads((cell / "consensus-k3/captions.json").read_text())
    assert len(captions) == 8
    assert set(captions[0]) == {"image_id", "caption"}
    import pandas

    scores = pandas.read_parquet(cell / "consensus-k3/scores.parquet")
    estimate = one(finished, strategy="shared-space", generator="consensus", measure="CIDEr")
    assert scores["value"].mean() == pytest.approx(estimate["estimate"], abs=1e-12)
    for name in ("suite.yaml", "manifest.json", "exclusions.json", "failures.json"):
        assert (finished.folder / name).is_file()
    assert finished.report.is_file()


def test_the_same_run_again_calls_no_model(suite_file, tmp_path, finished):
    """Reuse is a look-up: the second run makes no call and writes the same summary."""
    before = (finished.folder / "summary.json").read_bytes()
    again = mb.run(suite_file(), output=tmp_path / "again")
    assert finished.calls > 0
    assert again.calls == 0
    assert (again.folder / "summary.json").read_bytes() == before


def test_a_further_strategy_calls_models_only_for_what_is_new(suite_file, tmp_path, finished):
    """A strategy over what was encoded before costs no call; one over new texts calls for them."""
    strategies = toy.suite(tmp_path / "coco")["strategies"]
    more = {
        **strategies,
        "images-only": {"use": "shared-space", "encoder": "colours", "document": "image"},
    }
    extended = mb.run(suite_file(strategies=more), output=tmp_path / "runs")
    assert extended.calls == 0
    assert one(extended, task="text-to-image", strategy="images-only", measure="R@1")["n"] == 40
    toy.ColourEncoder.calls.clear()
    other = {
        **strategies,
        "recaptioned": {
            "use": "text-grounding",
            "captioner": "namer",
            "encoder": "colours",
            "caption": "bare",
        },
    }
    assert mb.run(suite_file(strategies=other), output=tmp_path / "runs").calls == 0
    assert not toy.ColourEncoder.calls


def test_an_outside_strategy_is_named_by_its_path(suite_file, tmp_path):
    """`package.module:Name` works anywhere a name fits."""
    run = mb.run(
        suite_file(strategies={"back": {"use": "support.toy:Backwards"}}, baseline="back"),
        output=tmp_path / "runs",
    )
    assert one(run, task="text-to-image", strategy="back", measure="R@1")["n"] == 40


def test_a_strategy_that_crashes_ends_its_cells_and_not_the_run(suite_file, tmp_path):
    """Its rows have the reason instead of a number; the others have theirs."""
    run = mb.run(
        suite_file(
            strategies={"bad": {"use": "support.toy:Crashing"}, "random": {}}, baseline="random"
        ),
        output=tmp_path / "runs",
    )
    assert (
        "ZeroDivisionError: one over nothing"
        in one(run, task="text-to-image", strategy="bad", measure="R@1")["reason"]
    )
    assert one(run, task="text-to-image", strategy="random", measure="R@1")["estimate"] is not None
    assert run.crashed


def test_an_answer_that_failed_is_counted_and_named(suite_file, tmp_path, coco):
    """A picture that the captioner cannot read is neither a zero nor a gap."""
    annotations = coco / "annotations/captions_val2017.json"
    content = json.loads(annotations.read_text())
    content["images"][0]["id"] = 666
    for caption in content["annotations"]:
        caption["image_id"] = 666 if caption["image_id"] == 1001 else caption["image_id"]
    annotations.write_text(json.dumps(content))
    run = mb.run(suite_file(), output=tmp_path / "runs")
    row = one(run, strategy="no-retrieval", generator="captioner", measure="CIDEr")
    assert (row["n"], row["n_failed"]) == (7, 1)
    (failure,) = json.loads((run.folder / "failures.json").read_text())[:1]
    assert failure["query"] == "666"
    assert failure["error"] == "the number of the beast"


def test_an_unreadable_picture_is_an_exclusion_by_name(suite_file, tmp_path, coco):
    """A truncated file leaves the comparison, for all strategies alike, and is reported."""
    broken = next((coco / "val2017").iterdir())
    broken.write_bytes(broken.read_bytes()[:40])
    run = mb.run(suite_file(), output=tmp_path / "runs")
    (exclusion,) = [
        e
        for e in json.loads((run.folder / "exclusions.json").read_text())
        if e["task"] == "captioning"
    ]
    assert str(int(broken.stem)) in exclusion["id"]
    assert one(run, task="captioning", strategy="random", measure="R@5")["n"] == 7


SLOW = """
import time
from support.toy import *
def slowly(method):
    def call(self, *given):
        time.sleep(0.15)
        return method(self, *given)
    return call
ColourCaptioner.caption = slowly(ColourCaptioner.caption)
ColourEncoder.encode_images = slowly(ColourEncoder.encode_images)
import mmragbench.engine.cached_models as remember
remember.CachedCaptioner.chunk = remember.CachedModel.chunk = 4
import mmragbench as mb, sys
print(mb.run(sys.argv[1], output=sys.argv[2]).folder)
"""


def test_a_killed_run_goes_on_to_the_same_bytes(suite_file, tmp_path):
    """SIGKILL at several moments, then the same command: the summary of an undisturbed run."""
    suite, environment = suite_file(), {**os.environ, "PYTHONPATH": str(TESTS)}

    def start(runs: str, cache: str) -> subprocess.Popen:
        command = [sys.executable, "-c", SLOW, str(suite), str(tmp_path / runs)]
        return subprocess.Popen(
            command,
            env={**environment, "MMRAGBENCH_CACHE": str(tmp_path / cache)},
            stdout=subprocess.PIPE,
            text=True,
        )

    undisturbed = Path(start("whole", "cache-whole").communicate()[0].strip())
    for seconds in (1.2, 2.0, 2.6):
        process = start("killed", "cache-killed")
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.wait()
    resumed = Path(start("killed", "cache-killed").communicate()[0].strip())
    assert (resumed / "summary.json").read_bytes() == (undisturbed / "summary.json").read_bytes()


def test_a_score_on_features_names_their_weights(suite_file, tmp_path, monkeypatch):
    """Two suites may call different encoders `clip`: their FIDs and CLIPScores have different
    signatures, and are not compared."""
    from mmragbench.signature import differences

    def signatures(weights: str) -> dict[str, str]:
        monkeypatch.setattr(toy.ColourEncoder, "weights", lambda self: weights, raising=False)
        measures = ["FID(colours)", "KID(colours)", "CLIPScore(colours)"]
        tasks = {"image-generation": {"generator": "nearest", "measures": measures}}
        run = mb.run(suite_file(tasks=tasks), output=tmp_path / "runs")
        return {row["measure"]: row["signature"] for row in rows(run, strategy="oracle")}

    first, second = signatures("sha256:aaaa"), signatures("revision:bbbb")
    for measure, signature in first.items():
        assert differences(signature, second[measure]) == {"weights": ("aaaa", "bbbb")}


def test_clipscore_scores_outputs_and_needs_a_generator(suite_file):
    """It is a measure of captions and images, not of rankings."""
    from mmragbench.errors import SuiteError
    from mmragbench.verbs import plan

    tasks = {"captioning": {"measures": ["CLIPScore(colours)"]}}
    with pytest.raises(SuiteError, match="add generator"):
        plan(suite_file(tasks=tasks))


def test_a_captioner_that_fails_everywhere_is_not_said_to_need_hits(suite_file, tmp_path):
    """It reads no hits: its failures are counted and named, where nothing was retrieved."""
    (tmp_path / "captions.json").write_text("[]")
    run = mb.run(
        suite_file(
            models={"none": {"use": "precomputed", "captions": str(tmp_path / "captions.json")}},
            strategies={"no-retrieval": None, "random": None},
            generators={"captioner": {"captioner": "none"}},
            tasks={"captioning": {"generator": "captioner", "measures": ["CIDEr"]}},
        ),
        output=tmp_path / "runs",
    )
    row = one(run, strategy="no-retrieval", measure="CIDEr")
    assert row["n_failed"] > 0
    assert row["reason"] == "no caption could be scored"


def test_a_chat_model_that_fails_everywhere_is_not_said_to_need_hits(suite_file, tmp_path):
    """A reader can do without hits: what its model answered is the reason."""
    run = mb.run(
        suite_file(
            models={"mute": {"use": "support.toy:Mute"}},
            strategies={"no-retrieval": None, "random": None},
            generators={"reader": {"chat": "mute"}},
            tasks={"captioning": {"generator": ["reader", "nearest"], "measures": ["CIDEr"]}},
        ),
        output=tmp_path / "runs",
    )
    row = one(run, strategy="no-retrieval", measure="CIDEr", generator="reader")
    assert row["n_failed"] > 0 and row["reason"] == "no caption could be scored"
    copied = one(run, strategy="no-retrieval", measure="CIDEr", generator="nearest")
    assert copied["reason"] == "nearest needs hits, and nothing was retrieved"


def test_a_generator_of_texts_has_no_place_where_images_are_wanted(suite_file, tmp_path):
    """The reason says so, in place of a hundred failures of FID."""
    path = suite_file(
        strategies={"random": {}},
        baseline=None,
        generators={"words": {"use": "support.toy:Words"}},
        tasks={"image-generation": {"generator": "words", "measures": ["FID(colours)"]}},
    )
    run = mb.run(path, output=tmp_path / "runs")
    row = one(run, generator="words", measure="FID(colours)")
    assert row["absence"] == "not applicable" and row["estimate"] is None
    assert row["reason"] == "support.toy:Words gives texts, and this task wants images"
