"""What `run` prints when it ends: the answers, the main table, what is missing, the cost, the paths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mmragbench._digits import counted
from mmragbench.reporting.facts import costs, issues
from mmragbench.reporting.facts.headline import headlines
from mmragbench.reporting.facts.units import compact, money
from mmragbench.reporting.page.heading import question, subtitle
from mmragbench.reporting.tables.overview import Head, Overview, overview
from mmragbench.reporting.words.verdicts import verdicts

if TYPE_CHECKING:
    from mmragbench.cli.terminal import Terminal
    from mmragbench.reporting.tables.table import Cell, Line
    from mmragbench.run_folder.reading import Run

LEGEND = "Bold, *: the best. ≈: no difference from the best was shown. [ ]: 95 % interval."


def print_answer(console: Terminal, run: Run) -> None:
    """The report's first page in a terminal: a sentence on each task, and the main table."""
    console.print(f"\n{question(run)}", style="bold")
    console.print(subtitle(run))
    for verdict in verdicts(run):
        console.print(f"\n{verdict.task}", style="bold")
        _paragraph(console, verdict.answer)
        for sentence in verdict.more:
            _paragraph(console, sentence, "dim")
    _print_main_table(console, run)


def _paragraph(console: Terminal, text: str, style: str = "") -> None:
    """An indented sentence: wrapped in a terminal, one line elsewhere."""
    if console.is_terminal:
        console.print(Padding(text, (0, 0, 0, 2), style=style))
    else:
        console.say(f"  {text}")


def _print_main_table(console: Terminal, run: Run) -> None:
    numbers = overview(run, headlines(run))
    if not numbers.heads:
        return
    table = _main_table(numbers, " ")
    if table.__rich_measure__(console, console.options).maximum > console.width:
        table = _main_table(numbers, "\n")
    console.print()
    console.print(table)
    console.say(LEGEND)
    for mark, note in numbers.notes:
        console.say(f"{mark}  {note}")


def _main_table(numbers: Overview, gap: str) -> Table:
    """The main table, with a gap between a number and its interval that may be a new line."""
    table = Table(box=None, padding=(0, 2 if gap == " " else 1, 0, 0))
    table.add_column("strategy", vertical="bottom", overflow="fold")
    for head in numbers.heads:
        table.add_column(_head(head), vertical="bottom", overflow="fold")
    for line in numbers.lines:
        cells = [_number(cell, gap) for cell in line.cells]
        table.add_row(_name(line), *cells, style="dim" if line.control else "")
    return table


def _head(head: Head) -> str:
    """The task, its primary measure, and how answers were generated, one below the other."""
    silver = " silver" if head.silver else ""
    measure = f"{head.column.measure.label} {head.column.head}{silver}"
    return "\n".join(filter(None, [head.task, measure, head.setting, f"n = {head.n:,}"]))


def _name(line: Line) -> str:
    return f"{line.strategy} ({line.control})" if line.control else line.strategy


def _number(cell: Cell, gap: str) -> Text:
    mark = "*" if cell.best else " ≈" if cell.tied else ""
    note = f" {cell.note}" if cell.note else ""
    shown = Text(f"{cell.text}{mark}{note}", style="bold" if cell.best else "")
    return shown.append(f"{gap}{cell.interval}", style="not bold") if cell.interval else shown


def missing(run: Run) -> list[str]:
    """A line on everything that was left out of the data, failed, or was cut."""
    return [*issues.remarks(run), *(f"note: {remark}" for remark in costs.remarks(run))]


def cost_lines(run: Run, calls: int, seconds: float) -> Iterator[str]:
    """What this run cost, and what its results cost when they were computed.

    Args:
        calls: calls to models that this run made.
        seconds: how long it took.
    """
    stored = costs.costs(run)
    computed = sum(cost.total for cost in stored)
    paid = sum(cost.dollars for cost in stored)
    price = f", {money(paid)}" if paid else ""
    yield f"this run: {compact(seconds)}, {counted(calls, 'call')} to models"
    if not calls and any(cost.models for cost in stored):
        yield f"all outputs of models were known; computing the results took {compact(computed)}{price}"
    elif price:
        yield f"its results cost {money(paid)}"
    if spent := costs.spending(run):
        yield spent
