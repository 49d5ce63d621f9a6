"""Files as bytes that depend on nothing but their text."""

from __future__ import annotations

from pathlib import Path

from mmragbench._files import write_atomically
from mmragbench._printable import printable


def write(path: Path, text: str) -> Path:
    """UTF-8 without control characters; half a surrogate pair is one."""
    write_atomically(path, printable(text))
    return path


def stem(task: str) -> str:
    """A task's name as a file name; outside datasets may name tasks as they like."""
    return "".join(c if c.isalnum() or c in "._-" else "-" for c in task).lstrip(".") or "task"
