"""Sanitised text for terminals, pages and messages: no control characters, bounded length."""

from __future__ import annotations

import re
import reprlib

LONGEST = 500
"""The most characters of a message."""

_MOST = 160  # characters of an id or reason in an error
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 60

CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""C0 and C1 controls but tab and line feed, what overrides the direction of text, and halves of
surrogate pairs, which no stream can write."""


def printable(text: str) -> str:
    """The text with a sign in place of each control: `\\x1b` becomes `␛`, others become `�`."""
    return CONTROLS.sub(_sign, text)


def _sign(control: re.Match[str]) -> str:
    code = ord(control[0])
    if code == 0x7F:
        return "\u2421"
    return chr(0x2400 + code) if code < 0x20 else "\ufffd"


def shortened(text: str, most: int) -> str:
    """A text of at most `most` characters, cut in the middle, since both ends are informative."""
    if len(text) <= most:
        return text
    tail = most // 3
    return f"{text[: most - tail - 3]} … {text[len(text) - tail :]}"


def one_line(message: object, most: int = LONGEST) -> str:
    """A message fit for a terminal, on one line of at most `most` characters."""
    return shortened(" ".join(printable(str(message)).split()), most)


def quoted(value: object) -> str:
    """A value as errors show it: in quotes, and cut in the middle where it is long."""
    shown = _SHORT.repr(value)
    return shown if len(shown) <= _MOST else f"{shown[:_MOST]}..."
