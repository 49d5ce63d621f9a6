"""Fuzzed inputs for every door: no traceback, no silent drop, at most 2 GiB and 10 s each.

    python benchmarks/reliability/fuzz.py                     every door, 10,000 inputs each
    python benchmarks/reliability/fuzz.py trec --inputs 500   one door
    python benchmarks/reliability/fuzz.py trec --only 17      one input again, its traceback shown

An input is made from the seed, the door's name and its number alone, so that a fault can be seen
again. Exit code 1 when there was a fault.
"""

from __future__ import annotations

import argparse
import importlib
import json
import multiprocessing
import pkgutil
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import doors

SECONDS = 10
BYTES = 2 * 2**30
LONGEST = 2_000
"""Characters of an error's message."""


@dataclass
class Tally:
    """What became of a door's inputs.

    Attributes:
        ends: end -> inputs: `taken`, `taken in part`, `refused`, or a fault.
        faults: number of the input and what happened; at most twenty are kept.
        slowest: seconds of the slowest input.
        peak: bytes of resident memory at the most, of the whole process.
    """

    door: str
    inputs: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    faults: list[tuple[int, str]] = field(default_factory=list)
    slowest: float = 0.0
    peak: int = 0

    def count(self, number: int, end: str, fault: str | None, seconds: float) -> None:
        self.inputs += 1
        self.ends[end] += 1
        self.slowest = max(self.slowest, seconds)
        self.peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        if fault and len(self.faults) < 20:
            self.faults.append((number, fault))

    @property
    def faulty(self) -> bool:
        return bool(self.faults) or self.peak > BYTES


class TooSlow(Exception):
    """An input took longer than `SECONDS`."""


def _ring(signum: int, frame: FrameType | None) -> None:
    raise TooSlow(f"more than {SECONDS} s")


def names() -> list[str]:
    """The doors there are."""
    return sorted(module.name for module in pkgutil.iter_modules(doors.__path__))


def fuzz(door: Any, numbers: Sequence[int], seed: int) -> Tally:
    """Give a door its inputs, one after the other, in this process."""
    name = door.__name__.rpartition(".")[2]
    tally = Tally(name)
    signal.signal(signal.SIGALRM, _ring)
    for number in numbers:
        with tempfile.TemporaryDirectory(prefix="fuzz-", ignore_cleanup_errors=True) as fresh:
            folder = Path(fresh)
            door.make(random.Random(f"{seed} {name} {number}"), folder)
            began = time.perf_counter()
            end, fault = _enter(door, folder)
            tally.count(number, end, fault, time.perf_counter() - began)
    return tally


def _enter(door: Any, folder: Path) -> tuple[str, str | None]:
    from mmragbench.errors import MmragbenchError

    signal.alarm(SECONDS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            outcome = door.enter(folder)
    except MmragbenchError as error:
        message = str(error)
        if not message.strip() or "\x1b" in message or len(message) > LONGEST:
            return "bad message", f"message of {len(message)} characters: {message[:200]!r}"
        return "refused", None
    except TooSlow as error:
        return "too slow", str(error)
    except Exception:
        return "traceback", traceback.format_exc()
    finally:
        signal.alarm(0)
    if outcome.dropped:
        return "silent drop", str(outcome)
    return ("taken in part" if outcome.named else "taken"), None


def _alone(name: str, numbers: Sequence[int], seed: int) -> Tally:
    return fuzz(importlib.import_module(f"doors.{name}"), numbers, seed)


def _tallies(chosen: Sequence[str], numbers: Sequence[int], seed: int) -> Iterator[Tally]:
    """A fresh process for each door, so that its memory is its own."""
    context = multiprocessing.get_context("spawn")
    for name in chosen:
        with context.Pool(1) as pool:
            yield pool.apply(_alone, (name, numbers, seed))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("doors", nargs="*", metavar="DOOR", help=", ".join(names()))
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, help="the number of one input")
    parser.add_argument("--json", type=Path, help="also write the tallies here")
    given = parser.parse_args()
    if unknown := set(given.doors) - set(names()):
        parser.error(f"no such door: {', '.join(sorted(unknown))}; there is: {', '.join(names())}")
    numbers = range(given.inputs) if given.only is None else [given.only]
    tallies = []
    for tally in _tallies(given.doors or names(), numbers, given.seed):
        tallies.append(tally)
        ends = ", ".join(f"{end} {n:,}" for end, n in tally.ends.most_common())
        print(f"{tally.door:<12} {tally.inputs:>7,} inputs: {ends}; "
              f"slowest {tally.slowest:.2f} s, peak {tally.peak / 2**30:.2f} GiB", flush=True)  # fmt: skip
        for number, fault in tally.faults:
            print(f"  input {number}: {fault if given.only is not None else fault.strip()[-300:]}")
    if given.json:
        given.json.write_text(json.dumps([asdict(tally) for tally in tallies], indent=1) + "\n")
    sys.exit(any(tally.faulty for tally in tallies))


if __name__ == "__main__":
    main()
