"""Short labels for several runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmragbench.run_folder.reading import Run

MOST = 2
"""Runs that differ in more settings than this are called by their folders."""


def labels(runs: Sequence[Run]) -> list[str]:
    """One label a run, no two alike: nothing for a run alone; the suites' names; else the settings
    in which they differ (`clip: name = ViT-L-14`); else the folders."""
    if len(runs) == 1:
        return [""]
    names = [run.name for run in runs]
    if len(set(names)) == len(names):
        return names
    flat = [dict(_flat(run.suite)) for run in runs]
    keys = list(dict.fromkeys(key for settings in flat for key in settings))
    differing = [key for key in keys if len({str(settings.get(key)) for settings in flat}) > 1]
    texts = [", ".join(f"{_short(key)} = {s.get(key)}" for key in differing) for s in flat]
    if len(differing) <= MOST and len(set(texts)) == len(texts):
        return texts
    folders = [run.path.resolve().name for run in runs]
    return folders if len(set(folders)) == len(folders) else [str(run.path) for run in runs]


def _flat(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, (*path, str(key)))
    elif path not in (("name",), ("description",), ("budget",)):
        yield path, value


def _short(path: tuple[str, ...]) -> str:
    """The last two parts of a setting's path: `clip: name` for `models.clip.name`."""
    return ": ".join(path[-2:])
