"""A submission: another system's outputs, the task that they answer, and what does not match."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mmragbench.records import Output, Ranking, Task
from mmragbench.submissions.problems import Policy, Problems


@dataclass(frozen=True)
class Submission:
    """Rankings or outputs of another system, ready for the measures.

    Attributes:
        name: its name in the rows: the stem of its file or folder.
        policy: what is done about missing outputs.
        gold: the file or folder that it is scored against.
        failed: name of an output that cannot be used -> the reason.
        clustering: how it is known which queries are about one image; empty where it is not.
    """

    name: str
    task: Task
    problems: Problems
    policy: Policy
    gold: Path
    rankings: Sequence[Ranking] = field(default_factory=tuple)
    outputs: Sequence[Output] = field(default_factory=tuple)
    failed: Mapping[str, str] = field(default_factory=dict)
    clustering: str = ""

    @property
    def clusters(self) -> int:
        """How many clusters of queries are resampled."""
        return len({query.group or query.id for query in self.task.queries})

    @property
    def facts(self) -> dict[str, object]:
        """The facts that the policy adds to every signature."""
        return {"missing": self.policy, "n_missing": len(self.problems.missing)}

    @property
    def clusters_line(self) -> str:
        """A line on which queries are resampled together; empty where each image is one query."""
        n, clusters = len(self.task.queries), self.clusters
        if clusters < n:
            return f"clusters: {clusters:,} images of {n:,} queries ({self.clustering})"
        if self.rankings:
            return f"clusters: none; each of the {n:,} queries by itself (--groups FILE says otherwise)"
        return ""
