"""A run's files are those that it wrote, all of them, or the run is refused in one line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

import mmragbench as mb
from mmragbench.comparing.families import within
from mmragbench.errors import DataError, MmragbenchError
from mmragbench.run_folder.files import LIST, Files, writing
from mmragbench.run_folder.reading import Run, open_run
from mmragbench.verbs import write_reports
from support import toy


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """A finished run. Tests only read it."""
    root = tmp_path_factory.mktemp("files")
    tasks = {
        "text-to-image": {"measures": ["R@1"]},
        "captioning": {"generator": ["nearest"], "measures": ["CIDEr"]},
    }
    strategies = {"random": {}, "shared-space": {"encoder": "colours"}, "oracle": {}}
    suite = toy.suite(toy.write_coco(root / "coco"), tasks=tasks, strategies=strategies)
    suite["baseline"] = "random"
    (root / "toy.yaml").write_text(yaml.safe_dump(suite, sort_keys=False))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMRAGBENCH_CACHE", str(root / "cache"))
        return mb.run(root / "toy.yaml", output=root / "runs").folder


@pytest.fixture
def copy(finished, tmp_path) -> Path:
    return shutil.copytree(finished, tmp_path / "run", ignore=shutil.ignore_patterns("report"))


def load(run: Path) -> None:
    results = mb.load(run)
    _ = results.summary, results.scores, results.outputs, results.rankings, results.comparisons


READERS: dict[str, Callable[[Path], object]] = {
    "compare": lambda run: within(open_run(run)),
    "gate": lambda run: mb.save_baseline(run, run.parent / "baseline.json"),
    "report": write_reports,
    "load": load,
    "export": lambda run: mb.export(run, "trec", run.parent / "out"),
}


def test_every_file_that_results_are_read_from_is_listed(finished):
    """With the digest that it has; what is not of this one run is not."""
    listed = json.loads((finished / LIST).read_text())["files"]
    below = {
        p.relative_to(finished).as_posix()
        for n in ("tasks", "cells")
        for p in (finished / n).rglob("*.*")
    }
    assert below <= set(listed) and {"suite.yaml", "summary.json", "comparisons.json"} <= set(
        listed
    )
    assert not [name for name in listed if name.startswith(("report", "thumbnails", LIST))]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    "change",
    [
        lambda content: content[: len(content) // 2],
        lambda content: content.replace(b"1", b"2", 1),
        lambda content: b"",
        lambda content: None,
    ],
    ids=["cut", "other", "empty", "gone"],
)
def test_a_file_that_is_not_as_it_was_written_is_named(reader, change, copy):
    """Whatever happened to it, and whoever reads it."""
    for name in ("summary.json", "suite.yaml"):
        path = copy / name
        before = path.read_bytes()
        after = change(before)
        path.unlink() if after is None else path.write_bytes(after)
        with pytest.raises(MmragbenchError) as caught:
            READERS[reader](copy)
        assert name in str(caught.value) and "\n" not in str(caught.value)
        path.write_bytes(before)


@pytest.mark.parametrize(
    "name, reader",
    [
        ("cells/captioning/random/nearest-k1/scores.parquet", "compare"),
        ("cells/captioning/random/nearest-k1/outputs.jsonl", "report"),
        ("tasks/captioning/queries.parquet", "gate"),
        ("cells/text-to-image/random/run.trec", "export"),
        ("cells/text-to-image/random/run.trec", "load"),
    ],
)
def test_evidence_that_is_damaged_or_gone_is_named(name, reader, copy):
    """It is not left out as if the run had not written it."""
    content = (copy / name).read_bytes()
    (copy / name).write_bytes(content[:-3])
    with pytest.raises(DataError, match=Path(name).name):
        READERS[reader](copy)
    (copy / name).unlink()
    shutil.rmtree(copy.parent / "out", ignore_errors=True)
    with pytest.raises(DataError, match=Path(name).name):
        READERS[reader](copy)


@pytest.mark.parametrize("reader", READERS)
def test_a_damaged_list_is_named(reader, copy):
    """A name or a digest that changed would hide a file; other than JSON, it says nothing."""
    content = (copy / LIST).read_text()
    for damaged in (content.replace("scores", "scoras", 1), content[:-20], "[]", "{}", "\x00"):
        (copy / LIST).write_text(damaged)
        with pytest.raises(DataError, match=LIST):
            READERS[reader](copy)


@pytest.mark.parametrize("reader", READERS)
def test_a_run_that_was_killed_while_it_wrote_is_refused(reader, copy):
    """At any moment: also where all files of an older run would still be there."""

    class Killed(BaseException):
        pass

    summary = (copy / "summary.json").read_bytes()
    with pytest.raises(Killed), writing(copy):  # noqa: PT012 - two steps of a run
        (copy / "summary.json").write_bytes(summary)
        raise Killed
    with pytest.raises(DataError, match="did not end"):
        READERS[reader](copy)


def test_nothing_of_an_earlier_run_is_left_beside_the_new(copy):
    """Cells that the new run does not write are gone; the ledger and thumbnails stay."""
    (copy / "spending.jsonl").write_text("")
    with writing(copy):
        (copy / "summary.json").write_text("[]")
    listed = json.loads((copy / LIST).read_text())["files"]
    assert list(listed) == ["summary.json"]
    assert (copy / "spending.jsonl").exists() and (copy / "thumbnails").exists()
    assert not (copy / "cells").exists() and not (copy / "comparisons.json").exists()


def test_a_run_without_a_list_is_read_as_it_is(copy):
    """As older versions left it."""
    (copy / LIST).unlink()
    for read in READERS.values():
        read(copy)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", ["summary.json", "suite.yaml", "manifest.json"])
@pytest.mark.parametrize("content", [b"[]", b"{}", b"[1, 2]", b"null", b"\xff\xfe", b"[" * 4000])
def test_nonsense_in_a_run_without_a_list_is_one_line(reader, name, content, copy):
    """Or it does not matter to who reads it."""
    (copy / LIST).unlink()
    (copy / name).write_bytes(content)
    text = ""
    try:
        READERS[reader](copy)
    except MmragbenchError as error:
        text = str(error)
    assert "\n" not in text and len(text) < 700
    assert not text or str(copy) in text


def test_lines_end_at_line_feeds_alone(tmp_path):
    """An answer may hold what str.splitlines takes for a line's end."""
    text = "one\u2028two\x85three"
    (tmp_path / "rows.jsonl").write_text(json.dumps({"text": text}, ensure_ascii=False) + "\n")
    assert list(Files(tmp_path).lines("rows.jsonl")) == [{"text": text}]


@pytest.mark.parametrize("content", ['{"rows": []}', '"rows"', "[[]]", "3"])
def test_a_summary_that_is_no_list_of_rows_is_no_empty_run(content, copy):
    """Neither compared nor reported as a run without numbers."""
    (copy / "files.json").unlink()
    (copy / "summary.json").write_text(content)
    for read in (open_run, lambda path: Run(path).rows):
        with pytest.raises(DataError, match="summary.json cannot be read"):
            read(copy)


def test_a_measure_of_another_form_is_told_with_its_file(copy):
    """As another version, or somebody else, may have written it; in a run with a list too."""
    from mmragbench.run_folder import files as run_files

    summary = copy / "summary.json"
    summary.write_text(summary.read_text().replace('"R@1"', '"R(../x)@1"'))
    run_files._write_list(copy, run_files.file_digests(copy))
    with pytest.raises(DataError, match=r"summary.json cannot be read .*is not a measure"):
        open_run(copy)
