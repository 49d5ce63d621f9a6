"""What could change a number, in one line: `CIDEr|refs:5|tok:ptb-py|idf:corpus|n:500`.

Like sacreBLEU's signatures. Two numbers may be compared only if their signatures are equal.
"""

from __future__ import annotations

from functools import cache
from importlib import metadata


def signature(measure: object, **facts: object) -> str:
    """The measure and the facts in the order given; a fact that is None is left out.

    >>> signature("CIDEr", refs=5, tok="ptb-py")
    'CIDEr|refs:5|tok:ptb-py'
    """
    named = (f"{name}:{_clean(value)}" for name, value in facts.items() if value is not None)
    return "|".join((_clean(measure), *named))


def parse(text: str) -> dict[str, str]:
    """The facts of a signature by name; the measure itself is under `measure`.

    >>> parse("CIDEr|refs:5|tok:ptb-py")
    {'measure': 'CIDEr', 'refs': '5', 'tok': 'ptb-py'}
    """
    measure, *facts = text.split("|")
    pairs = (fact.partition(":") for fact in facts)
    return {"measure": measure, **{name: value for name, _, value in pairs}}


@cache
def version(package: str) -> str:
    """The installed version of a library, for a signature."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "none"


def _clean(value: object) -> str:
    return str(value).replace("|", "/").replace("\n", " ")
