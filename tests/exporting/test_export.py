"""What an export is made from, and when there is none."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

import mmragbench as mb
import toy
from mmragbench.errors import DataError, MmragbenchError, SuiteError
from mmragbench.exporting.reposing import load_tasks


@pytest.fixture
def finished(suite_file, tmp_path):
    """A run of one's own, and the folder of its data."""
    path = suite_file(tasks={"text-to-image": {"measures": ["R@1"]}})
    return mb.run(path, output=tmp_path / "runs").folder, tmp_path / "coco"


def test_data_that_is_gone_is_asked_for_and_may_have_moved(finished, tmp_path):
    """The error says how to tell where it is now."""
    run, data = finished
    moved = shutil.move(data, tmp_path / "elsewhere")
    with pytest.raises(DataError, match="dataset.root=FOLDER"):
        mb.export(run, "trec", tmp_path / "out")
    done = mb.export(run, "trec", tmp_path / "out", [f"dataset.root={moved}"])
    assert len(done.files) == 5


@pytest.mark.parametrize(
    "change, what",
    [
        (lambda root: toy.draw(root / "val2017/000000001001.png", "purple", 7), "documents"),
        (lambda root: edit(root, lambda caption: caption | {"caption": "odd"}), "queries"),
        (lambda root: edit(root, lambda caption: caption | {"image_id": 1002}), "gold|queries"),
    ],
)
def test_other_data_than_the_runs_is_refused(change, what, finished, tmp_path):
    """A picture, a text or a judgement that changed: no number may come of a mixture."""
    run, data = finished
    change(data)
    with pytest.raises(DataError, match=f"{what}.* not those of the run any more"):
        mb.export(run, "trec", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def edit(root, change):
    """Change the first caption of the queries' split."""
    path = root / "annotations/captions_val2017.json"
    content = json.loads(path.read_text())
    content["annotations"][0] = change(content["annotations"][0])
    path.write_text(json.dumps(content))


def test_other_gold_alone_is_refused(finished, tmp_path, monkeypatch):
    """The same queries and documents with another judgement."""
    run, _ = finished
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["data"]["text-to-image"]["gold_digest"] = "0" * 64
    (run / "files.json").unlink()
    (run / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DataError, match="gold .* not those of the run"):
        load_tasks(run)


def test_a_run_that_did_not_note_its_gold_is_refused(finished):
    """An older run: what can't be checked is not exported."""
    run, _ = finished
    manifest = json.loads((run / "manifest.json").read_text())
    del manifest["data"]["text-to-image"]["gold_digest"]
    (run / "files.json").unlink()
    (run / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DataError, match="run the suite again"):
        load_tasks(run)


def test_a_folder_with_something_in_it_is_left_alone(finished, tmp_path):
    """Two exports are never mixed."""
    run, _ = finished
    mb.export(run, "trec")
    assert (run / "export/trec/text-to-image/qrels.trec").is_file()
    with pytest.raises(MmragbenchError, match="new or empty folder"):
        mb.export(run, "trec")


def test_names_that_do_not_exist_are_told_with_those_that_do(finished, tmp_path):
    """A format, a run."""
    run, _ = finished
    with pytest.raises(MmragbenchError, match="There is: beir, coco, mteb, trec"):
        mb.export(run, "tree")
    with pytest.raises(DataError, match="not a finished run"):
        mb.export(tmp_path, "trec")
    with pytest.raises(SuiteError, match="unknown argument|no argument|rot"):
        mb.export(run, "trec", tmp_path / "out", ["dataset.rot=1"])


def test_the_command_says_what_it_wrote_and_what_it_left_out(coco_run, tmp_path, own_cache):
    """A line on standard output; reasons on standard error; 2 for misuse, without a traceback."""

    def command(*arguments):
        asked = [sys.executable, "-m", "mmragbench.cli.app", "export", str(coco_run), *arguments]
        return subprocess.run(asked, capture_output=True, text=True, check=False, cwd=tmp_path)

    done = command("--format", "trec", "--output", "out")
    assert (done.returncode, done.stdout) == (0, "out: 15 files\n")
    assert "left out: captioning/no-retrieval: retrieved nothing" in done.stderr
    wrong = command("--format", "trec", "--output", "out")
    assert wrong.returncode == 2 and wrong.stderr.startswith("error: out is there already")
    two = command("another-run", "--format", "trec")
    assert two.returncode == 2 and two.stderr.startswith("error: one run at a time: 'another-run'")
