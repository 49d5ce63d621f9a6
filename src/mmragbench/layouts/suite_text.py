"""The text of a suite for data of a known layout, with comments that say what else can stand there."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml

from mmragbench._printable import one_line
from mmragbench.layouts.data import Data
from mmragbench.layouts.hub_models import at_hand

if TYPE_CHECKING:
    from jinja2 import Environment

NAME = "data"
"""A suite's name where nothing is left of its folder's."""

TASKS: Mapping[str, tuple[str, ...]] = {
    "pictures": ("captioning", "image-generation", "text-to-image", "image-to-text"),
    "questions": ("question-answering",),
    "passages": ("retrieval",),
}
"""Kind of data -> its tasks."""


def suite_text(
    data: Data, tasks: Collection[str] = (), limit: int | None = None, file: str = ""
) -> str:
    """A suite in YAML: strategies and generators that need no download, on a first part of the data.

    Models of the hub are used where their weights lie in its local cache; else they are comments.

    Args:
        data: what the folder holds.
        tasks: the tasks; by default all that some strategy besides the controls can do.
        limit: how many queries; by default as many as take about two minutes.
        file: the name of the suite's file, for its comments.
    """
    return _environment().get_template(f"{data.kind}.jinja").render(
        data=data,
        name=suite_name(data),
        file=file or f"{suite_name(data)}.yaml",
        limits=data.limits(limit),
        models=_models(data),
        space="vectors" if data.vectors else "clip",
        tasks=tasks or possible_tasks(data),
    )  # fmt: skip


def possible_tasks(data: Data) -> tuple[str, ...]:
    """The tasks that some strategy besides the controls can do with the models at hand: retrieval
    between pictures and texts needs one that reads both."""
    tasks = TASKS[data.kind]
    return tasks if data.kind != "pictures" or {"clip", "vectors"} & _models(data) else tasks[:2]


def _models(data: Data) -> frozenset[str]:
    return at_hand() | ({"vectors"} if data.vectors else set())


def suite_name(data: Data) -> str:
    """A name for the suite, after the folder, that is fit for a file."""
    words = re.sub(r"[^\w.-]+", "-", data.folder.resolve().name)
    return words.strip("-.")[:50].rstrip("-.") or NAME


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(  # noqa: S701 - YAML, whose values `flow` quotes
        loader=PackageLoader("mmragbench.layouts", "template"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"line": one_line, "flow": _flow, "unless_used": _unless_used}
    return environment


def _flow(value: Any) -> str:
    """A value in YAML on one line, quoted where it needs to be."""
    listed = yaml.safe_dump(
        [value], default_flow_style=True, allow_unicode=True, width=float("inf")
    )
    return listed.strip()[1:-1]


def _unless_used(name: str, used: Collection[str]) -> str:
    """The sign that turns a line into a comment, for what is not used."""
    return "" if name in used else "# "
