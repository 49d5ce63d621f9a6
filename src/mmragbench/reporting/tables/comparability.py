"""Which numbers of several runs may stand in one column, by their signatures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from mmragbench.records import Measure
from mmragbench.run_folder.numbers import Row
from mmragbench.run_folder.reading import Run
from mmragbench.signature import differences

DIGESTS = {"memory_digest": "memories", "queries_digest": "queries"}


def usual_signatures(rows: Iterable[Row]) -> dict[Measure, str]:
    """Measure -> the signature that most of its numbers have; the first of equally many."""
    signatures: dict[Measure, Counter[str]] = {}
    for row in rows:
        if row.estimate is not None:
            signatures.setdefault(row.measure, Counter())[row.signature] += 1
    return {measure: counts.most_common(1)[0][0] for measure, counts in signatures.items()}


def obstacles(sources: Sequence[tuple[Run, Sequence[Row]]], task: str) -> list[str]:
    """Why the runs' numbers can't share columns, in words; nothing where they can."""
    (first, rows), *others = sources
    reasons: list[str] = []
    for run, others_rows in others:
        reasons += _data(first, run, task)
        a, b = usual_signatures(rows), usual_signatures(others_rows)
        for measure in a.keys() & b.keys():
            reasons += _unlike(a[measure], b[measure])
    return sorted(dict.fromkeys(reasons))


def remark(row: Row, signature: str) -> str:
    """The differences between a number's signature and its column's; empty where none matters."""
    return ", ".join(
        f"{name} is {_value(value)}, not {_value(column)}"
        for name, (value, column) in differences(row.signature, signature).items()
    )


def _data(first: Run, second: Run, task: str) -> Iterator[str]:
    """Differences between the runs' data, by the digests in their manifests."""
    a, b = ((run.manifest.get("data") or {}).get(task) or {} for run in (first, second))
    for key, what in DIGESTS.items():
        if a.get(key) and b.get(key) and a[key] != b[key]:
            yield f"their {what} differ"


def _unlike(first: str, second: str) -> Iterator[str]:
    for name, (a, b) in differences(first, second).items():
        yield f"{name} is {_value(a)} in one and {_value(b)} in another"


def _value(value: str | None) -> str:
    return "not given" if value is None else value
