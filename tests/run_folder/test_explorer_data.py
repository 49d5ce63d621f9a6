"""The explorer's data: which queries, documents and pictures a run stores, and in which order."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from mmragbench.engine.loop import Cell
from mmragbench.engine.results import Generated, Rankings, Retrieved
from mmragbench.records import (
    Document,
    Image,
    Measure,
    Output,
    Query,
    Ranking,
    Score,
    Scores,
    Task,
    Text,
)
from mmragbench.run_folder import explorer_data
from mmragbench.run_folder.explorer_data import write_explorer_data
from mmragbench.run_folder.query_order import MAX_DISAGREEMENTS, ordered
from mmragbench.verbs import run


def lines(run: Path, name: str) -> list[Any]:
    text = (run / "tasks" / "t" / name).read_text(encoding="utf-8")
    return list(map(json.loads, text.splitlines()))


def without_memory(count: int, **more: Any) -> Task:
    return Task("t", [], [Query(f"q{i:04d}") for i in range(count)], **more)


def scored(strategy: str, values: dict[str, float | str]) -> Cell:
    """A cell with a value, or an error, for each query."""
    scores = tuple(
        Score(q, error=v) if isinstance(v, str) else Score(q, v) for q, v in values.items()
    )
    cell = Cell("t", strategy, Retrieved())
    cell.scored = {"all": [Scores(Measure("RR"), "s", scores)]}
    return cell


def retrieved(queries: list[str], hits: Callable[[str], list[str]], strategy: str = "s") -> Cell:
    rankings = [Ranking.of(q, [(id, -i) for i, id in enumerate(hits(q))]) for q in queries]
    return Cell("t", strategy, Retrieved(Rankings(rankings)))


def test_every_query_is_stored(tmp_path: Path) -> None:
    """Each once, whatever puts it in front."""
    task = without_memory(50, slices={"few": frozenset({"q0001", "q0002"})})
    write_explorer_data(tmp_path, task, [scored("a", {"q0001": "boom"})])
    stored = [row["id"] for row in lines(tmp_path, "queries.jsonl")]
    assert sorted(stored) == [query.id for query in task.queries]


def test_failures_come_first_then_disagreements_then_slices() -> None:
    """And the largest disagreement before the smaller ones."""
    task = without_memory(2000, slices={"rare": frozenset({"q1500"})})
    a = scored("a", {"q0007": 1.0, "q0008": 0.4, "q0009": "boom"})
    b = scored("b", {"q0007": 0.0, "q0008": 0.0, "q0009": 0.5})
    first = [query.id for query in ordered(task, [a, b])[:4]]
    assert first == ["q0009", "q0007", "q0008", "q1500"]


def test_a_failed_output_is_a_failure() -> None:
    """Even where no measure had a value per query."""
    cell = Cell("t", "s", Retrieved())
    cell.generated["g", 1] = (Generated([Output("q0042", error="boom")]), {})
    assert ordered(without_memory(100), [cell])[0].id == "q0042"


def test_controls_do_not_make_a_disagreement() -> None:
    """Of course `random` differs from the others."""
    cells = [scored("a", {"q0007": 1.0}), scored("random", {"q0007": 0.0})]
    plain = ordered(without_memory(300), [])
    assert ordered(without_memory(300), cells, {"random"}) == plain
    assert ordered(without_memory(300), cells) != plain


def test_disagreements_leave_room_for_slices() -> None:
    """However many queries strategies differ on."""
    task = without_memory(1000, slices={"rare": frozenset({"q0500"})})
    other = scored("b", {q.id: 0.0 for q in task.queries})
    apart = scored("a", {q.id: 1.0 for q in task.queries if q.id != "q0500"})
    assert ordered(task, [apart, other])[MAX_DISAGREEMENTS].id == "q0500"


def test_the_order_does_not_depend_on_the_datasets() -> None:
    """A dataset that is sorted by difficulty is not shown from its easy end."""
    task = without_memory(100)
    turned = Task("t", [], task.queries[::-1])
    assert ordered(task, []) == ordered(turned, []) != list(task.queries)


def test_relevant_hits_are_named(tmp_path: Path) -> None:
    """Of thousands of relevant documents those are named that a strategy retrieved, at any rank."""
    ids = [f"{i:05d}" for i in range(3000)]
    task = Task("t", [], [Query("q", text=Text("q", "q"))], {"q": dict.fromkeys(ids[:2999], 1)})
    hits = [*(f"other-{i}" for i in range(50)), "02998", "02999"]
    write_explorer_data(tmp_path, task, [retrieved(["q"], lambda _: hits)])
    (row,) = lines(tmp_path, "queries.jsonl")
    assert (row["relevant"], row["n_relevant"]) == (["02998"], 2999)


def test_few_relevant_documents_are_all_named(tmp_path: Path) -> None:
    """Whether a strategy retrieved them or not."""
    task = Task("t", [], [Query("q", text=Text("q", "q"))], {"q": {"a": 1, "b": 2, "c": 0}})
    write_explorer_data(tmp_path, task, [retrieved(["q"], lambda _: ["a"])])
    (row,) = lines(tmp_path, "queries.jsonl")
    assert (row["relevant"], row["n_relevant"]) == (["a", "b"], 2)


@pytest.fixture
def world(tmp_path: Path) -> tuple[Task, Cell]:
    """Twenty queries with ten hits each, and as many documents that nothing retrieves; a picture
    for each document."""
    task = without_memory(20)
    ids = [f"{q.id}-{i}" for q in task.queries for i in range(20)]
    documents = []
    for row, id in enumerate(ids):
        Pillow.new("RGB", (4, 3), (row % 256, row // 256, 0)).save(tmp_path / f"{id}.png")
        documents.append(Document(id, Image(id, tmp_path / f"{id}.png", f"{row:064x}"[::-1])))
    cell = retrieved([q.id for q in task.queries], lambda q: [f"{q}-{i}" for i in range(10)])
    return Task("t", documents, task.queries), cell


def test_every_document_that_was_retrieved_is_stored(
    tmp_path: Path, world: tuple[Task, Cell]
) -> None:
    """At whatever rank; no other is."""
    task, cell = world
    write_explorer_data(tmp_path, task, [cell])
    expected = {f"{query.id}-{i}" for query in task.queries for i in range(10)}
    assert {row["id"] for row in lines(tmp_path, "documents.jsonl")} == expected


@pytest.mark.parametrize("bound", [7, 103])
def test_the_first_queries_first_hits_have_pictures(
    tmp_path: Path, world: tuple[Task, Cell], monkeypatch: pytest.MonkeyPatch, bound: int
) -> None:
    """Documents have pictures up to a bound: those of the first five hits by query, then the others."""
    task, cell = world
    monkeypatch.setattr(explorer_data, "DOCUMENT_PICTURES", bound)
    write_explorer_data(tmp_path, task, [cell])
    order = [row["id"] for row in lines(tmp_path, "queries.jsonl")]
    ranks = [range(5), range(5, 10)]
    wanted = [f"{query}-{i}" for part in ranks for query in order for i in part]
    stored = lines(tmp_path, "documents.jsonl")
    assert {row["id"] for row in stored if row["image"]} == set(wanted[:bound])
    assert len(list((tmp_path / "thumbnails").iterdir())) == bound


def test_a_full_run_stores_all_pictures_and_large_ones(
    tmp_path: Path, world: tuple[Task, Cell], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under the thumbnails' names; a usual run stores no large ones."""
    task, cell = world
    monkeypatch.setattr(explorer_data, "DOCUMENT_PICTURES", 7)
    Pillow.new("RGB", (900, 600)).save(tmp_path / "p.png")
    picture = Image("p", tmp_path / "p.png", "ab" * 32)
    task = Task("t", task.memory, [*task.queries[:-1], Query("q0019", picture)])
    write_explorer_data(tmp_path / "usual", task, [cell])
    write_explorer_data(tmp_path / "full", task, [cell], large_pictures=True)
    assert not (tmp_path / "usual" / "pictures").exists()
    small, large = (
        {path.name: path for path in (tmp_path / "full" / name).iterdir()}
        for name in ("thumbnails", "pictures")
    )
    assert small.keys() == large.keys()
    assert len(small) == 201
    name = f"{picture.digest[:24]}.webp"
    sizes = [Pillow.open(paths[name]).size for paths in (large, small)]
    assert sizes == [(640, 427), (112, 75)]


