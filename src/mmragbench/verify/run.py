"""Runs the references that can be computed; those that share their inputs together."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from mmragbench.errors import MissingExtra, NotApplicable
from mmragbench.records import Scores
from mmragbench.verify.needs import Missing, missing
from mmragbench.verify.outcomes import Outcome, judge
from mmragbench.verify.references import Reference

Compute = Callable[[Sequence[Reference], Mapping[str, Any], Path], dict[str, Scores]]
"""Our numbers by the references' names: the function of a kind."""


def check(
    references: Sequence[Reference], data: Path, progress: Callable[[str], None] = lambda _: None
) -> list[Outcome]:
    """The outcome of every reference, in the order given; `progress` is called with the name of what
    is computed next."""
    outcomes: dict[str, Outcome] = {}
    for job in _jobs(references):
        outcomes |= {one.name: outcome for one in job if (outcome := _not_computed(one, data))}
        runnable = [one for one in job if one.name not in outcomes]
        if runnable:
            progress(runnable[0].name.rpartition("/")[0])
            outcomes |= _computed(runnable, data)
    return [outcomes[reference.name] for reference in references]


def _jobs(references: Sequence[Reference]) -> list[list[Reference]]:
    """Groups of references of one family that are computed from the same inputs."""
    jobs: dict[tuple[str, str, str], list[Reference]] = {}
    for reference in references:
        inputs = json.dumps([reference.given, reference.differs], sort_keys=True)
        jobs.setdefault((reference.family, reference.kind, inputs), []).append(reference)
    return list(jobs.values())


def _not_computed(reference: Reference, data: Path) -> Outcome | None:
    """The outcome of a number that is not computed; None where it can be."""
    if reference.differs is not None:
        return Outcome(reference, "NOT COMPARABLE", reason=reference.differs)
    gaps = missing(reference.needs, data)
    return Outcome(reference, "NOT RUN", missing=gaps) if gaps else None


def _computed(job: Sequence[Reference], data: Path) -> dict[str, Outcome]:
    """Outcomes of our numbers. Something missing is no failure; every other error is one."""
    outcome: dict[str, Any]
    try:
        scores = _function(job[0].kind)(job, job[0].given, data)
        return {reference.name: judge(reference, scores[reference.name]) for reference in job}
    except (MissingExtra, NotApplicable) as error:
        outcome = {"status": "NOT RUN", "missing": (Missing(str(error)),)}
    except Exception as error:  # the defect that this command is there to find
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        outcome = {"status": "FAIL", "reason": reason}
    return {reference.name: Outcome(reference, **outcome) for reference in job}


def _function(kind: str) -> Compute:
    """The function of a kind: `captions`, `retrieval` or `fid`, in the file of that name."""
    compute: Compute = getattr(import_module(f"mmragbench.verify.{kind}"), kind)
    return compute
