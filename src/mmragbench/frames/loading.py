"""`load`: finished runs as data frames."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mmragbench.errors import DataError, not_a_run
from mmragbench.frames.results import Results
from mmragbench.run_folder import paths
from mmragbench.run_folder.finding import find_run, is_finished

if TYPE_CHECKING:
    from mmragbench.run_folder.finished import FinishedRun


def load(*runs: FinishedRun | Path | str) -> Results:
    """The results of one run, or of several together.

    A table is read when it is first used; no model or dataset is needed.

    Args:
        runs: run folders, or how else runs are named (`mmragbench.run_folder.finding.find_run`):
            `latest`, `runs/scenes`, `runs/scenes-*`; or what `mmragbench.run` returned.

    Raises:
        DataError: no run is named, there is no such run, or a name fits several.
    """
    if not runs:
        raise DataError("no run to load; give a run folder, e.g. runs/scenes-069b42b5")
    folders = [_finished(run) for run in runs]
    return Results(dict(zip(_names(folders), folders, strict=True)))


def _finished(run: FinishedRun | Path | str) -> Path:
    folder = find_run(run) if isinstance(run, Path | str) else run.folder
    if not is_finished(folder):
        raise DataError(not_a_run(folder, paths.SUMMARY))
    return folder


def _names(folders: list[Path]) -> list[str]:
    """The folders' names, or their paths where two have one name.

    Raises:
        DataError: a run was given twice.
    """
    names = [folder.resolve().name for folder in folders]
    if len(set(names)) < len(names):
        names = [str(folder) for folder in folders]
    if len(set(names)) < len(names):
        raise DataError(f"a run is given twice: {', '.join(names)}")
    return names
