"""`mmragbench ls`: what a suite can name, and what a name means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.padding import Padding
from rich.table import Table

from mmragbench._digits import plural
from mmragbench.cli.terminal import Terminal
from mmragbench.errors import MmragbenchError, unknown

if TYPE_CHECKING:
    from mmragbench.registry import Component

KINDS = (
    "dataset", "encoder", "captioner", "chat", "painter", "reranker", "strategy", "store",
    "generator", "measure", "report",
)  # fmt: skip
SUITE = "suite"


def ls(
    name: Annotated[
        str,
        typer.Argument(
            help="A component, a measure, a suite or a kind of them: what it is, and its parameters.",
            show_default=False,
        ),
    ] = "",
) -> None:
    """List what a suite can name, and the suites that ship; or say what one name means."""
    out = Terminal()
    if not name:
        for kind in (SUITE, *KINDS):
            _list(out, kind)
        return
    kinds = [kind for kind in (SUITE, *KINDS) if name in (kind, plural(kind))]
    for kind in kinds:
        _list(out, kind)
    if kinds:
        return
    components = list(_components(name))
    for component in components:
        _describe(out, component)
    if _show_suite(out, name) or components:
        return
    raise MmragbenchError(unknown("name", name, _names()))


def _list(out: Terminal, kind: str) -> None:
    """A line for each component of a kind; wrapped in a terminal, whole elsewhere."""
    out.print(f"\n{kind}", style="bold")
    _rows(out, list(_summaries(kind)))


def _summaries(kind: str) -> Iterable[tuple[str, str]]:
    from mmragbench.planning.suite import read, shipped_suites
    from mmragbench.registry import every

    if kind == SUITE:
        return [(file.stem, read(file)[0].description) for file in shipped_suites()]
    return [(component.name, component.summary) for component in every(kind)]


def _rows(out: Terminal, rows: Sequence[tuple[str, ...]]) -> None:
    """Columns without lines; where nobody looks, the last one is as long as it is."""
    if not out.is_terminal:
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
        for *first, last in rows:
            cells = [text.ljust(width) for text, width in zip(first, widths, strict=True)]
            out.say("  " + "  ".join([*cells, last]))
        return
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for _ in rows[:1]:
        table.add_column(no_wrap=True)
    for row in rows:
        table.add_row(*row)
    out.print(Padding(table, (0, 0, 0, 2)))


def _names() -> list[str]:
    return list({name: None for kind in (SUITE, *KINDS) for name, _ in _summaries(kind)})


def _components(name: str) -> Iterable[Component]:
    """Every component of that name: `transformers` is an encoder, a captioner and more; a measure is
    named as a suite does, `nDCG@10`; an own component by its dotted path is none of a kind."""
    from mmragbench.records import Measure
    from mmragbench.registry import exists, find, find_measure

    for kind in KINDS:
        if exists(kind, name):
            yield find(kind, name)
    if not exists("measure", name):
        try:
            yield find_measure(Measure.parse(name))
        except (MmragbenchError, ValueError):
            return


def _describe(out: Terminal, component: Component) -> None:
    """Kind, name and file; the docstring; the parameters with their types and defaults."""
    from mmragbench._docstrings import documentation

    documented = documentation(component.make)
    out.print(f"\n{component.kind} {component.name}", style="bold")
    out.say(f"  {documented.file}")
    for text in (*_traits(component), *documented.paragraphs):
        out.print()
        out.print(Padding(text, (0, 0, 0, 2))) if out.is_terminal else out.say(f"  {text}")
    if documented.parameters and component.kind != "measure":  # whose arguments no suite gives
        out.print()
        _rows(out, [_parameter(parameter) for parameter in documented.parameters])


def _parameter(parameter: Any) -> tuple[str, str, str]:
    default = "required" if parameter.default is None else f"= {parameter.default}"
    return parameter.name, f"{parameter.type} {default}".strip(), parameter.text


def _traits(component: Component) -> Iterable[str]:
    """What a measure says of its numbers, and a control of itself."""
    if component.kind == "measure":
        info = component.info
        unit = f", shown in {info.unit}" if info.unit else ""
        yield f"{info.better} is better{unit}; the gate allows a loss of {info.margin} by default"
    if component.control:
        yield f"a control: the {component.control}"


def _show_suite(out: Terminal, name: str) -> bool:
    """Print a shipped suite as it is written, if there is one of that name."""
    from mmragbench.planning.suite import shipped_suites

    files = [file for file in shipped_suites() if file.stem == name]
    for file in files:
        out.print(f"\n{SUITE} {name}", style="bold")
        out.say(f"  {file}")
        out.print()
        out.print(file.read_text(encoding="utf-8"), soft_wrap=True)
    return bool(files)
