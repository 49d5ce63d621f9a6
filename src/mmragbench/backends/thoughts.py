"""Thoughts of reasoning models, split from their answers by the marks that models set."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from mmragbench.records import Failure, Reply

_THOUGHT = r"(?:think(?:ing)?|thoughts?|thought_process|reason(?:ing)?|reflection|scratch_?pad|inner_monologue)"
_TAG = rf"(?:[a-z]+[:_-])?{_THOUGHT}"
_ANSWER = r"(?:(?:final_)?(?:answer|response)|conclusion)"
_BAR = r"\s*[|｜]"
_JOINT = r"[_▁ ]"
_BEGIN, _END = (rf"(?:{word}){_JOINT}(?:of{_JOINT})?" for word in ("begin|start", "end"))
_TURN = r"(?:<\|(?:end|return)\|>\s*)?(?:<\|start\|>\s*\w*\s*)?<\|channel\|>\s*"
_HEADER = r"[^<]{0,200}(?:<\|constrain\|>[^<]{0,99})?(?:<\|message\|>)?"

MARKS = {
    "thought": (
        rf"(?:<|&lt;)\s*{_TAG}(?:\s[^<>/]*)?(?:>|&gt;)",
        rf"<{_BAR}\s*{_BEGIN}{_THOUGHT}{_BAR}>",
        rf"<{_BAR}\s*{_THOUGHT}(?:[:_](?:begin|start))?{_BAR}>",
        r"(?-i:\[\s*(?:THINK|THINKING|THOUGHT|REASONING)\s*\])",  # Magistral
        r"◁\s*think\s*▷",  # Kimi
        r"<\|inner_prefix\|>",  # Apertus
        r"<\|channel>\s*thought",  # Gemma
        r"<unused94>\s*thought",  # MedGemma
        rf"{_TURN}(?!final)\w+{_HEADER}",  # gpt-oss
        r"(?-i:\A\s*(?:analysis|commentary)(?=[A-Z])|assistant(?:analysis|commentary)(?=[A-Z]))",
        r"\A\s*Here(?:'s| is) my thought process:",  # Granite
    ),
    "thought ends": (
        rf"(?:<|&lt;)\s*/\s*{_TAG}\s*(?:>|&gt;)",
        rf"<{_BAR}\s*{_END}{_THOUGHT}{_BAR}>",
        rf"<{_BAR}\s*(?:/\s*{_THOUGHT}|{_THOUGHT}[:_]end){_BAR}>",
        r"(?-i:\[\s*/\s*(?:THINK|THINKING|THOUGHT|REASONING)\s*\])",
        r"◁\s*/\s*think\s*▷",
        r"<\|inner_suffix\|>",
        r"<channel\|>",
        r"<unused95>",
        rf"{_TURN}final{_HEADER}",
        r"(?-i:assistantfinal)",
    ),
    "answer": (
        rf"<\s*{_ANSWER}\s*>",
        rf"<{_BAR}\s*{_BEGIN}(?:solution|answer|response|text){_BAR}>",
    ),
    "answer ends": (
        rf"<\s*/\s*{_ANSWER}\s*>",
        rf"<{_BAR}\s*{_END}(?:solution|answer|response|text){_BAR}>",
        r"<\|(?:end|return)\|>",
    ),
}
"""Meaning of a mark -> patterns of how it is written: tags, special tokens, and the words that remain
of them where a server drops special tokens. Upper and lower case match unless a pattern says otherwise."""

_MARK = re.compile(
    "|".join(f"(?P<{kind.replace(' ', '_')}>{'|'.join(ways)})" for kind, ways in MARKS.items()),
    re.IGNORECASE,
)
_GRANITE = re.compile(
    r"\A\s*Here(?:'s| is) my thought process:(.*?)^[ \t]*Here(?:'s| is) my response:",
    re.IGNORECASE | re.DOTALL | re.MULTILINE,
)
"""Granite's marks, which are words and mean something as a pair only."""

_DETAILS = re.compile(
    r"<details\s[^<>]*type=[\"']reasoning[\"'][^<>]*>(.*?)</details>", re.IGNORECASE | re.DOTALL
)
"""Open WebUI's marks, which are read as a pair: `</details>` alone may end anything."""

_BOX = re.compile(r"<\|(?:begin|end)_of_box\|>")
_QUOTES = "\"'`“”„‘’«»"
_WORD_BEFORE = re.compile(r"[\w,;][ \t]+\Z")
_WORD_AFTER = re.compile(r"[ \t]+\w|[.,;:!?)](?:\s|\Z)")


