"""Sentences of a paper with the works that they rest on, as Markdown or LaTeX."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mmragbench.reporting.paper.citing import Cited, cite
from mmragbench.reporting.words.tex import escape


@dataclass(frozen=True, slots=True)
class Phrase:
    """A part of a sentence, and the works that are cited behind it."""

    text: str
    keys: tuple[str, ...] = ()


Sentence = Sequence[Phrase]
"""Without its full stop."""


def enumerated(phrases: Iterable[Phrase]) -> list[Phrase]:
    """`a`, `a and b`, `a, b and c`."""
    members = list(phrases)
    between = [", "] * (len(members) - 2) + [" and "]
    parts: list[Phrase] = []
    for phrase, text in zip(members, [*between[: len(members) - 1], ""], strict=True):
        parts += [phrase, *([Phrase(text)] if text else [])]
    return parts


def markdown(sentences: Iterable[Sentence]) -> str:
    """The sentences as a paragraph without citations."""
    texts = (" ".join("".join(phrase.text for phrase in s).split()) for s in sentences)
    return " ".join(f"{text}." for text in texts)


def latex(sentences: Iterable[Sentence], known: Cited) -> str:
    """The sentences as a paragraph, a line each, escaped, with `\\citep` and the keys that are known."""
    return "\n".join(f"{''.join(_latex(part, known) for part in s).strip()}." for s in sentences)


def _latex(phrase: Phrase, known: Cited) -> str:
    text = phrase.text
    source = cite(dict.fromkeys(phrase.keys), known)
    before, after = (" " * edge for edge in (text.startswith(" "), text.endswith(" ")))
    shown = escape(text).replace("/", r"\slash{}").replace(" = ", "~=~").replace(r" \%", r"~\%")
    return f"{before}{shown}{f'~{source}' if source else ''}{after}"
