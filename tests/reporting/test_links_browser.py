"""From a number to its cases, as a reader goes there: with mouse and keyboard, in a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

import mmragbench as mb
from mmragbench.reports.html import html
from support.browser import CHROMIUM, Browser, browser

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")

QUERIES = "[...document.querySelectorAll('#explorer .case')].map((one) => one.dataset.query)"
COLUMNS = (
    "[...document.querySelectorAll('#explorer .case:first-child .answer')]"
    ".filter((one) => one.offsetWidth).map((one) => one.querySelector('bdi').textContent)"
)


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        opened.size(1200)
        yield opened


@pytest.fixture(scope="module")
def page(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    return html(finished, tmp_path_factory.mktemp("page")).as_uri()


@pytest.fixture
def opened(tab: Browser, page: str) -> Browser:
    tab.open(page)
    return tab


def gains(finished: Path, a: str, b: str, measure: str) -> dict[str, float]:
    """Query -> the value of a less that of b on text-to-image, as stored."""
    frame = mb.load(finished).scores
    rows = frame[(frame.task == "text-to-image") & (frame.measure == measure)]
    wide = rows.pivot_table(index="query", columns="strategy", values="value")
    return dict(wide[a] - wide[b])


def chosen(tab: Browser) -> dict[str, str]:
    """What the explorer's form says."""
    names = ("task", "a", "b", "measure", "only", "slice", "sort")
    form = "document.querySelector('#explorer form')"
    return {name: str(tab.read(f"{form}.{name}.selectedOptions[0].textContent")) for name in names}


def fields(tab: Browser) -> dict[str, str]:
    """The fields of the page's address."""
    return {name: values[0] for name, values in parse_qs(tab.read("location.hash")[10:]).items()}


def follow(tab: Browser, selector: str) -> dict[str, str]:
    """Click a link and wait until the explorer has what its address says: the form's choices."""
    wanted = tab.read(f"document.querySelector({json.dumps(selector)}).getAttribute('href')")
    tab.click(selector)
    tab.wait(f"location.hash === {json.dumps(wanted)}")
    task = parse_qs(wanted[10:])["task"][0]
    form = "document.querySelector('#explorer form')"
    tab.wait(f"{form}.task.selectedOptions[0].textContent === {json.dumps(task)}")
    tab.wait("document.querySelector('#explorer').getBoundingClientRect().top < innerHeight")
    return chosen(tab)


