"""`run`, `plan` and `compare_strategies` from Python: files, mappings, suites; names, classes, objects."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import yaml

import mmragbench as mb
from mmragbench.errors import MmragbenchError, SuiteError
from mmragbench.records import Output, Query, Ranking, Score, Scores
from mmragbench.registry import measures
from mmragbench.stores.faiss import Faiss
from mmragbench.strategies.shared_space import SharedSpace
from mmragbench.verbs import plan
from support import toy

PROGRAM = Path(sys.executable).with_name("mmragbench")
RANKED = {"text-to-image": {"measures": ["R@1", "nDCG@10"]}}


class FromRow:
    """The memory from a row on; notes in a file that it was built into an index.

    Args:
        start: the first row.
        log: a line for each call of `index`.
    """

    def __init__(self, start: int = 0, log: str = "") -> None:
        self.rows = np.arange(start, 8)
        self._log = log

    def index(self, memory) -> None:
        self._ids = [document.id for document in memory]
        if self._log:
            with Path(self._log).open("a") as file:
                file.write(f"{self.rows[0]}\n")

    def retrieve(self, queries, k):
        hits = [(self._ids[row], -float(row)) for row in self.rows.tolist()]
        return [Ranking.of(query.id, hits, k) for query in queries]


class Locked(FromRow):
    """A strategy whose state cannot be read."""

    def __init__(self, start: int = 0, log: str = "") -> None:
        super().__init__(start, log)
        self._lock = threading.Lock()


class Copier:
    """A generator that answers with a word and the number of its hits."""

    def __init__(self, word: str) -> None:
        self._word = word

    def generate(self, queries: list[Query], contexts) -> list[Output]:
        return [
            Output(query.id, text=f"{self._word} {len(hits)}")
            for query, hits in zip(queries, contexts, strict=True)
        ]


class Colours:
    """A dataset of its own: COCO's, from an object."""

    def __init__(self, root: str) -> None:
        self._root = root

    def tasks(self):
        from mmragbench.datasets.coco import Coco

        return Coco(root=Path(self._root)).tasks()


class Answering:
    """A chat model that says one colour."""

    def chat(self, prompts):
        from mmragbench.records import Reply

        return [Reply("a red picture") for _ in prompts]


@measures("Hits")
def hits(measures, task, rankings, outputs, depth=None):
    """How many hits a query has."""
    scores = [Score(ranking.query, float(len(ranking.hits))) for ranking in rankings]
    return [Scores(measure, "Hits", scores) for measure in measures]


def unregistered(measures, task, rankings, outputs, depth=None):
    return []


@pytest.fixture
def compare(coco, tmp_path):
    """Compares strategies on the toy world, with changes."""

    def compared(strategies, **changes):
        given = {"dataset": {"use": "coco", "root": str(coco)}, "tasks": RANKED}
        return mb.compare_strategies(
            strategies, **{**given, "output": tmp_path / "runs", **changes}
        )

    return compared


def numbers(results, strategy: str) -> dict[str, float]:
    rows = results.summary.query("strategy == @strategy and slice == 'all'")
    return dict(zip(rows["measure"].astype(str), rows["estimate"], strict=True))


@pytest.fixture
def folder(tmp_path):
    """The folder of a run."""
    return lambda results: tmp_path / "runs" / results.runs[0]


# Files, mappings, suites


def test_a_file_a_mapping_and_a_suite_are_one_run(suite_file, coco, tmp_path):
    """The three forms come to the same folder and the same rows, overrides too; what was handed over
    stays as it was."""
    content = toy.suite(coco)
    given = [suite_file(), content, mb.Suite(**content), str(suite_file())]
    overrides = ["tasks.captioning.k=2", "dataset.limit=8"]
    runs = [mb.run(suite, overrides, output=tmp_path / "runs") for suite in given]
    assert len({run.folder for run in runs}) == 1
    assert all(run.rows == runs[0].rows for run in runs)
    assert content == toy.suite(coco)
    assert given[2] == mb.Suite(**content)


def test_plan_takes_them_too(suite_file, coco):
    """`plan` says the same of a file and of its content."""
    assert plan(suite_file()) == plan(toy.suite(coco)) == plan(mb.Suite(**toy.suite(coco)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"baselin": "random"}, "suite: baselin: unknown key 'baselin'. Did you mean 'baseline'?"),
        ({"strategies": {}}, "suite: strategies: "),
        (
            {"strategies": {"shared-space": {"encoder": "colour"}}},
            "suite: strategies.shared-space.encoder: unknown model 'colour'. Did you mean 'colours'?",
        ),
        ({"tasks": {"captioning": {"k": 0}}}, "suite: tasks.captioning: "),
    ],
)
def test_an_error_names_the_key(coco, changes, message):
    """As for a file, without the line; and one line."""
    with pytest.raises(MmragbenchError) as caught:
        plan(toy.suite(coco, **changes))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_data_that_is_not_there_is_a_line_of_plan_and_an_error_of_run(coco, tmp_path):
    """In one line, with the place."""
    suite = toy.suite(coco, dataset={"use": "coco", "root": "nowhere"})
    (line,) = map(str, plan(suite).requirements)
    assert line.startswith("dataset coco must lie at nowhere, a folder with annotations/")
    with pytest.raises(MmragbenchError) as caught:
        mb.run(suite, output=tmp_path / "runs")
    assert str(caught.value) == f"not at hand: {line}"


