"""`mmragbench gate`: tests a run against its baseline; the exit code is the verdict."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from mmragbench._places import check_file
from mmragbench.cli.arguments import Results
from mmragbench.cli.terminal import Terminal, wide
from mmragbench.errors import MmragbenchError

if TYPE_CHECKING:
    from mmragbench.gating.cell_results import CellResult
    from mmragbench.gating.gate import Gate
    from mmragbench.gating.gate_text import RegressionExample

SHOWN = 20
"""The most lines of a part without `--all`."""
NARROW = 120
"""Width of a terminal, in columns, below which the table has no margin, p-value and counts."""


def gate(  # noqa: PLR0913, PLR0917 - the options are what CI asks for
    results: Results,
    save: Annotated[Path | None, typer.Option(help="Write their baseline here.")] = None,
    baseline: Annotated[Path | None, typer.Option(help="Test against this baseline.")] = None,
    margin: Annotated[
        list[str] | None,
        typer.Option(metavar="MEASURE=LOSS", help="The loss that matters: CIDEr=0.02, R=1%."),
    ] = None,
    require_power: Annotated[
        float | None, typer.Option(help="Fail what passes with less power, e.g. 0.8.")
    ] = None,
    measures: Annotated[str, typer.Option(help="Only these, separated by commas.")] = "",
    controls: Annotated[
        bool, typer.Option("--controls", help="Also controls, such as random and oracle.")
    ] = False,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML here.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write a Markdown summary here.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Show all cells.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Test a run, or another system's scores, against a stored baseline, cell by cell. Exit code 0: it
    holds; 1: it does not."""
    from mmragbench.gating import gate as gating

    chosen = [name.strip() for name in measures.split(",") if name.strip()]
    if (save is None) == (baseline is None):
        raise MmragbenchError(
            "give one of --save FILE (write a baseline) and --baseline FILE (test)"
        )
    if save is not None and (margin or require_power is not None):
        raise MmragbenchError(
            "a baseline keeps no margins: give --margin and --require-power with --baseline"
        )
    for option, path in (("--save", save), ("--junit", junit), ("--markdown", markdown)):
        check_file(option, path)
    if save is not None:
        _say_saved(gating.save_baseline(results, save, chosen, controls).cells, save)
    elif baseline is not None:
        result = gating.gate(
            results, baseline, margins_of(margin or ()), require_power, chosen, controls
        )
        _write(result, junit, markdown)
        if as_json:
            Terminal().as_json(result.row())
        else:
            _show(result, every)
        _annotate(result, as_json)
        if not result.holds:
            raise typer.Exit(1)


def margins_of(given: Sequence[str]) -> dict[str, str]:
    """Measure -> margin, of `MEASURE=LOSS` as `--margin` has it.

    Raises:
        MmragbenchError: one is not of this form.
    """
    pairs = [text.partition("=") for text in given]
    for name, equals, value in pairs:
        if not (name and equals and value):
            raise MmragbenchError(f"--margin {name}{equals}{value}: write MEASURE=LOSS, CIDEr=0.02")
    return {name.strip(): value.strip() for name, _, value in pairs}


def _say_saved(cells: Sequence[object], path: Path) -> None:
    from mmragbench._digits import counted
    from mmragbench.gating.stored_baseline import table_path

    table = table_path(path)
    size = (path.stat().st_size + table.stat().st_size) / 1000
    Terminal().say(f"{path} and {table.name}: {counted(len(cells), 'cell')}, {size:,.0f} kB")


def _write(gate: Gate, junit: Path | None, markdown: Path | None) -> None:
    from mmragbench._files import write_atomically
    from mmragbench.gating import renderers

    if junit:
        write_atomically(junit, renderers.junit(gate))
    if markdown:
        write_atomically(markdown, renderers.markdown(gate))
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(renderers.markdown(gate) + "\n")


