"""What a plan needs from outside: files that must lie somewhere, downloads, servers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from mmragbench.backends.weights import ABSENT, UNRESOLVED, download
from mmragbench.contracts import Requirement, Traits
from mmragbench.engine.assembly import Assembly
from mmragbench.errors import NotAtHand
from mmragbench.planning.plan import Plan

WORDS = {
    "put": "must lie at",
    "download": "would be downloaded:",
    "call": "would be called:",
    "leave out": "is left out:",
}
"""Kind of requirement -> the sentence's verb, after whose it is."""


class Required(NamedTuple):
    """A requirement, and whose it is: `dataset coco`, `model clip`."""

    owner: str
    requirement: Requirement

    def __str__(self) -> str:
        kind, what, missing = self.requirement
        return f"{self.owner} {WORDS[kind]} {what}{f' ({missing})' if missing else ''}"


def required(plan: Plan, dataset: Any, assembly: Assembly) -> list[Required]:
    """All that a plan needs from outside and this machine lacks, and the servers that it calls; of the
    dataset first."""
    owner = f"dataset {plan.dataset.component.name}"
    requirements = [Required(owner, need) for need in Traits(dataset).requirements]
    for (role, name), bound in plan.models.items():
        if not bound.models:  # else it is made of a model that has its own
            own = _of_model(assembly, role, name)
            requirements += [Required(f"model {name}", need) for need in own]
    return list(dict.fromkeys(requirements))


def _of_model(assembly: Assembly, role: str, name: str) -> Sequence[Requirement]:
    if own := assembly.requirements(role, name):
        return own
    weights = assembly.weights(role, name)
    if weights.startswith(UNRESOLVED):
        return [download(weights.removeprefix(UNRESOLVED))]
    if weights.startswith(ABSENT):  # the cells without it say so, and the others go on
        return [Requirement("leave out", weights.removeprefix(ABSENT))]
    return ()


def refuse_missing(requirements: Sequence[Required]) -> None:
    """Refuse a run that cannot begin.

    Raises:
        NotAtHand: with a line for each thing that is missing.
    """
    if missing := [str(need) for need in requirements if need.requirement.missing]:
        raise NotAtHand(missing)
