"""Whether strategies have given the same results: the same rankings, or the same outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from mmragbench.formats import trec
from mmragbench.run_folder import paths
from mmragbench.run_folder.paths import Setting
from mmragbench.run_folder.reading import Run

Sameness = Literal["rankings", "outputs", "values"]


def sameness(run: Run, task: str, strategies: Sequence[str], setting: Setting) -> Sameness:
    """What strategies whose values are identical have in common: the rankings, the outputs, or no more
    than the values. Cells of a run list the queries in one order."""
    rankings = setting.generator is None
    read = _ranked if rankings else _outputs
    first, *others = (read(run, task, name, setting) for name in strategies)
    if first is None or any(first != other for other in others):
        return "values"
    return "rankings" if rankings else "outputs"


def _outputs(run: Run, task: str, strategy: str, setting: Setting) -> list[Any] | None:
    """The texts and images of a cell; None where they are not stored."""
    name = paths.in_cell(task, strategy, paths.OUTPUTS, setting=setting)
    return [(raw["query"], raw.get("text"), raw.get("image")) for raw in run.lines(name)] or None


def _ranked(run: Run, task: str, strategy: str, setting: Setting) -> Any:
    """The queries and documents of a cell's rankings, without scores; None where they are not stored."""
    path = run.files.path(paths.in_cell(task, strategy, paths.RANKINGS))
    return path and trec.table(path).select(["query", "document"])
