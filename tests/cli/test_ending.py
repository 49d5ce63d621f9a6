"""How commands end: in one line where the world is at fault, and where the user presses Ctrl-C."""

from __future__ import annotations

import errno
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import mmragbench as mb
from mmragbench import registry
from mmragbench._places import check_file, check_folder, private, unusable_folder
from mmragbench._printable import LONGEST, one_line
from mmragbench.engine.interrupts import STOPPED, outside
from mmragbench.errors import MmragbenchError
from support.paths import TESTS


def command(*arguments, limit=None, cwd=None, path=TESTS) -> subprocess.CompletedProcess:
    def small_files() -> None:
        if limit:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(
        [sys.executable, "-m", "mmragbench", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": f"{TESTS}:{path}"},
        preexec_fn=small_files,  # noqa: PLW1509 - one thread
    )


def assert_one_line(done: subprocess.CompletedProcess, *parts: str) -> None:
    assert done.returncode == 2, done.stderr
    (error,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert all(part in error for part in parts), error
    assert "Traceback" not in done.stderr


@pytest.fixture
def scored(tmp_path) -> list[str]:
    """The arguments of `score captions` on a few captions."""
    captions = [{"image_id": i, "caption": f"a cat number {i}"} for i in range(4)]
    (tmp_path / "results.json").write_text(json.dumps(captions))
    gold = {"annotations": [{**row, "id": row["image_id"]} for row in captions], "images": []}
    (tmp_path / "gold.json").write_text(json.dumps(gold))
    files = [str(tmp_path / "results.json"), "--references", str(tmp_path / "gold.json")]
    return ["score", "captions", *files, "--measures", "CIDEr"]


@pytest.mark.parametrize(
    "option, name", [("--output", "o"), ("--problems", "p.json"), ("--scores", "s.csv")]
)
@pytest.mark.parametrize("below_a_file", [False, True])
def test_a_place_that_is_of_no_use_is_told_before_anything_is_scored(
    scored, tmp_path, option, name, below_a_file
):
    """A folder, or below a file: one line, nothing on standard output, nothing left behind."""
    place = tmp_path / name
    if below_a_file:
        place.write_text("mine")
        place = place / name
    else:
        place.mkdir()
    before = sorted(tmp_path.rglob("*"))
    done = command(*scored, option, place)
    assert_one_line(done, option, str(place))
    assert done.stdout == "" and sorted(tmp_path.rglob("*")) == before


def test_a_run_that_cannot_be_written_computes_nothing(suite_file, tmp_path):
    """Neither the folder nor the cache has anything new."""
    (tmp_path / "file").write_text("mine")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(MmragbenchError, match="--output"):
            mb.run(suite_file(), output=place)
    assert not list(Path(os.environ["MMRAGBENCH_CACHE"]).rglob("*.sqlite"))


def test_places_are_judged_without_touching_them(tmp_path):
    """What is there, what is not yet, and names that no system takes."""
    (tmp_path / "file").write_text("")
    assert unusable_folder(tmp_path) is unusable_folder(tmp_path / "a" / "b") is None
    for bad in ("file", "file/a", "a" * 300, "a\0b"):
        with pytest.raises(MmragbenchError) as caught:
            check_folder("--output", tmp_path / bad)
        assert len(str(caught.value)) < 500
    check_file("--save", tmp_path / "file")
    with pytest.raises(MmragbenchError, match="it is a folder"):
        check_file("--save", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_full_disk_is_one_line_and_the_same_command_goes_on(suite_file, tmp_path):
    """With files of a few kilobytes at most; no draft is left, and the next run ends well."""
    suite, runs = suite_file(), tmp_path / "runs"
    for limit in (3_000, 20_000):
        done = command("run", suite, "--output", runs, limit=limit)
        assert_one_line(done)
    cache = Path(os.environ["MMRAGBENCH_CACHE"])
    assert not [*runs.rglob("*.draft"), *cache.rglob("*.draft")]
    done = command("run", suite, "--output", runs)
    assert done.returncode == 0, done.stderr


def test_what_the_world_does_is_said_in_words():
    """With the file, where it is known."""
    full = OSError(errno.ENOSPC, "No space left on device", "/data/x")
    assert str(outside(full)).startswith("/data/x: no space left on device; make room")
    assert "goes on from here" not in str(outside(PermissionError(errno.EACCES, "No", "/x")))
    assert "memory" in str(outside(MemoryError()))


def test_a_message_is_one_line_and_bounded():
    """Both of its ends are kept."""
    text = one_line(MmragbenchError("begin\n" + "x" * 10_000 + "\nend"))
    assert len(text) <= LONGEST and text.startswith("begin x") and text.endswith("end")


WATCHED = """
from mmragbench.engine.interrupts import INTERRUPTS

watch = INTERRUPTS.watch
INTERRUPTS.watch = lambda: (watch(), print("watching", flush=True))
from mmragbench.__main__ import main
main()
"""
"""The command line, which says when it has begun to look after Ctrl-C."""


@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_ctrl_c_says_that_the_command_goes_on(suite_file, tmp_path, seed, twice):
    """At whatever moment of a run that never ends by itself, once and twice: exit code 130, the line
    once, no traceback."""
    rng = random.Random(f"{seed} {twice}")
    suite = suite_file(
        strategies={
            "shared-space": {"encoder": "colours"},
            "endless": {"use": "support.toy:Endless"},
        },
        baseline=None,
    )
    process = subprocess.Popen(
        [sys.executable, "-c", WATCHED, "run", suite, "--output", tmp_path / "runs"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    )
    assert process.stdout.readline() == "watching\n"
    time.sleep(rng.uniform(0, 1.5))
    process.send_signal(signal.SIGINT)
    if twice:
        time.sleep(rng.choice([0, 0.01]))
        process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in errors
    assert errors.splitlines()[-1] == STOPPED and errors.count(STOPPED) == 1


IN_A_DESTRUCTOR = """
import signal, time
from mmragbench.engine.interrupts import INTERRUPTS

class Ends:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)
        sum(range(10))

class Fails:
    def __del__(self):
        raise ValueError("of the program's own")

INTERRUPTS.watch()
Fails()
try:
    Ends()
    time.sleep(30)
except KeyboardInterrupt:
    INTERRUPTS.end()
"""


def test_ctrl_c_in_a_destructor_is_not_lost():
    """Python swallows it there; other errors that it swallows are still shown."""
    done = subprocess.run(
        [sys.executable, "-c", IN_A_DESTRUCTOR],
        capture_output=True, text=True, check=False, timeout=20,
    )  # fmt: skip
    assert done.returncode == 130 and done.stderr.endswith(f"{STOPPED}\n")
    assert "of the program's own" in done.stderr and "KeyboardInterrupt" not in done.stderr


def test_a_crash_names_its_place_and_keeps_its_traceback(suite_file, tmp_path):
    """The task, the component, the error, the line in the user's file; --debug prints it all."""
    suite = suite_file(
        strategies={"bad": {"use": "support.toy:Crashing"}, "random": {}}, baseline="random"
    )
    done = command("run", suite, "--output", tmp_path / "runs")
    lines = done.stderr.splitlines()
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert all(
        f"crashed: {task} · support.toy:Crashing: ZeroDivisionError: one over nothing (toy.py:"
        in done.stderr
        for task in ("text-to-image", "captioning")
    )
    (file,) = (tmp_path / "runs").glob("*/failures.json")
    assert sum("one over nothing" in line for line in lines) == 2  # once a task
    assert lines[-1] == "note: run --debug prints the traceback"
    crashes = [row for row in json.loads(file.read_text()) if "traceback" in row]
    assert {crash["task"] for crash in crashes} == {"text-to-image", "captioning"}
    for crash in crashes:
        assert (crash["component"], crash["file"]) == ("support.toy:Crashing", "toy.py")
        code = (TESTS / "support/toy.py").read_text().splitlines()[crash["line"] - 1]
        assert "one over nothing" in code
        assert "Traceback" in crash["traceback"] and "in index" in crash["traceback"]
    debug = command("run", suite, "--output", tmp_path / "runs", "--debug")
    assert "Traceback" in debug.stderr and "one over nothing" in debug.stderr


CRASHING = """
class Data:
    def tasks(self):
        return {}["no such key"]

class Late:
    def __init__(self):
        self.x = None.attribute
    def index(self, memory): pass
    def retrieve(self, queries, k): return []
"""


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"dataset": {"use": "mine:Data"}}, "dataset mine:Data crashed: KeyError: 'no such key' (mine.py:4)"),
        ({"strategies": {"late": {"use": "mine:Late"}}, "baseline": None}, "(mine.py:8)"),
    ],
)  # fmt: skip
def test_a_dataset_or_a_constructor_that_crashes_is_one_line(
    suite_file, tmp_path, monkeypatch, changes, said
):
    """In the user's own module."""
    (tmp_path / "mine.py").write_text(CRASHING)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    with pytest.raises(MmragbenchError) as caught:
        mb.run(suite_file(**changes), output=tmp_path / "runs")
    assert said in str(caught.value) and "--debug" in str(caught.value)
    (file,) = (tmp_path / "runs").glob("*/failures.json")
    (crash,) = json.loads(file.read_text())
    assert f"({crash['file']}:{crash['line']})" in str(caught.value)
    assert "Traceback" in crash["traceback"]


