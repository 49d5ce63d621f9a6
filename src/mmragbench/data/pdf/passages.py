"""Passages: text cut into pieces of a fixed number of words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_BREAK = re.compile(r"(?<=[^\W\d_])-\n(?=[^\W\d_])")
_LIGATURE = re.compile("[\ufb00-\ufb06]")
_REFUSED = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_EAST = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_EAST}]|[^\s{_EAST}]{{1,64}}")
"""A word: characters up to a blank; in scripts without blanks, each character."""


class Passages(NamedTuple):
    """How text is cut: into passages of `words` words, each with the last `overlap` of the one before."""

    words: int = 120
    overlap: int = 30


def cut(text: str, how: Passages) -> Iterator[str]:
    """The passages of a text, in order; none of an empty one.

    >>> list(cut("one two three four five", Passages(words=3, overlap=1)))
    ['one two three', 'three four five']
    """
    spans = [word.span() for word in _WORD.finditer(text)]
    step = how.words - how.overlap
    for start in range(0, max(len(spans) - how.overlap, min(len(spans), 1)), step):
        part = spans[start : start + how.words]
        yield text[part[0][0] : part[-1][1]]


def joined(lines: Sequence[str]) -> str:
    """The running text of some lines: white space is one blank, a word that a hyphen breaks at the
    end of a line is whole again (if it goes on in lower case), ligatures are their letters, and
    characters that no text file can hold are left out.

    >>> joined(["A multi-", "modal \\ufb01gure", "of 3-", "4 parts"])
    'A multimodal figure of 3- 4 parts'
    """
    text = "\n".join(_REFUSED.sub("", line).strip() for line in lines)
    text = _LIGATURE.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)
    text = re.sub("\u00ad\n?", "", text)
    text = _BREAK.sub(lambda match: "" if text[match.end()].islower() else "-\n", text)
    return " ".join(text.split())
