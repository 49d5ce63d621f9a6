"""The page's layout in a browser, where there is one: what it shows can be read at every width."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from mmragbench.reports.html import html
from support import stated
from support.browser import CHROMIUM, Browser, browser
from support.paths import ROOT

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")

WIDTHS = (1440, 768, 390)
TASKS = {"text-to-image": (None, None, "Success@1"), "captioning": ("reader", 3, "CIDEr")}

BOXES = """
function boxes(selector) {
  const found = [];
  for (const root of document.querySelectorAll(selector)) {
    const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const range = document.createRange();
      range.selectNodeContents(texts.currentNode);
      const text = texts.currentNode.textContent.trim();
      if (!text || texts.currentNode.parentElement.closest('title')) continue;
      for (const box of range.getClientRects()) found.push([text, box.left, box.top, box.right, box.bottom]);
    }
    for (const mark of root.querySelectorAll('.point')) {
      const box = mark.getBoundingClientRect();
      found.push([mark.title, box.left, box.top, box.right, box.bottom]);
    }
  }
  return found.filter(([, left, top, right, bottom]) => right - left > 1 && bottom - top > 1);
}
"""


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture
def page(changed: Callable[..., Path], tmp_path: Path) -> Callable[..., str]:
    """The address of the page of a run whose strategies have these numbers on both tasks."""

    def write(numbers: list[float]) -> str:
        names = [f"a-strategy-with-a-long-name-{i:02}" for i in range(len(numbers))]
        scored = dict(zip(names, numbers, strict=True)) | {"random": 0.1, "oracle": 0.9}
        rows = [row(task, name, value) for task in TASKS for name, value in scored.items()]
        rows.append(row("captioning", "no-retrieval", 0.11))
        rows.append(row("captioning", "no-retrieval", 0.105) | {"generator": "alone", "k": 0})
        pairs = [pair(task, a, b) for task in TASKS for a, b in combinations(names, 2)]
        folder = changed("suite.yaml", "tasks", summary=rows, comparisons=pairs)
        suite = {"name": "s", "strategies": dict.fromkeys(scored), "tasks": dict.fromkeys(TASKS)}
        (folder / "suite.yaml").write_text(yaml.safe_dump(suite, sort_keys=False))
        return html(folder, tmp_path).as_uri()

    return write


def row(task: str, strategy: str, value: float) -> dict[str, Any]:
    generator, k, measure = TASKS[task]
    cell = {"task": task, "generator": generator, "k": k, "slice": "all", "measure": measure}
    numbers = {"estimate": value, "low": value - 0.05, "high": value + 0.05, "n": 100}
    more = {"strategy": strategy, "n_failed": 0, "signature": ""}
    return cell | numbers | more | stated.row(measure, strategy)


def pair(task: str, a: str, b: str) -> dict[str, Any]:
    generator, k, measure = TASKS[task]
    cell = {"task": task, "generator": generator, "k": k, "slice": "all", "measure": measure}
    numbers = {"difference": 0.01, "low": -0.02, "high": 0.04, "n": 100, "needed": 900}
    tested = {"p_value": 0.2, "p_holm": 0.4, "verdict": "can't tell", "family": "primary"}
    return cell | numbers | tested | {"a": a, "b": b, "tests": 9, "forced": None}


def overlaps(boxes: list[Any]) -> list[tuple[str, str]]:
    """The texts and marks whose boxes share more than half a pixel."""
    return [
        (a[0], b[0])
        for a, b in combinations(boxes, 2)
        if min(a[3], b[3]) - max(a[1], b[1]) > 0.5 and min(a[4], b[4]) - max(a[2], b[2]) > 0.5
    ]


NUMBERS = {
    "three": [0.5, 0.512, 0.3],
    "three equal": [0.4, 0.4, 0.4],
    "twenty": [0.4 + i / 200 for i in range(20)],
    "twenty with ties": [0.5] * 9 + [0.4] * 8 + [0.9, 0.1, 0.2],
}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", NUMBERS)
def test_labels_and_marks_at_a_glance_never_overlap(
    tab: Browser, page: Callable[..., str], name: str, width: int
) -> None:
    """Whatever the width, with few strategies and with many, also where numbers are equal."""
    tab.size(width)
    tab.open(page(NUMBERS[name]))
    boxes = tab.read(f"{BOXES} boxes('.strip')")
    assert len(boxes) > 2 * len(NUMBERS[name])
    assert overlaps(boxes) == []


@pytest.mark.parametrize("name", ["three", "twenty with ties"])
def test_texts_of_a_picture_never_overlap(
    tab: Browser, page: Callable[..., str], name: str
) -> None:
    """Names, numbers and ticks of differences, curves and costs."""
    tab.size(1440)
    tab.open(page(NUMBERS[name]))
    count = tab.read("document.querySelectorAll('.plots svg').length")
    tab.read("document.querySelectorAll('.plots svg').forEach((svg, i) => svg.id = `svg-${i}`)")
    assert count > 0
    for place in range(count):
        boxes = tab.read(f"{BOXES} boxes('#svg-{place}')")
        assert overlaps(boxes) == [], place


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["three", "twenty with ties", "fake"])
def test_the_page_never_scrolls_sideways(
    tab: Browser, page: Callable[..., str], run: Path, tmp_path: Path, name: str, width: int
) -> None:
    """Also with everything unfolded; what is wide scrolls within itself."""
    tab.size(width)
    tab.open(html(run, tmp_path).as_uri() if name == "fake" else page(NUMBERS[name]))
    tab.read("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert tab.read("document.documentElement.scrollWidth") <= width
    assert tab.read("innerWidth") == width


LINES = """
[...document.querySelectorAll('.strip .what b, .findings h3, .numbers th bdi, .key bdi, .won bdi')]
  .filter((name) => name.checkVisibility())
  .map((name) => {
    const range = document.createRange();
    range.selectNodeContents(name);
    const tops = [...range.getClientRects()].map((box) => Math.round(box.top));
    return [name.textContent.trim(), new Set(tops).size];
  })
