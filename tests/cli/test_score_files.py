"""What `score --output` wrote is gated and compared like runs, from the command line."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).with_name("mmragbench")
N = 80


class Systems:
    """A folder with the outputs of two services, in two formats, and what they are scored against."""

    def __init__(self, root: Path) -> None:
        self.root = root
        queries = range(N)
        (root / "qrels").write_text("".join(f"q{i} 0 d{i} 1\n" for i in queries))
        captions = [
            {"id": 10 * i + j, "image_id": i, "caption": f"a {word} dog number {i} runs"}
            for i in queries
            for j, word in enumerate(("brown", "small"))
        ]
        (root / "captions.json").write_text(json.dumps({"annotations": captions}))
        for name, quality in (("good", 0.9), ("bad", 0.4)):
            self.write(name, quality)

    def write(self, name: str, quality: float) -> None:
        """The outputs of a service that is right in about that share."""
        rng = random.Random(name)
        right = [rng.random() < quality for _ in range(N)]
        hits = (f"q{i} Q0 d{i if right[i] else (i + 1) % N} 1 1.0 s\n" for i in range(N))
        (self.root / f"{name}.trec").write_text("".join(hits))
        texts = [f"a brown dog number {i} runs" if right[i] else "a cat" for i in range(N)]
        results = [{"image_id": i, "caption": text} for i, text in enumerate(texts)]
        (self.root / f"{name}_captions.json").write_text(json.dumps(results))
        for kind in ("rankings", "captions"):
            assert self.score(kind, name, "--output", f"{name}-{kind}.json").returncode == 0

    def score(self, kind: str, name: str, *options: str) -> subprocess.CompletedProcess[str]:
        """`score` of a service's outputs."""
        if kind == "rankings":
            return self.call(
                "score", kind, f"{name}.trec", "--qrels", "qrels", "--measures", "R@1,RR", *options
            )
        return self.call("score", kind, f"{name}_captions.json", "--references", "captions.json",
                         "--measures", "ROUGE_L,CIDEr,Bleu_1", *options)  # fmt: skip

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command, in the folder."""
        return subprocess.run(
            [PROGRAM, *arguments], cwd=self.root, capture_output=True, text=True, check=False,
            env={**os.environ, "COLUMNS": "200"},
        )  # fmt: skip


@pytest.fixture(scope="module")
def systems(tmp_path_factory):
    return Systems(tmp_path_factory.mktemp("systems"))


FILES = {"rankings": ["{}-rankings.json"], "captions": ["{}-captions.json"],
         "both": ["{}-rankings.json", "{}-captions.json"]}  # fmt: skip


@pytest.mark.parametrize("kind", list(FILES))
def test_the_gate_holds_and_fails(systems, kind):
    """One file or several: exit code 0 for what was saved, 1 for a worse service, whatever its files
    are called; the queries that got worse are named."""
    good, bad = ([file.format(name) for file in FILES[kind]] for name in ("good", "bad"))
    assert systems.call("gate", *good, "--save", "base.json").returncode == 0
    same, worse = (systems.call("gate", *files, "--baseline", "base.json") for files in (good, bad))
    assert (same.returncode, worse.returncode) == (0, 1), same.stderr + worse.stderr
    assert same.stdout.startswith("score holds. ")
    assert "regressed" in worse.stdout and "missing" not in worse.stdout
    assert "Queries that got worse:" in worse.stdout


def test_comparisons_are_those_of_against(systems):
    """Scored apart or together, two systems have the same differences, tests and verdicts."""
    apart = systems.call("compare", "good-rankings.json", "bad-rankings.json", "--json")
    together = systems.score("rankings", "good", "--against", "bad.trec", "--json")
    keys = ("measure", "difference", "low", "high", "p_value", "verdict", "n")
    one, other = (
        [{key: pair[key] for key in keys} for pair in pairs]
        for pairs in (json.loads(apart.stdout), json.loads(together.stdout)["comparisons"])
    )
    assert sorted(one, key=str) == sorted(other, key=str)
    assert {pair["verdict"] for pair in one} == {"better"}


def test_three_systems_are_compared_in_pairs(systems):
    """Each with each, or each with the baseline, which comes second; Holm's correction is over all."""
    systems.write("middle", 0.6)
    files = [f"{name}-captions.json" for name in ("good", "middle", "bad")]
    pairs = json.loads(systems.call("compare", *files, "--json").stdout)
    names = [f"{name}_captions" for name in ("good", "middle", "bad")]
    assert {(p["a"], p["b"]) for p in pairs} == {
        (names[0], names[1]), (names[0], names[2]), (names[1], names[2])
    }  # fmt: skip
    assert {(p["family"], p["tests"]) for p in pairs} == {("primary", 3), ("secondary", 6)}
    based = systems.call("compare", *files, "--baseline", names[0], "--json")
    assert {(p["a"], p["b"]) for p in json.loads(based.stdout)} == {
        (names[1], names[0]), (names[2], names[0])
    }  # fmt: skip


