"""Text for GitHub's Markdown: every character shows as itself."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mmragbench._printable import printable


def escape(text: str) -> str:
    """A text that Markdown shows as it is, on one line, also within a table."""
    flat = " ".join(printable(text).split())
    safe = flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|~#$])", r"\\\1", safe)


def row(cells: Sequence[str]) -> str:
    """A row of a table, from cells that are escaped."""
    return f"| {' | '.join(cells)} |"
