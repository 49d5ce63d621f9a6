"""The tables as Markdown, for READMEs, issues and pull requests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mmragbench.registry import report
from mmragbench.reporting.facts.issues import remarks
from mmragbench.reporting.facts.marks import legend
from mmragbench.reporting.facts.shown_families import summary
from mmragbench.reporting.tables.markdown import grid
from mmragbench.reporting.tables.report_tables import task_tables
from mmragbench.reporting.tables.table import Line, Table
from mmragbench.reporting.words.gfm import escape
from mmragbench.reporting.words.verdicts import Verdict, verdicts
from mmragbench.reporting.writing import stem, write
from mmragbench.run_folder.reading import Run, TaskFacts

LEGEND = (
    "**Bold**: the best strategy under one setting. *Italic*: controls. ↑ higher is better, "
    "↓ lower. —: not applicable, with the reason below the table."
)


@report
def markdown(run: Path, target: Path) -> Path:
    """`tables.md` with the answers and every table of the run, `tables/<task>.md` with one task's."""
    folder = Run(run)
    texts = {task: _task(folder, facts) for task, facts in folder.tasks.items()}
    for task, text in texts.items():
        write(target / "tables" / f"{stem(task)}.md", f"# {text}\n{LEGEND}\n")
    answers = {verdict.task: _answer(verdict) for verdict in verdicts(folder)}
    parts = [f"# {escape(folder.name)}\n", *answers.values(), ""]
    parts += [f"{escape(remark[:1].upper() + remark[1:])}.\n" for remark in remarks(folder)]
    parts += [f"{escape(text)}\n" for text in filter(None, [summary(folder)])]
    parts += [*(f"## {text}" for text in texts.values()), LEGEND]
    return write(target / "tables.md", "\n".join(parts) + "\n")


def _answer(verdict: Verdict) -> str:
    """The task's answer as an item of a list, and what the controls say below it."""
    first, *more = (escape(text) for text in (verdict.answer, *verdict.more))
    return "\n".join([f"- **{first}**", *(f"  {text}" for text in more)])


def _task(run: Run, facts: TaskFacts) -> str:
    counts = {"queries": facts.n_queries, "documents": facts.n_documents}
    sizes = [f"{n:,} {what}" for what, n in counts.items() if n is not None]
    text = "\n".join([escape(facts.name), "", *([", ".join(sizes) + ".", ""] if sizes else [])])
    for table in task_tables(run, facts):
        text += "\n".join(["", *_table(table), ""])
    return text


def _table(table: Table) -> Iterator[str]:
    silver = ", silver" if table.silver else ""
    heads = [f"{c.measure.label} ({c.unit or 'raw'}{silver}) {c.arrow}" for c in table.columns]
    yield f"**{escape(table.title)}**"
    yield ""
    yield from grid(table, "brackets", heads, True, _name)
    letters = [] if table.within is None else [legend(table.within)]
    for remark in (*letters, *table.remarks):
        yield ""
        yield escape(remark)
    if table.notes:
        yield ""
        yield from (f"{mark}. {escape(note)}" for mark, note in table.notes)


def _name(line: Line) -> str:
    name = escape(line.strategy)
    if line.others:
        return f"*{name}*"
    return f"*{name}* ({line.control})" if line.control else name
