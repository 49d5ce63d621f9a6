"""What the reference says of the code, read from the code.

A page says where, in a line of its own: `[[commands]]`, `[[suite]]`, `[[components strategy]]`,
`[[measures]]` or `[[verbs]]`. Docstrings themselves are rendered by mkdocstrings.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import griffe

DIRECTIVE = re.compile(r"^\[\[(\w+)(?: (\w+))?\]\]$", re.MULTILINE)
BARE = "options: {show_root_heading: false, show_root_toc_entry: false, members: false}"


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put what the directives ask for in their place."""

    def written(found: re.Match[str]) -> str:
        name, argument = found.groups()
        return "\n".join(WRITERS[name](*filter(None, [argument])))

    return DIRECTIVE.sub(written, markdown)


def components(kind: str) -> Iterator[str]:
    """Every registered component of a kind: its name in suites, and its docstring."""
    from mmragbench.registry import every

    for component in every(kind):
        yield f"### `{component.name}` {{: #{kind}-{component.name} }}\n"
        yield f"::: {component.make.__module__}.{component.make.__qualname__}\n    {BARE}\n"


def measures() -> Iterator[str]:
    """The measures, family by family: a family is a file of `evals/`."""
    from mmragbench.registry import every

    families: dict[str, list[str]] = {}
    for component in every("measure"):
        families.setdefault(component.make.__module__, []).append(f"`{component.name}`")
    for module, names in families.items():
        yield f"## {', '.join(names)} {{: #{module.rpartition('.')[2]} }}\n"
        yield f"::: {module}\n    {BARE}\n"


def verbs() -> Iterator[str]:
    """All that `import mmragbench` offers."""
    import mmragbench

    for name in mmragbench.__all__:
        offered = getattr(mmragbench, name)
        if not name.startswith("_"):
            yield f"::: {offered.__module__}.{offered.__qualname__}\n"


def suite() -> Iterator[str]:
    """The keys of a suite, and of one of its tasks, from the models that validate them."""
    from mmragbench.planning.suite import Suite, TaskSpec

    for title, model in (("The suite", Suite), ("A task", TaskSpec)):
        yield f"## {title}\n\n| key | type | default | what it is |\n|---|---|---|---|"
        told = _attributes(model)
        properties = model.model_json_schema()["properties"]
        for name, field in model.model_fields.items():
            default = "required" if field.is_required() else _yaml(field.get_default())
            yield f"| `{name}` | {_type(properties[name])} | {default} | {told[name]} |"
        yield ""


def _attributes(model: type) -> dict[str, str]:
    """The `Attributes:` of a class's docstring; every field must be among them."""
    parsed = griffe.Docstring(inspect.getdoc(model) or "").parse("google", warnings=False)
    sections = [s.value for s in parsed if s.kind is griffe.DocstringSectionKind.attributes]
    return {a.name: " ".join(a.description.split()) for section in sections for a in section}


def _yaml(value: Any) -> str:
    return {None: "`null`", "": ""}[value] if value in (None, "") else f"`{value}`"


NAMES = {
    "string": "text", "integer": "whole number", "number": "number",
    "object": "mapping", "array": "list", "null": "",
}  # fmt: skip


def _type(schema: dict[str, Any]) -> str:
    """A JSON schema in words."""
    if "anyOf" in schema:
        return " or ".join(filter(None, map(_type, schema["anyOf"])))
    name = NAMES.get(schema.get("type", "object"), "mapping")
    inner = schema.get("items", schema.get("additionalProperties"))
    of = f" of {_plural(_type(inner))}" if isinstance(inner, dict) and inner else ""
    least = f", at least {schema['minimum']}" if "minimum" in schema else ""
    return f"{name}{of}{least}"


def _plural(name: str) -> str:
    head, comma, rest = name.partition(",")
    return f"{head.replace('mapping', 'mappings', 1) if 'mapping' in head else head + 's'}{comma}{rest}"


def commands() -> Iterator[str]:
    """Every command with its arguments and options, as typer knows them."""
    import typer

    from mmragbench.cli.app import app

    yield from _command("mmragbench", typer.main.get_command(app))


def _command(path: str, command: Any) -> Iterator[str]:
    below = getattr(command, "commands", {})
    if not below:
        yield f"## `{path}` {{: #{path.replace(' ', '-')} }}\n\n{inspect.cleandoc(command.help)}\n"
        yield f"```text\n{path} {' '.join(_usage(command))}\n```\n"
        if command.params:
            yield "| argument or option | what it is | default |\n|---|---|---|"
            yield from map(_parameter, command.params)
        yield ""
    for name, inner in sorted(below.items()):
        yield from _command(f"{path} {name}", inner)


def _usage(command: Any) -> Iterator[str]:
    if any(p.param_type_name == "option" for p in command.params):
        yield "[OPTIONS]"
    for p in command.params:
        if p.param_type_name == "argument":
            yield _named(p) if p.required or p.metavar else f"[{_named(p)}]"


def _named(p: Any) -> str:
    return str(p.metavar or p.name.upper())


def _parameter(p: Any) -> str:
    if p.param_type_name == "argument":
        name = f"`{_named(p)}`"
    else:
        name = ", ".join(f"`{option}`" for option in p.opts)
    default = "required" if p.required else "" if not p.default else f"`{p.default}`"
    return f"| {name} | {' '.join((p.help or '').split()).replace('|', '&#124;')} | {default} |"


WRITERS = {
    "commands": commands,
    "components": components,
    "measures": measures,
    "suite": suite,
    "verbs": verbs,
}