def test_a_mapping_needs_what_a_file_needs(coco):
    """Without a name, the name is missed."""
    content = toy.suite(coco)
    del content["name"]
    with pytest.raises(SuiteError, match="suite: the key 'name' is missing"):
        mb.run(content)


# Components


@pytest.mark.parametrize(
    "strategy",
    [
        FromRow(2),
        {"use": FromRow, "start": 2},
        {"use": f"{__name__}:FromRow", "start": 2},
        {"use": FromRow(2)},
    ],
    ids=["object", "class", "path", "use"],
)
def test_a_strategy_is_an_object_a_class_or_a_name(compare, strategy):
    """However it is given, it answers the same, beside the catalogue's own."""
    results = compare({"mine": strategy, "random": None, "oracle": {}, "again": FromRow(2)})
    assert numbers(results, "mine") == numbers(results, "again")
    assert numbers(results, "oracle")["nDCG@10"] == 1


def test_a_bare_class_and_a_bare_path_take_the_defaults(compare):
    """`FromRow` and `"module:FromRow"` are `FromRow()`."""
    results = compare({"a": FromRow, "b": f"{__name__}:FromRow", "c": FromRow()})
    assert numbers(results, "a") == numbers(results, "b") == numbers(results, "c")


def test_objects_of_one_class_are_told_apart(compare):
    """Two arguments, two answers: each as when it is alone, and neither taken for the other."""
    results = compare({"first": FromRow(0), "third": FromRow(2), "fourth": FromRow(3)})
    assert len({str(numbers(results, name)) for name in ("first", "third", "fourth")}) > 1
    for name, start in (("first", 0), ("third", 2), ("fourth", 3)):
        alone = compare({name: {"use": f"{__name__}:FromRow", "start": start}})
        assert numbers(alone, name) == numbers(results, name)


@pytest.mark.parametrize(
    "model",
    [
        toy.ColourEncoder(),
        toy.ColourEncoder,
        "support.toy:ColourEncoder",
        {"use": toy.ColourEncoder},
    ],
    ids=["object", "class", "path", "use"],
)
def test_a_model_is_an_object_a_class_or_a_name(compare, model):
    """Strategies of the catalogue and classes alike are given the model by its name."""
    strategies = {
        "shared-space": {"encoder": "colours"},
        "class": {"use": SharedSpace, "encoder": "colours"},
    }
    results = compare(strategies, models={"colours": model})
    assert numbers(results, "shared-space") == numbers(results, "class")
    assert numbers(results, "class")["nDCG@10"] > 0.5


def test_a_store_is_a_class_or_an_object(compare):
    """An object is copied for each index: two memories do not mix."""
    strategies = {
        name: {"use": "shared-space", "encoder": "colours", "store": store}
        for name, store in {"name": "faiss", "class": Faiss, "object": Faiss()}.items()
    }
    tasks = {**RANKED, "image-to-text": {"measures": ["R@1", "nDCG@10"]}}
    results = compare(strategies, models={"colours": toy.ColourEncoder}, tasks=tasks)
    frame = results.summary.query("slice == 'all'")
    table = frame.pivot(index=["task", "measure"], columns="strategy", values="estimate")
    assert len(table) == 4
    assert (table["name"] == table["class"]).all()
    assert (table["name"] == table["object"]).all()


def test_generators_and_chat_models_are_objects_too(compare):
    """A generator as an object; and a chat model where a generator, or a captioner, is wanted."""
    results = compare(
        {"text-grounding": {"captioner": "chat", "encoder": "colours"}},
        models={"chat": Answering(), "colours": toy.ColourEncoder()},
        generators={"copier": Copier("red"), "reader": Answering()},
        tasks={"captioning": {"generator": ["copier", "reader"], "k": 2, "measures": ["Bleu_1"]}},
    )
    texts = results.outputs.groupby("generator", observed=True)["text"].unique()
    assert list(texts["copier"]) == ["red 2"]
    assert list(texts["reader"]) == ["a red picture"]


