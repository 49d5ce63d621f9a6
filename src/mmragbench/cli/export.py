"""`mmragbench export`: writes a run in the formats of other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mmragbench.cli.arguments import RunArgument
from mmragbench.cli.terminal import Terminal
from mmragbench.errors import MmragbenchError


def export(
    run: RunArgument,
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[KEY=VALUE]...", help="Where the data lies by now: dataset.root=FOLDER."
        ),
    ] = None,
    format: Annotated[
        str, typer.Option(help="trec, coco, beir or mteb.", show_default=False)
    ] = ...,  # type: ignore[assignment]
    output: Annotated[
        Path | None,
        typer.Option(help="A new folder; RUN/export/FORMAT by default.", show_default=False),
    ] = None,
    trust: Annotated[
        bool, typer.Option("--trust", help="Run the dataset's code, if the run names its own.")
    ] = False,
) -> None:
    """Write a run as TREC runs, COCO captions, BEIR datasets or mteb results."""
    from mmragbench._digits import counted
    from mmragbench.exporting.export import export as write
    from mmragbench.run_folder.reading import Run

    for more in overrides or ():
        if "=" not in more:
            raise MmragbenchError(f"one run at a time: {more!r} is a second one, or no KEY=VALUE")
    exported = write(run, format, output, overrides or (), trust)
    for what, reason in exported.left_out.items():
        Terminal(stderr=True).say(f"left out: {what}: {reason}")
    if seeds := Run(run).seeds:
        Terminal(stderr=True).say(f"note: rankings and outputs are those of seed {seeds[0]}")
    Terminal().say(f"{exported.folder}: {counted(len(exported.files), 'file')}")
