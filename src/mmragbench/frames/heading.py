"""The HTML that a notebook shows of a run: strategies, tasks, and the names of its tables."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from mmragbench.frames.tables import TABLES
from mmragbench.run_folder.paths import Setting
from mmragbench.run_folder.reading import Run

COLUMNS = ("task", "queries", "documents", "relevance", "generators", "measures")


def html(name: str, run: Run) -> str:
    """The HTML of one run: its strategies, a row for each task, the names of the tables."""
    contenders = [strategy for strategy, role in run.strategies.items() if role is None]
    controls = [strategy for strategy, role in run.strategies.items() if role is not None]
    against = f" (controls: {', '.join(controls)})" if controls else ""
    tables = ", ".join(f"<code>.{table}</code>" for table in TABLES)
    return (
        f"<p><b>{escape(name)}</b>: {escape(', '.join(contenders) + against)}</p>\n"
        f"<table><thead>{_row(COLUMNS, 'th')}</thead>\n"
        f"<tbody>{''.join(_row(_task(run, task)) for task in run.tasks)}</tbody></table>\n"
        f"<p>Data frames: {tables}. Figures: <code>.figures</code>.</p>"
    )


def _task(run: Run, task: str) -> list[str]:
    facts, rows = run.tasks[task], [row for row in run.rows if row.task == task]
    generators = dict.fromkeys(str(Setting(r.generator, r.k)) for r in rows if r.generator)
    measures = dict.fromkeys(str(row.measure) for row in rows)
    return [
        task,
        _count(facts.n_queries),
        _count(facts.n_documents),
        facts.relevance,
        ", ".join(generators),
        ", ".join(measures),
    ]


def _count(number: int | None) -> str:
    return "" if number is None else f"{number:,}"


def _row(texts: Iterable[str], tag: str = "td") -> str:
    inner = "".join(f'<{tag} style="text-align:left">{escape(t)}</{tag}>' for t in texts)
    return f"<tr>{inner}</tr>"
