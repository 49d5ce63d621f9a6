"""`load`: finished runs as data frames."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mmragbench.errors import DataError
from mmragbench.frames.results import Results
from mmragbench.run_folder import paths

if TYPE_CHECKING:
    from mmragbench.run_folder.finished import FinishedRun


def load(*runs: FinishedRun | Path | str) -> Results:
    """The results of one run, or of several together.

    A table is read when it is first used; no model or dataset is needed.

    Args:
        runs: run folders, what `mmragbench.run` returned, or the beginning or the pattern of a
            folder's name that only one folder has: `runs/scenes`, `runs/scenes-*`.

    Raises:
        DataError: no run is named, there is no such run, or a name fits several.
    """
    if not runs:
        raise DataError("no run to load; give a run folder, e.g. runs/scenes-069b42b5")
    folders = [_find(Path(run) if isinstance(run, Path | str) else run.folder) for run in runs]
    return Results(dict(zip(_names(folders), folders, strict=True)))


def _find(path: Path) -> Path:
    if _is_run(path):
        return path
    pattern = path.name if set(path.name) & set("*?[") else f"{path.name}*"
    runs = [folder for folder in sorted(path.parent.glob(pattern or "*")) if _is_run(folder)]
    if len(runs) > 1:
        raise DataError(f"{path} fits {', '.join(map(str, runs))}; name one, or load them all")
    if runs:
        return runs[0]
    others = ", ".join(sorted(str(file.parent) for file in path.parent.glob(f"*/{paths.SUMMARY}")))
    raise DataError(
        f"{path} is no finished run: it has no summary.json, or did not end; "
        f"{f'there is {others}' if others else 'give the folder that `mmragbench run` wrote'}"
    )


def _is_run(folder: Path) -> bool:
    return (folder / paths.SUMMARY).is_file()


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
