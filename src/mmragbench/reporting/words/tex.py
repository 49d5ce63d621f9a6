"""Text for LaTeX: every character shows as itself in pdflatex, or by its number in Unicode."""

from __future__ import annotations

import re
import unicodedata

LIGATURES = r"-{2,}|'{2,}|,{2,}"
"""Runs of signs that TeX would draw as one other sign; `\\ufffc` keeps them apart."""

SPECIAL = {
    "\ufffc": "{}",
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "%": r"\%",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "$": r"\$",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\symbol{34}",
    "`": r"\`{}",
    "−": "$-$",
    "×": r"$\times$",
    "±": r"$\pm$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "·": r"$\cdot$",
    "³": "$^3$",
    "—": "---",
    "–": "--",
    "‘": "`",
    "’": "'",
    "“": "``",
    "”": "''",
    "…": r"\dots{}",
    "ß": r"\ss{}",
    "æ": r"\ae{}",
    "Æ": r"\AE{}",
    "ø": r"\o{}",
    "Ø": r"\O{}",
    "ł": r"\l{}",
    "Ł": r"\L{}",
    "ı": r"\i{}",
    "œ": r"\oe{}",
    "Œ": r"\OE{}",
}
ACCENTS = {
    "\u0300": "`",
    "\u0301": "'",
    "\u0302": "^",
    "\u0303": "~",
    "\u0304": "=",
    "\u0306": "u",
    "\u0307": ".",
    "\u0308": '"',
    "\u030a": "r",
    "\u030b": "H",
    "\u030c": "v",
    "\u0327": "c",
}


class Tex(str):
    """LaTeX's own source, which is not escaped."""

    __slots__ = ()


def escape(text: str) -> str:
    """The text on one line, safe anywhere in a document, whatever its font encoding is."""
    flat = re.sub(LIGATURES, lambda pair: "\ufffc".join(pair[0]), " ".join(text.split()))
    return "".join(map(_character, flat))


def _character(character: str) -> str:
    if character in SPECIAL:
        return SPECIAL[character]
    if " " <= character <= "~":
        return character
    if unicodedata.category(character) in ("Cc", "Cf", "Mn"):
        return ""
    base, *marks = list(unicodedata.normalize("NFD", character))
    if base.isascii() and base.isalpha() and len(marks) == 1 and marks[0] in ACCENTS:
        return f"\\{ACCENTS[marks[0]]}{{{base}}}"
    plain = unicodedata.normalize("NFKC", character)
    if plain != character and plain.isascii():
        return escape(plain) or " "
    return f"[U+{ord(character):04X}]"
