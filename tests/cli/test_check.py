"""`mmragbench check` as its users meet it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SUITE = """
name: some
dataset: scenes
models: {clip: {use: "mmragbench.checking.stand_ins:Encoder"}}
strategies: {random: }
tasks: {text-to-image: {measures: [R@1]}}
"""
BROKEN = """
from mmragbench.contracts import Encoder
from mmragbench.records import Ranking

class Newest:
    def index(self, memory):
        self._ids = [document.id for document in memory]

    def retrieve(self, queries, k):
        return [Ranking.of(q.id, [(id, 0.0) for id in self._ids]) for q in queries]

class Crashing(Newest):
    def index(self, memory):
        raise KeyError("nothing here")

class Strings(Newest):
    def __init__(self, encoder: Encoder):
        self._encoder = encoder

    def index(self, memory):
        super().index(memory)
        self._encode(memory)

    def _encode(self, memory):
        self._encoder.encode_texts([document.id for document in memory])

class Hashed(Newest):
    def retrieve(self, queries, k):
        return [Ranking.of(q.id, [(i, float(hash(i) % 999)) for i in self._ids], k) for q in queries]

class Both(Newest):
    def caption(self, images, prompts):
        return []

class Picky:
    def __init__(self, width: int) -> None:
        pass

    def tasks(self):
        return {}
"""


CALL = "        self._encoder.encode_texts([document.id for document in memory])"


@pytest.fixture
def check(tmp_path, monkeypatch):
    """Runs `mmragbench check` in a folder with a module of somebody's own."""
    (tmp_path / "mine.py").write_text(BROKEN)
    (tmp_path / "unfinished.py").write_text("class Newest(\n")
    (tmp_path / "rash.py").write_text("1 / 0\n")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "mmragbench.cli.app", "check", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    return run


def test_a_component_that_keeps_its_contract_is_exit_code_0(check):
    """With a line for each rule, and what is not checked."""
    done = check("shared-space", "document=max")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "shared-space as strategy, with encoder = kit-encoder" in done.stdout
    assert "21 rules: 21 ok" in done.stdout
    assert "not checked for any strategy: how good it is" in done.stdout


def test_a_broken_rule_is_exit_code_1_with_what_to_do(check):
    """What was expected, what was seen, how to fix it."""
    done = check("mine:Newest", "--kind", "strategy")
    assert done.returncode == 1 and done.stderr == ""
    output = " ".join(done.stdout.split())
    assert "failed at most k" in output
    assert "Observed: query q3 has 11 hits for k = 1 (captioning). Fix: Cut at k" in output


def test_a_crash_is_a_broken_rule_with_its_place(check):
    """One line, no traceback; the same reason again is not said again."""
    done = check("mine:Crashing", "--kind", "strategy")
    assert done.returncode == 1
    assert "it raised KeyError: 'nothing here' (mine.py:14)" in " ".join(done.stdout.split())
    assert done.stdout.count("it raised") == 1
    assert "Traceback" not in done.stdout + done.stderr


def test_a_cause_is_said_once_with_the_deepest_place_in_the_users_file(check):
    """Above the rules that it breaks, and also where what the user called raised it."""
    done = check("mine:Strings", "--kind", "strategy")
    lines = done.stdout.splitlines()
    (cause,) = [at for at, line in enumerate(lines) if "encode_texts was handed a str" in line]
    assert lines[cause].endswith(f"(mine.py:{BROKEN.splitlines().index(CALL) + 1})")
    assert lines[cause - 1].startswith("failed   ")
    assert "rules: one answer an item, answers have their type, " in lines[cause - 1]
    assert done.returncode == 1


def test_another_process_has_other_hashes(check):
    """What is the same again and again in one process may not be in the next."""
    done = check("mine:Hashed", "--kind", "strategy")
    assert done.returncode == 1
    assert "the hits differ for captioning" in done.stdout and "20 ok, 1 failed" in done.stdout


def test_verdicts_for_programs(check):
    """`--json` has each rule with its status and message, and the same exit code."""
    done = check("mine:Newest", "--kind", "strategy", "--json")
    result = json.loads(done.stdout)
    assert done.returncode == 1
    assert (result["component"], result["kind"]) == ("mine:Newest", "strategy")
    status = {verdict["rule"]: verdict["status"] for verdict in result["verdicts"]}
    assert status["at most k"] == "failed" and status["hits are in the memory"] == "ok"
    assert {v["status"] for v in result["verdicts"]} <= {"ok", "failed", "warning", "skipped"}


def test_models_may_come_from_a_suite(check, tmp_path):
    """`--suite` names a file; its models stand beside the kit's."""
    (tmp_path / "some.yaml").write_text(SUITE)
    done = check("shared-space", "encoder=clip", "--suite", "some.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "encoder = clip" in done.stdout


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("mine:Newer",), "cannot import component 'mine:Newer'"),
        (("nowhere:Newest",), "No module named 'nowhere'"),
        (("unfinished:Newest",), "SyntaxError"),
        (("rash:Newest",), "ZeroDivisionError"),
        (("shared-spce",), "Did you mean 'shared-space'?"),
        (("mine:Both",), "mine:Both is not registered; say which kind it is, --kind KIND: dataset"),
        (("transformers",), "say which: --kind encoder"),
        (("mine:Newest", "--kind", "strategem"), "Did you mean 'strategy'?"),
        (("shared-space", "documents=max"), "unknown argument of shared-space 'documents'"),
        (("shared-space", "encoder=clip"), "unknown model 'clip'"),
        (("shared-space", "document"), "write key=value"),
        (("shared-space", "document=best"), "document"),
        (("mine:Picky", "--kind", "dataset"), "needs 'width'"),
        (("text-grounding", "encoder="), "search: dense needs an encoder"),
        (("records:Newest", "--suite", "nowhere.yaml"), "there is no suite"),
        (("mmragbench.records:Document",), "is not registered; say which kind it is"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)  # fmt: skip
def test_misuse_is_exit_code_2_and_one_line(check, arguments, message):
    """It says what was asked and what to do."""
    done = check(*arguments)
    assert done.returncode == 2, done.stdout
    assert done.stderr.startswith("error: ") and message in done.stderr
    assert done.stderr.count("\n") == 1
