"""A paper's table as a fragment of HTML: one `<table>`, no style of its own."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape as escaped

from mmragbench.reporting.tables.paper_table import Line, Number, PaperTable
from mmragbench.reporting.tables.request import Style


def html(table: PaperTable, style: Style) -> str:
    """The table with its caption, and its notes in a last row group."""
    return "\n".join(_lines(table, style)) + "\n"


def _lines(table: PaperTable, style: Style) -> Iterator[str]:
    counts = table.counted + table.failed
    yield f'<table id="{_text(table.name)}">'
    yield f"<caption>{_text(' '.join(table.caption))}</caption>"
    yield "<thead>"
    if table.spans:
        over = "".join(
            f'<th scope="colgroup" colspan="{size}">{_own(name)}</th>' for name, size in table.spans
        )
        yield f"<tr><td></td>{over}{'<td></td>' * counts}</tr>"
    heads = [f"{_text(c.measure.label)} <small>({_text(c.head)})</small>" for c in table.columns]
    heads += ["<i>n</i>"] * table.counted + ["failed"] * table.failed
    columns = "".join(f'<th scope="col">{head}</th>' for head in ["Strategy", *heads])
    yield f"<tr>{columns}</tr>"
    yield "</thead>"
    across = 1 + len(table.columns) + counts
    for block in table.blocks:
        yield "<tbody>"
        if block.label:
            yield (
                f'<tr><th scope="rowgroup" colspan="{across}"><i>{_own(block.label)}</i></th></tr>'
            )
        yield from (_line(table, line, style) for line in block.lines)
        yield "</tbody>"
    if table.notes:
        notes = "".join(
            f"<div>{f'<sup>{mark}</sup> ' if mark else ''}{_own(text)}</div>"
            for mark, text in table.notes
        )
        yield f'<tfoot><tr><td colspan="{across}"><small>{notes}</small></td></tr></tfoot>'
    yield "</table>"


def _line(table: PaperTable, line: Line, style: Style) -> str:
    name = _own(line.strategy)
    cells = [_number(number, style) for number in line.numbers]
    cells += [line.n] * table.counted + [str(line.n_failed or "")] * table.failed
    head = f"<i>{name}</i>" if line.control else name
    row = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr><th scope="row">{head}</th>{row}</tr>'


def _number(number: Number, style: Style) -> str:
    text = _text(number.text)
    if number.best:
        text = f"<b>{text}</b>"
    elif number.tied:
        text = f"<u>{text}</u>"
    raised = number.stars + number.note
    text += f"<sup>{raised}</sup>" if raised else ""
    if style == "plusminus":
        return text + (f" ± {number.half}" if number.half else "")
    if style == "none" or not number.interval:
        return text
    tag = "sub" if style == "subscript" else "small"
    return f"{text} <{tag}>{number.interval}</{tag}>"


def _text(text: str) -> str:
    """On one line, safe in elements and attributes; without characters that HTML forbids."""
    return escaped("".join(c for c in " ".join(text.split()) if c >= " "))


def _own(text: str) -> str:
    """A text from outside, whose direction changes nothing around it."""
    return f"<bdi>{_text(text)}</bdi>"
