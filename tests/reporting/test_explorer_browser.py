"""The explorer in a browser, where there is one: what a dataset says is shown, and never run."""

from __future__ import annotations

import base64
import html as entities
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from mmragbench.reports.html import html

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)

pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium here")

TEXTS = [
    "<script>document.title='owned'</script>",
    "</script><img src=x onerror=\"document.title='owned'\">",
    "שלום עולם مرحبا",
    "🦄👩🏽‍🚀",
    r"$\frac{a}{b}$ & 50 % # _x_ ~",
    "zero\u200bwidth\u200e \u202ereversed\u202c",
]
STRATEGY = "<img src=x onerror=document.title='owned'> שלום 🦄 $x$ & %"


def dom(page: Path, address: str = "") -> str:
    """The document after its scripts have run."""
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"]
    command += ["--no-first-run", "--disable-background-networking", "--disable-component-update"]
    command += [f"--user-data-dir={page.parent / 'profile'}", "--virtual-time-budget=8000"]
    command += ["--window-size=1200,900", "--dump-dom", page.as_uri() + address]
    return subprocess.run(command, capture_output=True, timeout=60, check=True).stdout.decode()


def explorer(document: str) -> str:
    """The section as it is shown, without the data behind it."""
    return document[document.index('<section id="explorer"') : document.index('class="further"')]


@pytest.fixture
def nasty(changed: Callable[..., Path]) -> Path:
    """A run whose every name and text is awkward."""
    root = changed()
    rows = [
        {
            "id": f"{i} {text}",
            "text": text,
            "image": None,
            "references": TEXTS,
            "slices": [text],
            "relevant": [],
            "n_relevant": 0,
        }
        for i, text in enumerate(TEXTS)
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (root / "tasks" / "captioning" / "queries.jsonl").write_text(lines)
    old, cell = (root / "cells" / "captioning" / name for name in ("shared-space", STRATEGY))
    old.rename(cell)
    shutil.copytree(cell / "nearest-k1", cell / f"{STRATEGY}-k1")
    outputs = [
        {"query": row["id"], "text": None if i % 2 else text, "error": text if i % 2 else None}
        | {"image": None, "prompt": text}
        for i, (row, text) in enumerate(zip(rows, TEXTS, strict=True))
    ]
    (cell / f"{STRATEGY}-k1" / "outputs.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in outputs)
    )
    suite = json.dumps(
        {"strategies": {STRATEGY: {}}, "tasks": {"captioning": {}}}, ensure_ascii=False
    )
    (root / "suite.yaml").write_text(suite)  # JSON is YAML
    return root


def test_what_a_dataset_says_shows_as_itself(nasty: Path) -> None:
    """Markup, right-to-left, emoji, LaTeX and invisible characters; nothing of it runs."""
    page = html(nasty, nasty / "report")
    document = dom(page, "#explorer?task=captioning")
    assert "<title>fake" in document or "<title>run" in document
    assert "owned</title>" not in document
    section = explorer(document)
    shown = entities.unescape(re.sub(r"<[^>]*>", "", section))
    for i, text in enumerate(TEXTS):
        assert f"{i} {text}" in shown
        assert shown.count(text) >= 3  # as the query's id, its text, and among the references
    assert STRATEGY in shown
    assert "<script" not in section
    assert not re.search(r"<[^>]*\sonerror=", re.sub(r'"[^"]*"', '""', section))


def test_a_link_leads_to_its_query(run: Path, tmp_path: Path) -> None:
    """The query in the address comes first, under the task that the address names."""
    page = html(run, tmp_path)
    section = explorer(dom(page, "#explorer?task=image-to-text&sort=random&query=q3"))
    assert re.findall(r'data-query="([^"]*)"', section)[0] == "q3"
    assert len(re.findall(r'data-query="([^"]*)"', section)) == 5


def test_controls_are_folded_away_until_they_are_asked_for(run: Path, tmp_path: Path) -> None:
    """The oracle is no strategy to choose; its column is there for those who want it."""
    page = html(run, tmp_path)
    assert 'class="explorer bare"' in dom(page, "#explorer?task=captioning")
    assert 'class="explorer bare"' not in dom(page, "#explorer?task=captioning&controls=1")


def test_a_slice_is_what_is_shown_of_it(run: Path, tmp_path: Path) -> None:
    """Every third query of the fake is an emblem."""
    section = explorer(dom(html(run, tmp_path), "#explorer?task=captioning&slice=emblems"))
    assert re.findall(r'data-query="([^"]*)"', section) == ["q2"]
    assert "5 of 500" in section or "5 queries that the run has stored, of 500" in section


def test_the_audits_show_their_pictures(changed: Callable[..., Path]) -> None:
    """A leaked pair stands side by side; what is folded away waits until it is opened."""
    root = changed()
    names = sorted(path.name for path in (root / "thumbnails").iterdir())[:4]
    pair = {"query": "q0", "document": "d0", "how": "bytes", "bits": 0, "levels": 0}
    pairs = [
        pair | {"image": f"thumbnails/{query}", "found": f"thumbnails/{document}"}
        for query, document in (names[:2], names[2:])
    ]
    references = {"captions": 0, "recurring": 0, "chance": None, "whole": [], "examples": []}
    leak = {
        "asked": 500, "held": 1500, "roles": ["image"], "unreadable": 0, "wanted": 0,
        "leaked": ["q0"], "queries": {"bytes": 1, "pixels": 0, "near": 0},
        "pairs": pairs[:1], "misses": pairs[1:], "without": [], "references": references,
    }  # fmt: skip
    (root / "audits.json").write_text(json.dumps({"tasks": {"captioning": {"leak": leak}}}))
    document = dom(html(root, root / "report"), "#audits")
    twins = re.findall(r'<img alt="(?:query q0|document d0)"[^>]*>', document)
    embedded = [
        base64.b64encode((root / "thumbnails" / name).read_bytes()).decode() for name in names[:2]
    ]
    assert [data in twin for data, twin in zip(embedded, twins, strict=False)] == [True, True]
    assert [" src=" in twin for twin in twins] == [True, True, False, False]
