"""Ledgers: good lines, lines of other versions, damaged ones; what was spent is never less."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from doors import Outcome
from mmragbench.backends.server.budget import Budget
from mmragbench.backends.server.prices import Used

ODD: tuple[Any, ...] = (
    None, True, -1, -0.5, 10**400, 1e300, float("nan"), float("inf"), "", "0.5", [], {}, "\u2028",
)  # fmt: skip


def make(rng: random.Random, folder: Path) -> None:
    lines = [_line(rng, number) for number in range(rng.randint(0, 12))]
    damage = rng.random()
    if damage < 0.4 and lines:
        at = rng.randrange(len(lines))
        lines[at] = _odd(rng, lines[at])
    end = rng.choice(("\n", "\n", "\n", ""))
    data = ("\n".join(json.dumps(line) for line in lines) + end * bool(lines)).encode()
    if damage > 0.8 and data:
        data = _damaged(rng, data)
    (folder / "ledger").write_bytes(data)


def enter(folder: Path) -> Outcome:
    ledger = folder / "ledger"
    before = [_plain(line) for line in ledger.read_bytes().split(b"\n")]
    budget = Budget(ledger, 1e15)
    spent = sum({line["call"]: _amount(line) for line in before if line}.values())
    if abs(budget.spent - spent) > 1e-6:
        raise AssertionError(f"${budget.spent} instead of ${spent}")
    calls = budget.totals()["calls"]
    budget.settle(budget.reserve("m", 0.25), "m", 0.25, Used(1, 1))
    if abs(Budget(ledger, 1e15).spent - budget.spent) > 1e-6:
        raise AssertionError("what was spent is another thing when read again")
    return Outcome(given=1, taken=budget.totals()["calls"] - calls)


def _plain(line: bytes) -> dict[str, Any]:
    """A line without the product's reader; nothing for what is none."""
    try:
        read = json.loads(line)
        return read if isinstance(read["call"], str) and _amount(read) >= 0 else {}
    except (ValueError, KeyError, TypeError, StopIteration, OverflowError):
        return {}


def _amount(line: dict[str, Any]) -> float:
    return float(next(line[name] for name in ("dollars", "uncertain", "reserved") if name in line))


def _line(rng: random.Random, number: int) -> dict[str, Any]:
    call = f"{rng.choice((number, max(number - 1, 0))):016x}"
    amount = round(rng.random(), 6)
    kind = rng.choice(("dollars", "dollars", "reserved", "uncertain"))
    line: dict[str, Any] = {"call": call, "model": "m", kind: amount}
    if kind == "dollars" and rng.random() < 0.8:
        line |= {"tokens_in": rng.randrange(99), "tokens_out": rng.randrange(99), "pictures": 0}
    if rng.random() < 0.2:
        line |= {"served": rng.choice(("m-1", "m\u2028x", "é")), "version": 9}
    return line


def _odd(rng: random.Random, line: dict[str, Any]) -> Any:
    name = rng.choice(list(line))
    if rng.random() < 0.3:
        return {other: value for other, value in line.items() if other != name}
    return {**line, name: rng.choice(ODD)} if rng.random() < 0.9 else rng.choice(ODD)


def _damaged(rng: random.Random, data: bytes) -> bytes:
    if rng.random() < 0.4:
        return data[: rng.randrange(len(data))]
    damaged = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        damaged[rng.randrange(len(damaged))] = rng.choice((0, 10, 13, 34, 0x85, 0xFF, 123))
    return bytes(damaged)
