"""The templates of pages and tables: strict about names, and every text escaped."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from mmragbench.reporting.words.tex import Tex, escape

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


@cache
def latex_environment(package: str) -> Environment:
    """The same for LaTeX, whose braces and per cents stand for themselves: `<% if %>`, `<< name >>`.
    No macros: what they return would be escaped once more."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(  # noqa: S701 (that is HTML's escaping; `finalize` is LaTeX's)
        loader=PackageLoader(package, "template"),
        finalize=_escaped,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
    )
    made.filters |= {"prose": _prose, "comment": _comment, "source": Tex}
    return made


def _escaped(value: Any) -> Any:
    return value if isinstance(value, Tex) else escape(str(value))


def _prose(text: str) -> Tex:
    """Names of models and signatures are long words; they may break at their slashes."""
    return Tex(escape(text).replace("/", r"\slash{}"))


def _comment(text: str) -> Tex:
    """On one line, so that nothing of it is source."""
    return Tex(" ".join(text.split()))


def _flat(text: str) -> str:
    """On one line, without the characters that HTML forbids."""
    return "".join(c for c in " ".join(text.split()) if c >= " ")
