"""The rules by which the report's cases are chosen, and by which wins, ties and losses are counted."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mmragbench as mb
from mmragbench.comparing.decomposition import swap
from mmragbench.comparing.systems import System
from mmragbench.reporting.facts.curves import curves
from mmragbench.reporting.facts.forest import forests
from mmragbench.reporting.facts.headline import headlines
from mmragbench.reporting.facts.marks import CellKey
from mmragbench.reporting.facts.rivals import Rivals
from mmragbench.reporting.facts.swaps import PARTS, swap_table
from mmragbench.reporting.facts.telling_cases import telling_cases
from mmragbench.reporting.page.page import render
from mmragbench.run_folder.reading import Run


def cases(values: dict[str, dict[str, float]], rival: str = "b") -> list[tuple[str, str]]:
    queries = list(next(iter(values.values())))
    return list(telling_cases(values, "a", rival, queries))


def test_largest_gain_largest_loss_and_where_all_do_worst() -> None:
    """One query of each kind."""
    a = {"q1": 0.9, "q2": 0.2, "q3": 0.1, "q4": 0.8}
    b = {"q1": 0.1, "q2": 0.7, "q3": 0.1, "q4": 0.7}
    assert cases({"a": a, "b": b}) == [("wins", "q1"), ("loses", "q2"), ("fails", "q3")]


def test_of_equal_queries_the_smallest_id_is_chosen() -> None:
    """Whatever order the queries come in."""
    a = {"q3": 1.0, "q2": 1.0, "q9": 0.0, "q8": 0.0, "q5": 0.0, "q4": 0.0}
    b = {"q3": 0.0, "q2": 0.0, "q9": 1.0, "q8": 1.0, "q5": 0.0, "q4": 0.0}
    assert cases({"a": a, "b": b}) == [("wins", "q2"), ("loses", "q8"), ("fails", "q4")]


def test_a_kind_that_does_not_exist_is_left_out() -> None:
    """No loss where the best never loses; no failure where the worst is as good as the mean."""
    ones, zeros = dict.fromkeys("xy", 1.0), dict.fromkeys("xy", 0.0)
    assert cases({"a": ones, "b": zeros}) == [("wins", "x")]
    assert cases({"a": ones, "b": ones}) == []
    assert cases({"a": {"x": 1.0, "y": 0.0}}, rival="") == [("fails", "y")]


def test_a_third_strategy_that_succeeds_is_no_failure_of_all() -> None:
    """All means all contenders."""
    values = {"a": {"x": 0.0, "y": 0.1, "z": 1.0}, "b": {"x": 0.0, "y": 0.1, "z": 1.0}}
    assert cases(values) == [("fails", "x")]
    assert cases(values | {"c": {"x": 1.0, "y": 0.0, "z": 0.0}}) == [("fails", "y")]


@given(st.lists(st.tuples(*[st.integers(0, 3)] * 3), min_size=1, max_size=12))
def test_cases_do_not_depend_on_the_queries_order(rows: list[Any]) -> None:
    """And each is what its kind says."""
    values = {
        name: {f"q{i}": float(row[n]) for i, row in enumerate(rows)} for n, name in enumerate("abc")
    }
    queries = list(values["a"])
    chosen = dict(telling_cases(values, "a", "b", queries))
    assert dict(telling_cases(values, "a", "b", queries[::-1])) == chosen
    gains = [values["a"][query] - values["b"][query] for query in queries]
    assert ("wins" in chosen) == (max(gains) > 0)
    assert ("loses" in chosen) == (min(gains) < 0)
    if "wins" in chosen:
        assert values["a"][chosen["wins"]] - values["b"][chosen["wins"]] == max(gains)


@pytest.fixture
def scored(changed: Callable[..., Path]) -> Path:
    """A run in which the best strategy wins on a query whose texts are awkward, and loses on another."""
    root = changed()
    cell = root / "cells" / "captioning" / "separate-stores" / "nearest-k1"
    values = [(f"q{i}", "CIDEr", value, None) for i, value in enumerate([2.0, None, 0.1, 0.8, 0.8])]
    frame = pandas.DataFrame(values, columns=["query", "measure", "value", "error"])
    frame.assign(influence=None).to_parquet(cell / "scores.parquet")
    return root


def test_a_case_shows_texts_as_themselves_and_pictures_of_the_run(scored: Path) -> None:
    """Nothing that a dataset says is markup; each picture is in the page, and is a file of the run."""
    page = render(Run(scored))
    strip = page[page.index('<h3 id="cases">') : page.index('<h3 id="main">')]
    titles = re.findall(r"<h5><a [^>]*query=([^\"]*)\"><bdi>([^<]*)</bdi>", strip)
    assert titles == [
        ("q0", "separate-stores is better than shared-space"),
        ("q2", "separate-stores is worse than shared-space"),
        ("q2", "All do badly"),
    ]
    assert "&lt;script&gt;alert" in strip
    assert "<script" not in strip
    stored = {path.read_bytes() for path in (scored / "thumbnails").iterdir()}
    sources = re.findall(r'<img[^>]* src="([^"]*)"', strip)
    assert len(sources) > 4
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
    assert {base64.b64decode(source.partition(",")[2]) for source in sources} <= stored


def test_cases_are_of_a_rival_that_differs(finished: Path) -> None:
    """Where the next best has the same value on every query, the next one that has not stands beside the
    best; both come first."""
    page = render(Run(finished))
    strip = page[page.index('aria-label="Cases of captioning"') : page.index('<h3 id="main">')]
    assert re.findall(r"<h5>.*?<bdi>([^<]*)</bdi>", strip) == [
        "shared-space is better than backwards"
    ]
    case = strip[: strip.index("</article>")]
    assert re.findall(r'<span class="who.*?<bdi>([^<]*)', case) == [
        "shared-space",
        "backwards",
        "images",
    ]


def test_every_mark_of_a_figure_leads_to_its_queries(finished: Path) -> None:
    """In differences, curves and trade-offs: none stands outside of a link."""
    page = render(Run(finished))
    drawings = re.findall(r"<figure>.*?(<svg .*?</svg>)", page, re.DOTALL)
    marks = [
        (link, element)
        for drawing in drawings
        for link in [None, *ElementTree.fromstring(drawing).iter("a")]
        for element in (link if link is not None else ElementTree.fromstring(drawing)).iter("g")
        if str(element.get("class")).startswith("mark")
    ]
    linked = [link for link, _ in marks if link is not None]
    assert len(linked) * 2 == len(marks) > 20
    assert all(str(link.get("href")).startswith("#explorer?task=") for link in linked)


def test_a_case_reads_no_picture_outside_of_the_run(scored: Path) -> None:
    """A path that leads out of the run folder is not followed."""
    (scored.parent / "secret.jpg").write_bytes(b"secret")
    path = scored / "tasks" / "captioning" / "queries.jsonl"
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    lines = (json.dumps(row | {"image": "../secret.jpg"}) + "\n" for row in rows)
    path.write_text("".join(lines), "utf-8")
    assert base64.b64encode(b"secret").decode() not in render(Run(scored))


def test_a_number_is_compared_with_the_baseline_or_the_best(changed: Callable[..., Path]) -> None:
    """The baseline where it is a contender; else the best other one, where lower is better the lowest;
    a control is no rival."""

    def rivals(measure: str, baseline: str) -> dict[str, str]:
        row = {"task": "captioning", "generator": "g", "k": 1, "slice": "all", "n": 5}
        row |= {"n_failed": 0, "signature": "s", "measure": measure}
        values = {"a": 0.1, "b": 0.3, "c": 0.2, "oracle": 0.9}
        summary = [row | {"strategy": name, "estimate": value} for name, value in values.items()]
        run = Run(changed("tasks", summary=summary))
        run.suite["baseline"] = baseline
        return {row.strategy: Rivals(run).of(CellKey.of_row(row), row.strategy) for row in run.rows}

    assert rivals("CIDEr", "c") == {"a": "c", "b": "c", "c": "b", "oracle": "c"}
    assert rivals("CIDEr", "oracle") == {"a": "b", "b": "c", "c": "b", "oracle": "b"}
    assert rivals("FID(clip)", "")["b"] == "a"


def test_wins_ties_and_losses_are_those_of_the_stored_scores(finished: Path) -> None:
    """Counted again from the frame of scores, for every pair, measure and setting."""
    run, frame = Run(finished), mb.load(finished).scores
    contrasts = [
        (forest, contrast)
        for facts in run.tasks.values()
        for forest in forests(run, facts)
        for contrast in forest.contrasts
        if forest.slice == "all" and not forest.measure.info.distance
    ]
    assert len(contrasts) > 4
    for forest, contrast in contrasts:
        rows = frame[(frame.task == forest.task) & (frame.measure == str(forest.measure))]
        rows = rows[rows.k.isna() if forest.k is None else rows.k == forest.k]
        rows = rows[
            rows.generator.isna()
            if forest.generator is None
            else rows.generator == forest.generator
        ]
        wide = rows.pivot_table(index="query", columns="strategy", values="value").round(6)
        gains = (wide[contrast.a] - wide[contrast.b]).dropna()
        expected = [int((gains > 0).sum()), int((gains == 0).sum()), int((gains < 0).sum())]
        assert contrast.outcome is not None
        assert list(contrast.outcome) == expected
        assert sum(expected) == contrast.n


def test_measures_with_the_same_lines_share_one_curve(changed: Callable[..., Path]) -> None:
    """`R@k` is `Success@k` where one document is relevant; where they differ at one k, both are drawn."""

    def labels(*last: float) -> list[str]:
        values = {
            "R@1": 0.5,
            "R@5": 0.75,
            "Success@1": 0.5,
            "Success@5": 0.75,
            "P@1": 0.5,
            "P@5": 0.1,
        }
        values |= dict(zip(("R@5", "Success@5"), last, strict=False))
        row = {"task": "text-to-image", "strategy": "a", "generator": None, "k": None}
        row |= {"slice": "all", "n": 5, "n_failed": 0, "signature": "s"}
        summary = [row | {"measure": name, "estimate": value} for name, value in values.items()]
        folder = changed("suite.yaml", "tasks", summary=summary)
        return [curve.label for curve in curves(Run(folder))]

    assert labels() == ["R@k = Success@k", "P@k"]
    assert labels(0.75, 0.76) == ["R@k", "Success@k", "P@k"]


def test_shares_are_those_that_compare_computes(finished: Path) -> None:
    """The report's parts are `compare --swap`'s, and retrieval and generation add up."""
    run = Run(finished)
    headline = next(one for one in headlines(run) if one.task.name == "captioning")
    table = swap_table(run, headline)
    assert table is not None
    for line in table.lines:
        a, b = (System(*name.split("/")) for name in (table.a, line.b))
        (expected,) = swap(run, a, b, [str(table.measure)])
        assert [part.value for part in line.parts] == [
            getattr(expected, name).difference for name in PARTS
        ]
        total, retrieval, generation, _ = (part.value for part in line.parts)
        assert retrieval + generation == pytest.approx(total)
        assert a.strategy != b.strategy
        assert a.setting != b.setting


def test_rankings_have_no_share_of_generation(finished: Path) -> None:
    """A task in which nothing is generated has no such table."""
    run = Run(finished)
    headline = next(one for one in headlines(run) if one.task.name == "text-to-image")
    assert swap_table(run, headline) is None
