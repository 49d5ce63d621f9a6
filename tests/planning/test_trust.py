"""What a suite names by a path is checked before it is called, and a run folder calls nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

import mmragbench as mb
from mmragbench.errors import SuiteError
from mmragbench.planning.plan import load
from mmragbench.registry import find, named_measures
from mmragbench.verbs import plan

KINDS = {
    "dataset": ("dataset",),
    "strategy": ("strategies", "evil"),
    "generator": ("generators", "evil"),
    "encoder": ("models", "colours"),
    "store": ("strategies", "shared-space", "store"),
}


@pytest.fixture
def called(tmp_path):
    """A file that any of the calls below would make."""
    return tmp_path / "called"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("path", ["subprocess:Popen", "os:system", "builtins:exec", "pathlib:Path"])
def test_what_is_no_component_is_not_called(kind, path, called, suite_file):
    """By any key of a suite: an error that names the kind and what it wants, and no process."""
    suite = suite_file(tasks={"text-to-image": {"measures": ["R@1"]}})
    content = yaml.safe_load(suite.read_text())
    *parents, last = KINDS[kind]
    node = content
    for parent in parents:
        node = node.setdefault(parent, {})
    node[last] = {"use": path, "args": f"touch {called}", "shell": True}
    suite.write_text(yaml.safe_dump(content))
    with pytest.raises(SuiteError, match=f"is no {kind}, so that it was not called"):
        plan(suite)
    assert not called.exists()


MINE = '''
from pathlib import Path
from mmragbench.errors import SuiteError
from mmragbench.records import Score, Scores
from mmragbench.registry import measures

Path(__file__).with_name("called").touch()


class Posed:
    def tasks(self):
        return {}


def made() -> Posed:
    return Posed()


def unsaid():
    return Posed()


def gone() -> "Nowhere":
    return Posed()


@measures("Letters", scores=("caption",))
def letters(measures, task, rankings, outputs, **given):
    """Letters a caption."""
    scores = tuple(Score(o.query, float(len(o.text or ""))) for o in outputs)
    return [Scores(measure, f"{measure}|n:{len(scores)}", scores) for measure in measures]


@measures("Shown", "Shown@k")
def shown(measures, task, rankings, outputs, **given):
    """Hits a query, at most k."""
    return [
        Scores(m, str(m), tuple(Score(r.query, float(len(r.hits[: m.cutoff]))) for r in rankings))
        for m in measures
    ]


def plain(measures, task, rankings, outputs, **given):
    return []
'''


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A module of one's own, `mine`; its import leaves a file."""
    import sys

    (tmp_path / "mine.py").write_text(MINE)
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules.pop("mine", None)
    return tmp_path


def test_a_class_by_its_methods_and_a_function_by_what_it_says(mine):
    """Neither needs a decorator; a function that says nothing does."""
    assert find("dataset", "mine:Posed").make().tasks() == {}
    assert find("dataset", "mine:made").make().tasks() == {}
    for name in ("mine:unsaid", "mine:gone"):
        with pytest.raises(SuiteError, match="@dataset above it"):
            find("dataset", name)


def test_a_component_of_another_kind_is_refused(mine):
    """A dataset is no store, a measure no dataset."""
    with pytest.raises(SuiteError, match=r"is no store.*add\(\) and search\(\)"):
        find("store", "mine:Posed")
    with pytest.raises(SuiteError, match="is no dataset"):
        find("dataset", "mine:letters")


def test_a_measure_by_its_dotted_path(mine, suite_file, tmp_path):
    """`mine:letters` in a suite is what `letters` is registered as, and is scored and reported."""
    tasks = {
        "captioning": {
            "measures": ["mine:letters", "mine:shown@2"],
            "generator": "captioner",
            "k": 1,
        }
    }
    run = mb.run(suite_file(tasks=tasks), output=tmp_path / "runs")
    rows = [row for row in run.rows if row["estimate"] is not None]
    found = {row["measure"]: row["estimate"] for row in rows if row["strategy"] != "no-retrieval"}
    assert found == {"Shown@2": 2.0}
    (letters,) = [row for row in rows if row["measure"] == "Letters"]
    outputs = next(run.folder.glob("cells/captioning/*/captioner-k0/captions.json"))
    captions = [len(each["caption"]) for each in json.loads(outputs.read_text())]
    assert letters["estimate"] == sum(captions) / len(captions)
    assert "Letters" in run.report.read_text()


