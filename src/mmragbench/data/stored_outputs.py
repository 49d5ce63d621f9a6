"""Outputs that another system made: which of them answers which query."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path, PurePosixPath
from unicodedata import normalize

from mmragbench.data.intake import endings
from mmragbench.errors import DataError, NotApplicable, listed
from mmragbench.records import Exclusion, Task


def existing(path: Path, exists: Callable[[Path], bool] = Path.is_file) -> Path:
    """The path of a file, or of what else `exists` says, with the home folder in place of `~`.

    Raises:
        DataError: there is no such thing.
    """
    path = path.expanduser()
    if not exists(path):
        what = "folder" if exists is Path.is_dir else "file"
        raise DataError(f"there is no {what} {path}, which the suite names for another system")
    return path


def matched(source: Path, noun: str, ids: Iterable[str], names: Iterable[str]) -> dict[str, str]:
    """Id of a query or document -> its name in a file or folder: the id; else what agrees with it
    without a picture's ending (`7.jpg`, `7`), where no other id or name does.

    Raises:
        DataError: there is none for any of them.
    """
    wanted, offered = list(ids), dict.fromkeys(names)
    by_id = {id: id for id in wanted if id in offered}
    by_stem = _unique(name for name in offered if name not in by_id)
    for plain, id in _unique(id for id in wanted if id not in by_id).items():
        if plain in by_stem:
            by_id[id] = by_stem[plain]
    if wanted and not by_id:
        raise DataError(
            f"{source} has none of the task's {len(wanted):,} {noun}: its ids are "
            f"{listed(offered, 2) or 'none'}, the task's {listed(wanted, 2)}; do they agree?"
        )
    return by_id


def unasked(source: Path, noun: str, names: Iterable[str], used: Iterable[str]) -> list[Exclusion]:
    """What a file or folder has for queries that the task does not ask."""
    answered, of = set(used), f"{noun} of {source.name}"
    reason = f"no query of the task is called so, in {source.name}"
    return [Exclusion("not asked", name, reason, of) for name in names if name not in answered]


def for_strategy(paths: Mapping[str, Path], strategy: str, has_generator: bool) -> Path | None:
    """The file or folder of a strategy; None where another generator answers for it.

    Raises:
        NotApplicable: it has neither.
    """
    if strategy not in paths and not has_generator:
        raise NotApplicable(
            f"there are outputs of {', '.join(paths) or 'nothing'} alone; with otherwise: another "
            "generator answers for the other strategies"
        )
    return paths.get(strategy)


def refuse_output(task: Task, outputs: tuple[str, ...], made: str) -> None:
    """Raise NotApplicable where a task wants another kind of output."""
    if task.output not in outputs:
        raise NotApplicable(f"{made} answers no task that wants {task.output}")


def _unique(names: Iterable[str]) -> dict[str, str]:
    """Stem -> the only name that has it."""
    by_stem: dict[str, list[str]] = {}
    for name in names:
        by_stem.setdefault(stem(name), []).append(name)
    return {stem: own[0] for stem, own in by_stem.items() if len(own) == 1}


def stem(name: str) -> str:
    """A name without a picture's ending, its accents normalised (NFC)."""
    path = PurePosixPath(name)
    plain = name[: -len(path.suffix)] if path.suffix.lower() in endings() else name
    return normalize("NFC", plain)
