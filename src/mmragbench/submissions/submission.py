"""What someone hands in to be scored: the task that it answers, the answers, what does not fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mmragbench.records import Output, Ranking, Task
from mmragbench.submissions.problems import Policy, Problems


@dataclass(frozen=True)
class Submission:
    """Rankings or outputs made elsewhere, ready for the measures.

    Attributes:
        name: what the rows call it: the stem of its file or folder.
        policy: what was done about what is missing.
        failed: outputs that are there and cannot be used, by name, with the reason.
    """

    name: str
    task: Task
    problems: Problems
    policy: Policy
    rankings: Sequence[Ranking] = field(default_factory=tuple)
    outputs: Sequence[Output] = field(default_factory=tuple)
    failed: Mapping[str, str] = field(default_factory=dict)

    @property
    def facts(self) -> dict[str, object]:
        """What the policy adds to every signature."""
        return {"missing": self.policy, "n_missing": len(self.problems.missing)}
