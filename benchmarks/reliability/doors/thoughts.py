"""Texts of reasoning models, through the cache as every reply goes.

Where the text was made by the rules, the answer must be the one that went in; where it is a heap of
marks and words, no mark may be left that counts, and nothing may be an empty answer.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path

from doors import Outcome
from mmragbench.backends.thoughts import split
from mmragbench.cache.items import Items
from mmragbench.engine.cached_models import CachedChat
from mmragbench.engine.meter import Meter
from mmragbench.records import Failure, Prompt, Reply

MARKS = (
    ("<think>", "</think>"), ("<THINK>", "</THINK>"), ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"), ("<reasoning>", "</reasoning>"), ("< think >", "</ think >"),
    ("<seed:think>", "</seed:think>"), ("[THINK]", "[/THINK]"), ("◁think▷", "◁/think▷"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"), ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|channel>thought\n", "<channel|>"),
    ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
)  # fmt: skip
WORDS = (
    "a red bird",
    "two dogs",
    "on a wire.",
    "hm",
    "So",
    "the sky",
    "7 of 10",
    "ein Vogel",
    "鳥",
    "…",
)
NOISE = (
    "<", ">", "</", "<|", "|>", "[", "]", "think", "</b>", "<answer>", "</answer>", "\n", "\n\n",
    " ", '"', "`", "analysis", "assistantfinal", "<|return|>", "\0", "\u2028", "<think", "◁",
)  # fmt: skip


def make(rng: random.Random, folder: Path) -> None:
    answer = " ".join(rng.choices(WORDS, k=rng.randint(1, 6)))
    ruled = rng.random() < 0.5
    text = _ruled(rng, answer) if ruled else _heap(rng)
    row = {"text": text, "answer": answer if ruled else None}
    (folder / "reply.json").write_text(json.dumps(row), encoding="utf-8")


def enter(folder: Path) -> Outcome:
    row = json.loads((folder / "reply.json").read_text(encoding="utf-8"))
    replies = []
    for _ in ("asked", "known"):
        chat = CachedChat(_Says(row["text"]), "m", Items(folder / "items"), Meter())
        replies += chat.chat([Prompt(("why?",))])
    first, again = replies
    if first != again:
        raise AssertionError(f"{first} was stored as {again}")
    failed = isinstance(first, Failure)
    if row["answer"] is not None and (failed or first.text != row["answer"]):
        raise AssertionError(f"{first} instead of {row['answer']!r}")
    if isinstance(first, Reply) and (not first.text.strip() or split(first.text)[0] != first.text):
        raise AssertionError(f"an answer that is none: {first}")
    return Outcome(given=1, taken=int(not failed), named=int(failed and bool(first.reason)))


class _Says:
    def __init__(self, text: str) -> None:
        self._text = text

    def chat(self, prompts: Sequence[Prompt]) -> list[Reply]:
        return [Reply(self._text) for _ in prompts]


def _ruled(rng: random.Random, answer: str) -> str:
    begin, end = rng.choice(MARKS)
    thought = "\n".join(rng.choices(WORDS, k=rng.randint(1, 9)))
    gap = rng.choice(("", "\n", "\n\n"))
    begun = rng.choice((begin, begin, f"\n{begin}\n", "", f"{begin}\n{begin}"))
    text = f"{begun}{gap}{thought}{gap}{end}{gap}{answer}"
    if begun == begin and rng.random() < 0.3:
        text = f"{begin}{thought}{end}{gap}{text}"
    return text


def _heap(rng: random.Random) -> str:
    marks = [mark for pair in MARKS for mark in pair]
    return "".join(rng.choices([*marks, *WORDS, *NOISE], k=rng.randint(0, 14)))
