"""Questions, extended positives, and JSON Lines as such."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import odd_values

from doors import Outcome


def make(rng: random.Random, folder: Path) -> None:
    """Questions, and sometimes positives, with odd values, lines and bytes."""
    odd = rng.choice([0.0, 0.02, 0.2])
    lines = [_line(rng, n, odd) for n in range(rng.randint(1, 6))]
    odd_values.write(rng, folder / "questions.jsonl", "\n".join(lines) + "\n", odd / 2)
    if rng.random() < 0.4:
        content = {
            odd_values.now_and_then(rng, str(n), odd_values.text, odd / 4): [
                odd_values.now_and_then(rng, n + 1, odd_values.value, odd / 4)
            ]
            for n in range(4)
        }
        text = odd_values.as_json(odd_values.now_and_then(rng, content, odd_values.value, odd / 4))
        odd_values.write(rng, folder / "positives.json", text, odd)


def _line(rng: random.Random, n: int, odd: float) -> str:
    row: dict[str, Any] = {
        "id": f"q{n}",
        "question": "What is it?",
        "answers": ["a dog", odd_values.now_and_then(rng, "a cat", odd_values.value, odd)],
        "documents": ["a.pdf#p1-1", {"file": "a.pdf", "page": 2}],
    }
    row = {
        odd_values.now_and_then(rng, key, odd_values.text, odd / 8): odd_values.now_and_then(
            rng, value, odd_values.value, odd / 4
        )
        for key, value in row.items()
    }
    text = odd_values.as_json(row)
    broken = [text[:-1], f"{text}{text}", f"[{text}]", "7", '{"id": 1, "id": 2}', "[" * 9_999]
    return rng.choice(broken) if rng.random() < odd / 8 else text


def enter(folder: Path) -> Outcome:
    """Every line that is not blank is a question or is named; positives keep their queries."""
    from mmragbench.data.positives import read
    from mmragbench.data.questions import read_questions

    file = folder / "positives.json"
    judged = len(read(file)) if file.is_file() else 0
    given = len(json.loads(file.read_bytes())) if file.is_file() else 0
    path = folder / "questions.jsonl"
    questions, excluded = read_questions(path)
    lines = [line for line in path.read_bytes().split(b"\n") if line.decode("utf-8-sig").strip()]
    return Outcome(given + len(lines), judged + len(questions), len(excluded))
