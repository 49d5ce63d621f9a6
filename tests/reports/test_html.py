"""The rules of the HTML report."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from mmragbench.reporting.page.links import ExplorerLink
from mmragbench.reports.html import html
from mmragbench.run_folder.reading import Run


class Page(HTMLParser):
    """What a browser would see: elements with attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def page(run: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    return html(run, tmp_path_factory.mktemp("page")).read_text(encoding="utf-8")


def row(page: str, strategy: str, after: str = "") -> str:
    """The first table row of a strategy behind a mark in the page."""
    start = page.index(f"<bdi>{strategy}</bdi>", page.index("<tbody>", page.index(after)))
    return page[start : page.index("</tr>", start)]


def test_is_a_pure_function_of_the_run_folder(run: Path, tmp_path: Path) -> None:
    """The same run gives the same bytes."""
    first, second = (html(run, tmp_path / name).read_bytes() for name in "ab")
    assert first == second


def test_returns_index_html_below_the_target(run: Path, tmp_path: Path) -> None:
    """The main file is `index.html`, and it is the only one."""
    assert html(run, tmp_path / "report") == tmp_path / "report" / "index.html"
    assert [path.name for path in (tmp_path / "report").iterdir()] == ["index.html"]


def test_loads_nothing(page: str) -> None:
    """No style sheet, no picture, no script and no link from anywhere but the page itself."""
    for tag, attributes in Page(page).elements:
        assert tag not in ("link", "iframe", "object", "embed", "base")
        assert not [name for name in attributes if name.startswith("on") or name == "src"]
        assert (attributes.get("href") or "#").startswith("#")
    assert "url(" not in page
    assert "@import" not in page
    assert "default-src 'none'" in page


def test_runs_one_script_that_its_policy_names(page: str) -> None:
    """All other scripts are data, which no browser runs."""
    scripts = [attributes for tag, attributes in Page(page).elements if tag == "script"]
    assert [kind for kind in scripts if "type" not in kind] == [{}]
    assert {kind["type"] for kind in scripts if kind} == {"application/json", "text/plain"}
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page
    assert page.count("script-src") == 1


def test_shows_texts_as_themselves(page: str) -> None:
    """Markup, right-to-left text, emoji and LaTeX in a reason are text, isolated from the rest."""
    caption = '<script>alert("x")</script> שלום 🦄 a|b 50% & $5_{x}^2 ~#\\ end'
    assert caption in Page(page).text
    assert "<script>alert" not in page
    assert 'dir="auto"' in page


def test_says_first_what_was_compared(page: str) -> None:
    """The suite's own words, then how many strategies, controls, tasks and queries."""
    text = Page(page).text
    assert "What a <b>fake</b> says." in text
    assert "3 strategies and 3 controls, compared on 4 tasks, with 500 queries each." in text


def test_answers_and_main_table_come_first(page: str) -> None:
    """The question, an answer a task, the main numbers; then task by task."""
    question = page.index("Which of shared-space, text-grounding and separate-stores is best?")
    assert (
        question < page.index('class="finding"') < page.index('id="main"') < page.index('id="t1"')
    )
    assert page.count('class="finding"') == 4


def test_contents_lead_to_every_section(page: str) -> None:
    """Every link within the page has its target, and every section with a heading is linked."""
    elements = Page(page).elements
    links = {str(a["href"])[1:].partition("?")[0] for tag, a in elements if tag == "a"}
    ids = [a["id"] for _, a in elements if a.get("id")]
    assert len(ids) == len(set(ids))
    assert links <= set(ids)
    sections = {a["id"] for tag, a in elements if tag == "section" and a.get("id")}
    assert sections <= links


def test_links_to_queries_name_what_the_run_has(run: Path, page: str) -> None:
    """Each has the fields of an address in the explorer and no other, and names a task, strategies, a
    measure and a slice of the run."""
    folder = Run(run)
    addresses = {
        str(attributes["href"]).removeprefix("#explorer?")
        for tag, attributes in Page(page).elements
        if tag == "a" and str(attributes["href"]).startswith("#explorer?")
    }
    assert len(addresses) > 50
    for address in addresses:
        link = ExplorerLink(**dict(parse_qsl(address)))  # type: ignore[arg-type]
        assert str(link) == f"#explorer?{address}"
        assert link.task in folder.tasks
        assert link.a in folder.strategies
        assert link.b in (*folder.strategies, "")
        assert link.a != link.b
        assert link.measure in (*folder.measures, "")
        assert link.slice in ("", "emblems")


def test_headings_are_in_order(page: str) -> None:
    """One h1, and no level is skipped on the way down, so that a screen reader can follow."""
    levels = [int(tag[1]) for tag, _ in Page(page).elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))


