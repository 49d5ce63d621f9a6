"""The sources as the wheel has them, below `build/sources`: for the reference pages and import-linter,
which look for `mmragbench.strategies.*` without importing it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CATALOGUES = ("strategies", "models", "generators", "stores", "datasets", "evals", "reports")

SOURCES = ROOT / "build/sources"


def on_startup(**_: Any) -> None:
    """mkdocstrings drops a search path that is not there when it reads its settings."""
    SOURCES.mkdir(parents=True, exist_ok=True)


def on_pre_build(**_: Any) -> None:
    """Copy the package, and into it the catalogues: Python alone, no weights."""
    package = SOURCES / "mmragbench"
    shutil.rmtree(package, ignore_errors=True)
    _copy(ROOT / "src/mmragbench", package)
    for name in CATALOGUES:
        _copy(ROOT / name, package / name)


def _copy(source: Path, target: Path) -> None:
    for file in source.rglob("*.py"):
        copied = target / file.relative_to(source)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, copied)


if __name__ == "__main__":
    on_pre_build()
