"""A process watched from outside: how much memory it holds, stage by stage (Linux)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

EVERY = 0.1
"""Seconds between two looks."""

_STAGE = re.compile(r"^ *([\d.]+)s  (.*)$")
MIB = 1024


@dataclass
class Stage:
    """What a progress line announced: when, how long the processors worked on it (seconds),
    and the most memory held until the next (KiB)."""

    name: str
    began: float
    ended: float = 0.0
    busy: float = 0.0
    resident: int = 0
    anonymous: int = 0
    mapped: int = 0

    @property
    def seconds(self) -> float:
        return self.ended - self.began

    def look(self, status: Mapping[str, int], busy: float) -> None:
        self.busy += busy
        self.resident = max(self.resident, status.get("VmRSS", 0))
        self.anonymous = max(self.anonymous, status.get("RssAnon", 0))
        self.mapped = max(self.mapped, status.get("RssFile", 0))


@dataclass(frozen=True)
class Watched:
    """A finished process: its stages, and the kernel's own high-water mark (KiB)."""

    stages: Sequence[Stage]
    peak: int
    seconds: float


def watch(command: Sequence[str], environment: Mapping[str, str]) -> Watched:
    """Run a command; its lines on standard error that begin with seconds name the stages."""
    began = time.monotonic()
    with subprocess.Popen(
        command, env={**os.environ, **environment}, stderr=subprocess.PIPE, text=True
    ) as process:
        stages, peaks = [Stage("start", 0.0)], [0]
        looking = threading.Thread(target=_look, args=(process, stages, peaks), daemon=True)
        looking.start()
        assert process.stderr is not None
        for line in process.stderr:
            print(line, end="", file=sys.stderr, flush=True)
            if found := _STAGE.match(line):
                now = time.monotonic() - began
                stages[-1].ended = now
                stages.append(Stage(found[2], now))
    looking.join()
    seconds = stages[-1].ended = time.monotonic() - began
    if process.returncode:
        raise SystemExit(f"the run ended with {process.returncode}")
    return Watched(stages, peaks[0], seconds)


def _look(process: subprocess.Popen[str], stages: list[Stage], peaks: list[int]) -> None:
    before = 0.0
    while process.poll() is None:
        try:
            status, busy = dict(_status(process.pid)), _busy(process.pid)
        except (OSError, IndexError):
            return
        stages[-1].look(status, busy - before)
        before = busy
        peaks[0] = max(peaks[0], status.get("VmHWM", 0))
        time.sleep(EVERY)


def _status(pid: int) -> Iterator[tuple[str, int]]:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if value.endswith(" kB"):
            yield name, int(value.split()[0])


def _busy(pid: int) -> float:
    """Seconds that processors have worked for it: on a shared machine, the time that counts."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
