"""The tables as Markdown, for READMEs, issues and pull requests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mmragbench.registry import report
from mmragbench.reporting.facts.families import summary
from mmragbench.reporting.page.issues import remarks
from mmragbench.reporting.tables.lines import Cell, Line
from mmragbench.reporting.tables.tables import Table, task_tables, title
from mmragbench.reporting.words.gfm import escape
from mmragbench.reporting.words.verdicts import Verdict, verdicts
from mmragbench.reporting.writing import stem, write
from mmragbench.run_folder.report_data import RunFolder, TaskFacts

LEGEND = (
    "**Bold**: the best strategy under one setting. *Italic*: controls. ↑ higher is better, "
    "↓ lower. —: not applicable, with the reason below the table."
)


@report
def markdown(run: Path, target: Path) -> Path:
    """`tables.md` with the answers and every table of the run, `tables/<task>.md` with one task's."""
    folder = RunFolder(run)
    texts = {task: _task(folder, facts) for task, facts in folder.tasks.items()}
    for task, text in texts.items():
        write(target / "tables" / f"{stem(task)}.md", f"# {text}\n{LEGEND}\n")
    said = {verdict.task: _answer(verdict) for verdict in verdicts(folder)}
    parts = [f"# {escape(folder.name)}\n", *said.values(), ""]
    parts += [f"{escape(remark[:1].upper() + remark[1:])}.\n" for remark in remarks(folder)]
    parts += [f"{escape(text)}\n" for text in filter(None, [summary(folder)])]
    parts += [*(f"## {text}" for text in texts.values()), LEGEND]
    return write(target / "tables.md", "\n".join(parts) + "\n")


def _answer(verdict: Verdict) -> str:
    """The task's answer as an item of a list, and what the controls say below it."""
    first, *more = (escape(text) for text in (verdict.answer, *verdict.more))
    return "\n".join([f"- **{first}**", *(f"  {text}" for text in more)])


def _task(run: RunFolder, facts: TaskFacts) -> str:
    counts = {"queries": facts.n_queries, "documents": facts.n_documents}
    said = [f"{n:,} {what}" for what, n in counts.items() if n is not None]
    text = "\n".join([escape(facts.name), "", *([", ".join(said) + ".", ""] if said else [])])
    for table in task_tables(run, facts):
        text += "\n".join(["", *_table(table), ""])
    return text


def _table(table: Table) -> Iterator[str]:
    yield f"**{escape(title(table))}**"
    yield ""
    labelled = any(block.label for block in table.blocks)
    silver = ", silver" if table.silver else ""
    heads = [
        f"{escape(c.measure.label)} ({escape(c.unit) or 'raw'}{silver}) {c.arrow}"
        for c in table.columns
    ]
    heads = [*["Setting"] * labelled, "Strategy", *heads, "n", *["failed"] * table.failed]
    yield _row(heads)
    yield _row([":--"] * (1 + labelled) + ["--:"] * (len(heads) - 1 - labelled))
    for block in table.blocks:
        for position, line in enumerate(block.lines):
            label = [escape(block.label) if position == 0 else ""] if labelled else []
            yield _row([*label, *_line(line, table.failed)])
    for remark in table.remarks:
        yield ""
        yield escape(remark)
    if table.notes:
        yield ""
        yield from (f"{number}. {escape(note)}" for number, note in enumerate(table.notes, 1))


def _line(line: Line, failed: bool) -> Iterator[str]:
    name = escape(line.strategy)
    name = f"*{name}*" if line.others else name
    yield f"*{name}* ({line.control})" if line.control else name
    yield from map(_cell, line.cells)
    yield line.n
    if failed:
        yield str(line.n_failed or "")


def _cell(cell: Cell) -> str:
    if cell.note:
        return f"{cell.text}<sup>{cell.note}</sup>"
    text = f"**{cell.text}**" if cell.best else cell.text
    text += f"<sup>{cell.marks}</sup>" if cell.marks else ""
    return f"{text} {escape(cell.interval)}".strip()


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
