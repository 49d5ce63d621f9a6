"""The first lines of a report: what was compared, on what, with what, when."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from mmragbench._digits import counted
from mmragbench.reporting.facts.models import listed_model
from mmragbench.reporting.words.phrases import listed
from mmragbench.run_folder.reading import Run

MAX_NAMED = 6
"""More strategies than this are counted and not named."""


def question(run: Run) -> str:
    """The question of the report, by how many strategies and controls there are."""
    names = [name for name, control in run.strategies.items() if control is None]
    if len(names) < 2:
        return f"How good is {names[0]}?" if names else "What do the controls reach?"
    if len(names) > MAX_NAMED:
        return f"Which of {len(names)} strategies is best?"
    return f"Which of {listed(names)} is best?"


def subtitle(run: Run) -> str:
    """A sentence: what was compared, on what, with how many queries."""
    controls = sum(control is not None for control in run.strategies.values())
    compared = counted(len(run.strategies) - controls, "strategy")
    beside = f" and {counted(controls, 'control')}" if controls else ""
    queries = sorted({facts.n_queries for facts in run.tasks.values() if facts.n_queries})
    spread = dict.fromkeys(f"{n:,}" for n in (queries[0], queries[-1])) if queries else ()
    per_task = " each" if len(run.tasks) > 1 else ""
    sizes = f", with {' to '.join(spread)} queries{per_task}" if spread else ""
    seeds = f", under {len(run.seeds)} seeds" if run.seeds else ""
    return f"{compared}{beside}, compared on {counted(len(run.tasks), 'task')}{sizes}{seeds}."


def facts_of(run: Run) -> list[tuple[str, str]]:
    """The facts of the run, as names and values: data, models, seed, baseline, date, version."""
    manifest, suite = run.manifest, run.suite
    dataset = manifest.get("dataset") or suite.get("dataset") or {}
    models = manifest.get("models") or suite.get("models") or {}
    facts = {
        "Data": dataset.get("use") if isinstance(dataset, dict) else dataset,
        "Models": ", ".join(listed_model(name, spec or {}) for name, spec in models.items()),
        "Seeds" if run.seeds else "Seed": _seeds(run),
        "Baseline": suite.get("baseline"),
        "Run": created(manifest.get("created")),
        "Version": f"mmragbench {manifest['mmragbench']}" if "mmragbench" in manifest else None,
    }
    return [(name, str(value)) for name, value in facts.items() if value not in (None, "")]


def _seeds(run: Run) -> Any:
    """The seed; of several, all, and which one's outputs are shown."""
    if not run.seeds:
        return run.manifest.get("seed", run.suite.get("seed"))
    named = ", ".join(map(str, run.seeds))
    return f"{named} (numbers are means over them; the outputs shown are of seed {run.seeds[0]})"


def created(stamp: Any) -> str:
    """`2026-03-12T14:05:00+00:00` as `12 March 2026, 14:05 UTC`; anything else as it is."""
    try:
        moment = datetime.fromisoformat(str(stamp))
    except ValueError:
        return str(stamp or "")
    months = "January February March April May June July August September October November December"
    zone = f" {moment.tzname()}" if moment.tzname() else ""
    return f"{moment.day} {months.split()[moment.month - 1]} {moment:%Y, %H:%M}{zone}"