@pytest.mark.parametrize(
    "primary, name",
    [
        ("mine:letters", "Letters"),
        ({"captioning": "mine:letters"}, {"captioning": "Letters"}),
        ("CIDEr", "CIDEr"),
    ],
)
def test_the_primary_measure_by_its_dotted_path(primary, name, mine, suite_file):
    """Runs store it by its name, as they store the measure."""
    tasks = {"captioning": {"measures": ["CIDEr", "mine:letters"], "generator": "captioner"}}
    assert load(suite_file(tasks=tasks, primary=primary))[0].suite.primary == name


def test_a_primary_path_that_is_no_measure_is_refused(mine, suite_file):
    """At its own line."""
    tasks = {"captioning": {"measures": ["CIDEr"], "generator": "captioner"}}
    with pytest.raises(SuiteError, match=r"toy\.yaml:\d+: primary: .*@measures"):
        load(suite_file(tasks=tasks, primary="mine:plain"))


@pytest.mark.parametrize(
    "text, names",
    [
        ("R@5", ["R@5"]),
        ("FID(clip)", ["FID(clip)"]),
        ("mine:letters", ["Letters"]),
        ("mine:shown", ["Shown"]),
        ("mine:shown@3", ["Shown@3"]),
        ("mmragbench.evals.captions:cider", ["CIDEr"]),
    ],
)
def test_measures_are_named_in_three_ways(text, names, mine):
    """By name, with features or a cutoff, by the path of what computes them."""
    if text.startswith("mmragbench"):
        component = find("measure", "CIDEr")
        text = f"{component.make.__module__}:{component.make.__name__}"
        assert "CIDEr" in map(str, named_measures(text))
    else:
        assert list(map(str, named_measures(text))) == names


@pytest.mark.parametrize(
    "text, message",
    [
        ("mine:letters@3", "computes Letters; write"),
        ("mine:plain", r"@measures\('Name'\) above it"),
        ("rich.console:Console", "is no measure, so that it was not called"),
        ("os:system", "is no measure, so that it was not called"),
        ("nowhere:x", "cannot import measure"),
        ("mine:", "is not a measure"),
        (":x", "cannot import measure"),
        ("a b:c d", "is not a measure"),
    ],
)
def test_a_path_that_is_no_measure_is_refused(text, message, mine, suite_file):
    """With the line of the suite."""
    tasks = {"captioning": {"measures": [text], "generator": "captioner"}}
    with pytest.raises(
        SuiteError, match=rf"toy\.yaml:\d+: tasks\.captioning\.measures: .*{message}"
    ):
        load(suite_file(tasks=tasks))


def test_a_run_folders_own_dataset_is_imported_with_trust_only(mine, suite_file, tmp_path):
    """`export` reads the suite of a folder that may be a stranger's: not even an import."""
    run = mb.run(
        suite_file(tasks={"text-to-image": {"measures": ["R@1"]}}), output=tmp_path / "runs"
    )
    suite = run.folder / "suite.yaml"
    content = yaml.safe_load(suite.read_text())
    content["dataset"] = {"use": "mine:Posed"}
    suite.write_text(yaml.safe_dump(content))
    (run.folder / "files.json").unlink()
    with pytest.raises(SuiteError, match="add --trust"):
        mb.export(run.folder, "trec", tmp_path / "out")
    assert not (mine / "called").exists()
    with pytest.raises(mb.MmragbenchError if hasattr(mb, "MmragbenchError") else Exception):
        mb.export(run.folder, "trec", tmp_path / "out", trust=True)
    assert (mine / "called").exists()


def test_other_commands_import_nothing_that_a_run_folder_names(mine, suite_file, tmp_path):
    """report, compare, gate and load read what is stored."""
    from mmragbench.comparing.families import within
    from mmragbench.run_folder.reading import open_run
    from mmragbench.verbs import write_reports

    run = mb.run(
        suite_file(tasks={"text-to-image": {"measures": ["R@1"]}}), output=tmp_path / "runs"
    )
    suite = run.folder / "suite.yaml"
    content = yaml.safe_load(suite.read_text())
    for spec in (content["dataset"], *content["strategies"].values(), *content["models"].values()):
        spec["use"] = "mine:Posed"
    suite.write_text(yaml.safe_dump(content))
    (run.folder / "files.json").unlink()
    write_reports(run.folder)
    assert within(open_run(run.folder))
    mb.gate(run.folder, save(run.folder, tmp_path))
    mb.load(run.folder)
    assert not (mine / "called").exists()


def save(run: Path, folder: Path) -> Path:
    from mmragbench.gating.gate import save_baseline

    save_baseline(run, folder / "baseline.json", [])
    return folder / "baseline.json"