@pytest.mark.parametrize(
    ("place", "measure"), [("td>", "RR"), (".track ", "R@1"), (".plots svg ", "RR")]
)
def test_a_click_leads_to_the_queries_behind(
    opened: Browser, finished: Path, place: str, measure: str
) -> None:
    """From a number, a mark and a difference: task, measure and pair are chosen, and the query on which
    the two differ most comes first, with both in the first columns."""
    name = measure.replace("@", "%40")
    form = follow(
        opened, f"{place}a[href*='task=text-to-image'][href*='measure={name}'][href*='=backwards']"
    )
    assert form["task"] == "text-to-image"
    assert "backwards" in (form["a"], form["b"])
    assert form["measure"].split()[0] == measure
    assert (form["only"], form["sort"]) == ("all", "largest difference")
    expected = gains(finished, form["a"], form["b"], measure)
    sizes = [round(abs(expected[query]), 5) for query in opened.read(QUERIES)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == pytest.approx(max(map(abs, expected.values())), abs=1e-5)
    assert opened.read(COLUMNS)[:2] == [form["a"], form["b"]]


def test_wins_ties_and_losses_lead_to_theirs(opened: Browser, finished: Path) -> None:
    """The count beside a difference is the number of queries that its link shows."""
    counts = {}
    for only in ("a", "ties", "b"):
        link = f".plots svg a[href*='measure=R%401'][href*='=backwards'][href*='only={only}']"
        words = opened.read(f"document.querySelector({json.dumps(link)}).textContent")
        form = follow(opened, link)
        expected = gains(finished, form["a"], form["b"], "R@1")
        sign = {"a": 1, "ties": 0, "b": -1}[only]
        fitting = {query for query, gain in expected.items() if gain == sign}
        counts[only] = int(words.split()[0])
        assert counts[only] == len(fitting)
        opened.wait(f"{QUERIES}.length === {min(20, len(fitting))}")
        assert set(opened.read(QUERIES)) <= fitting
        opened.read("history.back()")
    assert sum(counts.values()) == 160


def test_a_point_leads_to_its_query(opened: Browser, page: str) -> None:
    """By mouse, and by the arrow keys and Enter; the query comes first and has the focus."""
    start = f"{page}#explorer?task=text-to-image&measure=RR&a=shared-space&b=backwards"
    mark = "#explorer .pair a.point:nth-child(2)"
    for keyboard in (False, True):
        opened.open(start)
        href = opened.read(f"document.querySelector('{mark}').getAttribute('href')")
        (query,) = parse_qs(href[10:])["query"]
        if keyboard:
            opened.read("document.querySelector('#explorer .pair a.point').focus()")
            opened.press("ArrowRight")
            opened.press("Enter")
        else:
            opened.click(mark)
        opened.wait(f"document.activeElement?.dataset?.query === {json.dumps(query)}")
        assert opened.read(QUERIES)[0] == query


def test_an_address_says_all_that_is_chosen(opened: Browser, page: str) -> None:
    """What the form chooses is in the address, and the address brings it back."""
    opened.open(f"{page}#explorer?task=captioning")
    form = "document.querySelector('#explorer form')"
    for name, text in {"a": "backwards", "b": "images", "only": "ties"}.items():
        option = f"[...{form}.{name}.options].find((one) => one.textContent === '{text}').value"
        opened.read(f"{form}.{name}.value = {option}")
        opened.read(f"{form}.{name}.dispatchEvent(new Event('change', {{ bubbles: true }}))")
        opened.wait(f"location.hash.includes('{name}={text}')")
    expected = {"task": "captioning", "measure": "CIDEr", "a": "backwards", "b": "images"}
    address = fields(opened)
    assert address.pop("setting") in ("nearest-k1", "consensus-k3")
    assert address == expected | {"only": "ties"}
    before = chosen(opened)
    opened.open(page + opened.read("location.hash"))
    assert chosen(opened) == before


def test_matches_are_marked_where_they_are(opened: Browser, page: str) -> None:
    """In texts and ids, whatever their case; and only what matches."""
    opened.open(f"{page}#explorer?task=captioning")
    word = opened.read("document.querySelector('#explorer .output p').textContent.split(' ')[1]")
    opened.open(f"{page}#explorer?task=captioning&find={word.upper()}")
    marks = opened.read(
        "[...document.querySelectorAll('#explorer mark')].map((m) => m.textContent)"
    )
    assert marks
    assert {mark.lower() for mark in marks} == {word.lower()}
    opened.open(f"{page}#explorer?task=captioning&find=.*")
    assert opened.read(QUERIES) == []


def test_a_picture_enlarges_and_gives_the_focus_back(opened: Browser, page: str) -> None:
    """By Enter; Escape closes it."""
    opened.open(f"{page}#explorer?task=text-to-image")
    button = "document.querySelector('#explorer .hits .enlarge')"
    opened.read(f"{button}.scrollIntoView(); {button}.focus()")
    opened.wait(f"Boolean({button}.querySelector('img').src)")
    opened.press("Enter")
    opened.wait("document.querySelector('#explorer dialog').open")
    large = opened.read(
        "document.querySelector('#explorer dialog img').getBoundingClientRect().width"
    )
    assert large > 2 * opened.read(f"{button}.getBoundingClientRect().width")
    opened.press("Escape")
    opened.wait("!document.querySelector('#explorer dialog').open")
    assert opened.read(f"document.activeElement === {button}")


def test_a_head_sorts_its_table(opened: Browser) -> None:
    """The largest first, then the smallest, then as it was; what is missing stays last."""
    rows = (
        "[...document.querySelectorAll('table.main tbody tr')]"
        ".map((row) => [row.cells[0].innerText, row.cells[1].dataset.value ?? null])"
    )
    before = opened.read(rows)
    states = []
    for _ in range(3):
        opened.click("table.main thead th:nth-child(2) button")
        sort = (
            "document.querySelector('table.main thead th:nth-child(2)').getAttribute('aria-sort')"
        )
        states.append((opened.read(sort), opened.read(rows)))
    values = [float(value) for _, value in before if value]
    assert [sort for sort, _ in states] == ["descending", "ascending", None]
    for (_, shown), reverse in zip(states, (True, False), strict=False):
        numbers = [float(value) for _, value in shown if value]
        assert numbers == sorted(values, reverse=reverse)
        assert all(value is None for _, value in shown[len(numbers) :])
    assert states[-1][1] == before


def test_the_page_begins_with_cases(opened: Browser) -> None:
    """Each task has its strip before the main numbers; its pictures are shown without a script, and
    each case leads to its query."""
    strips = opened.read(
        "[...document.querySelectorAll('.telling')].map((strip) => strip.getAttribute('aria-label'))"
    )
    assert strips == ["Cases of text-to-image", "Cases of captioning"]
    order = "document.querySelector('.telling').compareDocumentPosition(document.getElementById('main'))"
    assert opened.read(order) & 4  # the main numbers follow
    assert opened.read("document.querySelectorAll('.telling img[src^=\"data:image/\"]').length") > 2
    form = follow(opened, ".telling h5 a")
    query = fields(opened)["query"]
    opened.wait(f"({QUERIES})[0] === {json.dumps(query)}")
    assert form["task"] == "text-to-image"


def test_a_failure_and_a_slice_lead_to_theirs(tab: Browser, run: Path, tmp_path: Path) -> None:
    """A failed query is shown among all that failed; a number of a slice among that slice's queries."""
    address = html(run, tmp_path).as_uri()
    tab.open(address)
    form = follow(tab, "#record a[href*='only=failed'][href*='query=q1']")
    assert (form["task"], form["only"]) == ("captioning", "failures")
    assert set(tab.read(QUERIES)) == {"q1"}
    tab.open(address)
    form = follow(tab, "td>a[href*='slice=emblems'][href*='task=captioning']")
    assert form["slice"] == "emblems"
    assert set(tab.read(QUERIES)) == {"q2"}


def test_a_distance_leads_to_its_task_and_pair(tab: Browser, run: Path, tmp_path: Path) -> None:
    """FID has no value for a single query; the explorer says so and sorts by another measure."""
    tab.open(html(run, tmp_path).as_uri())
    form = follow(tab, "td>a[href*='measure=FID'][href*='a=shared-space']")
    assert (form["task"], form["a"]) == ("image-generation", "shared-space")
    count: Any = tab.read("document.querySelector('#explorer .count').textContent")
    assert "FID(clip) has no value for a single query" in count


def test_no_text_of_the_plot_lies_on_a_mark(opened: Browser, page: str) -> None:
    """Nor does one leave the plot, however long a strategy's name is."""
    opened.open(f"{page}#explorer?task=text-to-image&measure=R%401&a=shared-space&b=backwards")
    overlaps = """(() => {
      const plot = document.querySelector("#explorer .pair svg:has(a.point)");
      const around = plot.getBoundingClientRect();
      const texts = [...plot.querySelectorAll(":scope > text")].map((one) => one.getBoundingClientRect());
      const marks = [...plot.querySelectorAll("circle")].map((one) => one.getBoundingClientRect());
      const apart = (a, b) => a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
      return texts.filter((text) => text.left < around.left - 1 || text.right > around.right + 1
        || !marks.every((mark) => apart(text, mark))).length;
    })()"""
    assert opened.read("document.querySelectorAll('#explorer .pair a.point').length") > 1
    assert opened.read(overlaps) == 0


def test_at_first_two_that_differ_are_compared(opened: Browser, finished: Path) -> None:
    """`images` ranks as `shared-space` does, so that nothing is to be seen of the two."""
    form = chosen(opened)
    pair = {form["a"], form["b"]}
    assert not any(gains(finished, "images", "shared-space", "R@1").values())
    assert form["task"] == "text-to-image" and "backwards" in pair and len(pair) == 2
