"""What a run stores for its report to show."""

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
from mmragbench.run_folder.gallery import FULL, MARKED, Extent, write_gallery
from mmragbench.run_folder.order import APART, ordered
from mmragbench.verbs import run


def lines(run: Path, name: str) -> list[Any]:
    text = (run / "tasks" / "t" / name).read_text(encoding="utf-8")
    return list(map(json.loads, text.splitlines()))


def asked(count: int, **more: Any) -> Task:
    return Task("t", [], [Query(f"q{i:04d}") for i in range(count)], **more)


def scored(strategy: str, values: dict[str, float | str]) -> Cell:
    """A cell with a value, or an error, for each query."""
    found = tuple(
        Score(q, error=v) if isinstance(v, str) else Score(q, v) for q, v in values.items()
    )
    cell = Cell("t", strategy, Retrieved())
    cell.scored = {"all": [Scores(Measure("RR"), "s", found)]}
    return cell


def found(queries: list[str], hits: Callable[[str], list[str]], strategy: str = "s") -> Cell:
    rankings = [Ranking.of(q, [(id, -i) for i, id in enumerate(hits(q))]) for q in queries]
    return Cell("t", strategy, Retrieved(Rankings(rankings)))


def test_every_query_is_stored(tmp_path: Path) -> None:
    """Each once, whatever puts it in front."""
    task = asked(50, slices={"few": frozenset({"q0001", "q0002"})})
    write_gallery(tmp_path, task, [scored("a", {"q0001": "boom"})])
    stored = [row["id"] for row in lines(tmp_path, "gallery.jsonl")]
    assert sorted(stored) == [query.id for query in task.queries]


def test_failures_come_first_then_disagreements_then_slices() -> None:
    """And the largest disagreement before the smaller ones."""
    task = asked(2000, slices={"rare": frozenset({"q1500"})})
    a = scored("a", {"q0007": 1.0, "q0008": 0.4, "q0009": "boom"})
    b = scored("b", {"q0007": 0.0, "q0008": 0.0, "q0009": 0.5})
    first = [query.id for query in ordered(task, [a, b])[:4]]
    assert first == ["q0009", "q0007", "q0008", "q1500"]


def test_a_failed_output_is_a_failure() -> None:
    """Even where no measure had a value per query."""
    cell = Cell("t", "s", Retrieved())
    cell.generated["g", 1] = (Generated([Output("q0042", error="boom")]), {})
    assert ordered(asked(100), [cell])[0].id == "q0042"


def test_controls_do_not_make_a_disagreement() -> None:
    """Of course `random` differs from the others."""
    cells = [scored("a", {"q0007": 1.0}), scored("random", {"q0007": 0.0})]
    plain = ordered(asked(300), [])
    assert ordered(asked(300), cells, {"random"}) == plain
    assert ordered(asked(300), cells) != plain


def test_disagreements_leave_room_for_slices() -> None:
    """However many queries strategies differ on."""
    task = asked(1000, slices={"rare": frozenset({"q0500"})})
    other = scored("b", {q.id: 0.0 for q in task.queries})
    apart = scored("a", {q.id: 1.0 for q in task.queries if q.id != "q0500"})
    assert ordered(task, [apart, other])[APART].id == "q0500"


def test_the_order_does_not_depend_on_the_datasets() -> None:
    """A dataset that is sorted by difficulty is not shown from its easy end."""
    task = asked(100)
    turned = Task("t", [], task.queries[::-1])
    assert ordered(task, []) == ordered(turned, []) != list(task.queries)


def test_every_hit_that_is_marked_is_marked_rightly(tmp_path: Path) -> None:
    """With thousands of relevant documents not all are named, but those that were hit are."""
    ids = [f"{i:05d}" for i in range(3000)]
    task = Task("t", [], [Query("q", text=Text("q", "q"))], {"q": dict.fromkeys(ids[:2999], 1)})
    write_gallery(tmp_path, task, [found(["q"], lambda _: ["02998", "02999"])])
    (row,) = lines(tmp_path, "gallery.jsonl")
    assert (row["relevant"], row["n_relevant"], row["marked"]) == (["02998"], 2999, MARKED)


@pytest.fixture
def world() -> tuple[Task, Cell]:
    """Twenty queries with ten hits each, no document for two of them."""
    task = asked(20)
    documents = [Document(f"{q.id}-{i}", texts=()) for q in task.queries for i in range(10)]
    cell = found([q.id for q in task.queries], lambda q: [f"{q}-{i}" for i in range(10)])
    return Task("t", documents, task.queries), cell


def test_documents_are_stored_for_fewer_hits_behind(
    tmp_path: Path, world: tuple[Task, Cell]
) -> None:
    """Five hits of the queries in front, one of the others."""
    task, cell = world
    write_gallery(tmp_path, task, [cell], extent=Extent(front=3, hits=5, behind=1))
    order = [row["id"] for row in lines(tmp_path, "gallery.jsonl")]
    stored = {row["id"] for row in lines(tmp_path, "documents.jsonl")}
    in_front = {f"{query}-{i}" for query in order[:3] for i in range(5)}
    assert stored == in_front | {f"{query}-0" for query in order[3:]}


def test_documents_are_bounded_from_the_back(tmp_path: Path, world: tuple[Task, Cell]) -> None:
    """The first queries' documents are the last to go."""
    task, cell = world
    write_gallery(tmp_path, task, [cell], extent=Extent(hits=5, documents=7))
    order = [row["id"] for row in lines(tmp_path, "gallery.jsonl")]
    stored = {row["id"] for row in lines(tmp_path, "documents.jsonl")}
    assert stored == {f"{order[0]}-{i}" for i in range(5)} | {f"{order[1]}-{i}" for i in range(2)}


def test_a_full_run_stores_all_documents_and_large_pictures(
    tmp_path: Path, world: tuple[Task, Cell]
) -> None:
    """Under the thumbnails' names; a usual run stores no large ones."""
    task, cell = world
    Pillow.new("RGB", (900, 600)).save(tmp_path / "p.png")
    picture = Image("p", tmp_path / "p.png", "ab" * 32)
    task = Task("t", task.memory, [*task.queries[:-1], Query("q0019", picture)])
    write_gallery(tmp_path / "usual", task, [cell])
    write_gallery(tmp_path / "full", task, [cell], extent=FULL)
    assert not (tmp_path / "usual" / "pictures").exists()
    (large,) = (tmp_path / "full" / "pictures").iterdir()
    (small,) = (tmp_path / "full" / "thumbnails").iterdir()
    assert large.name == small.name
    sizes = [Pillow.open(path).size for path in (large, small)]
    assert sizes == [(640, 427), (112, 75)]
    assert len(lines(tmp_path / "full", "documents.jsonl")) == 200


def test_a_picture_that_cannot_be_read_has_no_thumbnail(tmp_path: Path) -> None:
    """Its query is stored all the same."""
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    task = Task("t", [], [Query("q", Image("bad", tmp_path / "bad.jpg", "cd" * 32))])
    write_gallery(tmp_path, task, [])
    (row,) = lines(tmp_path, "gallery.jsonl")
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
