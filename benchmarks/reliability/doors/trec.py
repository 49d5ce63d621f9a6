"""TREC runs, judgements in both formats, and groups: `score rankings`."""

from __future__ import annotations

import random
from pathlib import Path

import odd_values

from doors import Outcome

MEASURES = ["R@5", "nDCG@10", "RR"]


def make(rng: random.Random, folder: Path) -> None:
    """A run, judgements, and sometimes groups, with odd ids, numbers and lines."""
    odd = rng.choice([0.0, 0.0, 0.02, 0.2])
    queries = [f"q{n}" for n in range(rng.randint(1, 6))]
    documents = [f"d{n}" for n in range(8)]
    run = [
        _line(rng, [q, "Q0", d, str(rank), str(rng.random()), "tag"], rng.choice(" \t"), odd)
        for q in queries
        for rank, d in enumerate(rng.sample(documents, 5))
    ]
    tsv = rng.random() < 0.5
    judged = [(q, d, str(rng.randint(0, 2))) for q in queries for d in rng.sample(documents, 3)]
    rows = [[q, d, g] if tsv else [q, "0", d, g] for q, d, g in judged]
    lines = [_line(rng, row, "\t" if tsv else " ", odd) for row in rows]
    head = ["query-id\tcorpus-id\tscore"] if tsv else []
    odd_values.write(rng, folder / "run.trec", "\n".join(run) + "\n", odd)
    odd_values.write(rng, folder / "qrels", "\n".join([*head, *lines]) + "\n", odd)
    if rng.random() < 0.3:
        groups = [_line(rng, [q, q[:1]], "\t", odd) for q in queries]
        odd_values.write(rng, folder / "groups.tsv", "\n".join(groups) + "\n", odd)


def enter(folder: Path) -> Outcome:
    """Read and scored; every pair of a query and a document must come in, or be an error."""
    from mmragbench.formats.judgements import read_judgements
    from mmragbench.formats.trec_runs import read_run
    from mmragbench.submissions.submission_scores import score_rankings
    from mmragbench.submissions.trec_rankings import rankings

    groups = folder / "groups.tsv"
    files = folder / "run.trec", folder / "qrels"
    submission = rankings(*files, "skip", groups if groups.is_file() else None)
    for row in score_rankings(submission, MEASURES).rows:
        if row["low"] is not None and not 0 <= row["low"] <= row["estimate"] <= row["high"] <= 1:
            raise ValueError(f"an interval beyond the scale: {row}")
    hits, grades = read_run(files[0])[0], read_judgements(files[1]).grades
    taken = sum(map(len, hits.values())) + sum(map(len, grades.values()))
    return Outcome(_pairs(files[0], 2) + _judged(files[1]), taken)


def _line(rng: random.Random, fields: list[str], between: str, odd: float) -> str:
    spoilt = [
        odd_values.now_and_then(
            rng,
            field,
            lambda r: r.choice([odd_values.text(r), r.choice(odd_values.NUMBERS)]),
            odd / 4,
        )
        for field in fields
    ]
    if rng.random() < odd / 4:
        spoilt = rng.choice(
            [spoilt[:-1], [*spoilt, "more"], spoilt[::-1], [f'"{s}"' for s in spoilt]]
        )
    return between.join(spoilt)


def _pairs(path: Path, document: int) -> int:
    """How many pairs a file of blank-separated fields has."""
    lines = [line.split() for line in path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")]
    return len({(fields[0], fields[document]) for fields in lines if fields})


def _judged(path: Path) -> int:
    data = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    lines = [line for line in data.split(b"\n") if line.strip()]
    if b"corpus-id" not in lines[0]:
        return _pairs(path, 2)
    fields = [[field.strip() for field in line.split(b"\t")] for line in lines[1:]]
    unquoted = [[f[1:-1] if f[:1] == b'"' else f for f in row] for row in fields]
    return len({tuple(row[:2]) for row in unquoted})
