"""Typical mistakes: each ends with exit code 2 and one line that says what to do."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import sys
import warnings
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from mmragbench.cli.app import main
from support import toy

SUITE = {
    "name": "small",
    "dataset": {"use": "coco", "root": "coco"},
    "models": {
        "colours": {"use": "support.toy:ColourEncoder"},
        "judge": {"use": "judge", "chat": "talker"},
        "talker": {"use": "support.toy:Mute"},
    },
    "strategies": {"backwards": {"use": "support.toy:Backwards"}, "random": {}, "oracle": {}},
    "tasks": {
        "text-to-image": {"measures": ["R@1"]},
        "captioning": {"measures": ["CIDEr"], "generator": ["nearest"], "k": 1},
    },
    "baseline": "random",
}


class Ended:
    """How a command ended: its exit code and the lines of its standard error."""

    def __init__(self, code: object, stderr: str) -> None:
        self.code, self.lines = code, stderr.splitlines()

    @property
    def errors(self) -> list[str]:
        return [line for line in self.lines if line.startswith("error: ")]


def command(*arguments: str) -> object:
    """Run a command in this process; its exit code."""
    before = signal.getsignal(signal.SIGINT), sys.unraisablehook, warnings.formatwarning, sys.argv
    sys.argv = ["mmragbench", *arguments]
    try:
        main()
    except SystemExit as end:
        return end.code
    finally:
        signal.signal(signal.SIGINT, before[0])
        sys.unraisablehook, warnings.formatwarning, sys.argv = before[1:]
    return 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Data, suites, a run with its baseline, and what can be wrong with each."""
    root = tmp_path_factory.mktemp("mistakes")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setenv("MMRAGBENCH_CACHE", str(root / "cache"))
        toy.write_coco(Path("coco"))
        write_data()
        write_suites()
        write_outputs()
        for name in ("small", "other"):
            assert command("run", f"{name}.yaml") == 0
            next(Path("runs").glob(f"{name}-*")).rename(name)
        assert command("gate", "small", "--save", "baseline.json") == 0
        scored = "score captions results.json --references references.json --output score.json"
        assert command(*scored.split()) == 0
        write_broken_runs()
    return root


def write_data() -> None:
    for name in ("no_images", "empty_images", "foreign", "cut"):
        shutil.copytree("coco", name)
    shutil.rmtree("no_images/val2017")
    for file in Path("empty_images/val2017").iterdir():
        file.unlink()
    annotations = Path("foreign/annotations/captions_val2017.json")
    content = json.loads(annotations.read_text())
    for image in content["images"]:
        image["file_name"] = f"COCO_{image['file_name']}"
    annotations.write_text(json.dumps(content))
    cut = Path("cut/annotations/captions_val2017.json")
    cut.write_text(cut.read_text()[:300])
    Path("table").mkdir()
    table = pa.table({"picture": ["a.png"], "text": ["a cat"]})
    pq.write_table(table, "table/test-0.parquet")
    shutil.copytree("table", "cut_table")
    file = Path("cut_table/test-0.parquet")
    file.write_bytes(file.read_bytes()[:-20])
    Path("captions").mkdir()
    Path("captions/captions.txt").write_text("q1 Q0 d1 1 0.9 mine\n")


def write_suites() -> None:
    text = yaml.safe_dump(SUITE, sort_keys=False)
    Path("small.yaml").write_text(text)
    Path("other.yaml").write_text(text.replace("name: small", "name: other"))
    Path("utf16.yaml").write_bytes(text.encode("utf-16"))
    Path("latin1.yaml").write_bytes(f"description: Café\n{text}".encode("latin-1"))
    Path("tabs.yaml").write_text(text.replace("  use: coco", "\tuse: coco"))
    Path("twice.yaml").write_text(f"{text}name: again\n")
    Path("empty.yaml").write_text("# to do\n")
    Path("list.yaml").write_text("- random\n- oracle\n")
    for key in ("strategies", "tasks"):
        Path(f"no_{key}.yaml").write_text(yaml.safe_dump({**SUITE, key: {}, "baseline": None}))


def write_outputs() -> None:
    captions = [{"image_id": i, "caption": f"a cat {i}"} for i in range(3)]
    files = {
        "results": captions,
        "references": {"annotations": captions},
        "foreign_references": {"annotations": [{"image_id": 77, "caption": "a dog"}]},
    }
    for name, content in files.items():
        Path(f"{name}.json").write_text(json.dumps(content))
    Path("no.json").write_text("")
    Path("latin1.json").write_bytes('[{"image_id": 1, "caption": "Café"}]'.encode("latin-1"))
    Path("run.trec").write_text("q1 Q0 d1 1 0.9 mine\n")
    Path("qrels").write_text("q1 0 d1 1\n")


