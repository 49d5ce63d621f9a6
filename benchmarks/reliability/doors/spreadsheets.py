"""Hostile cells through the writer of CSV: as many rows and cells as there were, none a formula."""

from __future__ import annotations

import csv
import io
import json
import random
from pathlib import Path

from doors import Outcome
from mmragbench.formats import spreadsheets

PARTS = (
    "=", "+", "-", "@", "\t", "\r", "\n", "\r\n", "＝", "'", '"', ",", ";", "|", " ", "\0", "\x1b[1m", "\ud800",
    "cmd|' /C calc'!A0", "HYPERLINK(1)", "a", "q1", "é", "1", "0.5", "1e308", "inf", "nan", "\u202e", "\x0b",
)  # fmt: skip
NUMBERS = (0, -1, 0.5, -1e-300, 1e308, None, True, 10**40, float("inf"))


def make(rng: random.Random, folder: Path) -> None:
    rows = [[_cell(rng) for _ in range(3)] for _ in range(rng.randrange(1, 6))]
    (folder / "rows.json").write_text(json.dumps(rows))


def _cell(rng: random.Random) -> object:
    if rng.random() < 0.2:
        return rng.choice(NUMBERS)
    return "".join(rng.choice(PARTS) for _ in range(rng.randrange(6)))


def enter(folder: Path) -> Outcome:
    rows = json.loads((folder / "rows.json").read_text())
    text = spreadsheets.table(("a", "b", "c"), rows)
    text.encode()
    read = list(csv.reader(io.StringIO(text, newline=""), strict=True))[1:]
    whole = sum(_whole(row, back) for row, back in zip(rows, read, strict=True))
    return Outcome(len(rows), whole)


def _whole(row: list[object], back: list[str]) -> bool:
    if any(
        cell.startswith(("=", "+", "-", "@", "\t", "＝")) and not _number(cell) for cell in back
    ):
        return False
    return len(row) == len(back) and not any(c < " " and c not in "\n\t" for c in "".join(back))


def _number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
