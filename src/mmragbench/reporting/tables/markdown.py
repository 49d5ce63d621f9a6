"""A paper's table in Markdown, with the few tags that GitHub shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mmragbench.reporting.tables.paper_table import Line, Number, PaperTable
from mmragbench.reporting.tables.request import Style
from mmragbench.reporting.words.gfm import escape


def markdown(table: PaperTable, style: Style) -> str:
    """The caption, the table, its notes."""
    return "\n".join(_lines(table, style)) + "\n"


def _lines(table: PaperTable, style: Style) -> Iterator[str]:
    yield f"**{escape(table.caption[0])}** {escape(' '.join(table.caption[1:]))}"
    yield ""
    labelled = any(block.label for block in table.blocks)
    heads = [
        escape(f"{f'{c.group}: ' if c.group else ''}{c.measure.label} ({c.head})")
        for c in table.columns
    ]
    heads += ["n"] * table.counted + ["failed"] * table.failed
    first = ["Setting"] * labelled + ["Strategy"]
    yield _row([*first, *heads])
    yield _row([":--"] * len(first) + ["--:"] * len(heads))
    for block in table.blocks:
        for place, line in enumerate(block.lines):
            label = [escape(block.label) if place == 0 else ""] * labelled
            yield _row([*label, *_line(table, line, style)])
    for mark, text in table.notes:
        if mark:
            yield ""
            yield f"<sup>{mark}</sup> {escape(text)}"
    yield ""
    yield " ".join(escape(text) for mark, text in table.notes if not mark)


def _line(table: PaperTable, line: Line, style: Style) -> Iterator[str]:
    name = escape(line.strategy)
    yield f"*{name}*" if line.control else name
    yield from (_number(number, style) for number in line.numbers)
    if table.counted:
        yield line.n
    if table.failed:
        yield str(line.n_failed or "")


def _number(number: Number, style: Style) -> str:
    text = escape(number.text)
    if number.best:
        text = f"**{text}**"
    elif number.tied:
        text = f"<ins>{text}</ins>"
    raised = escape(number.stars) + number.note
    text += f"<sup>{raised}</sup>" if raised else ""
    if style == "plusminus":
        return text + (f" ± {number.half}" if number.half else "")
    beside = escape(number.interval)
    if style == "none" or not beside:
        return text
    return f"{text} <sub>{beside}</sub>" if style == "subscript" else f"{text} {beside}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