def _annotate(gate: Gate, as_json: bool) -> None:
    """Print annotations in GitHub Actions: to standard error where standard output is JSON, since
    GitHub reads both."""
    from mmragbench.gating import renderers

    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in (*renderers.errors(gate), *renderers.warnings(gate)):
            Terminal(stderr=as_json).say(line)


def _show(gate: Gate, every: bool) -> None:
    """Print the result: the verdict, problems, cells, queries that got worse, power, margins."""
    from mmragbench._digits import counted
    from mmragbench.gating.gate_text import (
        headline,
        left_aside,
        power,
        regression_examples,
        underpowered,
        unfailing,
    )
    from mmragbench.reporting.facts.units import FACTORS

    console = wide()
    most = 10_000 if every else SHOWN
    console.print(headline(gate), style="bold green" if gate.holds else "bold red")
    _print_lines(console, [f"  {problem}" for problem in gate.problems], most)
    if cells := gate.cells if every else gate.failing[:most]:
        console.print()
        console.print(_table(cells, console.width))
        _print_rest(console, len(gate.failing), most)
    if examples := regression_examples(gate):
        _print_regressions(console, examples, most)
    if remarks := underpowered(gate):
        console.print("\nPassed on too few queries to count:")
        _print_lines(console, [f"  {where}: {text}" for where, text in remarks], most)
    console.print()
    for text in filter(None, (left_aside(gate), unfailing(gate), power(gate))):
        console.print(text)
    margins = ", ".join(f"{name} {margin}" for name, margin in gate.margins.items())
    scaled = any(cell.unit in FACTORS for cell in gate.cells)
    own = " They are on the measures' own scale, as --margin takes them." if scaled else ""
    console.print(f"Margins: {margins}.{own}")
    if gate.new:
        console.print(f"Not in the baseline, so not judged: {counted(len(gate.new), 'cell')}.")


def _print_lines(console: Terminal, lines: Sequence[str], most: int) -> None:
    """Print the first lines, and how many more there are."""
    for line in lines[:most]:
        console.print(line)
    _print_rest(console, len(lines), most)


def _print_rest(console: Terminal, count: int, most: int) -> None:
    if count > most:
        console.print(f"  … and {count - most:,} more; see --all")


def _table(cells: Sequence[CellResult], width: int) -> Table:
    """A row for each cell; in narrow terminals without margin, p and counts."""
    from mmragbench._digits import p_value
    from mmragbench.gating.gate_text import measure_and_unit, p_of, shown

    wide = width >= NARROW
    table = Table(box=None, padding=(0, 2, 0, 0))
    for head in ("cell", "measure", "verdict"):
        table.add_column(head, overflow="fold")
    more = ("margin", "p", "moved", "to tell") if wide else ()
    for head in ("before", "now", "loss", *more):
        table.add_column(head, justify="right", no_wrap=True)
    for cell in cells:
        p = p_of(cell)
        numbers = (shown(cell, x) for x in (cell.before, cell.now, cell.loss))
        row = [cell.system, measure_and_unit(cell), cell.verdict, *numbers]
        if wide:
            needed = f"{cell.needed:,}" if cell.needed and cell.verdict == "can't tell" else "-"
            moved = f"{cell.changed:,} of {cell.n:,}"
            row += [shown(cell, cell.margin), "-" if p is None else p_value(p), moved, needed]
        table.add_row(*row)
    return table


def _print_regressions(console: Terminal, examples: Sequence[RegressionExample], most: int) -> None:
    """Print the queries that got worse, below the cell that they got worse in, each with its place in
    the report."""
    console.print("\nQueries that got worse:")
    last = ""
    for example in examples[:most]:
        if example.cell.name != last:
            console.print(f"  {example.cell.name}")
            last = example.cell.name
        texts = [f'"{text}"' for text in (example.query_text, example.answer) if text]
        line = f"    {example.regressed.query}  {example.change}  {' now: '.join(texts)}"
        console.print(line[: console.width - 2])
        if example.link:
            console.say(f"      {example.link}")
    _print_rest(console, len(examples), most)
