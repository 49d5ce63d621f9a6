"""The templates of pages and tables: strict about names, and every text escaped."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def environment(package: str) -> Environment:
    """That of the templates in a package's folder `template`."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader(package, "template"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["flat"] = _flat
    return made


def _flat(text: str) -> str:
    """On one line, without the characters that HTML forbids."""
    return "".join(c for c in " ".join(text.split()) if c >= " ")
