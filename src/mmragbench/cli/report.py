"""`mmragbench report`: writes a run's report anew, or tables and text for a paper."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mmragbench._places import check_file, check_folder
from mmragbench._printable import printable
from mmragbench.cli.arguments import RunArguments
from mmragbench.cli.together import together
from mmragbench.errors import MmragbenchError
from mmragbench.reporting.tables.request import Intervals, NoteLength, Width

if TYPE_CHECKING:
    from mmragbench.run_folder.reading import Run


FULL = "Show every query with all that is stored of it, however large the page becomes."
CHOICES = (
    *("tasks", "measures", "strategies", "generators", "slice", "baseline"),
    *("style", "note", "names", "digits", "label", "width"),
)
"""The options that only tables and texts of a paper have."""


def report(  # noqa: PLR0913 (a command line's options are its vocabulary)
    context: typer.Context,
    runs: RunArguments,
    *,
    format: Annotated[
        Literal["latex", "markdown", "csv", "html"] | None,
        typer.Option(help="A paper's tables in this format, instead of the whole report."),
    ] = None,
    measures: Annotated[str, typer.Option(help="Only these columns, separated by commas.")] = "",
    tasks: Annotated[str, typer.Option(help="Only these tasks, separated by commas.")] = "",
    strategies: Annotated[
        str, typer.Option(help="Only these rows, separated by commas, in this order.")
    ] = "",
    generators: Annotated[
        str, typer.Option(help="Only these groups of rows, separated by commas, in this order.")
    ] = "",
    slice: Annotated[str, typer.Option(help="Only the queries of this slice.")] = "all",
    baseline: Annotated[
        str, typer.Option(help="Whom the stars compare with; by default the suite's.")
    ] = "",
    style: Annotated[
        Intervals,
        typer.Option(help="How 95 % intervals are written, or the deviation over seeds."),
    ] = "subscript",
    note: Annotated[NoteLength, typer.Option(help="The text below a table.")] = "short",
    names: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=TEXT",
            help="What the paper calls a strategy, generator, task or suite; may be repeated.",
        ),
    ] = None,
    digits: Annotated[
        int | None, typer.Option(min=0, max=6, help="Decimals; by default as many as are needed.")
    ] = None,
    label: Annotated[str, typer.Option(help="What LaTeX refers to: tab:main.")] = "",
    width: Annotated[
        Width, typer.Option(help="Of a LaTeX table: a column of the page, or the page.")
    ] = "auto",
    methods: Annotated[
        bool, typer.Option("--methods", help="The paragraph of a methods section.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(help="A file, or a folder for tables, figures, references and methods."),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help=FULL)] = False,
) -> None:
    """Write a run's report anew; or, with --format or --methods, tables and text for a paper. Runs of
    one suite under different seeds are put together."""
    from mmragbench.reporting.paper.folder import save_all, written
    from mmragbench.reporting.paper.methods import methods as paragraph
    from mmragbench.reporting.tables.paper_tables import tables
    from mmragbench.reporting.tables.request import Request, Style
    from mmragbench.run_folder.files import unlisted

    into_folder = output is not None and (output.is_dir() or not output.suffix)
    (check_folder if into_folder else check_file)("--output", output)
    folders = [_run(path) for path in runs]
    request = Request(
        tasks=_names(tasks),
        measures=_names(measures),
        strategies=_names(strategies),
        generators=_names(generators),
        slice=slice,
        baseline=baseline or None,
        style=Style(style, note, _renamed(names or []), digits, _label(label), width),
    )
    chosen = format or "markdown"
    with unlisted(*runs):
        if format is None and not methods:
            _refuse_choices(context)
            _whole_reports(folders, output, full)
            return
        with together(folders) as shown:
            if output is not None and into_folder:
                typer.echo(save_all(shown, request, chosen, output))
            elif methods:
                into_tex = output is not None and output.suffix == ".tex"
                latex = format == "latex" or (format is None and into_tex)
                _output(paragraph(shown, request.style, latex), output)
            else:
                _output(written(tables(shown, request), chosen, request), output)


def _run(path: Path) -> Run:
    from mmragbench.run_folder import paths
    from mmragbench.run_folder.reading import Run

    run = Run(path)
    run.must_have(paths.SUMMARY)
    return run


def _refuse_choices(context: typer.Context) -> None:
    """Refuse options of a paper's tables, which change nothing in the whole report.

    Raises:
        MmragbenchError: one of them is given.
    """
    sources = {name: context.get_parameter_source(name) for name in CHOICES}
    given = [
        f"--{name}" for name, source in sources.items() if source and source.name == "COMMANDLINE"
    ]
    if given:
        raise MmragbenchError(
            f"{given[0]} needs --format: the whole report shows all; for tables, add --format markdown"
        )


def _whole_reports(runs: list[Run], output: Path | None, full: bool) -> None:
    from mmragbench.run_folder.over_seeds import of_one_suite
    from mmragbench.verbs import over_seeds, write_reports

    if output is not None:
        raise MmragbenchError("--output needs --format: the whole report lies in the run's folder")
    by_seed = of_one_suite(runs)
    for folder in [over_seeds(by_seed)] if by_seed else [run.path for run in runs]:
        typer.echo(write_reports(folder, full))


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def _renamed(pairs: list[str]) -> dict[str, str]:
    """`NAME=TEXT` each, as a mapping."""
    names = {}
    for pair in pairs:
        name, equals, text = (part.strip() for part in pair.partition("="))
        if not (name and equals and text):
            raise MmragbenchError(f"--names is NAME=TEXT, shared-space='CLIP (ours)', not {pair!r}")
        names[name] = text
    return names


def _label(label: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9:._-]*", label):
        raise MmragbenchError(f"--label has letters, digits and :._- only, not {label!r}")
    return label


def _output(text: str, output: Path | None) -> None:
    """Print a text as UTF-8 without control characters, or write it to a file."""
    from mmragbench.reporting.writing import write

    if output is None:
        typer.echo(printable(text).encode("utf-8"), nl=False)
    else:
        typer.echo(write(output, text))
