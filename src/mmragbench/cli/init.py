"""`mmragbench init`: looks at a folder of data and writes a suite for it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from mmragbench._files import write_atomically
from mmragbench._places import check_file
from mmragbench.cli.terminal import Terminal
from mmragbench.errors import MmragbenchError, SuiteError, unknown
from mmragbench.layouts import DataFolder, possible_tasks, recognise_all, suite_name, suite_text
from mmragbench.layouts.data_folder import Limit

if TYPE_CHECKING:
    from mmragbench.planning.suite import Source

T = TypeVar("T")

out = Terminal()
err = Terminal(stderr=True)


def init(
    folder: Annotated[Path, typer.Argument(help="A folder of data.")] = Path(),
    output: Annotated[
        Path | None,
        typer.Option(help="The suite's file; FOLDER.yaml here by default.", show_default=False),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")] = False,
) -> None:
    """Look at a folder of data and write a suite that runs on it.

    In a terminal it asks how much and what to compare, three questions at most.
    """
    if folder.is_file():
        raise SuiteError(f"{folder} is a file; give its folder: mmragbench init {folder.parent}")
    if not folder.is_dir():
        raise SuiteError(f"there is no folder {str(folder)!r}; give one with pictures or PDF files")
    choices = recognise_all(folder)
    path = output or Path(f"{suite_name(choices[0])}.yaml")
    check_file("--output", path)
    if path.exists():
        raise MmragbenchError(f"{path} is there already; write another file with --output")
    is_asking = sys.stdin.isatty() and not yes
    data = _choose(choices) if is_asking else choices[0]
    for line in description(data):
        out.say(line)
    tasks = _ask_tasks(data) if is_asking else ()
    limit = _ask_limit(data) if is_asking else None
    write_atomically(path, suite_text(data, tasks, limit, str(path)))
    out.say(f"{path} is written; next: mmragbench run {path}")


def description(data: DataFolder) -> list[str]:
    """Lines for people: what a folder holds, what is missing there, and what a first run compares."""
    limits = data.limits().items()
    sizes = {key: f"{limit.number:,} of {limit.total:,}" for key, limit in limits}
    queries = sizes.get("limit", f"all {data.queries:,}")
    memory = f", memory {sizes['memory_limit']}" if "memory_limit" in sizes else ""
    tasks = " and ".join(possible_tasks(data))
    missing = [f"missing: {lack}" for lack in data.missing]
    return [str(data), *missing, f"a first run: {tasks}; queries {queries}{memory}"]


def announce(suite: str) -> Source:
    """The text of a suite; of a folder of data, after saying what the folder holds."""
    from mmragbench.planning.suite import read_source

    source = read_source(suite)
    if source.data:
        for line in description(source.data):
            err.say(line)
        err.say(f"mmragbench init {suite} writes this as a suite")
    return source


def _choose(choices: Sequence[DataFolder]) -> DataFolder:
    if len(choices) == 1:
        return choices[0]
    for number, data in enumerate(choices, 1):
        out.say(f"{number}: {data}")
    return choices[_ask("Which of them", "1", lambda text: _number(text, len(choices))) - 1]


def _ask_tasks(data: DataFolder) -> list[str]:
    known = possible_tasks(data)
    if len(known) == 1:
        return list(known)

    def parsed(text: str) -> list[str]:
        names = [name.strip() for name in text.split(",") if name.strip()]
        if wrong := [name for name in names if name not in known]:
            raise SuiteError(unknown("task", wrong[0], known))
        return names or list(known)

    return _ask("Which tasks", ", ".join(known), parsed)


def _ask_limit(data: DataFolder) -> int:
    most = data.queries - 1 if data.is_single else data.queries
    usual = data.limits().get("limit", Limit(data.queries, data.queries)).number
    return _ask(f"How many queries, of {most:,}", str(usual), lambda text: _number(text, most))


def _ask(question: str, default: str, parsed: Callable[[str], T]) -> T:
    """The answer to a question, which is asked again until it can be used."""
    while True:
        try:
            return parsed(typer.prompt(question, default=default))
        except MmragbenchError as error:
            err.say(str(error))


def _number(text: str, most: int) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise SuiteError(f"write a whole number from 1 to {most:,}")
    return int(text)
