"""Redaction of API keys in the answers of servers, before anything is shown, truncated or stored."""

from __future__ import annotations

import html
import os
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from string import ascii_lowercase, ascii_uppercase
from typing import Any
from urllib.parse import quote, quote_plus

from mmragbench._printable import LONGEST, one_line

PART = 8
"""So many consecutive characters of a key are not shown; a key of fewer is a placeholder."""

STRUCK = "…"
"""The text in the place of a redacted key."""

PICTURES = frozenset({"b64_json"})
"""Fields that hold a picture, which is decoded and never shown as text."""

VARIABLE = re.compile(r"_*[A-Z][A-Z0-9]{0,15}(_+[A-Z0-9]{1,16})*_*")
"""The names of environment variables, which keys do not match."""

_HOLDS_KEY = re.compile(r"(^|_)(api_?key|key|token|password|secret|authorization)$", re.IGNORECASE)
_KEY = re.compile(
    r"(?<![\w/])((sk-|gsk_|xai-|nvapi-)(?=[\w+/=-]*\d)[\w+/=-]{16,}|hf_[A-Za-z0-9]{30,}"
    r"|AIza[\w-]{30,}|eyJ[\w-]{20,}\.)"
)
_USER = r"://[^\s/]*@|://[^\s/:]*:(?!\d+/)\S*@"
_ADDRESS = re.compile(rf"{_USER}|[?&#](api_?key|key|token|secret|password)=", re.IGNORECASE)
_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
_TOKEN = re.compile(r"[\w+/=.~%-]{16,}")


class Redactor:
    """Redacts a key: as it is, in part (8 or more consecutive characters), in upper or lower case, and
    as URLs, HTML, base64 and hexadecimal write it.

    Args:
        key: the key; nothing is redacted for None.
    """

    def __init__(self, key: str | None) -> None:
        self._key = key or ""
        forms = set(_forms(self._key)) if len(self._key) >= PART else ()
        self._parts = {
            form[at : at + PART].translate(_LOWER)
            for form in forms
            for at in range(len(form) - PART + 1)
        }

    def text(self, text: str) -> str:
        """A text without the key."""
        if not self._parts:
            return text
        lower, shown, end = text.translate(_LOWER), [], 0
        for start, stop in self._spans(lower):
            shown += [text[end:start], STRUCK]
            end = stop
        return "".join([*shown, text[end:]])

    def message(self, text: str, most: int = LONGEST) -> str:
        """A message on one line of at most `most` characters without the key, even a placeholder.

        The key is redacted before the message is truncated, which could leave an unrecognised part.
        """
        shown = self.text(text)
        if 0 < len(self._key) < PART:
            shown = re.sub(rf"(?<!\w){re.escape(self._key)}(?!\w)", STRUCK, shown)
        return one_line(shown, most)

    def json(self, value: Any) -> Any:
        """A JSON value without the key, in names of fields too, and without half surrogate pairs, which
        no file can hold."""
        if isinstance(value, str):
            return self.text(_writable(value))
        if isinstance(value, list):
            return [self.json(entry) for entry in value]
        if isinstance(value, dict):
            return {
                self.json(name): entry if name in PICTURES else self.json(entry)
                for name, entry in value.items()
            }
        return value

    def holds(self, text: str) -> bool:
        """Whether the whole key is in a text."""
        lower = text.translate(_LOWER)
        forms = _forms(self._key) if len(self._key) >= PART else ()
        return any(form.translate(_LOWER) in lower for form in forms)

    def _spans(self, lower: str) -> Iterator[tuple[int, int]]:
        """The spans of parts of the key; parts that overlap or touch are one span."""
        begin, end = 0, -1
        for at in range(len(lower) - PART + 1):
            if lower[at : at + PART] not in self._parts:
                continue
            if at > end:
                if end > 0:
                    yield begin, end
                begin = at
            end = at + PART
        if end > 0:
            yield begin, end


def _forms(key: str) -> Iterable[str]:
    """The forms in which a key may be written: as it is, as in URLs, HTML, hexadecimal and base64."""
    yield from (key, quote(key, safe=""), quote_plus(key), html.escape(key), key.encode().hex())
    for before in range(3):  # within base64 of a longer text the key has one of three alignments
        coded = b64encode(b" " * before + key.encode()).decode()
        inner = coded.rstrip("=")[(0, 2, 3)[before] :]
        inner = inner[:-1] if coded.endswith("=") else inner
        yield from (inner, inner.replace("+", "-").replace("/", "_"))


def _writable(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def without_keys(text: str) -> str:
    """A text without words that look like keys: long ones of letters and digits, and those that begin
    as keys do."""
    return _TOKEN.sub(lambda match: STRUCK if looks_like_key(match[0]) else match[0], text)


def without_plain_keys(text: str) -> str:
    """A text without words that begin as keys do: keys that were pasted in the wrong place."""
    return _KEY.sub(STRUCK, text)


def is_variable(name: str) -> bool:
    """Whether a text is the name of an environment variable, and no key."""
    return bool(VARIABLE.fullmatch(name)) or (name.isidentifier() and name in os.environ)


def places_of_keys(value: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The places of keys in a suite's content.

    These are values under names such as `token`, a `key_env` that names no variable, addresses with
    passwords, and texts or names that begin as keys do.
    """
    if isinstance(value, dict):
        for name, entry in value.items():
            here = (*place, str(name))
            if _KEY.search(here[-1]):
                yield place
                continue
            is_text = isinstance(entry, str)
            named = is_text and entry and _HOLDS_KEY.search(here[-1])
            if named or (here[-1] == "key_env" and is_text and not is_variable(entry)):
                yield here
            else:
                yield from places_of_keys(entry, here)
    elif isinstance(value, list):
        for entry in value:
            yield from places_of_keys(entry, place)
    elif isinstance(value, str) and (_KEY.search(value) or _ADDRESS.search(value)):
        yield place


def looks_like_key(word: str) -> bool:
    """Whether a word could be a key."""
    digits = sum(character.isdigit() for character in word)
    if word.startswith(("/", ".", "~")):
        return False  # a path
    return word.lower().startswith(("sk-", "sk_", "pk-", "gsk_", "hf_", "xai-", "aiza", "eyj")) or (
        len(word) >= 16 and digits >= 3 and any(character.isalpha() for character in word)
    )
