"""The rules of the explorer's data, as they are in the page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from mmragbench.formats import trec
from mmragbench.records import Ranking
from mmragbench.reporting.page.explorer import USUAL, WHOLE, PageBudget, script
from mmragbench.reporting.page.packing import plain
from mmragbench.reporting.page.page import render
from mmragbench.reports.html import html
from mmragbench.run_folder.reading import Run
from support.explored import Explored

NASTY = '<script>alert("x")</script> שלום 🦄 a|b 50% & $5_{x}^2 ~#\\ end'


def explored(run: Path, budget: PageBudget = USUAL) -> Explored:
    return Explored(render(Run(run), budget))


def lines(run: Path, *path: str) -> list[Any]:
    return list(map(json.loads, run.joinpath(*path).read_text(encoding="utf-8").splitlines()))


def rewrite(run: Path, rows: list[Any], *path: str) -> None:
    run.joinpath(*path).write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


@pytest.fixture(scope="module")
def page(run: Path) -> Explored:
    return explored(run)


def test_every_stored_query_is_there_in_the_runs_order(run: Path, page: Explored) -> None:
    """The run decides which queries come first."""
    assert page.names == ["text-to-image", "image-to-text", "captioning", "image-generation"]
    for task in page.names:
        stored = [raw["id"] for raw in lines(run, "tasks", task, "queries.jsonl")]
        assert [query["id"] for query in page.task(task)["queries"]] == stored


def test_hits_are_those_of_the_trec_run(run: Path, page: Explored) -> None:
    """The first five in rank order, their scores and relevance, and how many there are."""
    facts = page.facts("captioning")
    query = page.query("captioning", "q3")
    assert len(query["answers"]) == 5  # no-retrieval has none
    for answer in query["answers"]:
        name = facts["strategies"][answer["strategy"]]["name"]
        trec = (run / "cells" / "captioning" / name / "run.trec").read_text().splitlines()
        own = [line.split() for line in trec if line.startswith("q3 ")]
        assert answer["total"] == len(own) == 10
        assert [hit[0] for hit in answer["hits"]] == [fields[2] for fields in own[:5]]
        assert [hit[1] for hit in answer["hits"]] == [float(fields[4]) for fields in own[:5]]
        (relevant,) = lines(run, "tasks", "captioning", "queries.jsonl")[3]["relevant"]
        assert [hit[2] for hit in answer["hits"]] == [hit[0] == relevant for hit in answer["hits"]]


@pytest.mark.parametrize("blank", [" ", "\t", "\n", "\r", "\xa0", "\u2003", "\u2028", "\x85"])
def test_hits_are_found_whatever_blank_an_id_has(blank: str, changed: Callable[..., Path]) -> None:
    """A query's and a document's: they are escaped in `run.trec`, and nowhere else."""
    root, query, document = changed(), f"no{blank}break", f"left{blank}right"
    folder = root / "tasks" / "captioning"
    (first, *queries) = lines(folder, "queries.jsonl")
    (shown, *documents) = lines(folder, "documents.jsonl")
    rewrite(folder, [first | {"id": query, "relevant": [document]}, *queries], "queries.jsonl")
    rewrite(folder, [shown | {"id": document}, *documents], "documents.jsonl")
    hits = [(document, 0.5), ("d1", 0.25)]
    cell = root / "cells" / "captioning" / "shared-space"
    run = "".join(trec.lines([Ranking.of(query, hits)], "shared-space"))
    (cell / "run.trec").write_text(run, "utf-8", newline="\n")
    page = explored(root)
    names = [strategy["name"] for strategy in page.facts("captioning")["strategies"]]
    (answer,) = [
        answer
        for answer in page.query("captioning", query)["answers"]
        if names[answer["strategy"]] == "shared-space"
    ]
    assert answer["total"] == 2
    assert [(score, relevant) for _, score, relevant in answer["hits"]] == [
        (0.5, True),
        (0.25, False),
    ]
    by_key = {stored["key"]: stored["id"] for stored in page.task("captioning")["documents"]}
    assert [by_key[key] for key, *_ in answer["hits"]] == [document, "d1"]


def test_a_failed_output_has_its_error_and_no_text(page: Explored) -> None:
    """Failed is neither empty nor zero."""
    outputs = [out for a in page.query("captioning", "q1")["answers"] for out in a["outputs"]]
    assert {out["error"] for out in outputs} == {f"BadImage: {NASTY}"}
    assert {out["text"] for out in outputs} == {None}


def test_a_score_is_a_number_an_error_or_nothing(
    changed: Callable[..., Path], tmp_path: Path
) -> None:
    """What a measure does not score is null, what failed is the error's text, zero is zero."""
    import pandas

    root = changed()
    folder = root / "cells" / "captioning" / "shared-space" / "nearest-k1"
    rows = [("q0", "CIDEr", 0.0, None), ("q1", "CIDEr", None, "boom"), ("q2", "CIDEr", None, None)]
    frame = pandas.DataFrame(rows, columns=["query", "measure", "value", "error"])
    frame.assign(influence=None).to_parquet(folder / "scores.parquet")
    page = explored(root)
    measures = page.facts("captioning")["measures"]
    (at,) = [i for i, m in enumerate(measures) if (m["name"], m["setting"]) == ("CIDEr", 0)]
    scores = [page.query("captioning", f"q{i}")["answers"][0]["scores"][at] for i in range(3)]
    assert scores == [0.0, "boom", None]


