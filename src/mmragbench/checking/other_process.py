"""What a strategy finds in another process, where strings have other hashes.

A run that goes on tomorrow, or on another machine, mixes its rankings with those of today.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from typing import Any

from mmragbench.checking.subjects import Origin, Subject

Found = dict[str, list[list[str]]]
"""Kind of task -> the ids of each query's hits."""


def found_here(subject: Subject) -> Found:
    """What it finds in this process."""
    return {c.what: [list(ranking.ids) for ranking in c.first] for c in subject.chunks}


def found_elsewhere(origin: Origin) -> Found:
    """The same from a process of its own.

    Raises:
        RuntimeError: that process failed.
    """
    environment = {**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-m", __spec__.name],
        input=json.dumps(asdict(origin), default=str),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["nothing was said"])[-1]
        raise RuntimeError(f"another process could not do it: {said}")
    found: Found = json.loads(done.stdout.splitlines()[-1])
    return found


def _answer(asked: dict[str, Any]) -> None:
    from mmragbench.checking.kit import subject

    print(json.dumps(found_here(subject(**asked))))  # noqa: T201


if __name__ == "__main__":
    _answer(json.load(sys.stdin))
