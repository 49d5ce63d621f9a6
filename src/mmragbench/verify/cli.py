"""`mmragbench verify`: published numbers, computed again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

out = Console()
err = Console(stderr=True)


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
    from json import dumps

    from mmragbench.verify.checking import check
    from mmragbench.verify.lines import lines
    from mmragbench.verify.references import chosen, load

    outcomes = check(chosen(load(), only), data.expanduser(), lambda what: _say(err, f"{what} ..."))
    if json:
        _say(out, dumps([each.row() for each in outcomes], indent=1, ensure_ascii=False))
    else:
        for line in lines(outcomes):
            _say(out, line)
    if any(each.status == "FAIL" for each in outcomes):
        raise typer.Exit(1)


def _say(console: Console, line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)