def test_texts_come_out_as_they_went_in(page: Explored) -> None:
    """Markup, right-to-left text, emoji and LaTeX; nothing of them is in the page as markup."""
    assert page.query("text-to-image", "q0")["text"] == NASTY
    assert all("<" not in chunk for chunk in page.chunks.values())


def test_long_texts_are_cut_and_say_by_how_much(run: Path, page: Explored) -> None:
    """A full page has them whole."""
    assert page.query("text-to-image", "q3")["text"] == {"start": "long " * 200, "more": 9000}
    whole = explored(run, WHOLE)
    assert whole.query("text-to-image", "q3")["text"] == "long " * 2000


def test_a_full_page_has_every_hit_and_prompt(changed: Callable[..., Path]) -> None:
    """A prompt is in the page once, however often it was given."""
    root = changed()
    path = ("cells", "captioning", "shared-space", "nearest-k1", "outputs.jsonl")
    rewrite(root, [row | {"prompt": "say " * 999} for row in lines(root, *path)], *path)
    usual, whole = explored(root), explored(root, WHOLE)
    assert usual.prompts("captioning") == [{"start": "say " * 250, "more": 2996}]
    assert whole.prompts("captioning") == ["say " * 999]
    assert {out["prompt"] for out in whole.query("captioning", "q0")["answers"][0]["outputs"]} == {
        0,
        None,
    }
    hits = [len(a["hits"]) for a in whole.query("captioning", "q0")["answers"]]
    assert hits == [10] * 5


def test_what_does_not_fit_is_left_out_and_said(run: Path) -> None:
    """The run's first queries are kept, tasks take turns, and the page says what it shows."""
    page = explored(run, PageBudget(characters=26_000))
    ids_by_task = {task: [q["id"] for q in page.task(task)["queries"]] for task in page.names}
    counts = [len(ids) for ids in ids_by_task.values()]
    assert 4 < sum(counts) < 20
    assert max(counts) - min(counts) <= 1
    for task, ids in ids_by_task.items():
        assert ids == [f"q{i}" for i in range(len(ids))]
        assert page.facts(task)["extent"].startswith(f"{len(ids)} of 500 queries: ")


def test_later_queries_have_fewer_hits_and_shorter_prompts(changed: Callable[..., Path]) -> None:
    """The first ones are shown in detail."""
    root = changed()
    path = ("cells", "captioning", "shared-space", "nearest-k1", "outputs.jsonl")
    rewrite(root, [row | {"prompt": "say " * 99} for row in lines(root, *path)], *path)
    page = explored(root, PageBudget(detailed=1, hits=4, later_hits=1, later_prompt=8))
    answers = [query["answers"][0] for query in page.task("text-to-image")["queries"]]
    assert [len(answer["hits"]) for answer in answers] == [4, 1, 1, 1, 1]
    assert page.prompts("captioning") == [{"start": "say say ", "more": 388}]
    assert explored(root).prompts("captioning") == ["say " * 99]


def test_documents_that_do_not_fit_leave_their_hits(run: Path) -> None:
    """Ids, scores and relevance stay."""
    page = explored(run, PageBudget(documents=0))
    assert page.task("captioning")["documents"] == []
    assert len(page.query("captioning", "q0")["answers"][0]["hits"]) == 5


def test_no_task_is_left_out(run: Path) -> None:
    """One query of each is shown, however little room there is."""
    page = explored(run, PageBudget(characters=0))
    assert [len(page.task(task)["queries"]) for task in page.names] == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("order", "errors"), [([1, 0], "all 1 that failed"), ([0, 1], "0 of the 1 that failed")]
)
def test_says_how_many_failures_it_shows(
    changed: Callable[..., Path], order: list[int], errors: str
) -> None:
    """All of them, or how many of how many."""
    root = changed()
    path = ("tasks", "captioning", "queries.jsonl")
    rewrite(root, [lines(root, *path)[place] for place in order], *path)
    page = explored(root, PageBudget(characters=0))
    assert f"1 of 500 queries: {errors}" in page.facts("captioning")["extent"]