"""


@pytest.mark.parametrize("width", WIDTHS)
def test_names_are_set_in_words(tab: Browser, page: Callable[..., str], width: int) -> None:
    """The lines of a task's or a strategy's name have five letters or more on average."""
    tab.size(width)
    tab.open(page(NUMBERS["twenty"]))
    names = tab.read(LINES)
    assert set(TASKS) <= {name for name, _ in names}
    assert [(name, lines) for name, lines in names if lines > max(1, len(name) / 5)] == []


def test_links_to_the_legend_open_it(tab: Browser, page: Callable[..., str]) -> None:
    """Each leads to an entry, which is then seen."""
    tab.size(1440)
    tab.open(page(NUMBERS["three"]))
    targets = tab.read(
        "[...document.querySelectorAll('a[href^=\"#legend-\"]')].map((a) => a.getAttribute('href'))"
    )
    assert {"#legend-letters", "#legend-differences"} <= set(targets)
    for target in dict.fromkeys(targets):
        tab.read("document.querySelector('#legend').open = false")
        tab.click(f"a[href='{target}']")
        tab.wait(f"document.querySelector('{target}').getBoundingClientRect().height > 0")


def test_the_legend_has_the_glossary_s_words() -> None:
    """One meaning in the report and in the documentation."""
    glossary = (ROOT / "docs/glossary.md").read_text()
    template = ROOT / "src/mmragbench/reporting/page/template/legend.html.jinja"
    words = template.read_text().split("<h4>Words</h4>")[1]
    named = re.findall(r'entry\("\w+", "([^"]+)"\)', words)
    assert len(named) > 4
    for name in (word for names in named for word in names.split(", ")):
        assert re.search(rf"\*\*[^*]*\b{name}\b[^*]*\*\*", glossary), name


def test_every_mark_has_an_outline(run: Path, tmp_path: Path) -> None:
    """What a table, a picture or the explorer refers to is in the page, once."""
    page = html(run, tmp_path).read_text()
    ids = re.findall(r'<path id="(mark-\w+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'<use href="#([\w-]+)"', page)) <= set(ids)
