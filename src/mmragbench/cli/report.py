"""`mmragbench report`: writes a run's report anew, or tables and text for a paper."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mmragbench._places import check_file, check_folder
from mmragbench._printable import printable
from mmragbench.errors import MmragbenchError

if TYPE_CHECKING:
    from mmragbench.run_folder.reading import Run


FULL = "Show every query with all that is stored of it, however large the page becomes."


def report(  # noqa: PLR0913 (a command line's options are its vocabulary)
    runs: Annotated[list[Path], typer.Argument(help="Run folders.", show_default=False)],
    *,
    format: Annotated[
        Literal["latex", "markdown", "csv", "html"] | None,
        typer.Option(help="A paper's tables in this format, instead of the whole report."),
    ] = None,
    measures: Annotated[str, typer.Option(help="Only these columns, separated by commas.")] = "",
    tasks: Annotated[str, typer.Option(help="Only these tasks, separated by commas.")] = "",
    slice: Annotated[str, typer.Option(help="Only the queries of this slice.")] = "all",
    baseline: Annotated[
        str, typer.Option(help="Whom the stars compare with; by default the suite's.")
    ] = "",
    style: Annotated[
        Literal["subscript", "plusminus", "brackets", "none"],
        typer.Option(help="How 95 % intervals are written."),
    ] = "subscript",
    methods: Annotated[
        bool, typer.Option("--methods", help="The paragraph of a methods section.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(help="A file, or a folder for tables, figures, references and methods."),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help=FULL)] = False,
) -> None:
    """Write a run's report anew; or, with --format or --methods, tables and text for a paper."""
    from mmragbench.reporting.paper.folder import save_all, written
    from mmragbench.reporting.paper.methods import methods as paragraph
    from mmragbench.reporting.tables.paper_tables import tables
    from mmragbench.reporting.tables.request import Request
    from mmragbench.run_folder.files import unlisted

    into_folder = output is not None and (output.is_dir() or not output.suffix)
    (check_folder if into_folder else check_file)("--output", output)
    folders = [_run(path) for path in runs]
    request = Request(_names(tasks), _names(measures), slice, baseline or None, style)
    chosen = format or "markdown"
    with unlisted(*runs):
        if format is None and not methods:
            _refuse_choices({"--tasks": tasks, "--measures": measures, "--baseline": baseline})
            _whole_reports(runs, output, full)
        elif output is not None and into_folder:
            typer.echo(save_all(folders, request, chosen, output))
        elif methods:
            into_tex = output is not None and output.suffix == ".tex"
            latex = format == "latex" or (format is None and into_tex)
            _output(paragraph(folders, latex=latex), output)
        else:
            _output(written(tables(folders, request), chosen, style), output)


def _run(path: Path) -> Run:
    from mmragbench.run_folder import paths
    from mmragbench.run_folder.reading import Run

    run = Run(path)
    run.must_have(paths.SUMMARY)
    return run


def _refuse_choices(options: Mapping[str, str]) -> None:
    """Refuse options of a paper's tables, which change nothing in the whole report.

    Raises:
        MmragbenchError: one of them is given.
    """
    if given := [name for name, value in options.items() if value]:
        raise MmragbenchError(
            f"{given[0]} needs --format: the whole report shows all; for tables, add --format markdown"
        )


def _whole_reports(runs: list[Path], output: Path | None, full: bool) -> None:
    from mmragbench.verbs import write_reports

    if output is not None:
        raise MmragbenchError("--output needs --format: the whole report lies in the run's folder")
    for run in runs:
        typer.echo(write_reports(run, full))


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def _output(text: str, output: Path | None) -> None:
    """Print a text as UTF-8 without control characters, or write it to a file."""
    from mmragbench.reporting.writing import write

    if output is None:
        typer.echo(printable(text).encode("utf-8"), nl=False)
    else:
        typer.echo(write(output, text))
