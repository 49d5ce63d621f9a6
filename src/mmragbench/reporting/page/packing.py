"""Data inside a page: compressed JSON, and pictures in base64, each in a `<script>` of its own that
no browser runs. A reader's browser unpacks a chunk when it is needed."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

SHEET = 64
"""Pictures in one chunk."""

SMALLER = 0.33
"""About what of a chunk's JSON is left in the page: deflated, then in base64."""

KINDS = {".webp", ".jpg", ".jpeg", ".png", ".gif"}


def compact(value: Any) -> str:
    """The shortest JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def packed(text: str) -> str:
    """JSON, deflated (RFC 1950), in base64: no character of it means anything to HTML."""
    deflated = zlib.compress(text.encode("utf-8", "replace"))
    return base64.b64encode(deflated).decode("ascii")


def plain(value: Any) -> str:
    """JSON as it may stand between `<script>` and `</script>`: the characters that HTML or an old
    JavaScript parser could see are written as escapes."""
    text = compact(value)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


@dataclass
class Pictures:
    """Pictures of the run folder, numbered as they come; each is in the page once.

    `large` looks in `pictures/` first, where a full run stores them larger.
    """

    root: Path
    large: bool = False
    _numbers: dict[str, int] = field(default_factory=dict)
    _known: dict[str, tuple[Path, int] | None] = field(default_factory=dict)

    @cached_property
    def _home(self) -> Path:
        return self.root.resolve()

    def place(self, name: str | None) -> int | None:
        """The number of a picture; None where there is none below the run folder."""
        if name is None or self._found(name) is None:
            return None
        return self._numbers.setdefault(name, len(self._numbers))

    def cost(self, names: Iterable[str | None]) -> int:
        """Characters that these pictures would add to the page."""
        new = (self._found(name) for name in set(names) if name and name not in self._numbers)
        return sum(found[1] * 4 // 3 for found in new if found)

    def sheets(self) -> Iterator[str]:
        """The pictures in chunks of `SHEET`, one a line."""
        names = list(self._numbers)
        for start in range(0, len(names), SHEET):
            yield "\n".join(map(self._encoded, names[start : start + SHEET]))

    def _found(self, name: str) -> tuple[Path, int] | None:
        """The file and its size."""
        if name not in self._known:
            self._known[name] = next(self._files(name), None)
        return self._known[name]

    def _files(self, name: str) -> Iterator[tuple[Path, int]]:
        larger = (Path("pictures") / Path(name).with_suffix(".webp").name) if self.large else None
        for path in (self._home / each for each in (larger, name) if each):
            real = path.resolve()
            inside = real.is_relative_to(self._home)
            if inside and real.suffix.lower() in KINDS and real.is_file():
                yield real, real.stat().st_size

    def _encoded(self, name: str) -> str:
        found = self._found(name)
        return base64.b64encode(found[0].read_bytes()).decode("ascii") if found else ""
