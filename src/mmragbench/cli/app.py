"""The command line: thin around the verbs."""

from __future__ import annotations

import io
import signal
import sqlite3
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.table import Table
from typer.core import TyperGroup

from mmragbench import __version__
from mmragbench._crashes import FILE
from mmragbench._printable import one_line
from mmragbench.cli.check import check
from mmragbench.cli.compare import compare
from mmragbench.cli.equivalence import equivalence
from mmragbench.cli.export import export
from mmragbench.cli.gate import gate
from mmragbench.cli.plan import tabled
from mmragbench.cli.report import FULL, report
from mmragbench.cli.score import app as score_app
from mmragbench.cli.terminal import Terminal
from mmragbench.cli.verify import verify
from mmragbench.engine.interrupts import INTERRUPTS, flush, outside
from mmragbench.errors import MmragbenchError

KINDS = (
    "dataset", "encoder", "captioner", "chat", "painter", "reranker", "strategy", "store",
    "generator", "measure", "report",
)  # fmt: skip


UsageError = typer.BadParameter.__mro__[1]
"""Of click, which typer has within itself or beside it, by its version."""


class Commands(TyperGroup):
    """Commands that report wrong usage and errors of the system (disk, memory, input) on one line."""

    def make_context(self, *args: Any, **extra: Any) -> Any:
        with _usage_on_one_line():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: Any) -> Any:
        try:
            with _usage_on_one_line():
                return super().invoke(ctx)
        except BrokenPipeError:
            raise
        except (OSError, sqlite3.Error, MemoryError, EOFError) as error:
            raise outside(error) from error


@contextmanager
def _usage_on_one_line() -> Iterator[None]:
    """Turn wrong arguments and options into an error of one line, which names the command that
    explains them.

    Raises:
        MmragbenchError: an argument or option is wrong.
    """
    try:
        yield
    except UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # its message is the whole help
            raise
        usage: Any = error
        message = one_line(usage.format_message()).replace("Value error, ", "")
        end = "" if message.endswith((".", "?")) else "."
        command = usage.ctx.command_path if usage.ctx else "mmragbench"
        raise MmragbenchError(
            f"{message[:1].lower()}{message[1:]}{end} See: {command} --help"
        ) from error


app = typer.Typer(
    cls=Commands,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Compare multimodal retrieval-augmented generation strategies.",
)
out = Terminal()
err = Terminal(stderr=True)

if TYPE_CHECKING:
    from mmragbench.run_folder.finished import FinishedRun

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
    debug: Annotated[bool, typer.Option("--debug", help=DEBUG)] = False,
    max_excluded: MaxExcluded = None,
) -> None:
    """Run a suite: every strategy on every task, scored, with a report."""
    from mmragbench import verbs
    from mmragbench.cli.progress import progress
    from mmragbench.reporting.facts import costs, issues
    from mmragbench.run_folder.reading import Run

    with progress(err) as shown:
        given = _bounded(overrides, max_excluded)
        done = verbs.run(suite, given, output, shown, full, debug)
    folder = Run(done.folder)
    for remark in issues.remarks(folder):
        err.say(remark)
    for text in dict.fromkeys(_crashes(done)):
        err.say(f"warning: {one_line(text)}")
    for remark in costs.remarks(folder):
        err.say(f"note: {remark}")
    out.say(str(done.report))
    if done.crashed:
        raise typer.Exit(1)


DEBUG = "Print the traceback of a component that crashes."


def _crashes(done: FinishedRun) -> Iterator[str]:
    """A line for each crash, and one with the log of their tracebacks."""
    for crash in done.crashed:
        task, place = crash.get("task"), crash.get("place")
        text = f"{task} · {crash['error']}" if task else crash["error"]
        yield f"{text} ({place})" if place else text
    if (log := done.folder / FILE).is_file():
        yield f"the tracebacks are in {log}"


def _bounded(overrides: list[str] | None, max_excluded: str | None) -> list[str]:
    """The overrides with `--max-excluded` as one more, since it is a key of the suite."""
    return [*(overrides or ()), *([f"max_excluded={max_excluded}"] if max_excluded else [])]


@app.command()
def plan(
    suite: SuiteArgument, overrides: Overrides = None, max_excluded: MaxExcluded = None
) -> None:
    """Say what a run would do, and what of it is known already; calls no model."""
    from mmragbench import verbs

    run_plan = verbs.plan(suite, _bounded(overrides, max_excluded))
    cells = Table("task", "strategy", "memory", "queries", "generators", "rankings", box=None)
    for row in run_plan.cells:
        size = (f"{row['documents']:,}", f"{row['queries']:,}")
        generators = ", ".join(row["generators"]) or "-"
        known = "known" if row["known"] else "to do"
        cells.add_row(row["task"], row["strategy"], *size, generators, known)
    out.print(cells)
    out.print()
    for line in tabled(run_plan.models):
        out.print(line)
    if run_plan.budget is not None:
        out.say(f"budget: ${run_plan.budget:,.2f}")
    for exclusions in run_plan.left_out:
        err.say(f"left out: {exclusions}")


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


for verb in (compare, equivalence, report, gate, export, check):
    app.command()(verb)
app.add_typer(score_app, name="score")
app.command()(verify)


def main() -> None:
    """The entry point: what is wrong with the input, or with the world, is one line and exit code 2; a
    defect of ours shows its traceback."""
    INTERRUPTS.watch()
    warnings.formatwarning = _warning
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # ids may hold what no terminal can show
    try:
        app(prog_name="mmragbench")
    except MmragbenchError as error:
        err.say(f"error: {error}")
        sys.exit(2)
    except OSError as error:  # outside of the commands: where typer shows their help
        err.say(f"error: {outside(error)}")
        sys.exit(2)
    except KeyboardInterrupt:
        INTERRUPTS.end()
    except SystemExit as end:
        if end.code == INTERRUPTED:
            INTERRUPTS.end()
        raise
    finally:
        flush()
        signal.signal(
            signal.SIGINT, lambda *_: INTERRUPTS.end()
        )  # while the interpreter shuts down


INTERRUPTED = 130
"""With which typer exits on Ctrl-C."""


def _warning(message: Warning | str, *_: object, **__: object) -> str:
    return f"warning: {one_line(message)}\n"


if __name__ == "__main__":
    main()
