"""Exclusions, failures and what does not apply: counted by kind, and named."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from mmragbench._digits import counted
from mmragbench._printable import shortened
from mmragbench.data.exclusions import LeftOut, grouped
from mmragbench.records import Exclusion
from mmragbench.reporting.facts.models import foreign_toys
from mmragbench.reporting.words.phrases import setting
from mmragbench.run_folder.numbers import Json
from mmragbench.run_folder.paths import RETRIEVAL, Setting
from mmragbench.run_folder.reading import Run

EXAMPLES = 3
NAMED = 2000
"""How many entries of one kind are written out; the JSON file beside the report has them all."""


class Case(NamedTuple):
    """One exclusion or failure: its name, and what happened to it. Of a failure also the cell, and the
    query, which is empty where the whole cell crashed."""

    name: str
    reason: str
    task: str = ""
    strategy: str = ""
    setting: Setting = RETRIEVAL
    query: str = ""


@dataclass(frozen=True, slots=True)
class Issue:
    """Exclusions or failures of one kind; at most NAMED are `named`."""

    kind: str
    count: int
    named: tuple[Case, ...]

    @property
    def examples(self) -> tuple[Case, ...]:
        return self.named[:EXAMPLES]


def exclusions(run: Run) -> list[Issue]:
    """What the datasets could not use; one that several tasks report counts once."""
    return _by_kind(
        run.exclusions, lambda raw: str(raw.get("kind")), lambda raw: Case(raw["id"], raw["reason"])
    )


def failures(run: Run) -> list[Issue]:
    """What failed while running, by the error's kind; whole cells that crashed come with it."""
    crashed = {
        (row.task, row.strategy, row.generator, row.k, str(row.absence)): None
        for row in run.rows
        if row.absence and row.absence.crashed
    }
    keys = ("task", "strategy", "generator", "k", "error")
    cells = [dict(zip(keys, cell, strict=True)) for cell in crashed]
    return _by_kind([*cells, *run.failures], _kind_of_error, _failed)


def left_out(run: Run) -> list[LeftOut]:
    """What the datasets could not use, grouped by its kind."""
    named: dict[str, list[Exclusion]] = {}
    for raw in run.exclusions:
        texts = (str(raw.get(key) or "") for key in ("kind", "id", "reason", "of"))
        named.setdefault(str(raw.get("task")), []).append(Exclusion(*texts))
    totals = {name: dict(facts.totals) for name, facts in run.tasks.items()}
    return grouped((items, totals.get(task, {})) for task, items in named.items())


def remarks(run: Run) -> list[str]:
    """A line on everything that was left out of the data or failed, and on toys among the models, for
    readers of any number."""
    lines = [f"warning: {toys}"] if (toys := _foreign_toys(run)) else []
    lines += [f"left out: {left}; all in exclusions.json" for left in left_out(run)]
    lines += dict.fromkeys(_crash(raw) for raw in run.crashes)
    if kinds := _by_kind(run.failures, _kind_of_error, _failed):
        count = sum(issue.count for issue in kinds)
        named = ", ".join(f"{shortened(issue.kind, 60)} {issue.count:,}" for issue in kinds[:5])
        name, error, *_ = kinds[0].named[0]
        first = f"{shortened(name, 100)}: {shortened(error, 120)}"
        lines.append(
            f"failed: {counted(count, 'output')} ({named}); first: {first}; all in failures.json"
        )
    lines += [
        f"failed: {counted(n, 'score')} of {measure}" for measure, n in _unscored(run).items()
    ]
    return lines


def _foreign_toys(run: Run) -> str | None:
    dataset = run.manifest.get("dataset") or {}
    return foreign_toys(run.manifest.get("models") or {}, str(dataset.get("use")))


def _unscored(run: Run) -> dict[str, int]:
    """Measure -> how many of its scores failed although there was an output."""
    outputs = Counter(_cell(raw) for raw in run.failures)
    unscored: Counter[str] = Counter()
    for row in run.rows:
        if row.slice == "all":
            cell = (row.task, row.strategy, row.generator, row.k)
            unscored[str(row.measure)] += max(row.n_failed - outputs[cell], 0)
    return {measure: n for measure, n in unscored.items() if n}


def _cell(raw: Json) -> tuple[Any, ...]:
    return tuple(raw.get(key) for key in ("task", "strategy", "generator", "k"))


def inapplicable(run: Run) -> list[tuple[str, tuple[str, ...]]]:
    """Each reason with the cells that it explains, as `task · strategy · generator, k`."""
    cells: dict[str, dict[str, None]] = {}
    for row in run.rows:
        if row.estimate is None and row.absence and not row.absence.crashed:
            parts = (row.task, row.strategy, setting(row.generator, row.k))
            cells.setdefault(row.absence.reason, {})[" · ".join(part for part in parts if part)] = (
                None
            )
    return [(reason, tuple(named)) for reason, named in cells.items()]


def signatures(run: Run) -> list[tuple[str, str, str]]:
    """Task, measure and signature: each protocol once."""
    rows = (row for row in run.rows if row.signature and row.estimate is not None)
    return list(dict.fromkeys((row.task, str(row.measure), row.signature) for row in rows))


def kind_of(error: str) -> str:
    """An error without what differs from case to case: quoted names, paths and numbers."""
    line = error.strip().partition("\n")[0]
    line = re.sub(r"'[^']*'|\"[^\"]*\"|\S*[/\\]\S+", "…", line)
    return re.sub(r"\d+", "N", line)[:160] or "unknown"


def _kind_of_error(raw: Json) -> str:
    return kind_of(str(raw.get("error")))


def _crash(raw: Json) -> str:
    """A crash in one line, which ends with its place in the user's file."""
    what = " · ".join(str(raw[key]) for key in ("task", "component") if raw.get(key))
    place = f"{raw.get('file')}:{raw.get('line')}"
    return f"crashed: {what}: {raw.get('error')} ({place}); the traceback is in failures.json"


def _failed(raw: Json) -> Case:
    task, strategy, query = (str(raw.get(key) or "") for key in ("task", "strategy", "query"))
    generated = Setting(raw.get("generator"), raw.get("k"))
    named = " · ".join(part for part in (task, strategy, setting(*generated)) if part)
    name = f"{query or 'all queries'} ({named})"
    return Case(name, str(raw.get("error")), task, strategy, generated, query)


def _by_kind(
    entries: Iterable[Json],
    kind: Callable[[Json], str],
    name: Callable[[Json], Case],
) -> list[Issue]:
    groups: dict[str, dict[Case, None]] = {}
    for raw in entries:
        groups.setdefault(kind(raw), {})[name(raw)] = None
    issues = [Issue(kind, len(named), tuple(named)[:NAMED]) for kind, named in groups.items()]
    return sorted(issues, key=lambda issue: (-issue.count, issue.kind))
