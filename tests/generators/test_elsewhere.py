"""Outputs of another system in a suite: results files and folders of pictures, one for each strategy."""

from __future__ import annotations

import json
import shutil

import pytest

import mmragbench
from mmragbench.datasets.coco import Coco
from mmragbench.errors import DataError, NotApplicable, SuiteError
from mmragbench.generators.image_folder import ImageFolder
from mmragbench.generators.nearest import Nearest
from mmragbench.generators.results_file import ResultsFile
from mmragbench.planning.plan import load
from mmragbench.records import Query, Task
from support import toy


@pytest.fixture
def tasks(coco):
    return Coco(coco).tasks()


def outputs(generator, task):
    return generator.generate(task.queries, [[] for _ in task.queries])


def written(path, content):
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def captions(task, **changes):
    """COCO's results for a task, ids as numbers."""
    texts = {q.id: f"caption of {q.id}" for q in task.queries} | changes
    return [{"image_id": int(id), "caption": text} for id, text in texts.items()]


def test_captions_are_those_of_the_file(tasks, tmp_path):
    """By query; ids are numbers or texts. No entry and null have failed, an empty text has not."""
    task = tasks["captioning"]
    first, second, third = (query.id for query in task.queries[:3])
    content = captions(task, **{first: None, third: ""})
    path = written(
        tmp_path / "caps.json", [row for row in content if row["image_id"] != int(second)]
    )
    actual = outputs(ResultsFile(task, "service", {"service": path}), task)
    assert [output.query for output in actual if output.error] == [first, second]
    assert actual[2].text == ""
    assert {o.text for o in actual[3:]} == {f"caption of {q.id}" for q in task.queries[3:]}


@pytest.mark.parametrize(
    "content",
    [{"7": "blue", "8": "two"},
     [{"question_id": 7, "answer": "blue"}, {"question_id": "8", "answer": "two"}]],
    ids=["SQuAD", "VQA"],
)  # fmt: skip
def test_answers_are_those_of_the_file(tmp_path, content):
    """In the two formats that question answering has."""
    task = Task("question-answering", [], [Query("7"), Query("8")], output="answer")
    path = written(tmp_path / "answers.json", content)
    actual = outputs(ResultsFile(task, "service", {"service": path}), task)
    assert [(output.query, output.text) for output in actual] == [("7", "blue"), ("8", "two")]


def test_pictures_are_those_of_the_folder(tasks, tmp_path):
    """By the name without its ending; one that is no picture and one that is not there have failed,
    each with its reason; one that nobody asked for is named."""
    task = tasks["image-generation"]
    folder = tmp_path / "pictures"
    for query in task.queries[2:]:
        toy.draw(folder / f"{query.id}.png", "red")
    toy.draw(folder / "nobody.png", "red")
    (folder / f"{task.queries[0].id}.jpg").write_bytes(b"no picture")
    generator = ImageFolder(task, "service", {"service": folder})
    actual = outputs(generator, task)
    assert [o.query for o in actual if o.error] == [q.id for q in task.queries[:2]]
    assert actual[0].error != actual[1].error
    assert all(o.image.digest and o.image.path.stem == o.query for o in actual[2:])
    assert [(e.kind, e.id) for e in generator.exclusions] == [("not asked", "nobody")]


def test_another_generator_answers_for_the_other_strategies(tasks, tmp_path):
    """So that systems are compared as they are; without one, the other strategies have a reason."""
    task = tasks["captioning"]
    path = written(tmp_path / "caps.json", captions(task))
    both = {"task": task, "results": {"service": path}, "otherwise": Nearest("caption")}
    shown = [[task.memory[0]] for _ in task.queries]
    ours = ResultsFile(strategy="ours", **both).generate(task.queries, shown)
    theirs = ResultsFile(strategy="service", **both).generate(task.queries, shown)
    assert {output.text for output in ours} == {task.memory[0].texts[0].content}
    assert [output.text for output in theirs] == [f"caption of {q.id}" for q in task.queries]
    with pytest.raises(NotApplicable, match="outputs of service alone"):
        ResultsFile(task, "ours", {"service": path})


