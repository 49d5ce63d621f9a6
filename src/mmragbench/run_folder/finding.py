"""Which run a name means: `latest`, a folder, or the beginning of a folder's name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mmragbench.errors import DataError
from mmragbench.run_folder import paths

LATEST = "latest"
RUNS = Path("runs")
"""Where `mmragbench run` writes by default."""


def is_finished(folder: Path) -> bool:
    """Whether a run has ended there: its numbers are written last."""
    return (folder / paths.SUMMARY).is_file()


def finished_runs(folder: Path) -> Iterator[Path]:
    """The runs in a folder that have ended, the newest first."""
    summaries = folder.glob(f"*/{paths.SUMMARY}")
    for file in sorted(summaries, key=lambda file: (-file.stat().st_mtime_ns, file)):
        yield file.parent


def find_run(name: Path | str) -> Path:
    """The folder of the run that is meant.

    Args:
        name: a folder; `latest`, the newest run below `runs`, or `elsewhere/latest`, the newest one
            there; or the beginning or the pattern of a folder's name that only one run has, there
            or below `runs`: `runs/scenes`, `scenes-6973`, `runs/scenes-*`.

    Returns:
        The path as it was given where it exists.

    Raises:
        DataError: there is no such run, or a name fits several.
    """
    path = Path(name)
    if path.exists():
        return path
    parents = [RUNS, path.parent] if path.parent == Path() else [path.parent]
    if path.name == LATEST:
        return _newest(parents[0])
    for parent in parents:
        pattern = path.name if set(path.name) & set("*?[") else f"{path.name}*"
        runs = [folder for folder in sorted(parent.glob(pattern or "*")) if is_finished(folder)]
        if len(runs) > 1:
            raise DataError(
                f"{name} fits {', '.join(map(str, runs))}; name one, or the newest: {parent / LATEST}"
            )
        if runs:
            return runs[0]
    raise DataError(f"there is no run {name}; {_choices(parents[0])}")


def _newest(parent: Path) -> Path:
    newest = next(finished_runs(parent), None)
    if newest is None:
        raise DataError(f"there is no finished run in {parent}; {_choices(parent)}")
    return newest


def _choices(parent: Path) -> str:
    """What there is in its place, or how one is made."""
    runs = [str(run) for run in finished_runs(parent)]
    more = f" and {len(runs) - 5:,} more: `mmragbench runs`" if len(runs) > 5 else ""
    return f"there is {', '.join(runs[:5])}{more}" if runs else "make one: mmragbench run SUITE"