class Mark(NamedTuple):
    """A mark in a text: its meaning (a key of `MARKS`), and where it begins and ends."""

    kind: str
    start: int
    end: int


class SplitText(NamedTuple):
    """The answer in a text, and the thoughts (empty for none)."""

    answer: str
    thoughts: str


def without_thoughts(reply: Reply, within: bool = False) -> Reply | Failure:
    """A reply with the answer alone as its text, and the thoughts in a field of their own.

    It is a Failure where there is no answer.

    Args:
        reply: as the model gave it; thoughts that are already in their field stay there.
        within: whether the prompt had begun the thoughts already, as some chat templates do.
    """
    text, thoughts = split(reply.text, within)
    thoughts = "\n".join(filter(None, [reply.thoughts, thoughts]))
    if text.strip():
        return replace(reply, text=text, thoughts=thoughts)
    reason = "the model answered nothing"
    if thoughts:
        limit = "; its length limit was reached: raise it" if reply.truncated else ""
        reason = f"the model wrote thoughts alone and no answer{limit}"
    return Failure(reason, reply.tokens_in, reply.tokens_out, reply.dollars, reply.retries)


def split(text: str, within: bool = False) -> SplitText:
    """Split a text into answer and thoughts.

    A text without marks is the answer as it is; marks that the text only mentions are words.
    Thoughts that are never ended go to the end of the text. Where an end has no beginning, all
    before it is thought.
    """
    text = _BOX.sub("", text)
    for pair in (_GRANITE, _DETAILS):
        text = pair.sub(r"<think>\1</think>", text)
    if not within and not _MARK.search(text):
        return SplitText(text, "")
    answer, thoughts = _split_once(text, within)
    while (
        _split_once(answer, False)[0] != answer
    ):  # a mark may come out by joining what surrounds thoughts
        answer, further = _split_once(answer, False)
        thoughts += further
    return SplitText(answer, "\n".join(filter(None, thoughts)))


def has_thoughts(text: str) -> bool:
    """Whether thoughts begin or end in a text."""
    return any(mark.kind.startswith("thought") for mark in _meant(text))


def opens_thoughts(prompt: str) -> bool:
    """Whether a prompt ends in a mark that begins thoughts."""
    end = prompt[-100:].rstrip()
    last = next((m for m in _MARK.finditer(end) if m.end() == len(end)), None)
    return last is not None and last.lastgroup == "thought"


def _split_once(text: str, within: bool) -> tuple[str, list[str]]:
    """The answer and the thoughts by one pass over the marks."""
    answer: list[str] = []
    thoughts: list[str] = []
    depth, at = int(within), 0
    marks = list(_marks(text))
    for mark in marks:
        (thoughts if depth else answer).append(text[at : mark.start])
        at = mark.end
        if mark.kind in ("thought", "answer ends"):
            depth += 1
        elif depth:
            depth -= 1
        else:
            thoughts += answer
            answer = []
    ended = bool(marks) and marks[-1].kind in ("thought ends", "answer")
    (answer if ended or not depth else thoughts).append(text[at:])
    return ("".join(answer).strip() if marks or within else text), [t.strip() for t in thoughts]


def _marks(text: str) -> Iterator[Mark]:
    """The marks that count: those of an answer only after the thoughts' last end."""
    marks = list(_meant(text))
    last = max((m.start for m in marks if m.kind == "thought ends"), default=-1)
    yield from (m for m in marks if m.kind.startswith("thought") or m.start > last)


def _meant(text: str) -> Iterator[Mark]:
    """All marks but those that are quoted, or stand among the words of a line.

    The end of thoughts counts there too, unless the line mentions such a mark before it.
    """
    mentioned: int | None = None
    for match in _MARK.finditer(text):
        mark = Mark(str(match.lastgroup).replace("_", " "), *match.span())
        before, after = text[max(0, mark.start - 40) : mark.start], text[mark.end : mark.end + 40]
        quoted = before[-1:] in _QUOTES and after[:1] in _QUOTES and before and after
        among = _WORD_BEFORE.search(before) and _WORD_AFTER.match(after)
        if mark.kind == "thought ends" and (
            mentioned is None or "\n" in text[mentioned : mark.start]
        ):
            among = None
        if quoted or among:
            mentioned = mark.end
        else:
            yield mark