ODD = """
from support import toy
from mmragbench.registry import measures

class Exits(toy.ColourEncoder):
    def encode_images(self, images):
        raise SystemExit(0)

class Panics(toy.ColourEncoder):
    def __init__(self):
        class PanicException(BaseException): pass
        raise PanicException("a library in Rust")

class Mute(toy.ColourEncoder):
    def encode_images(self, images):
        class Mute(Exception):
            def __str__(self): raise ValueError
        raise Mute

class Data:
    def tasks(self):
        raise SystemExit(0)

class Nothing:
    def tasks(self): return None

class Junk:
    def tasks(self): return {"captioning": 5}

class Leaves:
    def index(self, memory): raise SystemExit(0)
    def retrieve(self, queries, k): return []

@measures("Boom", scores=("caption",))
def boom(measures, task, rankings, outputs, depth=None):
    raise RuntimeError("no")
"""


@pytest.fixture
def odd(tmp_path, monkeypatch):
    (tmp_path / "odd.py").write_text(ODD)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "odd", raising=False)
    yield
    registry._components.pop(("measure", "Boom"), None)


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"models": "odd:Exits"}, "self-test (SystemExit: 0, odd.py:7)"),
        ({"models": "odd:Panics"}, "PanicException: a library in Rust (odd.py:12)"),
        ({"models": "odd:Mute"}, "self-test (Mute, odd.py:18)"),
        ({"dataset": {"use": "odd:Data"}}, "SystemExit: 0 (odd.py:22)"),
        ({"dataset": {"use": "odd:Nothing"}}, "tasks() has to give a mapping from names to tasks, not NoneType"),
        ({"dataset": {"use": "odd:Junk"}}, "'captioning' is no Task, but int"),
    ],
    ids=str,
)  # fmt: skip
def test_whatever_a_component_raises_is_one_line_with_its_place(
    suite_file, tmp_path, odd, changes, said
):
    """A component that exits ends no run with code 0; a panic or a wrong answer is no traceback."""
    if isinstance(changes.get("models"), str):
        namer = {"use": "support.toy:ColourCaptioner"}
        changes = {"models": {"colours": {"use": changes["models"]}, "namer": namer}}
    with pytest.raises(MmragbenchError) as caught:
        mb.run(suite_file(**changes), output=tmp_path / "runs")
    assert said in str(caught.value)


