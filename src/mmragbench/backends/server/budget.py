"""The budget of a run: every call is written to a ledger, and the sum stays below a limit."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from filelock import FileLock

from mmragbench.backends.server.prices import Used
from mmragbench.errors import DataError, MmragbenchError

LEDGER = "spending.jsonl"
AMOUNTS = ("dollars", "uncertain", "reserved")
"""Under which a line of a ledger has its dollars: as the server counts, unknown (the most that it can
be), reserved."""

POLL = 0.005
"""Seconds between two looks at a ledger that another run has locked."""

MOST = 1e12
"""No call costs so many dollars, or has so many tokens."""

COUNTS = ("tokens_in", "tokens_out", "pictures", "attempt")
"""What else a line counts; 0 where it says nothing, as lines of other versions may."""


class BudgetExceeded(MmragbenchError):
    """The next call could pass the budget."""


class Budget:
    """What models that cost money spend from.

    Before a call the most that it can cost is reserved; afterwards it is settled. Both are lines
    of the ledger, appended at once, so that a run that was killed in between counts the reserve as
    spent when it goes on: the limit holds over restarts, and over runs at the same time. A reply
    that never came (a timeout, a connection that broke) may have been charged for: its reserve
    counts as spent too.

    Args:
        ledger: a file of JSON lines, locked by a file beside it; None for no ledger.
        limit: US dollars; None for no limit.
    """

    def __init__(self, ledger: Path | None = None, limit: float | None = None) -> None:
        self._ledger, self.limit = ledger, limit
        self._change = threading.Condition()
        self._lines: list[dict[str, Any]] = []
        self._counts: dict[str, float] = {}
        self._sum, self._read, self._numbers = 0.0, 0, 0
        self._reserves: dict[str, float] = {}
        self._exhausted = False
        if ledger and ledger.is_file():
            with self._locked():
                pass

    @property
    def spent(self) -> float:
        """US dollars that count against the limit: paid, unknown and reserved."""
        return self._sum

    def reserve(self, model: str, dollars: float) -> str:
        """Reserve what a call may cost, at most; waits for calls under way where what they may
        leave decides.

        Returns:
            the call's name, for `settle` or `settle_unknown`.

        Raises:
            BudgetExceeded: the call could pass the limit.
        """
        call = uuid4().hex[:16]
        with self._change:
            while not self._try_to_reserve(call, model, dollars):
                if self._exhausted or not any(self._reserves.values()):
                    self._exhausted = True
                    self._change.notify_all()
                    raise BudgetExceeded(self._why(dollars))
                self._change.wait(1.0)
            self._reserves[call] = dollars
        return call

    def settle(self, call: str, model: str, dollars: float, used: Used, **details: Any) -> None:
        """Write down what a call cost, with what else is known of it (status, its model's name)."""
        line = {"call": call, "model": model, "dollars": dollars, **used._asdict()}
        self._close(line | {key: value for key, value in details.items() if value})

    def settle_unknown(self, call: str, model: str, why: str, **details: Any) -> None:
        """Write down that the cost of a call is unknown: its reserve counts."""
        line = {"call": call, "model": model, "uncertain": self._reserves[call], "why": why}
        self._close(line | {key: value for key, value in details.items() if value})

    def totals(self) -> dict[str, Any]:
        """Sums over the ledger, earlier runs included."""
        with self._change:
            return totals(self._lines)

    def _try_to_reserve(self, call: str, model: str, dollars: float) -> bool:
        if not dollars and (self.limit is None or self._sum <= self.limit):
            return True
        with self._locked():
            limit = float("inf") if self.limit is None else self.limit * (1 + 1e-9)
            affordable = not self._exhausted and self._sum + dollars <= limit
            if affordable:
                self._write({"call": call, "model": model, "reserved": dollars})
            return affordable

    def _close(self, line: dict[str, Any]) -> None:
        with self._change, self._locked():
            del self._reserves[line["call"]]
            self._write(line)
            self._change.notify_all()

    def _why(self, dollars: float) -> str:
        sums = totals(self._lines)
        unsure = sums["uncertain_dollars"]
        return (
            f"the budget of ${self.limit:,.2f} is used up: ${sums['dollars']:,.4f} spent on "
            f"{sums['answered']:,} answers"
            + (f", ${unsure:,.4f} at most on {sums['uncertain']:,} lost ones" if unsure else "")
            + f", and the next call may cost ${dollars:,.4f}; every answer is kept: raise budget: "
            "and run the same command again"
        )

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """The ledger, open and locked against other runs, and read to its end."""
        if self._ledger is None:
            yield
            return
        with ExitStack() as stack:
            try:
                self._ledger.parent.mkdir(parents=True, exist_ok=True)
                self._file = os.open(self._ledger, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
                stack.callback(os.close, self._file)
                stack.enter_context(FileLock(f"{self._ledger}.lock", poll_interval=POLL))
            except OSError as error:
                raise DataError(
                    f"the ledger {self._ledger} cannot be opened ({error.strerror}); without it no "
                    "budget holds: make it a file that can be written"
                ) from error
            self._catch_up()
            yield

    def _catch_up(self) -> None:
        """Take in what other runs have written; a last line that a power cut left half is cut off,
        one that lacks its end only gets it."""
        size = os.fstat(self._file).st_size
        if size <= self._read:
            return
        os.lseek(self._file, self._read, os.SEEK_SET)
        content = b""
        while len(content) < size - self._read:
            content += os.read(self._file, size - self._read - len(content))
        whole = content[: content.rfind(b"\n") + 1]
        unended = _json(content[len(whole) :]) is not None
        if unended:
            whole = content = content + b"\n"
        for line in [*parse(whole, str(self._ledger), self._numbers)]:
            self._count(line)
        if unended:
            os.write(self._file, b"\n")
        self._numbers += whole.count(b"\n")
        self._read += len(whole)
        if len(whole) < len(content):
            os.ftruncate(self._file, self._read)

    def _write(self, line: dict[str, Any]) -> None:
        """One line in one write, so that a kill leaves whole lines; a disk that is full none."""
        if self._ledger is not None:
            content = (json.dumps(line) + "\n").encode()
            try:
                written = os.write(self._file, content)
            except OSError as error:
                raise DataError(f"the ledger {self._ledger}: {error.strerror}") from error
            if written < len(content):
                os.ftruncate(self._file, self._read)
                raise DataError(f"no space left to write the ledger {self._ledger}; make room")
            self._read, self._numbers = self._read + written, self._numbers + 1
        self._count(line)

    def _count(self, line: dict[str, Any]) -> None:
        """A call counts with its last line: what it really cost takes the place of its reserve."""
        self._lines.append(line)
        amount = float(next(line[name] for name in AMOUNTS if name in line))
        self._sum += amount - self._counts.get(line["call"], 0.0)
        self._counts[line["call"]] = amount


def parse(content: bytes, name: str, before: int = 0) -> Iterator[dict[str, Any]]:
    """The lines of a ledger; empty ones are none. A line that cannot be read may stand for money
    that was spent: the budget would not hold without it, and it is not passed over.

    Args:
        content: whole lines, JSON in UTF-8.
        name: the ledger's, for the error.
        before: how many lines of it there were before these.

    Raises:
        DataError: a line that is no line of a ledger.
    """
    for number, line in enumerate(content.split(b"\n"), start=before + 1):
        if not line.strip():
            continue
        parsed = _json(line)
        if not _is_line(parsed):
            raise DataError(
                f"{name}:{number} is not a line of a ledger (a call, and its dollars from 0 up), so "
                "that no one knows what was spent; mend the line, or delete it if it cost nothing"
            )
        yield parsed


def _json(line: bytes) -> Any:
    """What a line says; None for what is no JSON."""
    try:
        return json.loads(line.decode())
    except (ValueError, RecursionError):
        return None


def _is_line(line: Any) -> bool:
    """Whether something names a call and what it cost, in numbers that are finite and not
    negative."""
    if not isinstance(line, dict) or not isinstance(line.get("call"), str):
        return False
    amounts = [line[name] for name in AMOUNTS if name in line]
    counts = [line.get(name, 0) for name in COUNTS]
    return bool(amounts) and all(map(_is_amount, [*amounts, *counts]))


def _is_amount(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and 0 <= value <= MOST


def totals(lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Dollars and tokens as servers count them; and, as `uncertain`, calls without a reply, with
    what they may have cost at most; the bill lies between `dollars` and both together."""
    settled = [line for line in lines if "dollars" in line]
    unknown = [line for line in lines if "uncertain" in line]
    uncertain = [line["uncertain"] for line in unknown]
    uncertain += _open_reserves(lines, [*settled, *unknown])
    return {
        "calls": len(settled) + len(uncertain),
        "answered": sum("status" not in line for line in settled),
        "retries": sum(line.get("attempt", 0) > 0 for line in (*settled, *unknown)),
        "tokens_in": sum(line.get("tokens_in", 0) for line in settled),
        "tokens_out": sum(line.get("tokens_out", 0) for line in settled),
        "pictures": sum(line.get("pictures", 0) for line in settled),
        "dollars": round(sum(line["dollars"] for line in settled), 9),
        "uncertain": len(uncertain),
        "uncertain_dollars": round(sum(uncertain), 9),
        "models": sorted({str(line["served"]) for line in settled if line.get("served")}),
    }


def _open_reserves(
    lines: Iterable[dict[str, Any]], settled: Iterable[dict[str, Any]]
) -> Iterator[float]:
    """The reserves of calls that were under way when their run was killed."""
    ended = {line["call"] for line in settled}
    yield from (
        line["reserved"] for line in lines if "reserved" in line and line["call"] not in ended
    )
