"""What each strategy cost: seconds by phase, and the calls of every model."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

from mmragbench.reporting.facts.units import money
from mmragbench.run_folder import paths
from mmragbench.run_folder.numbers import Json
from mmragbench.run_folder.paths import RETRIEVAL, Setting
from mmragbench.run_folder.reading import Run

PHASES = ("index", "retrieve", "generate")

DROPPED = "documents that were more than it reads were dropped from the prompts of {:,} of {:,} "

EVENTS = {
    "chat": {
        "thoughts": "thoughts were cut from {:,} of {:,} replies",
        "truncated": "the length limit ended {:,} of {:,} replies",
        "dropped": DROPPED + "replies",
    },
    "painter": {"dropped": DROPPED + "drawings"},
}
"""Role -> what may happen to the answers of a model -> the words for how many of how many."""


@dataclass(frozen=True, slots=True)
class ModelCost:
    """One model's work in one phase.

    Attributes:
        cached: items that were looked up and not computed.
        failed: items that have no answer.
        tokens_in, tokens_out, dollars, retries: of models behind servers.
        thoughts: replies that thoughts were cut from.
        truncated: replies that a length limit ended.
        dropped: replies and drawings whose prompt lost documents that were more than the model reads.
    """

    phase: str
    role: str
    model: str
    calls: int
    items: int
    cached: int
    seconds: float
    failed: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    dollars: float = 0.0
    retries: int = 0
    thoughts: int = 0
    truncated: int = 0
    dropped: int = 0


SUMMED = tuple(f.name for f in fields(ModelCost) if f.name not in ("phase", "role", "model"))


@dataclass(frozen=True, slots=True)
class Cost:
    """One strategy's cost, over one task or all.

    Attributes:
        control: what the strategy stands for; None for a contender.
        seconds: of each of PHASES.
        models: what each model did in each phase.
    """

    strategy: str
    control: str | None
    seconds: tuple[float, ...]
    models: tuple[ModelCost, ...]

    @property
    def total(self) -> float:
        return sum(self.seconds)

    @property
    def calls(self) -> int:
        return sum(entry.calls for entry in self.models)

    @property
    def items(self) -> int:
        return sum(entry.items for entry in self.models)

    @property
    def cached(self) -> int:
        return sum(entry.cached for entry in self.models)

    @property
    def tokens(self) -> int:
        """Tokens read and written."""
        return sum(entry.tokens_in + entry.tokens_out for entry in self.models)

    @property
    def dollars(self) -> float:
        return sum(entry.dollars for entry in self.models)


def costs(run: Run, task: str = "*") -> list[Cost]:
    """Cost per strategy, summed over tasks; strategies whose cost is not stored are left out."""
    stored = {name: list(_stored(run, task, name)) for name in run.strategies}
    return [_total(run, strategy, cells) for strategy, cells in stored.items() if cells]


def cell_cost(run: Run, task: str, strategy: str, setting: Setting) -> Cost | None:
    """What one cell cost: its retrieval, and one generator's work on it; None where either is not
    stored."""
    settings = dict.fromkeys((RETRIEVAL, setting))  # one, where the cell is a ranking
    files = [paths.in_cell(task, strategy, paths.COST, setting=part) for part in settings]
    stored = [cost for file in files if (cost := run.json(file))]
    if len(stored) < len(files):
        return None
    return _total(run, strategy, stored)


def _total(run: Run, strategy: str, stored: Sequence[Json]) -> Cost:
    """The sum of the costs that are stored of a strategy's cells."""
    seconds = tuple(sum(_seconds(cost, phase) for cost in stored) for phase in PHASES)
    return Cost(strategy, run.strategies[strategy], seconds, tuple(_merge(_entries(stored))))


def spending(run: Run) -> str:
    """A sentence on what all runs into this folder have spent; empty where that is nothing."""
    sums = run.json(paths.SPENDING)
    if not sums:
        return ""
    calls = f"{sums['calls']:,} calls to servers, {sums['retries']:,} of them retries"
    tokens = f"{sums['tokens_in']:,} tokens read and {sums['tokens_out']:,} written"
    lost = (
        f", and {money(sums['uncertain_dollars'])} at most for {sums['uncertain']:,} lost replies"
    )
    paid = f": {money(sums['dollars'])}{lost if sums['uncertain'] else ''}"
    return f"All runs into this folder made {calls}, with {tokens}{paid}."


def remarks(run: Run) -> list[str]:
    """A sentence on the strategies whose outputs another system made; and one on each chat model and
    painter for each of `EVENTS`. An answer for several strategies counts once for each."""
    elsewhere = [name for name in run.strategies if _is_elsewhere(run, name)]
    unknown = f"{', '.join(elsewhere)}: made elsewhere; what that took is not known"
    sums: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for entry in (entry for cost in costs(run) for entry in cost.models if entry.role in EVENTS):
        counts = {name: getattr(entry, name) for name in EVENTS[entry.role]}
        sums[entry.role, entry.model] += Counter(answers=entry.items - entry.failed, **counts)
    return [unknown] * bool(elsewhere) + [
        f"{model}: " + words.format(counts[name], counts["answers"])
        for (role, model), counts in sums.items()
        for name, words in EVENTS[role].items()
        if counts[name]
    ]


def _is_elsewhere(run: Run, strategy: str) -> bool:
    """Whether another system made the strategy's rankings: the cost that is stored of them is empty."""
    cells = (paths.in_cell(task, strategy, paths.COST) for task in run.tasks)
    return any(run.json(cell) == {} for cell in cells)


def _stored(run: Run, task: str, strategy: str) -> Iterator[Json]:
    cells = run.path / paths.CELLS
    tasks = sorted(p.name for p in cells.iterdir()) if cells.is_dir() else []
    for name in tasks if task == "*" else [task]:
        cell = paths.in_cell(name, strategy)
        for file in [f"{cell}/{paths.COST}", *run.files.below(cell, paths.COST)]:
            if stored := run.json(file):
                yield stored


def _seconds(cost: Json, phase: str) -> float:
    stored = (cost.get("seconds") or {}).get(phase)
    if stored is not None:
        return float(stored)
    return float(sum(entry.get("seconds") or 0 for entry in cost.get(phase) or []))


def _entries(stored: Iterable[Json]) -> Iterator[ModelCost]:
    for cost in stored:
        for phase in PHASES:
            for entry in cost.get(phase) or []:
                names = str(entry.get("role") or ""), str(entry.get("model") or "")
                sums: dict[str, Any] = {name: entry.get(name) or 0 for name in SUMMED}
                yield ModelCost(phase, *names, **sums)


def _merge(entries: Iterable[ModelCost]) -> Iterator[ModelCost]:
    """One entry per phase, role and model, in the order of first appearance."""
    groups: dict[tuple[str, str, str], list[ModelCost]] = {}
    for entry in entries:
        groups.setdefault((entry.phase, entry.role, entry.model), []).append(entry)
    for (phase, role, model), group in groups.items():
        sums: dict[str, Any] = {
            name: sum(getattr(entry, name) for entry in group) for name in SUMMED
        }
        yield ModelCost(phase, role, model, **sums)
