"""Pictures for a page of one file: each embedded once, as a CSS class, and shrunk to a budget."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

BUDGET = 3_600_000
"""Bytes of pictures (before base64) that a page may carry before all of them are shrunk."""

EMBEDDABLE = {".jpg": "jpeg", ".jpeg": "jpeg", ".png": "png", ".webp": "webp", ".gif": "gif"}
LARGE = 40_000


@dataclass
class Album:
    """Hands out a class for a picture of the run folder; `css` then holds the pictures."""

    root: Path
    budget: int = BUDGET
    _classes: dict[Path, str] = field(default_factory=dict)

    def place(self, picture: str | None, cell: Path | None = None) -> str | None:
        """The CSS class that shows a picture; None where there is none below the run folder."""
        if not picture:
            return None
        for folder in (self.root, cell or self.root):
            path = (folder / picture).resolve()
            if path.is_relative_to(self.root.resolve()) and path.is_file():
                return self._classes.setdefault(path, f"p{len(self._classes)}")
        return None

    def css(self) -> str:
        """One rule per picture that was placed."""
        total = sum(min(path.stat().st_size, LARGE) for path in self._classes)
        edge = 160 if total <= self.budget else 128
        rules = (self._rule(path, name, edge) for path, name in self._classes.items())
        return "\n".join(rules)

    def _rule(self, path: Path, name: str, edge: int) -> str:
        kind, data = _encode(path, edge)
        encoded = base64.b64encode(data).decode("ascii")
        return f".{name}{{background-image:url(data:image/{kind};base64,{encoded})}}"

    def __iter__(self) -> Iterator[Path]:
        return iter(self._classes)


def _encode(path: Path, edge: int) -> tuple[str, bytes]:
    """The file as it is where it is small and the page has room, else a small WebP."""
    kind = EMBEDDABLE.get(path.suffix.lower())
    if kind and edge == 160 and path.stat().st_size <= LARGE:
        return kind, path.read_bytes()
    import PIL.Image

    with PIL.Image.open(path) as opened:
        picture = opened.convert("RGB")
    picture.thumbnail((edge, edge))
    stream = BytesIO()
    picture.save(stream, "WEBP", quality=50 if edge < 160 else 70, method=4)
    return "webp", stream.getvalue()
