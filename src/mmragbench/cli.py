"""The command line: thin around the verbs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.table import Table

from mmragbench import __version__
from mmragbench.check_cli import check
from mmragbench.compare_cli import compare
from mmragbench.errors import LONGEST, MmragbenchError
from mmragbench.export_cli import export
from mmragbench.gate_cli import gate
from mmragbench.outlook import tabled
from mmragbench.printable import shortened
from mmragbench.report_cli import FULL, report
from mmragbench.score_cli import app as score_app
from mmragbench.terminal import Terminal
from mmragbench.verify.cli import verify

KINDS = (
    "dataset", "encoder", "captioner", "chat", "painter", "reranker", "strategy", "store",
    "generator", "measure", "report",
)  # fmt: skip

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Compare multimodal retrieval-augmented generation strategies.",
)
out = Terminal()
err = Terminal(stderr=True)

SuiteArgument = Annotated[
    Path, typer.Argument(help="A suite file, or the name of a shipped one.", show_default=False)
]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(metavar="[KEY=VALUE]...", help="Overrides, e.g. dataset.limit=100."),
]


MaxExcluded = Annotated[
    str | None,
    typer.Option(
        metavar="SHARE",
        help="How much of the data may be left out, 5% or a number; by default half of it.",
        show_default=False,
    ),
]


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Say the version.")] = False,
) -> None:
    if version:
        out.say(f"mmragbench {__version__}")
        raise typer.Exit


@app.command()
def run(
    suite: SuiteArgument,
    overrides: Overrides = None,
    output: Annotated[Path, typer.Option(help="Where run folders go.")] = Path("runs"),
    full: Annotated[bool, typer.Option("--full", help=FULL)] = False,
    max_excluded: MaxExcluded = None,
) -> None:
    """Run a suite: every strategy on every task, scored, with a report."""
    from mmragbench import verbs
    from mmragbench.progress import progress
    from mmragbench.reporting.folder import RunFolder
    from mmragbench.reporting.troubles import remarks

    with progress(err) as shown:
        done = verbs.run(suite, _bounded(overrides, max_excluded), output, shown, full)
    for remark in remarks(RunFolder(done.folder)):
        err.say(remark)
    for crash in done.crashed:
        err.say(f"warning: {shortened(crash['error'], LONGEST)}")
    out.say(str(done.report))
    if done.crashed:
        raise typer.Exit(1)


def _bounded(overrides: list[str] | None, max_excluded: str | None) -> list[str]:
    """The overrides, and the option as one more: it is a key of the suite."""
    return [*(overrides or ()), *([f"max_excluded={max_excluded}"] if max_excluded else [])]


@app.command()
def plan(
    suite: SuiteArgument, overrides: Overrides = None, max_excluded: MaxExcluded = None
) -> None:
    """Say what a run would do, and what of it is known already; calls no model."""
    from mmragbench import verbs

    outlook = verbs.plan(suite, _bounded(overrides, max_excluded))
    cells = Table("task", "strategy", "memory", "queries", "generators", "rankings", box=None)
    for row in outlook.cells:
        size = (f"{row['documents']:,}", f"{row['queries']:,}")
        generators = ", ".join(row["generators"]) or "-"
        known = "known" if row["known"] else "to do"
        cells.add_row(row["task"], row["strategy"], *size, generators, known)
    out.print(cells)
    out.print()
    for line in tabled(outlook.models):
        out.print(line)
    if outlook.budget is not None:
        out.say(f"budget: ${outlook.budget:,.2f}")
    for left in outlook.left_out:
        err.say(f"left out: {left}")


@app.command()
def ls() -> None:
    """List what a suite can name."""
    from mmragbench.registry import every

    for kind in KINDS:
        out.print(f"\n{kind}", style="bold")
        for component in every(kind):
            line = f"  {component.name:<22}{component.summary}"
            overflow: Literal["ellipsis", "ignore"] = "ellipsis" if out.is_terminal else "ignore"
            out.print(line, overflow=overflow, no_wrap=True)


for verb in (compare, report, gate, export, check):
    app.command()(verb)
app.add_typer(score_app, name="score")
app.command()(verify)


def main() -> None:
    """The entry point: errors are one line, exit code 2."""
    try:
        app()
    except MmragbenchError as error:
        err.say(f"error: {error}")
        sys.exit(2)
    except KeyboardInterrupt:
        err.say("stopped; the same command goes on from here")
        sys.exit(130)


if __name__ == "__main__":
    main()