@pytest.mark.parametrize("form", ["object", "class", "path"])
def test_a_dataset_is_an_object_a_class_or_a_name(compare, coco, form):
    """Its tasks are those of the folder that it reads."""
    dataset = {
        "object": Colours(str(coco)),
        "class": {"use": Colours, "root": str(coco)},
        "path": {"use": f"{__name__}:Colours", "root": str(coco)},
    }[form]
    expected = numbers(compare({"mine": FromRow(2)}), "mine")
    assert numbers(compare({"mine": FromRow(2)}, dataset=dataset), "mine") == expected


@pytest.mark.parametrize("measure", [hits, f"{__name__}:hits", "Hits"])
def test_a_measure_is_a_function_or_a_name(compare, measure):
    """A function stands for all that it is registered for."""
    tasks = {"text-to-image": {"measures": ["R@1", measure]}}
    assert numbers(compare({"mine": FromRow(2)}, tasks=tasks), "mine")["Hits"] == 6


# Reuse


def lines(log: Path) -> list[str]:
    return log.read_text().split() if log.exists() else []


def test_an_object_with_an_array_is_reused_as_long_as_it_is_the_same(compare, folder, tmp_path):
    """The same state is looked up; one number of the array changed, it is computed anew, and the
    numbers are those of the changed one."""
    log = tmp_path / "log"
    mine = FromRow(2, str(log))
    first = compare({"mine": mine})
    assert lines(log) == ["2"]
    again = compare({"mine": mine, "equal": FromRow(2, str(log))})
    assert lines(log) == ["2"]
    assert numbers(again, "mine") == numbers(first, "mine") == numbers(again, "equal")
    mine.rows[0] = 0
    changed = compare({"mine": mine})
    assert lines(log) == ["2", "0"]
    assert folder(changed) != folder(first)
    assert sorted(vars(mine)) == ["_log", "rows"], "the object itself was never indexed"


def test_what_cannot_be_identified_is_computed_anew_and_said(compare, folder, tmp_path):
    """A lock in it: each run computes it, in a folder of its own, and warns."""
    log = tmp_path / "log"
    folders = set()
    for times in (1, 2):
        with pytest.warns(
            UserWarning, match=f"<object of {__name__}:Locked>: nothing that it comp"
        ):
            results = compare({"mine": Locked(2, str(log)), "random": None})
        folders.add(folder(results))
        assert lines(log) == ["2"] * times
    assert len(folders) == 2
    assert numbers(results, "mine") == numbers(compare({"mine": FromRow(2)}), "mine")


SCRIPT = """
import sys
import mmragbench as mb
from mmragbench.records import Ranking, Score, Scores
from mmragbench.registry import measures

START, FACTOR = int(sys.argv[1]), float(sys.argv[2])

class Mine:
    def index(self, memory):
        self.ids = [document.id for document in memory]
        print("indexed from", START)
    def retrieve(self, queries, k):
        return [Ranking.of(q.id, [(id, -i) for i, id in enumerate(self.ids[START:])], k) for q in queries]

@measures("Doubled")
def doubled(measures, task, rankings, outputs, depth=None):
    print("measured")
    scores = [Score(r.query, FACTOR * len(r.hits)) for r in rankings]
    return [Scores(measure, "Doubled", scores) for measure in measures]

results = mb.compare_strategies(
    {"mine": Mine, "object": Mine()},
    dataset={"use": "coco", "root": sys.argv[3]},
    tasks={"text-to-image": {"measures": [doubled]}},
)
print(results.summary.query("slice == 'all'")["estimate"].tolist())
"""


def test_a_script_is_identified_by_what_it_does(coco, tmp_path):
    """Classes and a measure that are defined in a script run as a program: the same arguments are
    looked up; another value of a global variable, another measure or an edit is computed anew."""
    script = tmp_path / "script.py"

    def output(start: int, factor: int, source: str = SCRIPT) -> list[str]:
        script.write_text(source)
        command = [sys.executable, script, str(start), str(factor), coco]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    every = ["indexed from 4", "measured"] * 2
    assert output(4, 2) == [*every, "[8.0, 8.0]"]
    assert output(4, 2) == ["[8.0, 8.0]"]
    assert output(4, 2, f"# a comment\n{SCRIPT}") == ["[8.0, 8.0]"]
    assert output(6, 2) == [line.replace("4", "6") for line in every] + ["[4.0, 4.0]"]
    assert output(4, 3) == ["measured", "measured", "[12.0, 12.0]"]
    edited = SCRIPT.replace("self.ids[START:]", "self.ids[START + 1:]")
    assert output(4, 2, edited) == [*every, "[6.0, 6.0]"]


