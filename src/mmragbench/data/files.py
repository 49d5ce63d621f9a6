"""Files that a dataset reads, as what has to be on this machine."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mmragbench.contracts import Requirement


def required_folder(root: Path, names: Iterable[Path | str]) -> list[Requirement]:
    """A dataset's folder with what lies in it, where there is no such folder.

    Args:
        root: the folder.
        names: the files and folders in it, relative to it; or in words.
    """
    if root.is_dir():
        return []
    what = f"{root}, a folder with {', '.join(map(str, names))}"
    below = "" if root.is_absolute() else f" in {Path.cwd()}, where relative paths start"
    reason = "it is a file" if root.exists() else f"there is no such folder{below}"
    return [Requirement("put", what, reason)]
