"""The report that people read: one self-contained HTML page."""

from __future__ import annotations

from pathlib import Path

from mmragbench.registry import report
from mmragbench.reporting.page.explorer import USUAL, WHOLE
from mmragbench.reporting.page.page import render
from mmragbench.reporting.writing import write
from mmragbench.run_folder.reading import Run


@report
def html(run: Path, target: Path, full: bool = False) -> Path:
    """One page with tables, curves, costs and an explorer of the queries; nothing is loaded.

    Args:
        run: a run folder.
        target: where `index.html` goes.
        full: every stored query with every hit and whole prompts, however large the page becomes.
    """
    return write(target / "index.html", render(Run(run), WHOLE if full else USUAL))
