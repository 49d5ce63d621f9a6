"""Files as bytes that depend on nothing but their text."""

from __future__ import annotations

from pathlib import Path

from mmragbench.cache import write_atomically


def write(path: Path, text: str) -> Path:
    """UTF-8; half a surrogate pair (a broken caption has them) becomes `?`."""
    write_atomically(path, text.encode("utf-8", "replace"))
    return path


def stem(task: str) -> str:
    """A task's name as a file name; outside datasets may name tasks as they like."""
    return "".join(c if c.isalnum() or c in "._-" else "-" for c in task).lstrip(".") or "task"
