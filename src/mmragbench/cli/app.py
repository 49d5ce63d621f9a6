"""The command line: thin around the verbs."""

from __future__ import annotations

import io
import signal
import sqlite3
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, cast

import typer
from rich.table import Table
from typer.core import TyperGroup

from mmragbench import __version__
from mmragbench._printable import one_line
from mmragbench.cli.check import check
from mmragbench.cli.compare import compare
from mmragbench.cli.equivalence import equivalence
from mmragbench.cli.export import export
from mmragbench.cli.gate import gate
from mmragbench.cli.init import announce, init
from mmragbench.cli.ls import ls
from mmragbench.cli.plan import listed, tabled
from mmragbench.cli.report import FULL, report
from mmragbench.cli.runs import runs
from mmragbench.cli.score import app as score_app
from mmragbench.cli.terminal import Terminal, wide
from mmragbench.cli.verify import verify
from mmragbench.engine.interrupts import INTERRUPTS, flush, outside
from mmragbench.errors import MmragbenchError, NotAtHand

UsageError = cast("type[Exception]", typer.BadParameter.__mro__[1])
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
out = wide()
err = Terminal(stderr=True)

if TYPE_CHECKING:
    from mmragbench.run_folder.finished import FinishedRun

SuiteArgument = Annotated[
    str,
    typer.Argument(
        help="A suite file, the name of a shipped one, or a folder of data.", show_default=False
    ),
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

Seeds = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Repeat what is random under so many seeds, from the suite's on, on the same data.",
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
    seeds: Seeds = None,
) -> None:
    """Run a suite: every strategy on every task, scored, with a report."""
    from mmragbench import verbs
    from mmragbench.cli.progress import progress

    began = time.monotonic()
    given = announce(suite)
    with progress(err) as shown:
        settings = _overrides(overrides, max_excluded=max_excluded, seeds=seeds)
        done = verbs.run(given, settings, output, shown, full, debug)
    _print_end(done, time.monotonic() - began)
    if done.crashed:
        raise typer.Exit(1)


def _print_end(done: FinishedRun, seconds: float) -> None:
    """The answers on standard output, what is missing on standard error, and last the report's path."""
    from mmragbench.cli.answer import cost_lines, missing, print_answer
    from mmragbench.run_folder.finding import LATEST, RUNS
    from mmragbench.run_folder.reading import Run

    run = Run(done.folder)
    print_answer(out, run)
    for line in missing(run):
        err.say(line)
    if done.crashed:
        err.say("note: run --debug prints the traceback")
    out.print()
    for line in cost_lines(run, done.calls, seconds):
        out.say(line)
    out.say(f"run: {done.folder}")
    name = LATEST if done.folder.parent == RUNS else done.folder
    out.say(f"next: mmragbench compare {name} · mmragbench report {name} --format latex")
    out.say(str(done.report))


DEBUG = "Print the traceback of a component that crashes."


def _overrides(overrides: list[str] | None, **options: str | int | None) -> list[str]:
    """The overrides, with one more for each option that is a key of the suite."""
    given = [f"{name}={value}" for name, value in options.items() if value is not None]
    return [*(overrides or ()), *given]


@app.command()
def plan(
    suite: SuiteArgument,
    overrides: Overrides = None,
    max_excluded: MaxExcluded = None,
    seeds: Seeds = None,
) -> None:
    """Say what a run would do, and what of it is known already; calls no model."""
    from mmragbench import verbs

    settings = _overrides(overrides, max_excluded=max_excluded, seeds=seeds)
    run_plan = verbs.plan(announce(suite), settings)
    cells = Table("task", "strategy", "memory", "queries", "generators", "rankings", box=None)
    for row in run_plan.cells:
        size = ("-" if row[n] is None else f"{row[n]:,}" for n in ("documents", "queries"))
        generators = ", ".join(row["generators"]) or "-"
        known = "known" if row["known"] else "to do"
        cells.add_row(row["task"], row["strategy"], *size, generators, known)
    out.print(cells)
    out.print()
    if run_plan.models:
        for line in tabled(run_plan.models):
            out.print(line)
    for line in listed(run_plan.requirements, run_plan.models):
        out.say(line)
    if run_plan.budget is not None:
        out.say(f"budget: ${run_plan.budget:,.2f}")
    if run_plan.warning:
        err.say(f"warning: {run_plan.warning}")
    for exclusions in run_plan.left_out:
        err.say(f"left out: {exclusions}")


for verb in (init, runs, ls, compare, equivalence, report, gate, export, check):
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
    except NotAtHand as error:
        _refuse(error)
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


def _refuse(error: NotAtHand) -> NoReturn:
    """Say what is not at hand, a line for each where there are several; end with exit code 2."""
    if len(error.lines) == 1:
        err.say(f"error: {error}")
    else:
        for line in error.lines:
            err.say(line)
        err.say(
            f"error: {len(error.lines)} things that this suite needs are not at hand: see above"
        )
    sys.exit(2)


INTERRUPTED = 130
"""With which typer exits on Ctrl-C."""


def _warning(message: Warning | str, *_: object, **__: object) -> str:
    return f"warning: {one_line(message)}\n"


if __name__ == "__main__":
    main()
