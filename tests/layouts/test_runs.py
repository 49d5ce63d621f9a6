"""`mmragbench init`, `mmragbench run FOLDER` and `mb.run(folder)`: from a folder to a report."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest
import yaml

import mmragbench as mb
from mmragbench.layouts import recognise, suite_text
from support.data_folders import WRITERS, metadata_jsonl, names, pdf_files, pictures

pytestmark = pytest.mark.usefixtures("own_tables")

PROGRAM = Path(sys.executable).with_name("mmragbench")


def mmragbench(*arguments, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [PROGRAM, *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=cwd, stdin=subprocess.DEVNULL
    )


@pytest.mark.parametrize("layout", WRITERS)
def test_each_layout_runs(layout, tmp_path):
    """Python takes the folder itself; every strategy but one that does not apply has numbers, and the
    run folder has the suite with its comments."""
    WRITERS[layout](tmp_path / "mine")
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "there is no memory split")
        run = mb.run(tmp_path / "mine", output=tmp_path / "runs")
    assert run.crashed == []
    assert run.report.is_file()
    scored = {row["strategy"] for row in run.rows if row["estimate"] is not None}
    assert scored >= {"random", "lexical", "oracle"}
    assert ("image-similarity" in scored) == (layout not in ("beir", "pdf"))
    text = (run.folder / "commented_suite.yaml").read_text()
    assert text == suite_text(recognise(tmp_path / "mine"))


def test_run_of_a_folder_says_what_it_holds(tmp_path):
    """In a few lines on standard error before anything else; standard output ends with the report."""
    metadata_jsonl(tmp_path / "my500")
    done = mmragbench("run", "my500", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert lines[0].startswith("my500: pictures with metadata.jsonl: 10 pictures with 10 captions")
    assert lines[1] == "a first run: captioning and image-generation; queries 5 of 10"
    assert lines[2] == "mmragbench init my500 writes this as a suite"
    assert next((tmp_path / "runs").glob("my500-*/report/index.html"))


def test_init_then_run(tmp_path):
    """What `init --yes` writes runs, and is the run that `run FOLDER` makes."""
    metadata_jsonl(tmp_path / "my500")
    done = mmragbench("init", "my500", "--yes", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "my500.yaml is written; next: mmragbench run my500.yaml"
    for suite in ("my500.yaml", "my500"):
        done = mmragbench("run", suite, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert len([*(tmp_path / "runs").iterdir()]) == 1


def test_a_folder_takes_overrides_and_can_be_planned(tmp_path):
    """As a suite does."""
    metadata_jsonl(tmp_path / "my500")
    done = mmragbench("plan", "my500", "dataset.limit=3", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "image-similarity" in done.stdout
    assert not (tmp_path / "runs").exists()
    done = mmragbench("run", "my500", "dataset.limt=3", cwd=tmp_path)
    assert done.returncode == 2
    assert "limt" in done.stderr.splitlines()[-1]


def test_init_asks_nothing_without_a_terminal(tmp_path):
    """Of the folder that it is called in, by default; the suite is named after it."""
    metadata_jsonl(tmp_path / "my pictures")
    done = mmragbench("init", cwd=tmp_path / "my pictures")
    assert done.returncode == 0, done.stderr
    assert (
        yaml.safe_load((tmp_path / "my pictures" / "my-pictures.yaml").read_text())["dataset"][
            "root"
        ]
        == "."
    )


def test_init_writes_over_nothing(tmp_path):
    """A file that is there stays as it is, whoever wrote it; exit code 2, and how to go on."""
    metadata_jsonl(tmp_path / "my500")
    mine = tmp_path / "my500.yaml"
    mine.write_text("mine")
    for options in ([], ["--output", "my500.yaml"]):
        done = mmragbench("init", "my500", *options, cwd=tmp_path)
        assert (done.returncode, mine.read_text()) == (2, "mine")
        assert (
            done.stderr == "error: my500.yaml is there already; write another file with --output\n"
        )
    assert mmragbench("init", "my500", "--output", "other/s.yaml", cwd=tmp_path).returncode == 0
    assert yaml.safe_load((tmp_path / "other" / "s.yaml").read_text())["name"] == "my500"


@pytest.mark.parametrize("command", ["init", "run", "plan"])
@pytest.mark.parametrize(
    "write, message",
    [
        (lambda root: root.mkdir(), "is data of a known layout; looked for metadata.jsonl"),
        (lambda root: pictures(root, names()), "10 pictures, no captions. Write metadata.jsonl"),
        (pdf_files, "there are no questions: write questions.jsonl"),
    ],
)
def test_a_folder_that_no_suite_can_use(command, write, message, tmp_path):
    """One line and exit code 2; nothing is written."""
    write(tmp_path / "mine")
    done = mmragbench(command, "mine", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert message in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_init_of_no_folder(tmp_path):
    """Of a file its folder is proposed."""
    (tmp_path / "a.yaml").write_text("")
    for name, message in (
        ("a.yaml", "a.yaml is a file; give its folder: mmragbench init ."),
        ("nowhere", "there is no folder 'nowhere'; give one with pictures or PDF files"),
    ):
        done = mmragbench("init", name, cwd=tmp_path)
        assert (done.returncode, done.stderr.splitlines()) == (2, [f"error: {message}"])


def in_terminal(arguments: list[str], answers: list[tuple[str, str]], cwd: Path) -> str:
    """Run the program in a pseudo-terminal and answer each prompt when it stands there; all output."""
    main, other = pty.openpty()
    process = subprocess.Popen(
        [PROGRAM, *arguments], stdin=other, stdout=other, stderr=other, cwd=cwd, close_fds=True
    )
    os.close(other)
    output, start, end = "", 0, time.monotonic() + 60
    waiting = list(answers)
    while time.monotonic() < end:
        ready, _, _ = select.select([main], [], [], 0.5)
        try:
            output += os.read(main, 4096).decode() if ready else ""
        except OSError:  # the program has ended
            break
        if waiting and waiting[0][0] in output[start:]:
            start = len(output)
            os.write(main, f"{waiting.pop(0)[1]}\n".encode())
    os.close(main)
    assert process.wait(10) == 0, output
    assert waiting == [], output
    return output


def test_questions_in_a_terminal(tmp_path):
    """Which data, where several layouts fit; which tasks; how many queries. An answer that cannot be used
    is asked for again."""
    metadata_jsonl(tmp_path / "mine")
    WRITERS["beir"](tmp_path / "mine")
    answers = [
        ("Which of them", "3"),
        ("Which of them", "2"),
        ("Which tasks", "captoning"),
        ("Which tasks", "captioning"),
        ("How many queries, of 9", "10"),
        ("How many queries, of 9", "4"),
    ]
    output = in_terminal(["init", "mine"], answers, tmp_path)
    assert "write a whole number from 1 to 2" in output
    assert "Did you mean 'captioning'?" in output
    suite = yaml.safe_load((tmp_path / "mine.yaml").read_text())
    assert suite["dataset"]["use"] == "folder"
    assert suite["dataset"]["limit"] == 4
    assert [*suite["tasks"]] == ["captioning"]


def test_questions_have_defaults(tmp_path):
    """An empty answer takes what `--yes` takes."""
    metadata_jsonl(tmp_path / "mine")
    in_terminal(["init", "mine"], [("Which tasks", ""), ("How many queries", "")], tmp_path)
    (tmp_path / "mine.yaml").rename(tmp_path / "asked.yaml")
    mmragbench("init", "mine", "--yes", cwd=tmp_path)
    asked, taken = (yaml.safe_load((tmp_path / n).read_text()) for n in ("asked.yaml", "mine.yaml"))
    assert asked == taken


@pytest.mark.real_data
def test_real_photographs(shared_data, tmp_path):
    """On 60 photographs of Flickr8k, pictures that look alike have better captions than any others."""
    run = mb.run(
        shared_data / "flickr8k",
        ["dataset.limit=60", "dataset.memory_limit=400"],
        output=tmp_path / "runs",
    )
    values = {
        row["strategy"]: row["estimate"]
        for row in run.rows
        if (row["task"], row["slice"], row["measure"]) == ("captioning", "all", "CIDEr")
        and row["generator"] == "consensus"
    }
    assert values["random"] < values["image-similarity"] < values["shared-space"] < values["oracle"]
