"""Loader of YAML from outside: plain data alone, of limited size.

Tags, keys that are not plain, aliases that stand for endless or for enormous content, and numbers of
hundreds of digits are refused with their line, before any value is constructed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from mmragbench._printable import one_line
from mmragbench.errors import SuiteError

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's loader where it is installed, which is ten times as fast."""

MAX_CHARACTERS = 1_000_000
MAX_NODES = 20_000
"""The most names, values and lists; those that an alias stands for are counted each time."""

MAX_DEPTH = 50
MAX_DIGITS = 40

PLAIN = {
    f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "map", "seq")
}
NAMES = {"tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"}


def load(text: str, name: str) -> tuple[Any, yaml.Node | None]:
    """The content of one YAML document, and its nodes, which know their lines.

    Args:
        text: the document.
        name: what errors call it: a file's name, or an override.

    Raises:
        SuiteError: it is not YAML, or not plain data; one line.
    """
    if len(text) > MAX_CHARACTERS:
        raise SuiteError(
            f"{name} has {len(text):,} characters; a suite has at most {MAX_CHARACTERS:,}"
        )
    try:
        text.encode()
        _check_events(text, name)
        loader = LOADER(text)
        try:
            root = loader.get_single_node()
            _check_nodes(root, name)
            return (None if root is None else loader.construct_document(root)), root
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        raise _not_yaml(error, text, name) from error
    except (yaml.YAMLError, ValueError) as error:
        raise SuiteError(f"{name} is not YAML: {one_line(error, 200)}") from error


def _not_yaml(error: yaml.MarkedYAMLError, text: str, name: str) -> SuiteError:
    """The error for a text that is no YAML, with its line and, where it is at fault, the tab."""
    mark = error.problem_mark or error.context_mark
    lines = text.split("\n")
    where = f"{name}:{mark.line + 1}" if mark and len(lines) > 1 else name
    line = lines[mark.line] if mark and mark.line < len(lines) else ""
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return SuiteError(f"{where} is not YAML: it begins with a tab; indent it with blanks")
    problem = ", ".join(filter(None, (error.context, error.problem)))
    return SuiteError(f"{where} is not YAML: {one_line(problem, 200)}")


class _Sizes:
    """A counter of a document's values, with aliases followed, and of its depth."""

    def __init__(self) -> None:
        self.total = 0
        self.open: list[tuple[str | None, int]] = []
        self._of: dict[str, int] = {}

    @property
    def excess(self) -> str | None:
        """The limit that is exceeded, in words; None where none is."""
        if self.total > MAX_NODES:
            return f"more than {MAX_NODES:,} values"
        return f"more than {MAX_DEPTH} levels" if len(self.open) > MAX_DEPTH else None

    def alias(self, anchor: str) -> None:
        if any(anchor == opened for opened, _ in self.open):
            raise ValueError(f"*{anchor[:50]} stands for itself")
        self.total += self._of.get(anchor, 0)

    def scalar(self, anchor: str | None) -> None:
        self.total += 1
        self._of[anchor or ""] = 1

    def start(self, anchor: str | None) -> None:
        self.open.append((anchor, self.total))
        self.total += 1

    def end(self) -> None:
        anchor, before = self.open.pop()
        self._of[anchor or ""] = self.total - before


def _check_events(text: str, name: str) -> None:
    """Check depth, size, tags and aliases of themselves, before nodes are composed recursively."""
    sizes = _Sizes()
    event: Any
    for event in yaml.parse(text, Loader=LOADER):
        where = f"{name}:{event.start_mark.line + 1}"
        if isinstance(event, yaml.AliasEvent):
            sizes.alias(str(event.anchor))
        elif isinstance(event, yaml.ScalarEvent):
            _check_tag(event, where)
            sizes.scalar(event.anchor)
        elif isinstance(event, yaml.CollectionStartEvent):
            _check_tag(event, where)
            sizes.start(event.anchor)
        elif isinstance(event, yaml.CollectionEndEvent):
            sizes.end()
        if excess := sizes.excess:
            raise SuiteError(f"{where}: {excess}; a suite has fewer")


def _check_tag(event: Any, where: str) -> None:
    if event.tag not in (None, "!") and event.tag not in PLAIN:
        raise SuiteError(f"{where}: {event.tag:.80} is a tag; suites hold plain values only")


def _check_nodes(root: yaml.Node | None, name: str) -> None:
    """Refuse keys that are repeated or not plain, and numbers that are too long."""
    for node in _nodes(root):
        where = f"{name}:{node.start_mark.line + 1}"
        if isinstance(node, yaml.MappingNode):
            _check_keys(node, name)
        elif node.tag == "tag:yaml.org,2002:int" and len(node.value) > MAX_DIGITS:
            raise SuiteError(
                f"{where}: a number of {len(node.value):,} digits; at most {MAX_DIGITS}"
            )


def _check_keys(node: yaml.MappingNode, name: str) -> None:
    keys: set[str] = set()
    for key, _ in node.value:
        where = f"{name}:{key.start_mark.line + 1}"
        if not isinstance(key, yaml.ScalarNode):
            raise SuiteError(f"{where}: a key is a list or has keys itself; write a plain name")
        if key.tag not in NAMES:
            raise SuiteError(
                f"{where}: {key.value[:80]!r} is a key, and no text to YAML; put it in quotes"
            )
        if key.value in keys:
            raise SuiteError(f"{where}: {key.value[:80]!r} is there twice")
        keys.add(key.value)


def _nodes(root: yaml.Node | None) -> Iterator[yaml.Node]:
    """Every node once, however many aliases stand for it."""
    visited: set[int] = set()
    pending = [root] if root is not None else []
    while pending:
        node = pending.pop()
        if id(node) in visited:
            continue
        visited.add(id(node))
        yield node
        if isinstance(node, yaml.SequenceNode):
            pending += node.value
        elif isinstance(node, yaml.MappingNode):
            pending += [part for pair in node.value for part in pair]
