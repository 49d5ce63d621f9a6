"""`mmragbench verify`: computes published numbers again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mmragbench.cli.terminal import Terminal

out = Terminal()
err = Terminal(stderr=True)


def verify(
    data: Annotated[
        Path, typer.Option(envvar="MMRAGBENCH_DATA", help="The folder that the data lies in.")
    ] = Path("~/data"),
    only: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="A reference, a family (captions/java) or a glob."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Compute published numbers again, wherever their data and weights are at hand.

    PASS, FAIL (exit code 1), NOT RUN with what is missing, NOT COMPARABLE with the reason.
    """
    from mmragbench.verify.references import chosen, load
    from mmragbench.verify.run import check
    from mmragbench.verify.text_report import lines

    outcomes = check(chosen(load(), only), data.expanduser(), lambda what: err.say(f"{what} ..."))
    if json:
        out.as_json([outcome.row() for outcome in outcomes])
    else:
        for line in lines(outcomes):
            out.say(line)
    if any(outcome.status == "FAIL" for outcome in outcomes):
        raise typer.Exit(1)