def test_a_picture_that_cannot_be_read_has_no_thumbnail(tmp_path: Path) -> None:
    """Its query is stored all the same."""
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    task = Task("t", [], [Query("q", Image("bad", tmp_path / "bad.jpg", "cd" * 32))])
    write_explorer_data(tmp_path, task, [])
    (row,) = lines(tmp_path, "queries.jsonl")
    assert row["image"] is None


def test_a_full_run_is_asked_for_in_one_word(
    suite_file: Callable[..., Path], tmp_path: Path
) -> None:
    """Large pictures of queries, documents and outputs, and a page of all of it."""
    suite = suite_file()
    usual = run(suite, output=tmp_path / "usual")
    full = run(suite, output=tmp_path / "full", full=True)
    assert not (usual.folder / "pictures").exists()
    small, large = (
        {path.name for path in (full.folder / name).iterdir()}
        for name in ("thumbnails", "pictures")
    )
    assert small == large
    hits = (full.folder / "cells/captioning/oracle/run.trec").read_text().splitlines()
    stored = {json.loads(line)["id"] for line in _documents(full.folder)}
    assert {line.split()[2] for line in hits} <= stored


def _documents(folder: Path) -> list[str]:
    return (folder / "tasks/captioning/documents.jsonl").read_text().splitlines()
