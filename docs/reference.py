"""The reference, written from the code into the pages of `docs/reference`: `make reference`.

A page says what belongs where by a comment, and all from there to the next `<!-- end -->` is written anew:

- `<!-- reference: commands -->`, `<!-- reference: suite -->`, `<!-- reference: measures -->`
- `<!-- reference: components strategy -->`: every registered component of a kind
- `<!-- reference: module mmragbench.records -->`: what a module defines; or the names that follow
"""

from __future__ import annotations

import html
import importlib
import inspect
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import griffe

PAGES = Path(__file__).resolve().parent / "reference"
BLOCK = re.compile(r"(<!-- reference: (.+?) -->\n).*?(<!-- end -->)", re.DOTALL)
Kind = griffe.DocstringSectionKind


def page(text: str) -> str:
    """A page with what its comments ask for."""

    def block(match: re.Match[str]) -> str:
        name, *arguments = match[2].split()
        content = "\n".join(WRITERS[name](*arguments)).strip()
        return f"{match[1]}\n{content}\n\n{match[3]}"

    return BLOCK.sub(block, text)


def components(kind: str) -> Iterator[str]:
    """Every registered component of a kind: its name in suites, and its docstring."""
    for component in _own(kind):
        yield f'<a id="{kind}-{component.name}"></a>\n'
        yield f"### `{component.name}`\n"
        definition = _definition(component.make)
        yield from _signature(component.name, definition)
        yield from _docstring(definition)


def _own(kind: str) -> Iterator[Any]:
    """The components that this package brings; not those of packages that are installed beside it."""
    from mmragbench.registry import every

    return (c for c in every(kind) if c.make.__module__.startswith("mmragbench."))


def measures() -> Iterator[str]:
    """The measures, family by family: a family is a file of `evals/`."""
    families: dict[str, list[str]] = {}
    for component in _own("measure"):
        families.setdefault(component.make.__module__, []).append(f"`{component.name}`")
    for module, names in families.items():
        yield f'<a id="{module.rpartition(".")[2]}"></a>\n'
        yield f"## {', '.join(names)}\n"
        yield from _docstring(_visited(module))


def module(name: str, *members: str) -> Iterator[str]:
    """The members that are named; else what a module offers (`__all__`); else what it defines and
    does not keep to itself, in its order."""
    imported = importlib.import_module(name)
    names = members or [m for m in getattr(imported, "__all__", ()) if not m.startswith("_")]
    homes = getattr(imported, "VERBS", {})  # a verb and a module may have one name
    definitions = [
        _definition(getattr(importlib.import_module(homes.get(member, name)), member))
        for member in names
    ]
    definitions = definitions or [d for d in _visited(name).members.values() if _is_public(d)]
    for definition in definitions:
        yield from _member(definition, definition.name, 3)


def _is_public(definition: Any) -> bool:
    if definition.is_alias or definition.name.startswith("_"):
        return False
    return definition.has_docstring or not definition.is_attribute


@cache
def _visited(module: str) -> griffe.Module:
    """A module as it is written: with comments on its variables and types by their names."""
    path = Path(str(importlib.import_module(module).__file__))
    return griffe.visit(module, path, path.read_text(encoding="utf-8"))


def _definition(made: Any) -> Any:
    return _visited(made.__module__)[made.__qualname__]


def _member(definition: Any, name: str, level: int) -> Iterator[str]:
    """A class, a function or a variable: heading, signature, docstring; and below it a class's methods."""
    yield f"{'#' * level} `{name}`\n"
    yield from _signature(name, definition)
    yield from _docstring(definition)
    for inner in definition.members.values() if definition.is_class else ():
        is_method = inner.is_function or (inner.has_docstring and _is_property(inner))
        if is_method and not inner.name.startswith("_"):
            yield from _member(inner, f"{name}.{inner.name}", level + 1)


def _is_property(definition: Any) -> bool:
    return "property" in definition.labels


def _signature(name: str, definition: Any) -> Iterator[str]:
    """How it is called, or what a variable is."""
    if definition.is_attribute:
        text = (
            f"{name}: {definition.annotation}"
            if definition.annotation
            else f"{name} = {definition.value}".replace("'", '"')  # as the code is formatted
        )
    else:
        parameters = _parameters(definition)
        if parameters is None:
            return
        text = f"{name}({', '.join(parameters)})"
        if len(text) > 88:
            text = f"{name}(\n" + "".join(f"    {parameter},\n" for parameter in parameters) + ")"
        if definition.is_function and definition.returns is not None:
            text += f" -> {definition.returns}"
    yield f"```py\n{text}\n```\n"


