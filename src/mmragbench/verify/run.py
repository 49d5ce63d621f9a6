"""Run what can be run: each reference once, those that share their inputs together."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from mmragbench.errors import MissingExtra, NotApplicable
from mmragbench.records import Scores
from mmragbench.verify.needs import Lack, Missing, lacking
from mmragbench.verify.outcomes import Outcome, judge
from mmragbench.verify.references import Reference

Compute = Callable[[Sequence[Reference], Mapping[str, Any], Path], dict[str, Scores]]
"""Our numbers by the references' names: the function of a kind."""


def check(
    references: Sequence[Reference], data: Path, tell: Callable[[str], None] = lambda _: None
) -> list[Outcome]:
    """Settle every reference, in the order given; `tell` hears what is being computed."""
    found = {}
    for job in _jobs(references):
        for outcome in _settle(job, data, tell):
            found[outcome.reference.name] = outcome
    return [found[each.name] for each in references]


def _jobs(references: Sequence[Reference]) -> list[list[Reference]]:
    """Those of a family that are computed from the same inputs go together."""
    jobs: dict[tuple[str, str, str], list[Reference]] = {}
    for each in references:
        inputs = json.dumps([each.given, each.differs], sort_keys=True)
        jobs.setdefault((each.family, each.kind, inputs), []).append(each)
    return list(jobs.values())


def _settle(job: Sequence[Reference], data: Path, tell: Callable[[str], None]) -> Iterator[Outcome]:
    first = job[0]
    if first.differs is not None:
        yield from (Outcome(each, "NOT COMPARABLE", reason=each.differs) for each in job)
        return
    lacks = {each.name: lacking(each.needs, data) for each in job}
    able = [each for each in job if not lacks[each.name]]
    if able:
        tell(able[0].name.rpartition("/")[0])
    computed = _computed(able, data) if able else {}
    for each in job:
        if each.name in computed:
            yield computed[each.name]
        else:
            yield Outcome(each, "NOT RUN", lacks=lacks[each.name])


def _computed(job: Sequence[Reference], data: Path) -> dict[str, Outcome]:
    """Our numbers, judged. What is missing is no failure; everything else that goes wrong is."""
    try:
        found = _function(job[0].kind)(job, job[0].given, data)
        return {each.name: judge(each, found[each.name]) for each in job}
    except Missing as error:
        return {each.name: Outcome(each, "NOT RUN", lacks=error.lacks) for each in job}
    except (MissingExtra, NotApplicable) as error:
        lack = Lack(str(error))
        return {each.name: Outcome(each, "NOT RUN", lacks=(lack,)) for each in job}
    except Exception as error:  # the defect that this command is there to find
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        return {each.name: Outcome(each, "FAIL", reason=reason) for each in job}


def _function(kind: str) -> Compute:
    """`captions`, `retrieval`, `fid`: the function of that name in the file of that name."""
    compute: Compute = getattr(import_module(f"mmragbench.verify.{kind}"), kind)
    return compute
