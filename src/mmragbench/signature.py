"""What could change a number, in one line: `CIDEr|refs:5|tok:ptb-py|idf:corpus|n:500|mmragbench:0.2.0`.

Like sacreBLEU's signatures. Two numbers may be compared only if `differences` finds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import metadata

OURS = "mmragbench"
"""The last fact of every signature: the version of this package."""


def signature(measure: object, **facts: object) -> str:
    """The measure, the facts in the order given, and this package's version; a fact that is None is
    left out.

    >>> signature("CIDEr", refs=5, tok=None, n=500).rpartition("|")[0]
    'CIDEr|refs:5|n:500'
    """
    from mmragbench import __version__

    facts = {**facts, OURS: __version__}
    named = (f"{name}:{_clean(value)}" for name, value in facts.items() if value is not None)
    return "|".join((_clean(measure), *named))


def extended(text: str, **facts: object) -> str:
    """The signature with further facts (which replace those of the same name) before the version.

    >>> extended("FID(clip)|dims:512|mmragbench:0.2.0", missing="skip", n_missing=3)
    'FID(clip)|dims:512|missing:skip|n_missing:3|mmragbench:0.2.0'
    """
    known = {name: value for name, value in parse(text).items() if name not in facts}
    ours = {OURS: known.pop(OURS)} if OURS in known else {}
    measure = known.pop("measure")
    given = {name: _clean(value) for name, value in facts.items() if value is not None}
    return "|".join((measure, *(f"{n}:{v}" for n, v in (known | given | ours).items())))


def updated(text: str, **facts: object) -> str:
    """The signature with other values for facts that it has, each in its place.

    >>> updated("CIDEr|refs:5|n:500|mmragbench:0.2.0", n=20)
    'CIDEr|refs:5|n:20|mmragbench:0.2.0'
    """
    measure, *parts = text.split("|")
    new = (
        f"{name}:{_clean(facts.get(name, value))}"
        for name, _, value in (p.partition(":") for p in parts)
    )
    return "|".join((measure, *new))


def parse(text: str) -> dict[str, str]:
    """The facts of a signature by name; the measure itself is under `measure`.

    >>> parse("CIDEr|refs:5|tok:ptb-py")
    {'measure': 'CIDEr', 'refs': '5', 'tok': 'ptb-py'}
    """
    measure, *facts = text.split("|")
    pairs = (fact.partition(":") for fact in facts)
    return {"measure": measure, **{name: value for name, _, value in pairs}}


def differences(a: str, b: str, paired: bool = False) -> dict[str, tuple[str | None, str | None]]:
    """What differs between two signatures in anything that matters: name -> the two values.

    Everything matters, with four exceptions:

    - `mmragbench` counts up to its minor version: a patch release changes no number.
    - What was done about missing outputs does not matter where none was missing, or the same was
      done on both sides.
    - The seeds of a mean over seeds matter only where numbers are `paired`.
    - The sizes (`n`, `n_real`, ...) matter unless the numbers are `paired`: whoever compares query
      by query takes the queries that both have, so it matters neither how many each has nor that
      the others were skipped. That missing ones were counted as zero still matters.

    >>> differences("AP|depth:10|n:5", "AP|depth:50|n:5")
    {'depth': ('10', '50')}
    """
    first, second = _what_matters(a, paired), _what_matters(b, paired)
    if parse(a).get("missing") == parse(b).get("missing"):
        first.pop("missing", None)
        second.pop("missing", None)
    return {
        name: (first.get(name), second.get(name))
        for name in first | second
        if first.get(name) != second.get(name)
    }


def _what_matters(text: str, paired: bool) -> dict[str, str]:
    facts = parse(text)
    if OURS in facts:
        facts[OURS] = ".".join(facts[OURS].split(".")[:2])
    if facts.get("n_missing", "0") == "0" or (paired and facts.get("missing") == "skip"):
        facts.pop("missing", None)
        facts.pop("n_missing", None)
    if not paired:
        facts.pop("seeds", None)
    else:
        facts = {name: v for name, v in facts.items() if name != "n" and name[:2] != "n_"}
    return facts


def span(counts: Iterable[int]) -> str | None:
    """The smallest and the largest of some counts, for a signature; None where there is none.

    >>> span([5, 4, 6]), span([5, 5]), span([])
    ('4-6', '5', None)
    """
    ordered = sorted(counts)
    return "-".join(dict.fromkeys(map(str, ordered[:1] + ordered[-1:]))) or None


@cache
def version(package: str) -> str:
    """The installed version of a library, for a signature."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "none"


def _clean(value: object) -> str:
    return str(value).replace("|", "/").replace("\n", " ")
