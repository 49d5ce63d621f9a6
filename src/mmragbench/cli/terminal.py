"""Consoles of the command line: what they print came from files of others."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from mmragbench._printable import printable


class Terminal(Console):
    """A console that shows text as it is: no markup, no emoji codes, no highlights, and no control
    character but tab and line feed, whatever an id, a name or a caption holds."""

    def __init__(self, stderr: bool = False, width: int | None = None) -> None:
        super().__init__(stderr=stderr, width=width, markup=False, emoji=False, highlight=False)

    def render_str(self, text: str, **given: Any) -> Text:
        """Before widths are measured."""
        return super().render_str(printable(text), **given)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """After all else, so that nothing that is shown goes past."""
        for segment in super().render(renderable, options):
            shown = segment.text if segment.control else printable(segment.text)
            encoded = shown.encode(self.encoding, "replace")  # in a locale that is not UTF-8
            yield segment._replace(text=encoded.decode(self.encoding))

    def say(self, text: str) -> None:
        """One line, however long, and whatever line feeds an id holds."""
        self.print(" ".join(printable(text).splitlines()), soft_wrap=True)

    def as_json(self, content: Any) -> None:
        """JSON in ASCII, which holds no control character."""
        self.file.write(json.dumps(content, indent=1) + "\n")


def wide(width: int = 200) -> Terminal:
    """Standard output, wide enough for every column where nobody's terminal says how wide."""
    console = Terminal()
    return console if console.is_terminal else Terminal(width=width)