def test_tables_scroll_within_a_box_that_keys_reach(page: str) -> None:
    """A wide table never widens the page, and its box takes the focus and has a name."""
    open_tags = [tag for tag in Page(page).elements if tag[0] in ("div", "table")]
    for before, (tag, _) in zip(open_tags, open_tags[1:], strict=False):
        if tag == "table":
            assert before[1].get("class") == "scroll"
            assert before[1].get("tabindex") == "0"
            assert before[1].get("aria-label")


def test_not_applicable_is_a_dash_with_its_reason(page: str) -> None:
    """A cell that makes no sense is never a zero: a dash, a tooltip and a numbered note."""
    cells = row(page, "no-retrieval", after="<h3>Retrieval</h3>")
    assert cells.count("—<sup>1</sup>") == 4
    assert 'title="no-retrieval retrieves nothing that could be ranked"' in cells
    assert not re.search(r">0(\.0+)?<", cells)
    assert "<li><bdi>nearest hands back the first hit, and &lt;no-retrieval&gt; has none" in page


@pytest.mark.parametrize(
    ("after", "best"), [("<h3>Retrieval</h3>", "70.0"), ("<h3>Generated images</h3>", "19.5")]
)
def test_best_contender_is_bold(page: str, after: str, best: str) -> None:
    """Bold is the highest contender, and the lowest for FID; never a control."""
    assert f"<strong>{best}</strong>" in row(page, "separate-stores", after)
    for other in ("shared-space", "text-grounding", "oracle", "chance-level"):
        assert "<strong>" not in row(page, other, after)


def test_chance_is_recognised_by_what_it_uses(page: str) -> None:
    """A control is known by its component, whatever name the suite gives it."""
    assert '<small class="role">chance</small>' in row(page, "chance-level", "<h3>Retrieval</h3>")
    assert re.search(r"<bdi>chance</bdi> 0\.4", page)


def test_failures_stand_beside_n(page: str) -> None:
    """What failed is counted in its own column."""
    cells = row(page, "text-grounding", "<h3>Retrieval</h3>")
    assert re.search(r'<td class="count failed"><a href="#explorer[^"]*">3</a></td>', cells)


def test_silver_relevance_is_labelled(page: str) -> None:
    """A column on silver relevance says so in its head."""
    assert "% silver" in page[page.index(">captioning</bdi></h2>") :]
    assert "silver" not in page[page.index("<h3>Retrieval</h3>") : page.index('<section id="t2"')]


def test_exclusions_count_once_and_are_named(page: str) -> None:
    """What two tasks excluded for one reason counts once, and every name is there."""
    start = page.index("<bdi>truncated image</bdi>")
    assert "<td>5</td>" in page[start : start + 80]
    assert all(f"photo-{i}.jpg" in page for i in range(5))


def test_interval_is_shown_where_it_is_known(changed: Callable[..., Path], tmp_path: Path) -> None:
    """`low` and `high` stand behind the estimate, in its unit."""
    row = {"task": "t", "strategy": "a", "generator": "g", "k": 1, "slice": "all", "n": 5}
    row |= {"measure": "CIDEr", "estimate": 0.123, "low": 0.11, "high": 0.136, "n_failed": 0}
    text = html(changed(summary=[row]), tmp_path / "report").read_text(encoding="utf-8")
    assert '12.3 <span class="interval">[11.0, 13.6]</span>' in text


@pytest.mark.parametrize(
    "missing",
    [
        ["queries.jsonl", "documents.jsonl"],
        ["cost.json"],
        ["scores.parquet", "outputs.jsonl"],
        ["run.trec", "thumbnails"],
        ["suite.yaml", "manifest.json", "task.json"],
        ["summary.json"],
        ["*"],
    ],
)
def test_missing_pieces_are_left_out(
    changed: Callable[..., Path], tmp_path: Path, missing: list[str]
) -> None:
    """A run folder with pieces missing still has a report."""
    text = html(changed(*missing), tmp_path / "report").read_text(encoding="utf-8")
    assert text.rstrip().endswith("</html>")


def test_broken_surrogates_do_not_break_the_page(
    changed: Callable[..., Path], tmp_path: Path
) -> None:
    """Half a surrogate pair, which JSON can hold and UTF-8 cannot, is replaced."""
    bad = [{"kind": "bad text", "id": "x", "reason": "cut \ud83d here", "task": "captioning"}]
    text = html(changed(exclusions=bad), tmp_path / "report").read_text(encoding="utf-8")
    assert "cut \ufffd here" in text
