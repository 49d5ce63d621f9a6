"""Folders in BEIR's layout."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import odd_values

from doors import Outcome


def make(rng: random.Random, folder: Path) -> None:
    """A corpus, queries and judgements, with odd values, lines and bytes."""
    odd = rng.choice([0.0, 0.02, 0.2])
    documents = [f"d{n}" for n in range(rng.randint(1, 8))]
    queries = [f"q{n}" for n in range(rng.randint(1, 4))]
    for name, ids in (("corpus", documents), ("queries", queries)):
        rows = [_row(rng, id, odd) for id in ids]
        odd_values.write(rng, folder / f"{name}.jsonl", "\n".join(rows) + "\n", odd / 2)
    judged = [(q, rng.choice([*documents, "d99"]), str(rng.randint(0, 2))) for q in queries * 2]
    lines = [
        "\t".join(odd_values.now_and_then(rng, each, odd_values.text, odd / 10) for each in row)
        for row in {row[:2]: row for row in judged}.values()
    ]
    text = "\n".join(["query-id\tcorpus-id\tscore", *lines]) + "\n"
    odd_values.write(rng, folder / "qrels" / "test.tsv", text, odd / 4)


def _row(rng: random.Random, id: str, odd: float) -> str:
    row: dict[str, Any] = {"_id": id, "title": "a title", "text": f"the text of {id}"}
    if rng.random() < 0.1:
        row["image"] = "images/none.png"
    row = {
        odd_values.now_and_then(rng, key, odd_values.text, odd / 8): odd_values.now_and_then(
            rng, value, odd_values.value, odd / 2
        )
        for key, value in row.items()
    }
    line = odd_values.as_json(row)
    return (
        rng.choice([line[:-1], f"[{line}]", "", line[:1] + line[1:-1] * 2])
        if rng.random() < odd / 8
        else line
    )


def enter(folder: Path) -> Outcome:
    """Every line of the corpus is a document, or named by its id or number; every judgement of a
    query that is asked is kept."""
    from mmragbench.datasets.beir import Beir

    task = Beir(folder).tasks()["retrieval"]
    there = {document.id for document in task.memory} | {each.id for each in task.exclusions}
    lines = (folder / "corpus.jsonl").read_bytes().split(b"\n")
    numbered = [(n, line) for n, line in enumerate(lines, 1) if line.strip()]
    taken = sum(f"corpus.jsonl:{n}" in there or _id(line) in there for n, line in numbered)
    return Outcome(len(numbered), taken)


def _id(line: bytes) -> str | None:
    try:
        return str(json.loads(line)["_id"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