def test_a_notebook_cell_is_identified_by_what_it_does(coco, tmp_path):
    """The same in a notebook, whose cells have no file: an edited cell is computed anew."""
    nbformat = pytest.importorskip("nbformat", reason="nbclient is not installed")
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    imports, rest = SCRIPT.replace("int(sys.argv[1]), float(sys.argv[2])", "4, 2").split("START,")
    define, call = f"START,{rest}".replace("sys.argv[3]", repr(str(coco))).split("results =")
    call = f"results ={call}"
    edited = define.replace("self.ids[START:]", "self.ids[START + 1:]")
    cells = [imports, define, call, call, edited, call, "START = 6", call]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(book, timeout=120, resources=resources).execute()
    shown = [
        "".join(o.get("text", "") for o in cell.outputs).split("\n")[:-1] for cell in book.cells
    ]
    every = ["indexed from 4", "measured"] * 2
    assert shown[2] == [*every, "[8.0, 8.0]"]
    assert shown[3] == ["[8.0, 8.0]"]
    assert shown[5] == [*every, "[6.0, 6.0]"]
    assert shown[7] == [line.replace("4", "6") for line in every] + ["[2.0, 2.0]"]


# What is written, and what is refused


def test_a_run_folder_says_what_was_run(compare, folder):
    """`suite.yaml` and the manifest name objects as such; the file alone cannot be run, which the
    command line says in one line, and `export` does."""
    results = compare(
        {"mine": FromRow(2), "class": FromRow}, models={"unused": toy.ColourEncoder()}
    )
    suite = yaml.safe_load((folder(results) / "suite.yaml").read_text())
    assert suite["strategies"]["mine"] == {"use": f"<object of {__name__}:FromRow>"}
    assert suite["strategies"]["class"] == {"use": f"{__name__}:FromRow", "start": 0, "log": ""}
    manifest = json.loads((folder(results) / "manifest.json").read_text())
    assert manifest["objects"]["strategies.mine"]["name"] == f"<object of {__name__}:FromRow>"
    assert len(manifest["objects"]["strategies.mine"]["digest"]) == 16
    done = subprocess.run(
        [PROGRAM, "run", folder(results) / "suite.yaml"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "cannot be run from the file alone" in done.stderr
    assert "strategies.mine.use" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_class_of_a_module_runs_from_the_file_again(compare, folder, tmp_path):
    """What has an importable name is written by it, and the suite file gives the same numbers."""
    results = compare({"mine": {"use": FromRow, "start": 2}})
    again = mb.run(folder(results) / "suite.yaml", output=tmp_path / "again")
    assert numbers(mb.load(again), "mine") == numbers(results, "mine")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"strategies": {"mine": object()}}, "<object of builtins:object> is no strategy: that is"),
        ({"strategies": {"mine": toy.ColourEncoder}}, "support.toy:ColourEncoder is no strategy"),
        (
            {"strategies": {"shared-space": {"encoder": toy.ColourEncoder()}}},
            "strategies.shared-space.encoder: <object of support.toy:ColourEncoder> is a model: give it a name",
        ),
        (
            {"strategies": {"a": {"use": FromRow, "start": np.arange(3)}}},
            "strategies.a.start: <object of numpy:ndarray> is no plain value",
        ),
        (
            {"strategies": {"a": {"use": FromRow(2), "start": 1}}},
            f"strategies.a.start: unknown argument of <object of {__name__}:FromRow> 'start'",
        ),
        ({"models": {"colours": FromRow(1)}}, f"<object of {__name__}:FromRow> is no encoder"),
        ({"dataset": FromRow(1)}, f"dataset.use: <object of {__name__}:FromRow> is no dataset"),
        (
            {"tasks": {"text-to-image": {"measures": [unregistered]}}},
            f"{__name__}:unregistered is no measure: that is a function with @measures('Name')",
        ),
        ({"baselin": "random"}, "unknown key 'baselin'"),
    ],
)
def test_what_does_not_fit_is_one_line(coco, changes, message):
    """The place, what it is, and what to do."""
    given = {
        "strategies": {"shared-space": {"encoder": "colours"}},
        "dataset": {"use": "coco", "root": str(coco)},
        "tasks": RANKED,
        "models": {"colours": toy.ColourEncoder},
    }
    with pytest.raises(MmragbenchError) as caught:
        mb.compare_strategies(**{**given, **changes})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_strategy_that_crashes_is_warned_of(compare):
    """The others have their numbers; it has a reason, and a warning names it."""
    with pytest.warns(UserWarning, match="ZeroDivisionError"):
        results = compare({"bad": toy.Crashing(), "mine": FromRow(2)})
    assert numbers(results, "mine")["R@1"] >= 0
    reasons = results.summary.query("strategy == 'bad'")["reason"].unique()
    assert "one over nothing" in reasons[0]