def test_a_strategy_that_exits_ends_its_cell_alone(suite_file, tmp_path, odd):
    """As any other crash."""
    strategies = {"leaves": {"use": "odd:Leaves"}, "random": {}}
    tasks = {"text-to-image": {"measures": ["R@1"]}}
    run = mb.run(
        suite_file(strategies=strategies, tasks=tasks, baseline=None), output=tmp_path / "runs"
    )
    assert [crash.place for crash in run.crashed] == ["odd.py:31"]
    assert [row["n"] > 0 for row in run.rows] == [False, True]


def test_a_measure_that_crashes_is_named_with_its_place(suite_file, tmp_path, odd, capsys):
    """Once, however many cells it was for."""
    tasks = {"captioning": {"measures": ["odd:boom"], "generator": ["nearest", "consensus"]}}
    path = suite_file(strategies={"random": {}, "oracle": {}}, tasks=tasks, baseline=None)
    done = command("run", path, "--output", tmp_path / "runs", path=tmp_path)
    lines = [line for line in done.stderr.splitlines() if "Boom" in line]
    assert done.returncode == 1
    expected = "crashed: captioning · Boom: RuntimeError: no (odd.py:36); the traceback is in failures.json"
    assert lines == [expected]


def test_help_that_cannot_be_written_is_one_line(tmp_path):
    """Outside of any command."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "mmragbench", "--help"],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert_one_line(done, "no space left on device")


def test_a_document_without_an_image_is_named_to_who_encodes_it():
    """Not by an attribute that None has not."""
    from mmragbench.engine.cached_models import CachedEncoder
    from mmragbench.engine.meter import Meter
    from mmragbench.records import Image
    from support import toy

    encoder = CachedEncoder(toy.ColourEncoder(), "e", None, Meter())
    with pytest.raises(TypeError, match="encode_images was handed None as item 2 of 2"):
        encoder.encode_images([Image("a", Path("a")), None])


def test_what_is_made_in_private_is_the_users_alone(tmp_path):
    """A stricter umask wins, and the one from before is back afterwards."""
    before = os.umask(0o022)
    try:
        with private():
            (tmp_path / "a").write_text("")
        (tmp_path / "b").write_text("")
        os.umask(0o177)
        with private():
            (tmp_path / "c").write_text("")
        assert os.umask(0o022) == 0o177
    finally:
        os.umask(before)
    assert [(tmp_path / n).stat().st_mode & 0o777 for n in "abc"] == [0o600, 0o644, 0o600]


def test_a_pipe_that_nobody_reads_is_quiet(suite_file, tmp_path):
    """`| head -1`."""
    run = mb.run(suite_file(), output=tmp_path / "runs").folder
    program = f"{sys.executable} -m mmragbench compare {run} --json | head -1"
    done = subprocess.run(program, shell=True, capture_output=True, text=True, check=False)
    assert done.stdout == "[\n" and done.stderr == ""
