"""Audits as part of a run and of its report."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

import mmragbench as mb
from mmragbench.audits import run_audits as auditing
from mmragbench.reports.html import html
from support import stated

NASTY = '<script>alert("x")</script> שלום & a|b'


def text_of(page: str) -> str:
    """What a reader sees."""
    parts: list[str] = []
    parser = HTMLParser()
    parser.handle_data = parts.append
    parser.feed(page)
    return " ".join(" ".join(parts).split())


def audits_of(run) -> dict:
    return json.loads((run.folder / "audits.json").read_text(encoding="utf-8"))["tasks"]


@pytest.fixture
def finished(suite_file, tmp_path):
    return mb.run(suite_file(), output=tmp_path / "runs")


def test_every_run_is_audited(finished):
    """`audits.json` holds all three audits of each task, made with the encoder that the run used;
    the report has them."""
    by_task = audits_of(finished)
    assert all(audits.keys() == {"leak", "copy", "modality"} for audits in by_task.values())
    assert not any("error" in part for audits in by_task.values() for part in audits.values())
    assert by_task["captioning"]["leak"]["encoder"]
    nearest = [row for row in by_task["captioning"]["copy"] if row["generator"] == "nearest"]
    assert nearest and all(row["copied"] == row["shown"] > 0 for row in nearest)
    assert 'id="audits"' in finished.report.read_text(encoding="utf-8")


def test_an_audit_asks_no_model(suite_file, finished, tmp_path):
    """A second run makes no call, and its audits are the same, byte for byte."""
    again = mb.run(suite_file(), output=tmp_path / "again")
    assert again.calls == 0
    first, second = (run.folder / "audits.json" for run in (finished, again))
    assert first.read_bytes() == second.read_bytes()


def test_an_audit_that_crashes_is_told(suite_file, tmp_path, monkeypatch):
    """The run's numbers are there all the same; the report and the run say what failed."""

    def crash(*_):
        raise ZeroDivisionError("one over nothing")

    monkeypatch.setattr(auditing, "leak", crash)
    run = mb.run(suite_file(), output=tmp_path / "runs")
    assert run.rows
    assert "leak audit" in {crash.component for crash in run.crashed}
    page = text_of(run.report.read_text(encoding="utf-8"))
    assert "leak audit of captioning : failed: ZeroDivisionError: one over nothing" in page


def leak(**changes) -> dict:
    references = {"captions": 0, "recurring": 0, "whole": [], "chance": None, "examples": []}
    return {
        "asked": 500, "held": 1500, "roles": ["image"], "unreadable": 0, "encoder": None,
        "queries": {"bytes": 0, "pixels": 0, "near": 0}, "leaked": [], "wanted": 0,
        "pairs": [], "misses": [], "references": references, "without": [],
    } | changes  # fmt: skip


@pytest.fixture
def page(tmp_path):
    """The page of a run that consists of its audits."""

    def make(**tasks) -> str:
        (tmp_path / "audits.json").write_text(json.dumps({"tasks": tasks}), encoding="utf-8")
        return html(tmp_path, tmp_path / "report").read_text(encoding="utf-8")

    return make


def test_no_leak_is_one_sentence(page):
    """A clean memory is told in one sentence, once for all tasks where it is the same."""
    text = text_of(page(captioning={"leak": leak()}, other={"leak": leak()}))
    sentence = (
        "captioning , other : No copy of a query image was found in the memory: 0 of 500 by "
        "bytes, pixels or near-duplicates, among 1,500 memory images. "
        "Crops and mirror images would not be found."
    )
    assert sentence in text


def test_a_leak_is_shown_with_what_it_does(page, tmp_path):
    """How many, by which evidence, which pairs, and the estimates without them."""
    row = {"task": "captioning", "strategy": "s", "generator": "nearest", "k": 1, "slice": "all"}
    row |= {"measure": "CIDEr", "estimate": 0.812, **stated.row("CIDEr")}
    (tmp_path / "summary.json").write_text(json.dumps([row]), encoding="utf-8")
    pair = {
        "query": "q1",
        "role": "image",
        "document": "d7",
        "how": "near",
        "bits": 2,
        "levels": 9,
        "cosine": 0.99,
    }
    row = {"strategy": "shared-space", "generator": "nearest", "k": 1, "slice": "all", "measure": "CIDEr",
           "estimate": 0.812, "n": 500, "without": 0.754, "n_without": 450}  # fmt: skip
    result = leak(
        queries={"bytes": 1, "pixels": 0, "near": 1},
        leaked=["q1", "q2"],
        pairs=[pair],
        without=[row],
    )
    text = text_of(page(captioning={"leak": result}))
    assert (
        "2 of 500 query images are in the memory: 1 as the same bytes, 0 as the same pixels, 1 as near-duplicates."
        in text
    )
    assert (
        "q1 is d7 , near-duplicate: 2 of 64 hash bits differ, thumbs differ by up to 9 of 255, encoder cosine 0.990"
        in text
    )
    assert re.search(r"CIDEr ×100 81\.2 500 75\.4 450", text)


def test_captions_and_ids_are_shown_as_themselves(page):
    """Markup in ids, captions and errors is text."""
    example = {"query": NASTY, "caption": NASTY, "documents": [NASTY], "n_documents": 9}
    references = {
        "captions": 10,
        "recurring": 1,
        "whole": [NASTY],
        "chance": 0.05,
        "examples": [example],
    }
    pair = {
        "query": NASTY,
        "role": "image",
        "document": NASTY,
        "how": "bytes",
        "bits": 0,
        "levels": 0,
        "cosine": None,
    }
    copy = {"strategy": NASTY, "generator": NASTY, "k": 1, "answered": 5, "shown": 4, "copied": 1,
            "recurring": 2, "examples": []}  # fmt: skip
    modality = {"memory": {"image": 0.5, "text": 0.25, "pair": 0.25}, "mixed": True, "k": 10, "gaps": {},
                "strategies": [{"strategy": NASTY, "n": 3, "hits": {"image": 1}, "relevant": {"text": 1}}]}  # fmt: skip
    rendered = page(**{
        NASTY: {"leak": leak(leaked=[NASTY], pairs=[pair], references=references), "copy": [copy], "modality": modality},
        "broken": {"leak": {"error": f"failed: {NASTY}"}},
    })  # fmt: skip
    assert "<script>alert" not in rendered and rendered.count("<script") == 1  # which sorts tables
    text = text_of(rendered)
    assert text.count(NASTY) >= 10
    assert (
        "1 of 10 (10.0 %) reference captions occur word for word in the memory; of the memory's own captions 5.0 % occur in another document. For 1 query all references do."
        in text
    )
    assert "1 of 4 (25.0 %)" in text and "2 of 5 (40.0 %)" in text
    assert "100.0 % / 0.0 %" in text


def test_a_run_without_audits_has_no_section(tmp_path):
    """Older runs are reported as before."""
    (tmp_path / "summary.json").write_text("[]", encoding="utf-8")
    assert 'id="audits"' not in html(tmp_path, tmp_path / "report").read_text(encoding="utf-8")
