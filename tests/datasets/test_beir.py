"""BEIR's layout: texts, images and both on either side; grades; every kind of bad line."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ir_measures
import PIL.Image
import pytest
import yaml

import mmragbench as mb
from mmragbench.contracts import Dataset
from mmragbench.datasets.beir import Beir
from mmragbench.errors import DataError
from mmragbench.evals.retrieval import retrieval as evaluate
from mmragbench.records import Measure, Ranking, Task
from mmragbench.registry import find
from support import toy


def lines(path: Path, rows: Sequence[object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    path.write_text("\n".join(text) + "\n")


def judge(root: Path, rows: Sequence[Sequence[object]], split: str = "test") -> None:
    (root / "qrels").mkdir(parents=True, exist_ok=True)
    table = [("query-id", "corpus-id", "score"), *rows]
    text = "\n".join("\t".join(map(str, row)) for row in table) + "\n"
    (root / "qrels" / f"{split}.tsv").write_text(text)


def picture(path: Path, shade: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.new("RGB", (16, 12), (shade, 9, 9)).save(path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Documents of a title and a text, a picture, and both; queries of the same three kinds."""
    for number, name in enumerate(("a.png", "b.png", "q.png")):
        picture(tmp_path / "images" / name, number)
    corpus = [
        {"_id": "1", "title": "Dogs", "text": "They bark. ", "metadata": {"url": "x"}},
        {"_id": "2", "title": "", "text": "", "image": "images/a.png"},
        {"_id": "3", "text": "A cat.", "image": "images/b.png"},
    ]
    queries = [
        {"_id": "1", "text": "what barks"},
        {"_id": "q2", "image": "images/q.png"},
        {"_id": "q3", "text": "the same, asleep", "image": "images/q.png"},
        {"_id": "q4", "text": "of another split"},
    ]
    lines(tmp_path / "corpus.jsonl", corpus)
    lines(tmp_path / "queries.jsonl", queries)
    judge(tmp_path, [("1", "1", 2), ("1", "3", 1), ("q2", "2", 1), ("q3", "3", 1), ("q3", "1", 0)])
    return tmp_path


def retrieval(root: Path, **arguments: Any) -> Task:
    tasks = Beir(root, **arguments).tasks()
    assert list(tasks) == ["retrieval"]
    return tasks["retrieval"]


def named(task: Task) -> Counter[tuple[str, str]]:
    return Counter((e.kind, e.id) for e in task.exclusions)


def described(item: Any) -> tuple[str, str | None, str | None]:
    texts = item.texts if hasattr(item, "texts") else filter(None, [item.text])
    text = next((each.content for each in texts), None)
    return item.id, text, item.image and item.image.path.name


def test_is_a_dataset(tmp_path):
    """The class is registered under its file's name and keeps the contract."""
    assert find("dataset", "beir").make is Beir
    assert isinstance(Beir(tmp_path), Dataset)


def test_texts_images_and_both(root):
    """Title and text are joined by a space; the queries are those that the split judges."""
    task = retrieval(root)
    assert [described(document) for document in task.memory] == [
        ("1", "Dogs They bark.", None),
        ("2", None, "a.png"),
        ("3", "A cat.", "b.png"),
    ]
    assert [described(query) for query in task.queries] == [
        ("1", "what barks", None),
        ("q2", None, "q.png"),
        ("q3", "the same, asleep", "q.png"),
    ]
    assert task.qrels == {"1": {"1": 2, "3": 1}, "q2": {"2": 1}, "q3": {"3": 1, "1": 0}}
    assert (task.output, task.relevance, task.exclusions) == ("none", "gold", ())
    assert len(task.memory[1].image.digest) == 64


def test_a_query_and_a_document_of_one_id(root):
    """They share the id and nothing else: vectors made elsewhere keep them apart."""
    task = retrieval(root)
    assert task.queries[0].id == task.memory[0].id == "1"
    assert task.queries[0].text.id == "query:1" != task.memory[0].texts[0].id
    assert task.qrels["1"]["1"] == 2


