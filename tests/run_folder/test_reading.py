"""What a run folder must have to be opened, and what a report can do without."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

import mmragbench as mb
from mmragbench.errors import DataError
from mmragbench.run_folder import paths
from mmragbench.run_folder.files import NotStored
from mmragbench.run_folder.paths import Setting
from mmragbench.run_folder.reading import Run, open_run
from support import toy


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run. Tests only read it."""
    root = tmp_path_factory.mktemp("reading")
    tasks = {"captioning": {"generator": ["nearest"], "k": 1, "measures": ["R@1", "CIDEr"]}}
    strategies = {"chance-level": {"use": "random"}, "shared-space": {"encoder": "colours"}}
    suite = toy.suite(toy.write_coco(root / "coco"), tasks=tasks, strategies=strategies)
    suite["baseline"] = "chance-level"
    (root / "toy.yaml").write_text(yaml.safe_dump(suite, sort_keys=False))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMRAGBENCH_CACHE", str(root / "cache"))
        return mb.run(root / "toy.yaml", output=root / "runs").folder


@pytest.fixture
def without(finished: Path, tmp_path: Path) -> Callable[..., Path]:
    """A copy of the run that lacks some files, and has no list of files that would miss them."""

    def copy(*names: str) -> Path:
        folder = shutil.copytree(finished, tmp_path / "run")
        for name in ("files.json", *names):
            (folder / name).unlink()
        return folder

    return copy


@pytest.mark.parametrize("name", [paths.SUITE, paths.SUMMARY, paths.MANIFEST])
def test_a_run_is_opened_with_what_is_needed_of_it(name: str, without: Callable[..., Path]) -> None:
    """Its suite and its numbers, and what the caller names; the first that lacks is named."""
    with pytest.raises(DataError, match=f"is not a run folder: it has no {name}"):
        open_run(without(name), paths.MANIFEST)


def test_what_a_run_did_not_write_is_empty_for_a_report(without: Callable[..., Path]) -> None:
    """And no error: a report shows as much as there is."""
    run = Run(without(paths.SUITE, paths.MANIFEST, paths.FAILURES, paths.EXCLUSIONS))
    assert (run.suite, run.manifest, run.failures, run.exclusions) == ({}, {}, [], [])
    assert run.name == run.path.name
    assert list(run.tasks) == ["captioning"]
    assert run.json("nothing.json") is None
    assert run.table("nothing.parquet") is None
    assert list(run.lines("nothing.jsonl")) == []


def test_a_test_without_its_scores_is_refused(without: Callable[..., Path]) -> None:
    """An empty column would be a difference of nothing."""
    scores = paths.in_cell(
        "captioning", "shared-space", paths.SCORES, setting=Setting("nearest", 1)
    )
    run = open_run(without(scores, paths.in_task("captioning", paths.QUERIES)))
    with pytest.raises(NotStored, match="scores.parquet is not there: run the suite again"):
        list(run.evidence(["CIDEr"]))
    assert [e.strategy for e in run.evidence(["R@1"])] == ["chance-level", "shared-space"]
    with pytest.raises(NotStored, match="queries.parquet is not there"):
        run.groups("captioning")


def test_a_control_is_one_by_what_it_uses(finished: Path) -> None:
    """Whatever name the suite gives it; contenders come first."""
    run = open_run(finished)
    assert run.strategies == {"shared-space": None, "chance-level": "chance"}
    assert list(run.strategies) == ["shared-space", "chance-level"]
    assert run.controls == {"chance-level": "chance"}


def test_a_run_that_is_being_written_is_read_without_its_list(
    finished: Path, tmp_path: Path
) -> None:
    """Its list of files says that it did not end, which is true, and comes last."""
    from mmragbench.run_folder.files import Files, writing

    folder = tmp_path / "run"
    with writing(folder):
        shutil.copytree(finished, folder, ignore=lambda *_: ["files.json"], dirs_exist_ok=True)
        unfinished = Run(folder, Files(folder))
        assert unfinished.rows == open_run(finished).rows
        with pytest.raises(DataError, match="did not end"):
            open_run(folder)
    assert open_run(folder).rows == unfinished.rows
