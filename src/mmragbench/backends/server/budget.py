"""The budget of a run: a ledger of every paid call, whose sum stays below a limit."""

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
"""Fields that a line of a ledger may have for its dollars: as the server counts, the most that an
unknown cost can be, reserved."""

POLL = 0.005
"""Seconds between two attempts to lock a ledger that another run has locked."""

LARGEST_AMOUNT = 1e12
"""The most dollars or tokens that a line of a call may have."""

COUNTS = ("tokens_in", "tokens_out", "pictures", "attempt")
"""Other counts of a line; 0 where they are absent, as in lines of other versions."""


class BudgetExceeded(MmragbenchError):
    """The next call could pass the budget."""


class Budget:
    """The ledger and limit that models which cost money spend from.

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
        self._changed = threading.Condition()
        self._lines: list[dict[str, Any]] = []
        self._amounts: dict[str, float] = {}
        self._sum = 0.0
        self._bytes_read, self._lines_read = 0, 0
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
        """Reserve the most that a call may cost; waits for calls under way where their reserves
        decide whether it can be paid.

        Returns:
            the call's id, for `settle` or `settle_unknown`.

        Raises:
            BudgetExceeded: the call could pass the limit.
        """
        call = uuid4().hex[:16]
        with self._changed:
            while not self._try_to_reserve(call, model, dollars):
                if self._exhausted or not any(self._reserves.values()):
                    self._exhausted = True
                    self._changed.notify_all()
                    raise BudgetExceeded(self._why(dollars))
                self._changed.wait(1.0)
            self._reserves[call] = dollars
        return call

    def settle(self, call: str, model: str, dollars: float, used: Used, **details: Any) -> None:
        """Write down what a call cost, and details of it (status, the model that served it)."""
        line = {"call": call, "model": model, "dollars": dollars, **used._asdict()}
        self._close(line | {key: value for key, value in details.items() if value})

    def settle_unknown(self, call: str, model: str, why: str, **details: Any) -> None:
        """Write down that the cost of a call is unknown: its reserve counts."""
        line = {"call": call, "model": model, "uncertain": self._reserves[call], "why": why}
        self._close(line | {key: value for key, value in details.items() if value})

    def totals(self) -> dict[str, Any]:
        """Sums over the ledger, earlier runs included."""
        with self._changed:
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
        with self._changed, self._locked():
            del self._reserves[line["call"]]
            self._write(line)
            self._changed.notify_all()

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
        """Read what other runs have written. Of a last line without an end, half a line is cut off,
        and a whole one gets its end."""
        size = os.fstat(self._file).st_size
        if size <= self._bytes_read:
            return
        os.lseek(self._file, self._bytes_read, os.SEEK_SET)
        content = b""
        while len(content) < size - self._bytes_read:
            content += os.read(self._file, size - self._bytes_read - len(content))
        whole_lines = content[: content.rfind(b"\n") + 1]
        end_is_missing = _json(content[len(whole_lines) :]) is not None
        if end_is_missing:
            whole_lines = content = content + b"\n"
        for line in [*parse(whole_lines, str(self._ledger), self._lines_read)]:
            self._count(line)
        if end_is_missing:
            os.write(self._file, b"\n")
        self._lines_read += whole_lines.count(b"\n")
        self._bytes_read += len(whole_lines)
        if len(whole_lines) < len(content):
            os.ftruncate(self._file, self._bytes_read)

    def _write(self, line: dict[str, Any]) -> None:
        """Write a line at once, so that a kill leaves whole lines; on a full disk none is left."""
        if self._ledger is not None:
            content = (json.dumps(line) + "\n").encode()
            try:
                written = os.write(self._file, content)
            except OSError as error:
                raise DataError(f"the ledger {self._ledger}: {error.strerror}") from error
            if written < len(content):
                os.ftruncate(self._file, self._bytes_read)
                raise DataError(f"no space left to write the ledger {self._ledger}; make room")
            self._bytes_read, self._lines_read = self._bytes_read + written, self._lines_read + 1
        self._count(line)

    def _count(self, line: dict[str, Any]) -> None:
        """Count a line. A call counts with its last one: its cost replaces its reserve."""
        self._lines.append(line)
        amount = float(next(line[name] for name in AMOUNTS if name in line))
        self._sum += amount - self._amounts.get(line["call"], 0.0)
        self._amounts[line["call"]] = amount


def parse(content: bytes, name: str, before: int = 0) -> Iterator[dict[str, Any]]:
    """The lines of a ledger, without empty ones. A line that cannot be read is an error, since it may
    stand for money that was spent.

    Args:
        content: whole lines, JSON in UTF-8.
        name: of the ledger, for the error.
        before: how many lines of the ledger come before these.

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
                "that no one knows what was spent; fix the line, or delete it if it cost nothing"
            )
        yield parsed


def _json(line: bytes) -> Any:
    """The content of a line; None where it is no JSON."""
    try:
        return json.loads(line.decode())
    except (ValueError, RecursionError):
        return None


def _is_line(line: Any) -> bool:
    """Whether a value is a line of a ledger: a call and its dollars, finite and not negative."""
    if not isinstance(line, dict) or not isinstance(line.get("call"), str):
        return False
    amounts = [line[name] for name in AMOUNTS if name in line]
    counts = [line.get(name, 0) for name in COUNTS]
    return bool(amounts) and all(map(_is_amount, [*amounts, *counts]))


def _is_amount(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and 0 <= value <= LARGEST_AMOUNT


def totals(lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Sums over the lines of a ledger: dollars and tokens as servers count them, and as `uncertain`
    the calls without a reply, with the most that they may have cost. The bill lies between
    `dollars` and `dollars` + `uncertain_dollars`."""
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
