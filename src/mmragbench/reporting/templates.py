"""The environments of the templates of pages and tables; a missing name is an error, and every text is
escaped."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from mmragbench.reporting.words.tex import Tex, escape

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def environment(package: str) -> Environment:
    """The environment of the HTML templates in a package's folder `template`."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    created = Environment(
        loader=PackageLoader(package, "template"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    created.filters["flat"] = _flat
    return created


@cache
def latex_environment(package: str) -> Environment:
    """The environment of a package's LaTeX templates, with the delimiters `<% if %>` and `<< name >>`.
    They have no macros, since what these return would be escaped once more."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    created = Environment(  # noqa: S701 (that is HTML's escaping; `finalize` is LaTeX's)
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
    created.filters |= {"prose": _prose, "comment": _comment, "source": Tex}
    return created


def _escaped(value: Any) -> Any:
    return value if isinstance(value, Tex) else escape(str(value))


def _prose(text: str) -> Tex:
    """A text that may break at slashes, since names of models are long words."""
    return Tex(escape(text).replace("/", r"\slash{}"))


def _comment(text: str) -> Tex:
    """A text on one line, so that all of it is the comment."""
    return Tex(" ".join(text.split()))


def _flat(text: str) -> str:
    """A text on one line, without the characters that HTML forbids."""
    return "".join(c for c in " ".join(text.split()) if c >= " ")