def test_limit_draws_queries(root):
    """A limit draws among the judged queries by seed; the corpus stays whole."""
    drawn = {tuple(q.id for q in retrieval(root, limit=1, seed=s).queries) for s in range(40)}
    assert drawn == {("1",), ("q2",), ("q3",)}
    task = retrieval(root, limit=1)
    assert len(task.memory) == 3 and list(task.qrels) == [q.id for q in task.queries]
    with pytest.raises(DataError, match="leaves nothing to draw"):
        retrieval(root, limit=0)


def test_missing_files(root):
    """Each missing file, a split that is not there and a headless table are one line."""
    with pytest.raises(DataError, match=r"dev\.tsv cannot be read .*; there is test"):
        retrieval(root, split="dev")
    (root / "qrels" / "bare.tsv").write_text("1\t1\t1\n")
    with pytest.raises(DataError, match="tab-separated query-id, corpus-id, score in line 1"):
        retrieval(root, split="bare")
    for name in ("queries.jsonl", "corpus.jsonl"):
        (root / name).unlink()
        with pytest.raises(DataError, match=rf"{name} cannot be read"):
            retrieval(root)


def test_nothing_to_ask(root):
    """Judgements without a query that can be used are an error."""
    judge(root, [("none", "1", 1)])
    with pytest.raises(DataError, match="not one query"):
        retrieval(root)


def test_further_columns_of_judgements(root):
    """Columns are found by name: M-BEIR's have a fourth."""
    rows = ["query-id\tQ0\tcorpus-id\tscore", "1\tQ0\t3\t1"]
    (root / "qrels" / "m.tsv").write_text("\n".join(rows))
    assert retrieval(root, split="m").qrels == {"1": {"3": 1}}


def test_every_bad_line_is_named(root):
    """Each bad line, file and judgement is one named exclusion; nothing else is lost."""
    (root / "images" / "empty.png").write_bytes(b"")
    (root / "images" / "link.png").symlink_to("/etc/hostname")
    picture(root.parent / "outside.png")
    corpus = (root / "corpus.jsonl").read_text().splitlines()
    corpus += [
        json.dumps({"_id": "1", "text": "again"}),
        json.dumps({"_id": "4", "title": " ", "text": ""}),
        json.dumps({"_id": "5", "text": "kept", "image": "../outside.png"}),
        json.dumps({"_id": "6", "image": "images/empty.png"}),
        json.dumps({"_id": "7", "image": "images/link.png"}),
        json.dumps({"_id": "8", "image": "/etc/hostname", "text": "kept too"}),
        json.dumps({"_id": "9", "text": ["no", "text"]}),
        json.dumps({"_id": 10, "text": "a number is an id"}),
        json.dumps({"_id": None, "text": "no id"}),
        json.dumps({"_id": "11", "text": "half a \ud800 pair"}),
        json.dumps({"_id": "12", "text": "long " * 300_000}),
        "{broken",
        "[]",
        "[" * 100_000,
        "",
    ]
    lines(root / "corpus.jsonl", corpus)
    queries = (root / "queries.jsonl").read_text().splitlines()
    queries += [
        json.dumps({"_id": "q5", "text": "only whole", "image": "images/none.png"}),
        json.dumps({"_id": "q6", "text": ""}),
        json.dumps({"_id": "q3", "text": "twice"}),
    ]
    lines(root / "queries.jsonl", queries)
    with (root / "qrels" / "test.tsv").open("a") as file:
        file.write("q5\t1\t1\nq6\t1\t1\nq2\t404\t1\nq3\t3\t1\n\n")
    task = retrieval(root)
    assert [document.id for document in task.memory] == ["1", "2", "3", "5", "8", "10"]
    assert [query.id for query in task.queries] == ["1", "q2", "q3"]
    assert task.qrels["q2"] == {"2": 1, "404": 1}
    outside = "outside the dataset's folder"
    assert named(task) == Counter(
        [
            ("repeated judgement", "q3 3"),
            ("duplicate id", "1"),
            (outside, "5"),
            (outside, "7"),
            (outside, "8"),
            ("empty file", "6"),
            ("empty document", "4"),
            ("empty document", "6"),
            ("empty document", "7"),
            ("broken annotation", "9"),
            ("broken annotation", "corpus.jsonl:12"),
            ("text cannot be used", "11"),
            ("text cannot be used", "12"),
            ("broken annotation", "corpus.jsonl:15"),
            ("broken annotation", "corpus.jsonl:16"),
            ("broken annotation", "corpus.jsonl:17"),
            ("missing image", "query:q5"),
            ("query without its image", "q5"),
            ("empty query", "q6"),
            ("duplicate id", "q3"),
            ("judged query not asked", "q5"),
            ("judged query not asked", "q6"),
            ("judged document not in corpus", "404"),
        ]
    )