@pytest.mark.parametrize("name", ["image-generation", "text-to-image"])
def test_a_results_file_answers_no_task_that_wants_something_else(tasks, tmp_path, name):
    """A reason in the table, not a number."""
    with pytest.raises(NotApplicable):
        ResultsFile(tasks[name], "service", {"service": tmp_path / "caps.json"})


def test_a_file_of_other_data_is_refused(tasks, tmp_path):
    """With ids of both sides; a file that is not there is named."""
    path = written(tmp_path / "caps.json", [{"image_id": 99999, "caption": "a dog"}])
    with pytest.raises(DataError, match="'99999'.*do they agree"):
        ResultsFile(tasks["captioning"], "service", {"service": path})
    with pytest.raises(DataError, match="there is no file"):
        ResultsFile(tasks["captioning"], "service", {"service": tmp_path / "none.json"})


def suite(coco, path, **changes):
    """A system with captions and no rankings, beside two of ours."""
    return toy.suite(
        coco,
        strategies={
            "no-retrieval": {},
            "shared-space": {"encoder": "colours"},
            "service": {"use": "rankings"},
        },
        generators={
            "answers": {
                "use": "results_file",
                "results": {"service": str(path)},
                "otherwise": "nearest",
            }
        },
        tasks={"captioning": {"generator": "answers", "k": 1, "measures": ["CIDEr"]}},
        **changes,
    )


@pytest.mark.parametrize(
    "change, message",
    [({"results": {"servce": "x"}}, "Did you mean 'service'"),
     ({"otherwise": "nerest"}, "Did you mean 'nearest'"),
     ({"otherwise": "answers"}, "unknown generator 'answers'")],
)  # fmt: skip
def test_names_in_the_suite_are_checked(coco, tmp_path, change, message):
    """Of strategies, and of the other generator, which is never the one that names it."""
    content = suite(coco, tmp_path / "caps.json")
    content["generators"]["answers"] |= change
    with pytest.raises(SuiteError, match=message):
        load(content)


def test_a_system_of_elsewhere_is_compared_like_ours(coco, tasks, tmp_path):
    """Its captions are scored and tested against ours by the same rules: a caption that is missing
    is a failure, a file that changed is another result, and the cost is not known."""
    task = tasks["captioning"]
    right = {query.id: task.references[query.id][0] for query in task.queries}
    path = written(tmp_path / "caps.json", captions(task, **right)[1:])
    run = mmragbench.run(suite(coco, path), output=tmp_path / "runs")
    pairs = json.loads((run.folder / "comparisons.json").read_text())
    assert {(p["a"], p["b"], p["generator"], p["k"]) for p in pairs} == {
        ("service", "shared-space", "answers", 1)
    }
    cell = run.folder / "cells/captioning/service/answers-k1"
    assert json.loads((cell / "cost.json").read_text()) == {}
    assert json.loads((run.folder / "failures.json").read_text())[0]["query"] == task.queries[0].id

    def estimate(run):
        return next(
            r["estimate"] for r in run.rows if r["strategy"] == "service" and r["generator"]
        )

    best = estimate(run)
    written(path, captions(task)[1:])
    assert estimate(mmragbench.run(suite(coco, path), output=tmp_path / "runs")) < best


def test_pictures_enter_a_suite(coco, tasks, tmp_path):
    """A folder of the real pictures is as similar to them as can be (up to single precision)."""
    task = tasks["image-generation"]
    folder = tmp_path / "pictures"
    folder.mkdir()
    for query in task.queries:
        shutil.copy(task.targets[query.id].path, folder / f"{query.id}.png")
    content = toy.suite(
        coco,
        strategies={"no-retrieval": {}, "service": {"use": "rankings"}},
        generators={"drawn": {"use": "image_folder", "folders": {"service": str(folder)}}},
        tasks={"image-generation": {"generator": "drawn", "k": 1, "measures": ["SSIM"]}},
    )
    run = mmragbench.run(content, output=tmp_path / "runs")
    numbers = {row["strategy"]: row["estimate"] for row in run.rows if row["slice"] == "all"}
    assert numbers == {"no-retrieval": None, "service": pytest.approx(1.0, abs=1e-3)}
