"""Names that a suite gives to things, of which a run makes files and folders."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator

from mmragbench._printable import shortened

LONGEST = 100
"""Bytes of a name in UTF-8: file systems take 255, and something is added to some names."""

PLAIN = r"\w([\w.-]*[\w-])?"
DOTTED = rf"{PLAIN}|\w[\w.]*:\w[\w.]*\w|\w[\w.]*:\w"
DEVICE = r"(?i:con|prn|aux|nul|(com|lpt)[0-9¹²³])(\..*)?"
"""Names that Windows keeps for devices, whatever ending they have."""

RULE = (
    "letters, digits, '_', '.' and '-' make a name, which does not begin with '.' or '-' nor end "
    f"with '.', and has at most {LONGEST} bytes"
)


def plain(name: str) -> str:
    """A name that is fit for a file: never a path, on no file system.

    Raises:
        ValueError: it is not; says what a name is made of.
    """
    return _fit(PLAIN, name)


def dotted(name: str) -> str:
    """The same for a component, which may be named by its dotted path, `package.module:Name`.

    Raises:
        ValueError: as `plain`.
    """
    return _fit(DOTTED, name)


def _fit(pattern: str, name: str) -> str:
    if re.fullmatch(DEVICE, name):
        raise ValueError(f"{shortened(name, 60)!r} is a device on Windows and no file; rename it")
    if re.fullmatch(pattern, name) and len(name.encode()) <= LONGEST:
        return name
    raise ValueError(f"{shortened(name, 60)!r} is not a name: {RULE}")


def apart(names: Iterable[str]) -> None:
    """Refuse names that are one file where case, or the way that accents are written, does not count.

    Raises:
        ValueError: there are two such names.
    """
    known: dict[str, str] = {}
    for name in names:
        other = known.setdefault(unicodedata.normalize("NFKC", name).casefold(), name)
        if other != name:
            raise ValueError(
                f"{other!r} and {name!r} are one file on many file systems; rename one of them"
            )


Plain = Annotated[str, AfterValidator(plain)]
Dotted = Annotated[str, AfterValidator(dotted)]