def colours(root: Path) -> None:
    """Documents and queries of a colour in words, in a picture, or both; grades 0 to 2; queries
    and documents share ids."""
    corpus: list[dict[str, Any]] = []
    queries: list[dict[str, Any]] = []
    for n in range(48):
        colour = toy.NAMES[n % 8]
        toy.draw(root / "images" / f"{n}.png", colour, n)
        words = {"title": f"number {n}", "text": f"something {colour}"}
        image = {"image": f"images/{n}.png"}
        corpus.append({"_id": str(n), **(words if n % 3 != 1 else {}), **(image if n % 3 else {})})
    for n in range(30):
        colour = toy.NAMES[(n + n // 8) % 8]
        toy.draw(root / "images" / f"q{n}.png", colour, n + 100)
        text, image = {"text": f"show me {colour}"}, {"image": f"images/q{n}.png"}
        queries.append({"_id": str(n), **(text if n % 3 != 1 else {}), **(image if n % 3 else {})})
    lines(root / "corpus.jsonl", corpus)
    lines(root / "queries.jsonl", queries)
    grades = [
        (q, d, (q * 7 + d) % 3)
        for q in range(28)
        for d in range(48)
        if toy.NAMES[d % 8] == toy.NAMES[(q + q // 8) % 8] or (q + d) % 11 == 0
    ]
    judge(root, grades)


def test_a_run_scores_what_trec_eval_scores(tmp_path):
    """The run's numbers are those of ir_measures on the same judgements and the run's own TREC
    file, for queries of all kinds, with documents of the queries' ids among the hits."""
    colours(tmp_path / "data")
    content = toy.suite(tmp_path, dataset={"use": "beir", "root": str(tmp_path / "data")})
    measures = ["R@5", "R@20", "nDCG@10", "Success@1", "RR", "AP", "Rprec"]
    content["tasks"] = {"retrieval": {"measures": measures}}
    content["generators"] = {}
    content["strategies"] = {
        name: content["strategies"][name] for name in ("shared-space", "random")
    }
    content["baseline"] = "random"
    suite = tmp_path / "suite.yaml"
    suite.write_text(yaml.safe_dump(content))
    first, again = (mb.run(suite, output=tmp_path / place) for place in ("one", "two"))
    for file in ("summary.json", "exclusions.json", "tasks/retrieval/task.json"):
        assert (first.folder / file).read_bytes() == (again.folder / file).read_bytes()
    with (tmp_path / "data" / "qrels" / "test.tsv").open() as file:
        rows = list(csv.reader(file, delimiter="\t"))[1:]
    qrels = [ir_measures.Qrel(query, document, int(grade)) for query, document, grade in rows]
    for strategy in content["strategies"]:
        trec = first.folder / "cells" / "retrieval" / strategy / "run.trec"
        run = list(ir_measures.read_trec_run(str(trec)))
        assert any(hit.query_id == hit.doc_id for hit in run)
        expected = ir_measures.calc_aggregate(map(ir_measures.parse_measure, measures), qrels, run)
        found: Mapping[str, float] = {
            row["measure"]: row["estimate"]
            for row in first.rows
            if row["strategy"] == strategy and row["slice"] == "all"
        }
        assert found == pytest.approx({str(m): value for m, value in expected.items()}, abs=1e-9)
        assert all(row["n"] == 28 for row in first.rows if row["slice"] == "all")


@pytest.mark.real_data
def test_flickr8k_in_this_layout(shared_data, tmp_path):
    """Real captions and photographs in BEIR's layout pose the same retrieval as their own loader."""
    from mmragbench.datasets.flickr import Flickr

    data = shared_data / "flickr8k"
    theirs = Flickr(data, limit=60).tasks()["text-to-image"]
    corpus = [{"_id": d.id, "image": f"images/{d.image.path.name}"} for d in theirs.memory]
    lines(tmp_path / "corpus.jsonl", corpus)
    asked = [{"_id": query.id, "text": query.text.content} for query in theirs.queries]
    lines(tmp_path / "queries.jsonl", asked)
    judge(tmp_path, [(q, d, g) for q, grades in theirs.qrels.items() for d, g in grades.items()])
    (tmp_path / "images").mkdir()
    for document in theirs.memory:
        copy = tmp_path / "images" / document.image.path.name
        copy.write_bytes(document.image.path.read_bytes())
    ours = retrieval(tmp_path)
    assert ours.qrels == theirs.qrels
    assert [d.image.digest for d in ours.memory] == [d.image.digest for d in theirs.memory]
    assert [q.text.content for q in ours.queries] == [
        q.text.content.strip() for q in theirs.queries
    ]
    assert ours.exclusions == ()


def test_judged_documents_that_are_not_there_should_have_been_found(root):
    """As in trec_eval: recall's denominator and nDCG's ideal have them; they are named."""
    judge(root, [("1", "1", 1), ("1", "gone", 2), ("q2", "gone", 1), ("q3", "3", 1)])
    task = retrieval(root)
    rankings = [Ranking.of(q.id, [("1", 3.0), ("3", 2.0), ("2", 1.0)]) for q in task.queries]
    names = ["R@5", "nDCG@10", "AP", "RR", "Success@1"]
    scores = evaluate([Measure.parse(name) for name in names], task, rankings, [])
    qrels = [ir_measures.Qrel(q, d, g) for q, own in task.qrels.items() for d, g in own.items()]
    run = [ir_measures.ScoredDoc(r.query, h.id, h.score) for r in rankings for h in r.hits]
    wanted = ir_measures.calc_aggregate(map(ir_measures.parse_measure, names), qrels, run)
    for each in scores:
        values = [score.value for score in each.scores]
        assert len(values) == 3
        assert sum(values) / 3 == pytest.approx(
            wanted[ir_measures.parse_measure(str(each.measure))]
        )
    assert named(task) == Counter([("judged document not in corpus", "gone")])


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("1", "1", 0.5)], r"test\.tsv, line 2: the grade '0\.5' is not a whole number"),
        ([("1", "1", 1), ("1", "1", 0)], r"1 pairs .*: 1 1 \(line 3\)"),
        ([("1", "1", 1), ("1",)], "line 3: .* has 1 fields"),
        ([("1", "1", 3_000_000_000)], "not between -1,000 and 1,000"),
    ],
)
def test_judgements_that_say_nothing_are_errors(root, rows, said):
    """As in `score`: a grade that is none, two grades of one pair, a field too few."""
    judge(root, rows)
    with pytest.raises(DataError, match=said):
        retrieval(root)


