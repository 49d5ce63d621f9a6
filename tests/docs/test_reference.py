"""The reference in the repository is what the code says now, and leaves nothing out."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

import mmragbench
from mmragbench.registry import FOLDERS, every

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs/reference").glob("*.md"))


@pytest.fixture(scope="module")
def reference():
    """The program that writes the pages."""
    spec = importlib.util.spec_from_file_location("reference", ROOT / "docs/reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_page_is_in_step_with_the_code(page, reference):
    """`make reference` would change nothing."""
    text = page.read_text(encoding="utf-8")
    assert reference.page(text) == text, "docs/reference is not up to date: run make reference"


def test_a_page_that_is_behind_is_written_anew(reference):
    """What stands between the comments is replaced; all around it stays."""
    text = "before\n<!-- reference: components store -->\nold\n<!-- end -->\nafter\n"
    fresh = reference.page(text)
    assert fresh.startswith("before\n<!-- reference: components store -->\n")
    assert fresh.endswith("\n<!-- end -->\nafter\n")
    assert "old" not in fresh
    assert "### `faiss`" in fresh


def test_everything_that_is_offered_is_in_the_reference():
    """Each name of `mmragbench`, and each component, with a word of what it is below its heading."""
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    names = [name for name in mmragbench.__all__ if not name.startswith("_")]
    names += [c.name for kind in FOLDERS if kind != "measure" for c in every(kind)]
    absent = [name for name in names if f"### `{name}`\n" not in text]
    assert absent == []
    lines = text.splitlines()
    headings = [at for at, line in enumerate(lines) if line.startswith("###")]
    empty = [lines[at] for at in headings if lines[at + 2 : at + 3] in ([], [""])]
    assert empty == []