def _parameters(definition: Any) -> list[str] | None:
    """The parameters of a function, or of a class's constructor; None for a class that has none."""
    if definition.is_class and "__init__" not in definition.members:
        if not any("dataclass" in str(decorator.value) for decorator in definition.decorators):
            return None
        members = definition.members.values()
        fields = [m for m in members if m.is_attribute and m.annotation and not _is_property(m)]
        return [_declared(f.name, f.annotation, f.value) for f in fields if f.name[0] != "_"]
    function = definition.members["__init__"] if definition.is_class else definition
    own = [p for p in function.parameters if p.name not in ("self", "cls")]
    return [
        f"{STARS[p.kind]}{p.name}: {p.annotation}"
        if p.kind in STARS
        else _declared(p.name, p.annotation, p.default)
        for p in own
    ]


STARS = {
    griffe.ParameterKind.var_positional: "*",
    griffe.ParameterKind.var_keyword: "**",
}


def _declared(name: str, annotation: Any, default: Any) -> str:
    typed = f"{name}: {annotation}" if annotation else name
    return typed if default is None else f"{typed}{' = ' if annotation else '='}{default}"


def _docstring(definition: Any) -> Iterator[str]:
    """A docstring: its text, and its sections as tables and lists."""
    if definition.docstring is None:
        return
    for section in definition.docstring.parse("google", warnings=False):
        if section.kind is Kind.text:
            yield f"{section.value}\n"
        elif section.kind in (Kind.parameters, Kind.attributes):
            yield "| name | type | what it is |\n|---|---|---|"
            for row in section.value:
                yield f"| `{row.name}` | {_code(_annotation(definition, row))} | {_cell(row.description)} |"
            yield ""
        elif section.kind is Kind.raises:
            yield from (f"Raises `{e.annotation}`: {_line(e.description)}\n" for e in section.value)
        elif section.kind is Kind.returns:
            yield from (f"Returns: {_line(value.description)}\n" for value in section.value)
        else:
            raise ValueError(
                f"{definition.path}: the reference has no form for {section.kind.value}"
            )


def _annotation(definition: Any, row: Any) -> Any:
    """The type of a parameter or attribute, from the code."""
    constructor = definition.members.get("__init__") if definition.is_class else definition
    name = row.name.lstrip("*")
    for parameter in getattr(constructor, "parameters", ()):
        if parameter.name == name:
            return parameter.annotation
    member = definition.members.get(name)
    return member.annotation if member is not None else row.annotation


def _code(value: Any) -> str:
    """A type in a table, without what only validates it."""
    text = re.sub(r"Annotated\[(.+?), \w+\(.*?\)\]", r"\1", str(value or ""))
    return f"<code>{html.escape(text).replace('|', '&#124;')}</code>" if text else ""


def _line(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    return _line(text).replace("|", "&#124;")


def suite() -> Iterator[str]:
    """The keys of a suite, and of one of its tasks, from the models that validate them."""
    from mmragbench.planning.suite import Suite, TaskSpec

    for title, model in (("The suite", Suite), ("A task", TaskSpec)):
        yield f"## {title}\n\n| key | type | default | what it is |\n|---|---|---|---|"
        descriptions = _attributes(model)
        properties = model.model_json_schema()["properties"]
        for name, field in model.model_fields.items():
            default = "required" if field.is_required() else _yaml(field.get_default())
            yield f"| `{name}` | {_type(properties[name])} | {default} | {descriptions[name]} |"
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
        yield f"## `{path}`\n\n{inspect.cleandoc(command.help)}\n"
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
    return f"| {name} | {_cell(p.help or '')} | {default} |"


WRITERS = {
    "commands": commands,
    "components": components,
    "measures": measures,
    "module": module,
    "suite": suite,
}

if __name__ == "__main__":
    for file in sorted(PAGES.glob("*.md")):
        file.write_text(page(file.read_text(encoding="utf-8")), encoding="utf-8")
