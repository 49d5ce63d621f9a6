"""A paper's table as a fragment of HTML: one `<table>`, no style of its own."""

from __future__ import annotations

from mmragbench.reporting.tables.request import Style
from mmragbench.reporting.tables.table import Table
from mmragbench.reporting.templates import environment


def html(table: Table, style: Style) -> str:
    """The table with its caption, and its notes in a last row group."""
    template = environment("mmragbench.reporting.tables").get_template("table.html.jinja")
    return template.render(table=table, intervals=style.intervals) + "\n"