def write_broken_runs() -> None:
    for name in ("damaged", "cut_scores", "older"):
        shutil.copytree("small", name)
    summary = Path("damaged/summary.json")
    summary.write_text(summary.read_text()[:500])
    scores = Path("cut_scores/cells/text-to-image/random/scores.parquet")
    scores.write_bytes(scores.read_bytes()[:100])
    Path("older/files.json").unlink()
    rows = json.loads(Path("older/summary.json").read_text())
    Path("older/summary.json").write_text(
        json.dumps([{n: v for n, v in row.items() if n != "unit"} for row in rows])
    )


MISTAKES = {
    # the command
    "run": "missing argument 'suite'. See: mmragbench run --help",
    "rnu small.yaml": "no such command 'rnu'. Did you mean 'run'?",
    "run small.yaml --outptu x": "no such option: --outptu (Possible options: --output)",
    # the suite's file
    "run scens": "there is no suite 'scens' (did you mean 'scenes'?); give a file, a folder of data, or",
    "run utf16.yaml": "utf16.yaml is not UTF-8 text, it seems to be UTF-16; convert it: iconv -f UTF-16",
    "run latin1.yaml": "latin1.yaml, line 1, is not UTF-8 text, it seems to be CP1252, in which it reads "
    "'description: Café'; convert it: iconv -f CP1252",
    "run tabs.yaml": "tabs.yaml:3 is not YAML: it begins with a tab; indent it with blanks",
    "run twice.yaml": "'name' is there twice",
    "run empty.yaml": "empty.yaml is not a suite: it is empty; expected keys: name, dataset",
    "run list.yaml": "list.yaml is not a suite: it is a list of 2; expected keys: name, dataset",
    "run no_strategies.yaml": "strategies: it is empty; name one at least",
    "run no_tasks.yaml": "tasks: it is empty; name one at least",
    # what it names
    "run small.yaml datset.limit=3": "unknown key 'datset'. Did you mean 'dataset'? There is: baseline,",
    "run small.yaml dataset.limt=3": "unknown argument of coco 'limt'. Did you mean 'limit'?",
    "run small.yaml dataset.use=cocoo": "unknown dataset 'cocoo'. Did you mean 'coco'? There is: beir,",
    "run small.yaml tasks.captoning.measures=CIDEr": "unknown task of coco 'captoning'. Did you mean "
    "'captioning'?",
    "run small.yaml tasks.captioning.measures=CIDre": "unknown measure 'CIDre'. Did you mean 'CIDEr'?",
    "run small.yaml tasks.text-to-image.measures=CIDEr": "CIDEr scores caption outputs; text-to-image "
    "produces none; it fits captioning",
    "run small.yaml strategies.orcale=": "unknown strategy 'orcale'. Did you mean 'oracle'?",
    "run small.yaml strategies.shared-space.encoder=colors": "unknown model 'colors'. Did you mean "
    "'colours'?",
    "run small.yaml strategies.shared-space=": "shared-space needs 'encoder': a model of the suite that is "
    "an encoder; it has colours,",
    "run small.yaml strategies.shared-space.encoder=judge": "unknown encoder 'judge'",
    "run small.yaml tasks.captioning.generator=nearst": "unknown generator 'nearst'. Did you mean 'nearest'?",
    "run small.yaml baseline=rnadom": "unknown strategy 'rnadom'. Did you mean 'random'?",
    # its values
    "run small.yaml limit": "'limit' is not an override; write key=value, e.g. dataset.limit=100",
    "run small.yaml dataset.limit=many": "dataset.limit: expected a whole number, but it is 'many'",
    "run small.yaml dataset.limit=0": "dataset.limit: expected 1 or more, but it is 0",
    "run small.yaml dataset.limit=-3": "dataset.limit: expected 1 or more, but it is -3",
    "run small.yaml dataset.limit=8 dataset.memory=rest": "the limit of 8 leaves nothing for the memory",
    "run small.yaml tasks.captioning.k=0": "tasks.captioning.k: expected 1 or more, but it is 0",
    "run small.yaml --max-excluded lots": "'lots' is neither a share such as 5% nor a whole number",
    # where the results go
    "run small.yaml --output small.yaml": "--output small.yaml/small-",
    "run small.yaml --output /proc/1/none": "/proc/1/none",
    # the data
    "run small.yaml dataset.root=nowhere": "(there is no such folder in ",
    "run small.yaml dataset.root=no_images": "there is no folder no_images/val2017",
    "run small.yaml dataset.root=empty_images": "empty_images/val2017 has no files",
    "run small.yaml dataset.root=foreign": "first: 1001: COCO_000000001001.png: there is no such file; "
    "foreign/val2017 has '000000001001.png', ... (8 in all)",
    "run small.yaml dataset.root=cut": "cut/annotations/captions_val2017.json is not JSON (",
    "run small.yaml dataset.use=huggingface dataset.path=table": "unknown column 'image'. There is: picture, text.",
    "run small.yaml dataset.use=huggingface dataset.path=table dataset.queries=val": "unknown split 'val'. There is: test.",
    "run small.yaml dataset.use=huggingface dataset.path=cut_table": "cut_table/test-0.parquet is damaged",
    "run small.yaml dataset.use=flickr dataset.root=captions": "captions/captions.txt: it looks like a TREC run; "
    "expected CSV with the header image,caption",
    # runs and baselines
    "compare coco": "coco is not a run folder: it has no suite.yaml; give the folder that",
    "compare damaged": "damaged/summary.json is not as the run wrote it; run the suite again",
    "compare cut_scores": "cut_scores/cells/text-to-image/random/scores.parquet is not as the run wrote it",
    "compare older": "an older version wrote it; run the suite again",
    "compare small --baseline shared-space": "small has no strategy 'shared-space'; it has backwards, oracle, random",
    "report small --format markdown --measures CIDre": "unknown measure of small 'CIDre'. Did you mean",
    "report small --format markdown --tasks captions": "unknown task of small 'captions'. Did you mean",
    "report small --format markdown --slice emblems": "unknown slice of small 'emblems'. There is: all.",
    "report small --format word": "invalid value for '--format': 'word' is not one of 'latex', 'markdown'",
    "report small --tasks captioning": "--tasks needs --format: the whole report shows all",
    "report small --note full": "--note needs --format: the whole report shows all",
    "report small --digits 0": "--digits needs --format: the whole report shows all",
    "report small --format markdown --names clip=CLIP": "unknown strategy, generator, task or suite of small 'clip'",
    "report small --format markdown --names backwards": "--names is NAME=TEXT, shared-space='CLIP (ours)', not",
    "report small --format markdown --digits 99": "invalid value for '--digits'",
    "compare latest": "there is no finished run in runs; make one: mmragbench run SUITE",
    "compare smal-": "there is no run smal-; make one: mmragbench run SUITE",
    "compare small score.json": "give one run folder, or files that `score --output` wrote",
    "runs empty_images": "there is no finished run in empty_images",
    "ls nonsense": "unknown name 'nonsense'. Did you mean 'consensus'?",
    "compare score.json score.json": "the outputs results.json are in them twice",
    "gate score.json --baseline baseline.json": "baseline.json is a baseline of the suite 'small'",
    "gate small --baseline score.json": "score.json is not a baseline of this version",
    "report score.json": "score.json",
    "run small.yaml --seeds 0": "seeds: 0 seeds; there may be 1 to 100",
    "run small.yaml --seeds x": "invalid value for '--seeds'",
    "run small": "'small' is a run folder, where a suite or a folder of data is wanted; small/suite.yaml",
    "export small --format word": "unknown format 'word'. There is: beir, coco, mteb, trec.",
    "gate small --baseline results.json": "results.json is not a baseline",
    "gate small --baseline small": "small is a folder, where a baseline's file is wanted",
    "gate other --baseline baseline.json": "baseline.json is a baseline of the suite 'small', and other is "
    "a run of 'other'",
    # outputs made elsewhere
    "score captions results.json --references foreign_references.json": "none of the 1 images that the gold "
    "asks for is there",
    "score captions no.json --references references.json": "no.json is empty; expected COCO results",
    "score captions latin1.json --references references.json": "in which it reads",
    "score captions run.trec --references references.json": "(it looks like a TREC run); expected COCO results",
    "score captions references.json --references references.json": "references.json is an object with "
    "'annotations'; expected COCO results, a list of",
    "score rankings results.json --qrels qrels": "it looks like JSON; expected a TREC run",
    "score rankings run.trec --qrels run.trec": "(it looks like a TREC run); expected TREC qrels",
}  # fmt: skip
"""Command -> a part of its one line."""


@pytest.mark.parametrize(("given", "expected"), MISTAKES.items(), ids=MISTAKES)
def test_a_mistake_is_one_line_and_exit_code_2(folder, monkeypatch, capsys, given, expected):
    """What was asked, what there is, what to do; nothing of it is a traceback."""
    monkeypatch.chdir(folder)
    ended = Ended(command(*given.split()), capsys.readouterr().err)
    assert ended.code == 2, ended.lines
    assert len(ended.errors) == 1 and ended.lines[-1] == ended.errors[0]
    assert expected in ended.errors[0]
    assert "Traceback" not in "".join(ended.lines)


@pytest.mark.parametrize("given", ["run small.yaml seed=1", "gate small --save new.json"])
def test_a_full_disk_is_one_line(folder, monkeypatch, capsys, given):
    """Whatever is written there; the same command goes on when there is room."""

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.chdir(folder)
    monkeypatch.setattr(os, "replace", full)
    ended = Ended(command(*given.split()), capsys.readouterr().err)
    assert ended.code == 2
    assert "no space left on device; make room or fix it" in "".join(ended.errors)
    assert "Traceback" not in "".join(ended.lines)
