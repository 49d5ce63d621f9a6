"""The report that people read: one self-contained HTML page."""

from __future__ import annotations

from pathlib import Path

from mmragbench.registry import report
from mmragbench.reporting.folder import RunFolder
from mmragbench.reporting.page import render
from mmragbench.reporting.writing import write


@report
def html(run: Path, target: Path) -> Path:
    """One page with tables, curves, costs and a gallery; no script, nothing loaded."""
    return write(target / "index.html", render(RunFolder(run)))
