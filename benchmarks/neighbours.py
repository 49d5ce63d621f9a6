"""A run beside other work: how many times its time alone, and what share the scheduler gives it.

    python benchmarks/neighbours.py [--busy 2] [--runs 2] [COMMAND ...]

The command (by default the demo, from an empty cache) runs alone and beside processes that do nothing
but spin, there and back, with this package's settings and with the libraries' own. The share is measured
too: as many processes as there are cores do a fixed piece of work, alone and beside the same
neighbours. A run that takes no more than 1.3 times what its share explains is a good neighbour, and
has good ones. Let nothing else run on the machine meanwhile.
"""

from __future__ import annotations

import argparse
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

SETTINGS = {
    "ours": {},
    "the libraries'": {"GOMP_SPINCOUNT": "300000", "OPENBLAS_NUM_THREADS": f"{os.cpu_count()}"},
}
"""The second are what GNU's OpenMP and OpenBLAS do without a setting, in so many words."""

SPIN = "while True: pass"
WORK = "x = 0\nfor i in range(100_000_000): x += i"


@contextmanager
def neighbours(count: int) -> Iterator[None]:
    """Processes that keep a core busy each."""
    busy = [subprocess.Popen([sys.executable, "-c", SPIN]) for _ in range(count)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def share(busy: int) -> float:
    """How many times as long fixed work on every core takes beside the neighbours."""
    alone = _on_every_core()
    with neighbours(busy):
        return _on_every_core() / alone


def _on_every_core() -> float:
    began = time.perf_counter()
    working = [subprocess.Popen([sys.executable, "-c", WORK]) for _ in range(os.cpu_count() or 1)]
    for process in working:
        process.wait()
    return time.perf_counter() - began


def seconds(command: list[str], settings: dict[str, str]) -> float:
    """The command's time by the clock; nothing is known to it beforehand."""
    with tempfile.TemporaryDirectory() as fresh:
        environment = {**os.environ, **settings, "MMRAGBENCH_CACHE": f"{fresh}/cache"}
        began = time.perf_counter()
        subprocess.run(command, env=environment, cwd=fresh, check=True, capture_output=True)
        return time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--busy", type=int, default=2, help="processes that spin")
    parser.add_argument("--runs", type=int, default=2, help="runs of each kind")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="by default the demo")
    given = parser.parse_args()
    command = given.command or [sys.executable, "-m", "mmragbench", "run", "scenes"]
    print(f"{shlex.join(command)}, {os.cpu_count()} cores, {given.busy} neighbours", flush=True)
    explained = share(given.busy)
    print(f"the scheduler's share: {explained:.2f} times as long", flush=True)
    alone: dict[str, list[float]] = {name: [] for name in SETTINGS}
    beside: dict[str, list[float]] = {name: [] for name in SETTINGS}
    for turn in range(given.runs):
        for name in list(SETTINGS)[:: -1 if turn % 2 else 1]:
            alone[name].append(seconds(command, SETTINGS[name]))
            with neighbours(given.busy):
                beside[name].append(seconds(command, SETTINGS[name]))
            print(f"{name:<16} alone {alone[name][-1]:7.1f} s, beside {beside[name][-1]:7.1f} s", flush=True)  # fmt: skip
    for name in SETTINGS:
        own, shared = statistics.median(alone[name]), statistics.median(beside[name])
        times = shared / own
        print(f"{name:<16} {times:.2f} times its time alone, {times / explained:.2f} of its share")


if __name__ == "__main__":
    main()
