"""What is said of scores and written of them: remarks, and every query's score."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mmragbench._digits import interval, number
from mmragbench._files import write_atomically, write_table
from mmragbench.errors import MmragbenchError
from mmragbench.formats import spreadsheets
from mmragbench.measuring.scoring import Row
from mmragbench.records import Absence, Scores
from mmragbench.submissions.images import HIDDEN, NO_PICTURE, by_ending
from mmragbench.submissions.problems import Problems
from mmragbench.submissions.scoring import Judged

COLUMNS = ("query", "measure", "value", "error")
MEANT = {
    "missing": {"skip": "left out", "zero": "counted as 0", "error": "none"},
    "unknown": "ignored",
    "duplicate": "the same twice, counted once",
    "unreadable": "left out",
    "with several frames": "the first of each is taken",
    "unreferenced": "without a reference, not scored",
    "irrelevant": "without a relevant document, not scored",
    "repeated judgements": "the same twice, counted once",
    "repeated hits": "the same twice, counted once",
    "without a group": "each is a group of its own",
    "groups of no query": "ignored",
    "broken annotations": "left out",
    "captions that are no text": "left out",
}

LEFT_OUT = {NO_PICTURE: "files that are no pictures", HIDDEN: "hidden files"}
"""Files beside the pictures, by the kind that they are counted under."""


def remarks(rows: Sequence[Row], problems: Problems, policy: str) -> Iterator[str]:
    """Lines below the table: what did not fit, why a number is not there or what to know of it, and
    the signatures."""
    yield from unfit(problems, policy)
    for row in rows:
        notes = (Absence.of(row), row.get("warning"))
        yield from (f"{row['measure']}: {note}" for note in notes if note)
        yield from (f"{row['measure']}: {line}" for line in _beyond(row))
    yield from (row["signature"] for row in rows)


def _beyond(row: Row) -> Iterator[str]:
    """What stands beside FID: what its interval is of, its limit, and halves of few images."""
    if row["estimate"] is None or "limit" not in row:
        return
    if row["low"] is not None:
        yield "the interval is of the FID expected at this n"
    limit, halves = row["limit"], row.get("halves")
    if limit.get("estimate") is not None:
        images = ", ".join(f"{n:,}" for n in limit["images"])
        fit = "" if limit["r_squared"] is None else f", R² {limit['r_squared']:.3f}"
        yield (
            f"beyond this n {number(limit['estimate'])} ({interval(limit['low'], limit['high'])}), "
            f"by a line in 1/n through FID of {images} images{fit}"
        )
    if halves:
        yield (
            f"generated images of one half against the real ones of the other "
            f"{number(halves['generated'])}; real images of both halves {number(halves['real'])}"
        )


def unfit(problems: Problems, policy: str, examples: int = 20) -> Iterator[str]:
    """What did not fit, a line a kind: how many, which, and what became of them."""
    for kind, ids in problems.ids.items():
        if ids and kind in LEFT_OUT:
            yield f"{len(ids):,} {LEFT_OUT[kind]}: {by_ending(ids)} (left out)"
        elif line := problems.line(kind, examples):
            meant = MEANT.get(kind, "")
            yield f"{line} ({meant[policy] if isinstance(meant, dict) else meant})"


def check_ending(path: Path) -> None:
    """Whether scores can be written to a file of this name, before minutes are spent on them.

    Raises:
        MmragbenchError: they cannot.
    """
    if path.suffix not in (".csv", ".parquet"):
        raise MmragbenchError(f"--scores {path}: the name must end in .parquet or .csv")


def write_scores(path: Path, judged: Judged) -> None:
    """Each query's scores, as a run folder's `scores.parquet` has them, or as CSV."""
    if path.suffix == ".csv":
        write_atomically(path, spreadsheets.table(COLUMNS, _records(judged.scores)))
    else:
        import pyarrow as pa

        types = (pa.string(), pa.string(), pa.float64(), pa.string())
        schema = pa.schema(list(zip(COLUMNS, types, strict=True)))
        records = [dict(zip(COLUMNS, each, strict=True)) for each in _records(judged.scores)]
        write_table(path, pa.Table.from_pylist(records, schema=schema))


def _records(found: Sequence[Scores]) -> Iterator[tuple[Any, ...]]:
    for scores in found:
        for score in scores.scores:
            yield score.query, str(scores.measure), score.value, score.error