@pytest.mark.parametrize(
    "arguments, message",
    [(("compare", "good-rankings.json", "bad-captions.json"), "scored against the same gold"),
     (("compare", "good-rankings.json", "good-rankings.json"), "in them twice"),
     (("compare", "good-rankings.json", "captions.json"), "expected a run folder, or a JSON file"),
     (("gate", "good-rankings.json", ".", "--save", "b.json"), "give one run folder, or files"),
     (("gate", "captions.json", "--save", "b.json"), "expected a run folder, or a JSON file"),
     (("gate", "qrels", "--save", "b.json"), "qrels is not JSON"),
     (("compare", "good-rankings.json", "bad-rankings.json", "--measures", "RRR"), "'RRR'"),
     (("score", "rankings", "good.trec", "--qrels", "qrels", "--fail-on-worse"), "--against FILE")],
)  # fmt: skip
def test_misuse_is_one_line_and_exit_code_2(systems, arguments, message):
    """What was given, and what is expected."""
    done = systems.call(*arguments)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
    assert message in done.stderr


@pytest.mark.parametrize(
    "change",
    [lambda s: s.update(queries=s["queries"][1:]), lambda s: s.update(queries=["q1"] * N),
     lambda s: s["values"].update(RR=["much"] * N), lambda s: s.update(rows=[{}]),
     lambda s: s["rows"][0].update(measure="no measure"), lambda s: s.update(more=1),
     lambda s: s["rows"][0].update(estimate="x"), lambda s: s["rows"][0].update(bounds="x"),
     lambda s: s["rows"][0].update(bounds=[1, 1]), lambda s: s["rows"][0].update(k={}), lambda s: s["rows"][0].update(signature=7)],
)  # fmt: skip
def test_a_file_that_was_changed_is_refused_or_read(systems, change):
    """In one line, never with a traceback."""
    content = json.loads((systems.root / "good-rankings.json").read_text())
    change(content["systems"][0])
    (systems.root / "changed.json").write_text(json.dumps(content))
    for command in (("gate", "changed.json", "--save", "c.json"),
                    ("compare", "changed.json", "bad-rankings.json")):  # fmt: skip
        done = systems.call(*command)
        assert "Traceback" not in done.stderr
        assert done.returncode in (0, 2) and len(done.stderr.splitlines()) <= 1, done.stderr


@pytest.mark.parametrize("first, second, code", [("bad", "good", 1), ("good", "bad", 0)])
def test_worse_can_be_an_exit_code(systems, first, second, code):
    """With --fail-on-worse it is 1 where the first system is shown to be worse; without, it is 0."""
    options = ("--against", f"{second}.trec")
    assert systems.score("rankings", first, *options).returncode == 0
    assert systems.score("rankings", first, *options, "--fail-on-worse").returncode == code


def test_files_of_two_references_are_two_tasks(systems):
    """Also where these have one name in two folders, as an export has them; a system that is scored
    against both is in both."""
    for name, prefix in (("first", "q"), ("second", "r")):
        folder = systems.root / name
        folder.mkdir()
        (folder / "qrels").write_text("".join(f"{prefix}{i} 0 d{i} 1\n" for i in range(N)))
        (folder / "good.trec").write_text("".join(f"{prefix}{i} Q0 d{i} 1 1 s\n" for i in range(N)))
        done = systems.call("score", "rankings", f"{name}/good.trec", "--qrels", f"{name}/qrels",
                            "--measures", "RR", "--output", f"{name}.json")  # fmt: skip
        assert done.returncode == 0, done.stderr
    files = ("first.json", "second.json")
    assert systems.call("gate", *files, "--save", "two.json").returncode == 0
    cells = json.loads((systems.root / "two.json").read_text())["cells"]
    assert [(cell["task"], cell["strategy"]) for cell in cells] == [
        ("retrieval first/qrels", "good"), ("retrieval second/qrels", "good")
    ]  # fmt: skip
    assert systems.call("gate", *files, "--baseline", "two.json").returncode == 0