def test_nothing_that_can_be_used_says_why(root):
    """The first reason, a hint at BEIR's name for ids, or an id of each side."""
    lines(root / "corpus.jsonl", [{"id": "1", "text": "a dog"}])
    with pytest.raises(DataError, match=r"corpus.jsonl:1: no usable _id; it has 'id'"):
        retrieval(root)
    lines(root / "corpus.jsonl", [{"_id": "1", "text": "a dog"}])
    judge(root, [("other", "1", 1)])
    with pytest.raises(DataError, match="it has '1', 'other' is judged"):
        retrieval(root)
    (root / "queries.jsonl").write_bytes(b'{"_id": "1", "text": "caf\xe9"}\n')
    with pytest.raises(DataError, match=r"line 1, is not UTF-8 .* iconv -f CP1252"):
        retrieval(root)


def test_queries_without_a_relevant_document_are_named(root):
    """They are not scored, as in trec_eval; where no query has one, there is nothing to score."""
    judge(root, [("1", "1", 1), ("q2", "2", 0), ("q3", "3", -1)])
    task = retrieval(root)
    assert named(task) == {("no relevant document", "q2"): 1, ("no relevant document", "q3"): 1}
    assert task.totals["judged queries"] == 3
    judge(root, [("1", "1", 0), ("q2", "2", 0)])
    with pytest.raises(DataError, match="not one query can be scored: 2 left out .no relevant"):
        retrieval(root)
