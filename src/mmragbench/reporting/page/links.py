"""Addresses of queries in the explorer of a report."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal
from urllib.parse import urlencode

Only = Literal["a", "b", "ties", "failed"]


@dataclass(frozen=True, kw_only=True)
class ExplorerLink:
    """What the explorer shows when a reader follows a link: `str(link)` is the fragment of the
    page's address, `#explorer?task=captioning&measure=CIDEr&setting=reader-k3&a=…&b=…`.

    Names stand in it, not numbers, so that a link outlives a run.

    Attributes:
        task: the task's name.
        measure: the measure as it is written in suites, by which queries are sorted.
        setting: how outputs were generated, `reader-k3`; empty for rankings.
        a: the strategy whose answers come first.
        b: the strategy that it is compared with, in the second column.
        slice: only queries of this slice; empty for all.
        only: queries where `a` wins, where `b` wins, where both have the same value, or where
            something failed.
        query: the id of the query that is shown first.
    """

    task: str
    measure: str = ""
    setting: str = ""
    a: str = ""
    b: str = ""
    slice: str = ""
    only: Only | Literal[""] = ""
    query: str = ""

    def __str__(self) -> str:
        fields = {name: text for name, text in asdict(self).items() if text}
        return f"#explorer?{urlencode(fields)}"
