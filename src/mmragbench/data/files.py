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
    if root.exists():
        return []
    what = f"{root}, a folder with {', '.join(map(str, names))}"
    return [Requirement("put", what, "there is no such folder")]
