"""Which run a name means."""

from __future__ import annotations

import os

import pytest

from mmragbench.errors import DataError
from mmragbench.run_folder.finding import find_run, finished_runs


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Three runs in `runs`, b the newest, and a folder of a run that did not end."""
    monkeypatch.chdir(tmp_path)
    for age, name in enumerate(("b-2", "c-3", "a-1")):
        (tmp_path / "runs" / name).mkdir(parents=True)
        summary = tmp_path / "runs" / name / "summary.json"
        summary.write_text("[]")
        os.utime(summary, (1_700_000_000 - age, 1_700_000_000 - age))
    (tmp_path / "runs" / "d-4").mkdir()
    return tmp_path / "runs"


def test_latest_is_the_newest_run_that_ended(runs):
    """By when its numbers were written, whatever its name; in `runs`, or in the folder named."""
    assert str(find_run("latest")) == "runs/b-2"
    assert find_run(runs / "latest") == runs / "b-2"
    assert [path.name for path in finished_runs(runs)] == ["b-2", "c-3", "a-1"]


def test_a_path_that_exists_is_itself(runs):
    """Also one that is called `latest`, and one that is no run: its reader says what is wrong."""
    (runs.parent / "latest").mkdir()
    assert str(find_run("latest")) == "latest"
    assert find_run(runs / "d-4") == runs / "d-4"


@pytest.mark.parametrize("name", ["a-1", "a", "runs/a", "runs/a*"])
def test_the_beginning_of_a_name_is_enough(runs, name):
    """Below `runs` too, where it stands alone; a run that did not end is not meant."""
    assert str(find_run(name)) == "runs/a-1"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("d", r"there is no run d; there is runs/b-2, runs/c-3, runs/a-1"),
        (
            "runs/*",
            r"runs/\* fits runs/a-1, runs/b-2, runs/c-3; name one, or the newest: runs/latest",
        ),
        ("other/latest", r"no finished run in other; make one: mmragbench run SUITE"),
    ],
)
def test_a_name_that_means_no_run_says_which_there_are(runs, name, message):
    """And one that means several."""
    with pytest.raises(DataError, match=message):
        find_run(name)
