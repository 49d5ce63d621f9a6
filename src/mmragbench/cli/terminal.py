"""Consoles of the command line, which make text from other people's files safe to print."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from mmragbench._printable import printable

UNWRAPPED = 10_000
"""Columns that no line has."""


class Terminal(Console):
    """A console that shows text as it is: no markup, no emoji codes, no highlights, and no control
    character but tab and line feed, whatever an id, a name or a caption holds."""

    def __init__(self, stderr: bool = False, width: int | None = None) -> None:
        super().__init__(stderr=stderr, width=width, markup=False, emoji=False, highlight=False)

    def render_str(self, text: str, **given: Any) -> Text:
        """Clean a text before its width is measured."""
        return super().render_str(printable(text), **given)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Clean every segment after all other rendering."""
        for segment in super().render(renderable, options):
            shown = segment.text if segment.control else printable(segment.text)
            encoded = shown.encode(self.encoding, "replace")  # in a locale that is not UTF-8
            yield segment._replace(text=encoded.decode(self.encoding))

    def say(self, text: str) -> None:
        """Print a text as one line, without line feeds and without wrapping."""
        self.print(" ".join(printable(text).splitlines()), soft_wrap=True)

    def as_json(self, content: Any) -> None:
        """Print a value as JSON in ASCII, which has no control characters."""
        self.file.write(json.dumps(content, indent=1) + "\n")


def wide() -> Terminal:
    """Standard output; where it is no terminal, so wide that no line is wrapped."""
    console = Terminal()
    return console if console.is_terminal else Terminal(width=UNWRAPPED)
