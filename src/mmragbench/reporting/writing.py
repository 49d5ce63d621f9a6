"""Writing of reports' files, whose bytes depend on their text alone."""

from __future__ import annotations

from pathlib import Path

from mmragbench._files import write_atomically
from mmragbench._printable import printable


def write(path: Path, text: str) -> Path:
    """Write a text as UTF-8, without control characters and unpaired surrogates."""
    write_atomically(path, printable(text))
    return path


def stem(task: str) -> str:
    """A task's name as a file name, whatever characters it has."""
    return "".join(c if c.isalnum() or c in "._-" else "-" for c in task).lstrip(".") or "task"
