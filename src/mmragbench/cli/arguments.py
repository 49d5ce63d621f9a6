"""Arguments that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mmragbench.run_folder.finding import find_run


def _run_argument(metavar: str, help: str) -> Any:
    """An argument that names a run in any way that `find_run` knows."""
    return typer.Argument(parser=find_run, metavar=metavar, help=help, show_default=False)


RunArgument = Annotated[
    Path, _run_argument("RUN", "A run folder, the beginning of its name, or `latest`.")
]
RunArguments = Annotated[
    list[Path], _run_argument("RUN...", "Run folders, the beginnings of their names, or `latest`.")
]
Results = Annotated[
    list[Path],
    _run_argument(
        "RESULTS...",
        "A run (a folder, the beginning of its name, or `latest`), or files that score --output wrote.",
    ),
]