def test_each_picture_is_in_the_page_once(run: Path, page: Explored) -> None:
    """However often it is shown."""
    pictures = page.pictures()
    stored = {path.read_bytes() for path in (run / "thumbnails").iterdir()}
    assert set(pictures) <= stored
    assert 0 < len(pictures) == len(set(pictures))
    document = page.task("captioning")["documents"][0]
    raw = {d["id"]: d for d in lines(run, "tasks", "captioning", "documents.jsonl")}
    expected = (run / raw[document["id"]]["image"]).read_bytes()
    assert pictures[document["image"]] == expected


def test_a_full_page_shows_the_larger_pictures(changed: Callable[..., Path]) -> None:
    """Where the run has stored them."""
    root = changed()
    raw = lines(root, "tasks", "captioning", "queries.jsonl")[0]
    large = root / "pictures" / Path(raw["image"]).with_suffix(".webp").name
    large.parent.mkdir()
    large.write_bytes(b"RIFF large")
    assert b"RIFF large" not in explored(root).pictures()
    assert b"RIFF large" in explored(root, WHOLE).pictures()


@pytest.mark.parametrize("name", ["../secret.jpg", "thumbnails/../../secret.jpg", "suite.yaml"])
def test_nothing_but_the_runs_pictures_is_read(
    changed: Callable[..., Path], tmp_path: Path, name: str
) -> None:
    """A path that leads out of the run folder, or to no picture, is not followed."""
    root = changed()
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    query = {"id": "q0", "text": None, "image": name, "slices": [], "references": []}
    rewrite(root, [query], "tasks", "captioning", "queries.jsonl")
    page = explored(root)
    assert page.query("captioning", "q0")["image"] is None
    assert not any(b"secret" in data or b"name:" in data for data in page.pictures())


def test_blanks_in_ids_are_found_again(changed: Callable[..., Path]) -> None:
    """A TREC run writes blanks as `%20`; query and document are found all the same."""
    root = changed()
    query = {"id": "my query", "text": "?", "relevant": ["my doc"], "n_relevant": 1}
    rewrite(root, [query], "tasks", "text-to-image", "queries.jsonl")
    document = {"id": "my doc", "texts": ["here"], "image": None}
    rewrite(root, [document], "tasks", "text-to-image", "documents.jsonl")
    cell = root / "cells" / "text-to-image" / "shared-space"
    (cell / "run.trec").write_text("my%20query Q0 my%20doc 1 0.5 x\n", encoding="utf-8")
    page = explored(root)
    assert page.query("text-to-image", "my query")["answers"][0]["hits"] == [
        ["my%20doc", 0.5, True]
    ]
    (document,) = page.task("text-to-image")["documents"]
    assert (document["key"], document["id"]) == ("my%20doc", "my doc")


def test_an_index_cannot_end_its_script() -> None:
    """JSON between script tags has no character that HTML, or JavaScript of old, would act on."""
    bad = "</script><!-- <script> & \u2028\u2029"
    written = plain({bad: bad})
    assert not set("<>&\u2028\u2029") & set(written)
    assert json.loads(written) == {bad: bad}


def test_broken_surrogates_do_not_break_the_page(changed: Callable[..., Path]) -> None:
    """Half a surrogate pair, which JSON can hold and UTF-8 cannot, is replaced."""
    root = changed()
    query = {"id": "q0", "text": "cut \ud83d here", "slices": ["cut \ud83d"]}
    rewrite(root, [query], "tasks", "text-to-image", "queries.jsonl")
    text = html(root, root / "report").read_text(encoding="utf-8")
    assert Explored(text).query("text-to-image", "q0")["text"] == "cut ? here"


def test_the_script_makes_no_markup_of_data() -> None:
    """It builds elements and text nodes; it has no way to parse a text as HTML or to run it."""
    ways = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|DOMParser"
    assert not re.search(ways, script())
    assert "</script" not in script()


def test_its_style_stays_its_own() -> None:
    """Every rule of the explorer's sheet is bound to it, so that none changes the rest of the page."""
    sheet = resources.files("mmragbench.reporting.page") / "template/explorer.css"
    selectors = re.findall(r"([^{}@\n]+)\{[^{}]*\}", sheet.read_text())
    assert len(selectors) > 50
    assert [s for s in selectors if not s.startswith(".explorer")] == []
    assert [s for s in selectors if re.search(r",(?!\.explorer)[^()]*(\(|$)", s)] == []
