"""Output of `mmragbench score`: remarks below a table, and files with every query's score."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from mmragbench._digits import interval, number
from mmragbench._files import write_atomically, write_table
from mmragbench.cache.identity import content_digest
from mmragbench.data.picture_folders import by_ending
from mmragbench.errors import MmragbenchError
from mmragbench.formats import spreadsheets
from mmragbench.measuring.scoring import Row
from mmragbench.records import Absence, Scores
from mmragbench.run_folder import digests
from mmragbench.run_folder.score_files import ScoreFile, System
from mmragbench.submissions.image_folders import HIDDEN, NO_PICTURE
from mmragbench.submissions.problems import Problems
from mmragbench.submissions.submission import Submission
from mmragbench.submissions.submission_scores import ScoredSubmission

COLUMNS = ("query", "measure", "value", "error")
TREATMENT = {
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
"""Kind of mismatch -> what was done about it, for some by the policy."""

LEFT_OUT = {NO_PICTURE: "files that are no pictures", HIDDEN: "hidden files"}
"""Kind of files that are no pictures -> its name in a remark."""


def remarks(rows: Sequence[Row], submission: Submission) -> Iterator[str]:
    """Lines below the table: which queries are resampled together, what did not match, reasons and
    warnings of numbers, and the signatures."""
    if clusters := submission.clusters_line:
        yield clusters
    yield from unfit(submission.problems, submission.policy)
    for row in rows:
        notes = (Absence.of(row), row.get("warning"))
        yield from (f"{row['measure']}: {note}" for note in notes if note)
        yield from (f"{row['measure']}: {line}" for line in _beyond(row))
    yield from (row["signature"] for row in rows)


def _beyond(row: Row) -> Iterator[str]:
    """Remarks on FID: its interval, its limit for many images, and the halves of few images."""
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
    """What did not match, a line for each kind: how many, which, and what was done about them."""
    for kind, ids in problems.ids.items():
        if ids and kind in LEFT_OUT:
            yield f"{len(ids):,} {LEFT_OUT[kind]}: {by_ending(ids)} (left out)"
        elif line := problems.line(kind, examples):
            treatment = TREATMENT.get(kind, "")
            yield f"{line} ({treatment[policy] if isinstance(treatment, dict) else treatment})"


def check_ending(path: Path) -> None:
    """Check the name of a file for scores, before minutes are spent on them.

    Raises:
        MmragbenchError: it ends neither in .csv nor in .parquet.
    """
    if path.suffix not in (".csv", ".parquet"):
        raise MmragbenchError(f"--scores {path}: the name must end in .parquet or .csv")


def write_output(
    path: Path,
    scored: Iterable[tuple[Submission, ScoredSubmission]],
    comparisons: Sequence[Row] = (),
) -> None:
    """Write the file of `--output`: the rows, and the values behind them for each query."""
    systems = tuple(_system(submission, result) for submission, result in scored)
    ScoreFile(systems=systems, comparisons=tuple(comparisons)).write(path)


def _system(submission: Submission, result: ScoredSubmission) -> System:
    queries = submission.task.queries
    values = {str(scores.measure): scores.addends for scores in result.scores}
    return System(
        name=submission.name,
        source=submission.problems.source,
        task=submission.task.name,
        gold=submission.gold.stem,
        gold_digest=content_digest(submission.gold)[: digests.DIGITS],
        rows=tuple(result.rows),
        queries=tuple(query.id for query in queries),
        groups=tuple(query.group or query.id for query in queries),
        gold_digests=tuple(digests.gold_digests(submission.task)),
        values={name: tuple(map(own.get, (q.id for q in queries))) for name, own in values.items()},
        of_set=tuple(str(s.measure) for s in result.scores if s.influences),
    )


def write_scores(path: Path, scores: Sequence[Scores]) -> None:
    """Each query's scores, as a run folder's `scores.parquet` has them, or as CSV."""
    if path.suffix == ".csv":
        write_atomically(path, spreadsheets.table(COLUMNS, _records(scores)))
    else:
        import pyarrow as pa

        types = (pa.string(), pa.string(), pa.float64(), pa.string())
        schema = pa.schema(list(zip(COLUMNS, types, strict=True)))
        records = [dict(zip(COLUMNS, record, strict=True)) for record in _records(scores)]
        write_table(path, pa.Table.from_pylist(records, schema=schema))


def _records(scores: Sequence[Scores]) -> Iterator[tuple[Any, ...]]:
    for of_measure in scores:
        for score in of_measure.scores:
            yield score.query, str(of_measure.measure), score.value, score.error
