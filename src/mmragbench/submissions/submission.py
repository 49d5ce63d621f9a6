"""A submission: another system's outputs, the task that they answer, and what does not match."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mmragbench.records import Output, Ranking, Task
from mmragbench.submissions.problems import Policy, Problems


@dataclass(frozen=True)
class Submission:
    """Rankings or outputs of another system, ready for the measures.

    Attributes:
        name: its name in the rows: the stem of its file or folder.
        policy: what is done about missing outputs.
        failed: name of an output that cannot be used -> the reason.
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
        """The facts that the policy adds to every signature."""
        return {"missing": self.policy, "n_missing": len(self.problems.missing)}
