"""Hits of a strategy in another process, where strings have other hashes.

A run that goes on tomorrow, or on another machine, mixes its rankings with those of today.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from mmragbench.checking.subjects import Subject

HitsByTask = dict[str, list[list[str]]]
"""Kind of task -> the ids of each query's hits."""


def hits_here(subject: Subject) -> HitsByTask:
    """The hits of a strategy in this process."""
    return {c.what: [list(ranking.ids) for ranking in c.first] for c in subject.chunks}


def hits_in_another_process(arguments: Mapping[str, Any]) -> HitsByTask:
    """The hits in a process of its own, which builds the subject by those arguments of
    `kit.subject`.

    Raises:
        RuntimeError: that process failed.
    """
    environment = {**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-m", __spec__.name],
        input=json.dumps(arguments, default=str),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise RuntimeError(f"another process could not do it: {reason}")
    hits: HitsByTask = json.loads(done.stdout.splitlines()[-1])
    return hits


if __name__ == "__main__":
    from mmragbench.checking.kit import subject

    print(json.dumps(hits_here(subject(**json.load(sys.stdin)))))  # noqa: T201
