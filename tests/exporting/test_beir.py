"""BEIR exports, read by our own dataset and by the `beir` package."""

from __future__ import annotations

import pytest

import mmragbench as mb
from mmragbench.exporting.beir import key
from mmragbench.exporting.reposing import load_tasks
from mmragbench.registry import find


def flat(document):
    """A document or query as the format can hold it: one text, with blanks as BEIR reads them."""
    texts = getattr(document, "texts", None) or [getattr(document, "text", None)]
    joined = "\n".join(text.content for text in texts if text).strip()
    return key(document.id), joined, document.image and document.image.digest


@pytest.mark.parametrize(
    "which, task",
    [("coco_run", "captioning"), ("coco_run", "text-to-image"), ("awkward_run", "retrieval")],
)
def test_our_dataset_reads_the_same_task(which, task, request, tmp_path):
    """Documents, queries, pictures by their bytes, and judgements; nothing is excluded."""
    run = request.getfixturevalue(which)
    mb.export(run, "beir", tmp_path / "out")
    source = load_tasks(run)
    original, judged = source.tasks[task], dict(source.scored(task))
    read = find("dataset", "beir").make(tmp_path / "out" / task).tasks()["retrieval"]
    assert [flat(d) for d in read.memory] == [flat(d) for d in original.memory]
    asked = [query for query in original.queries if query.id in judged]
    assert [flat(query) for query in read.queries] == [flat(query) for query in asked]
    assert read.qrels == {
        key(query): {key(id): grade for id, grade in grades.items()}
        for query, grades in judged.items()
    }
    assert read.exclusions == ()


def test_beir_reads_texts_and_judgements(awkward_run, tmp_path):
    """BEIR's own loader finds the documents, the queries and the grades."""
    loader = pytest.importorskip("beir.datasets.data_loader", reason="beir is not installed")
    mb.export(awkward_run, "beir", tmp_path / "out")
    folder = tmp_path / "out/retrieval"
    corpus, queries, qrels = loader.GenericDataLoader(str(folder)).load(split="test")
    source = load_tasks(awkward_run)
    task = source.tasks["retrieval"]
    assert corpus == {
        key(d.id): {"title": "", "text": "\n".join(t.content for t in d.texts)} for d in task.memory
    }
    assert qrels == {
        key(query): {key(id): grade for id, grade in grades.items()}
        for query, grades in source.scored("retrieval")
    }
    assert queries == {key(q.id): q.text.content for q in task.queries if key(q.id) in qrels}


def test_a_picture_lies_inside_whatever_its_id(awkward_run, tmp_path):
    """A document called `../../up` names a file in `images/`, and each picture is there once."""
    done = mb.export(awkward_run, "beir", tmp_path / "out")
    images = [path for path in done.files if path.suffix == ".png"]
    assert {path.parent for path in images} == {tmp_path / "out/retrieval/images"}
    assert len(images) == len(set(images)) == 6
