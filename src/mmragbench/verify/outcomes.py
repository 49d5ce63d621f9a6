"""What became of a reference: PASS, FAIL, NOT RUN or NOT COMPARABLE, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from mmragbench.measuring.scoring import estimate
from mmragbench.records import Scores
from mmragbench.signature import parse
from mmragbench.verify.needs import Lack
from mmragbench.verify.references import Reference

Status = Literal["PASS", "FAIL", "NOT RUN", "NOT COMPARABLE"]
STATUSES: tuple[Status, ...] = ("PASS", "FAIL", "NOT RUN", "NOT COMPARABLE")


@dataclass(frozen=True)
class Outcome:
    """One reference, settled.

    Attributes:
        ours: our number, where there is one.
        reason: why it failed without a number, or why the two are not comparable.
        lacks: what was missing.
    """

    reference: Reference
    status: Status
    ours: float | None = None
    signature: str | None = None
    reason: str | None = None
    lacks: tuple[Lack, ...] = ()

    @property
    def difference(self) -> float | None:
        """Ours less theirs."""
        return None if self.ours is None else self.ours - self.reference.value

    def row(self) -> dict[str, Any]:
        """For JSON."""
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
            "missing": [{"what": lack.what, "get": lack.get} for lack in self.lacks],
            "protocol": reference.protocol,
            "source": reference.source.model_dump(),
        }


def judge(reference: Reference, scores: Scores) -> Outcome:
    """Compare our number with the published one, if they are about the same thing."""
    if scores.absence is not None:
        if scores.absence.crashed:
            return Outcome(reference, "FAIL", reason=str(scores.absence))
        return Outcome(reference, "NOT RUN", lacks=(Lack(scores.absence.reason),))
    ours, _, failed = estimate(scores)
    other = _differing(reference, scores.signature)
    if other:
        return Outcome(reference, "NOT COMPARABLE", ours, scores.signature, other)
    if ours is None or failed:
        reason = f"{failed} queries failed" if failed else "no query could be scored"
        return Outcome(reference, "FAIL", ours, scores.signature, reason)
    agree = abs(ours - reference.value) <= reference.tolerance
    return Outcome(reference, "PASS" if agree else "FAIL", ours, scores.signature)


def _differing(reference: Reference, signature: str) -> str:
    """The facts that the published number rests on and ours does not: `n: ours 70, theirs 5000`."""
    facts = parse(signature)
    return "; ".join(
        f"{name}: ours {facts.get(name, 'unsaid')}, theirs {value}"
        for name, value in reference.facts.items()
        if facts.get(name) != value
    )
