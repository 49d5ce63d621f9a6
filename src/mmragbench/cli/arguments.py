"""Arguments that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mmragbench.run_folder.finding import find_run

RunArgument = Annotated[
    Path,
    typer.Argument(
        parser=find_run,
        metavar="RUN",
        help="A run folder, the beginning of its name, or `latest`.",
        show_default=False,
    ),
]
RunArguments = Annotated[
    list[Path],
    typer.Argument(
        parser=find_run,
        metavar="RUN...",
        help="Run folders, the beginnings of their names, or `latest`.",
        show_default=False,
    ),
]
Results = Annotated[
    list[Path],
    typer.Argument(
        parser=find_run,
        metavar="RESULTS...",
        help="A run (a folder, the beginning of its name, or `latest`), or files that score --output "
        "wrote.",
        show_default=False,
    ),
]
