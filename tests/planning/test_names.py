"""Names that a suite gives are names: they never lead out of a run folder, nor into each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmragbench._printable import CONTROLS
from mmragbench.errors import SuiteError
from mmragbench.planning.names import LONGEST, dotted, plain
from mmragbench.planning.plan import load
from mmragbench.verbs import plan

BAD = [
    "../../elsewhere", "/abs", "a/b", "a\\b", ".", "..", ".hidden", "-x", "x.", "", " ", "a b",
    "a\0b", "a\nb", "a\n", "\x1b[31mred", "\u202egnp", "C:", "c:\\x", "a:b:c", "\u200ba", "é" * 51,
    "a" * 101, "~", "a*", "名\u2028", "\ud800",
]  # fmt: skip


@pytest.mark.parametrize("name", BAD, ids=ascii)
@pytest.mark.parametrize("place", ["strategies", "generators", "models", "tasks", "name"])
def test_what_is_no_name_is_refused_everywhere(name, place, suite_file, tmp_path):
    """One line that says what a name is made of; nothing is written."""
    from mmragbench.planning.suite import Source, validate
    from support.toy import suite

    uses = {"strategies": "random", "generators": "nearest", "models": "support.toy:ColourEncoder"}
    content = suite(tmp_path)
    if place == "name":
        content["name"] = name
    elif place == "tasks":
        content["tasks"] = {name: {"measures": ["R@1"]}}
    else:
        content[place] = {**content[place], name: {"use": uses[place]}}
    with pytest.raises(SuiteError, match="is not a name: letters, digits") as caught:
        validate(content, Source("s.yaml", "name: x"))
    assert len(str(caught.value)) <= 500 and not CONTROLS.search(str(caught.value))


@pytest.mark.parametrize("name", ["a", "7", "ViT-B-32", "v1.2", "_x", "Zürich", "検索", "a" * 100])
def test_names_of_many_kinds_stay(name):
    """Letters of any script, digits, `_`, `.` and `-`."""
    assert plain(name) == dotted(name) == name


@pytest.mark.parametrize("name", ["CON", "nul", "Aux.txt", "com1", "LPT9.x.y", "prn.", "COM²"])
def test_a_device_of_windows_is_no_name(name):
    """With any ending: a folder of that name cannot be made there."""
    for check in (plain, dotted):
        with pytest.raises(ValueError, match="is a device on Windows"):
            check(name)


@pytest.mark.parametrize("name", ["console", "com", "com10", "nul1", "x.con", "auxiliary"])
def test_names_that_only_look_like_devices_stay(name):
    """Windows keeps the names of devices alone."""
    assert plain(name) == dotted(name) == name


@pytest.mark.parametrize("name", ["support.toy:ColourEncoder", "a.b_c.d:E", "m:f"])
def test_a_dotted_path_names_a_component_and_no_task(name):
    """It stands wherever the name of a component does; a task is a plain name."""
    assert dotted(name) == name
    with pytest.raises(ValueError, match="is not a name"):
        plain(name)


@given(st.text(max_size=120))
def test_a_name_is_one_file_below_its_folder(name):
    """What passes is one path component of few bytes that stays below, on any system."""
    from pathlib import PurePosixPath, PureWindowsPath

    try:
        dotted(name)
    except ValueError:
        return
    assert len(name.encode()) <= LONGEST and name.isprintable()
    assert (PurePosixPath("run") / name).parts == ("run", name)
    assert ":" in name or (PureWindowsPath("run") / name).parts == ("run", name)


@pytest.mark.parametrize(
    "place, one, two",
    [
        ("strategies", "Random", "random"),
        ("models", "CLIP", "clip"),
        ("generators", "straße", "STRASSE"),
        ("strategies", "caf\u00e9", "cafe\u0301".replace("\u0301", "\u00b4")),
    ],
)
def test_two_names_of_one_file_are_refused(place, one, two, suite_file):
    """Where case and the way to write accents do not count, one would overwrite the other."""
    from support.toy import suite

    uses = {"strategies": "random", "generators": "nearest", "models": "support.toy:ColourEncoder"}
    own = {name: {"use": uses[place]} for name in (one, two)}
    with pytest.raises(SuiteError, match="are one file on many|is not a name"):
        load(suite_file(**{place: {**suite(suite_file)[place], **own}}))


def test_two_spellings_of_a_generator_are_refused(suite_file):
    """A registered one may be written in several ways, each of which is a folder."""
    tasks = {"captioning": {"measures": ["CIDEr"], "generator": ["nearest", "Nearest"], "k": 1}}
    with pytest.raises(SuiteError, match="'nearest' and 'Nearest' are one file"):
        load(suite_file(tasks=tasks))


def test_no_generators_folder_is_a_strategys(suite_file):
    """`random` with the generator nearest writes to random/nearest-k1, which no strategy can be."""
    with pytest.raises(SuiteError, match="is not a name"):
        load(suite_file(strategies={"random": {}, "random/nearest-k1": {"use": "random"}}))


def test_a_misspelt_key_is_named_before_the_key_that_lacks(suite_file):
    """`strategy:` for `strategies:`."""
    path = suite_file()
    path.write_text(path.read_text().replace("\nstrategies:", "\nstrategy:"))
    with pytest.raises(SuiteError, match="unknown key 'strategy'. Did you mean 'strategies'"):
        load(path)


def test_an_unknown_task_is_named_before_its_generator(suite_file):
    """With the nearest that there is."""
    path = suite_file(tasks={"caption": {"measures": ["CIDEr"]}}, generators={})
    with pytest.raises(SuiteError, match="unknown task .*'caption'. Did you mean 'captioning'"):
        plan(path)


@pytest.mark.parametrize(
    "measure, hint",
    [
        ("R@0", "a cutoff is 1 or more"),
        ("recall@5", "recall@5 is R@5 here"),
        ("MRR", "MRR is RR here"),
        ("ndcg@10", "Did you mean 'nDCG@k'"),
        ("cider", "Did you mean 'CIDEr'"),
    ],
)
def test_measures_of_other_names_are_known(measure, hint, suite_file):
    """What the field calls a measure leads to what it is called here."""
    with pytest.raises(SuiteError, match=hint):
        load(suite_file(tasks={"captioning": {"measures": [measure], "generator": "nearest"}}))


def test_a_folder_without_data_is_no_suite(tmp_path):
    """It says what was looked for; of a run folder, where its suite lies; a misspelt suite names the
    nearest."""
    from mmragbench.errors import DataError

    with pytest.raises(DataError, match="is data of a known layout; looked for metadata"):
        load(tmp_path)
    (tmp_path / "suite.yaml").write_text("name: x\n")
    with pytest.raises(SuiteError, match=r"suite\.yaml is its suite"):
        load(tmp_path)
    from pathlib import Path

    with pytest.raises(SuiteError, match="did you mean 'coco'"):
        load(Path("coc"))


def test_a_folder_of_runs_names_them(tmp_path):
    """For every command that wants a run folder."""
    from mmragbench.errors import DataError
    from mmragbench.run_folder.reading import open_run

    (tmp_path / "runs" / "a-1").mkdir(parents=True)
    (tmp_path / "runs" / "a-1" / "summary.json").write_text("[]")
    with pytest.raises(DataError, match=r"is not a run folder.*there is .*a-1"):
        open_run(tmp_path / "runs")
