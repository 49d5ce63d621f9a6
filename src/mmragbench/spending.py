"""The purse of a run: what is spent is written down call by call, and a limit holds."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from mmragbench.errors import DataError, MmragbenchError
from mmragbench.money import Used

LEDGER = "spending.jsonl"


class Overspent(MmragbenchError):
    """The next call could pass the budget."""


class Purse:
    """What models that cost money spend from.

    Before a call the most that it can cost is reserved; afterwards it is settled. Both are lines
    of the ledger, appended at once, so that a run that was killed in between counts the reserve as
    spent when it goes on: the limit holds over restarts. A reply that never came (a timeout, a
    connection that broke) may have been charged for: its reserve counts as spent too.

    Args:
        ledger: a file of JSON lines; None keeps no book.
        limit: US dollars; None for no limit.
    """

    def __init__(self, ledger: Path | None = None, limit: float | None = None) -> None:
        self._ledger, self.limit = ledger, limit
        self._change = threading.Condition()
        self._open: dict[str, float] = {}
        self._lines = list(read(ledger)) if ledger and _mended(ledger) else []
        before = totals(self._lines)
        self._known, self._lost = float(before["dollars"]), float(before["uncertain_dollars"])
        self.empty = threading.Event()
        """Set when the limit was reached: nothing more is asked."""

    @property
    def spent(self) -> float:
        """US dollars that count against the limit: known ones and uncertain ones."""
        return self._known + self._lost

    def reserve(self, model: str, dollars: float) -> str:
        """Put aside what a call may cost, at most; waits for calls under way where what they may
        leave decides.

        Returns:
            the call's name, for `settle` or `lose`.

        Raises:
            Overspent: the call could pass the limit.
        """
        call = uuid4().hex[:16]
        with self._change:
            while not self._affords(dollars):
                if self.empty.is_set() or not any(self._open.values()):
                    self.empty.set()
                    self._change.notify_all()
                    raise Overspent(self._why(dollars))
                self._change.wait(1.0)
            self._open[call] = dollars
            if dollars:
                self._write({"call": call, "model": model, "reserved": dollars})
        return call

    def settle(self, call: str, model: str, dollars: float, used: Used, **told: Any) -> None:
        """Write down what a call cost, with whatever the server told (status, its model's name)."""
        with self._change:
            del self._open[call]
            self._known += dollars
            line = {"call": call, "model": model, "dollars": dollars, **used._asdict()}
            self._write({**line, **{key: value for key, value in told.items() if value}})
            self._change.notify_all()

    def lose(self, call: str, model: str, why: str, **told: Any) -> None:
        """Write down that no one knows what a call cost: its reserve counts."""
        with self._change:
            reserved = self._open.pop(call)
            self._lost += reserved
            self._write({"call": call, "model": model, "uncertain": reserved, "why": why, **told})
            self._change.notify_all()

    def totals(self) -> dict[str, Any]:
        """Sums over the ledger, earlier runs included."""
        with self._change:
            return totals(self._lines)

    def _affords(self, dollars: float) -> bool:
        if self.limit is None:
            return True
        if self.empty.is_set():
            return False
        return self.spent + sum(self._open.values()) + dollars <= self.limit * (1 + 1e-9)

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

    def _write(self, line: dict[str, Any]) -> None:
        """One line in one write, so that a kill leaves whole lines."""
        self._lines.append(line)
        if self._ledger is None:
            return
        self._ledger.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        file = os.open(self._ledger, flags, 0o644)
        try:
            os.write(file, (json.dumps(line) + "\n").encode())
        finally:
            os.close(file)


def _mended(ledger: Path) -> bool:
    """Whether there is a ledger; a last line that a power cut left half is cut off."""
    if not ledger.is_file():
        return False
    content = ledger.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(ledger, whole)
    return True


def read(ledger: Path) -> Iterator[dict[str, Any]]:
    """The lines of a ledger.

    Raises:
        DataError: a line that is no line of a ledger.
    """
    for number, line in enumerate(ledger.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            parsed = json.loads(line)
            float(parsed.get("dollars", parsed.get("reserved", parsed.get("uncertain"))))
        except (ValueError, TypeError, AttributeError) as error:
            raise DataError(f"{ledger}:{number} is not a line of a ledger; mend it") from error
        yield parsed


def totals(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """Dollars and tokens that servers told of; and, as `uncertain`, calls without a reply, with
    what they may have cost at most; the bill lies between `dollars` and both together."""
    settled = [line for line in lines if "dollars" in line]
    lost = [line for line in lines if "uncertain" in line]
    closed = {line["call"] for line in (*settled, *lost)}
    hanging = [line for line in lines if "reserved" in line and line["call"] not in closed]
    uncertain = [line["uncertain"] for line in lost] + [line["reserved"] for line in hanging]
    return {
        "calls": len(settled) + len(uncertain),
        "answered": sum("status" not in line for line in settled),
        "retries": sum(line.get("attempt", 0) > 0 for line in (*settled, *lost)),
        "tokens_in": sum(line["tokens_in"] for line in settled),
        "tokens_out": sum(line["tokens_out"] for line in settled),
        "pictures": sum(line["pictures"] for line in settled),
        "dollars": round(sum(line["dollars"] for line in settled), 9),
        "uncertain": len(uncertain),
        "uncertain_dollars": round(sum(uncertain), 9),
        "models": sorted({f"{line['served']}" for line in settled if line.get("served")}),
    }
