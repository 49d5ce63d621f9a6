"""Copy the sources to `build/sources` as the wheel has them, for import-linter: it reads
`mmragbench.strategies.*` from files, and does not know that a checkout adopts root folders."""

from __future__ import annotations

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CATALOGUES = ("strategies", "models", "generators", "stores", "datasets", "evals", "reports")


def copy_python(source: Path, target: Path) -> None:
    """Python files alone, no weights."""
    for file in source.rglob("*.py"):
        copied = target / file.relative_to(source)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, copied)


package = ROOT / "build" / "sources" / "mmragbench"
shutil.rmtree(package, ignore_errors=True)
copy_python(ROOT / "src" / "mmragbench", package)
for name in CATALOGUES:
    copy_python(ROOT / name, package / name)
