"""Outcomes of references: PASS, FAIL, NOT RUN or NOT COMPARABLE, with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from mmragbench.measuring.scoring import estimate
from mmragbench.records import Scores
from mmragbench.signature import parse
from mmragbench.verify.needs import Missing
from mmragbench.verify.references import Reference

Status = Literal["PASS", "FAIL", "NOT RUN", "NOT COMPARABLE"]
STATUSES: tuple[Status, ...] = ("PASS", "FAIL", "NOT RUN", "NOT COMPARABLE")


@dataclass(frozen=True)
class Outcome:
    """The outcome of one reference.

    Attributes:
        ours: our number, where there is one.
        reason: why it failed without a number, or why the two are not comparable.
        missing: the needs that were not met.
    """

    reference: Reference
    status: Status
    ours: float | None = None
    signature: str | None = None
    reason: str | None = None
    missing: tuple[Missing, ...] = ()

    @property
    def difference(self) -> float | None:
        """Our number minus the published one."""
        return None if self.ours is None else self.ours - self.reference.value

    def row(self) -> dict[str, Any]:
        """The outcome as JSON."""
        reference = self.reference
        return {
            "name": reference.name,
            "status": self.status,
            "measure": reference.measure,
            "task": reference.task,
            "ours": self.ours,
            "reference": reference.value,
            "difference": self.difference,
            "tolerance": reference.tolerance,
            "signature": self.signature,
            "reason": self.reason,
            "missing": [gap._asdict() for gap in self.missing],
            "protocol": reference.protocol,
            "source": reference.source.model_dump(),
        }


def judge(reference: Reference, scores: Scores) -> Outcome:
    """Compare our number with the published one, if their facts agree."""
    if scores.absence is not None:
        if scores.absence.crashed:
            return Outcome(reference, "FAIL", reason=str(scores.absence))
        return Outcome(reference, "NOT RUN", missing=(Missing(scores.absence.reason),))
    ours, _, failed = estimate(scores)
    if differing := _differing(reference, scores.signature):
        return Outcome(reference, "NOT COMPARABLE", ours, scores.signature, differing)
    if ours is None or failed:
        reason = f"{failed} queries failed" if failed else "no query could be scored"
        return Outcome(reference, "FAIL", ours, scores.signature, reason)
    agree = abs(ours - reference.value) <= reference.tolerance
    return Outcome(reference, "PASS" if agree else "FAIL", ours, scores.signature)


def _differing(reference: Reference, signature: str) -> str:
    """The facts in which our signature differs from the reference: `n: ours 70, theirs 5000`."""
    facts = parse(signature)
    return "; ".join(
        f"{name}: ours {facts.get(name, 'unsaid')}, theirs {value}"
        for name, value in reference.facts.items()
        if facts.get(name) != value
    )
