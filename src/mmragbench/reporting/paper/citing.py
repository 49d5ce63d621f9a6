"""The works that runs rest on, as BibTeX: of measures, models, data and methods."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from mmragbench.records import Measure
from mmragbench.reporting.facts.models import known_as, nameable
from mmragbench.run_folder.reading import Run

HERE = Path(__file__).parent
GENERIC = ("huggingface", "flickr")
"""Loaders of data that have other names."""

Patterns = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Cited:
    """Keys of `bibliography.bib`, and the names for which it has no entry."""

    keys: tuple[str, ...]
    unknown: tuple[str, ...]

    def bibtex(self) -> str:
        """The entries, with comments for the names that have none."""
        entries = bibliography()
        missing = (f"% no entry known for {_comment(name)}\n" for name in self.unknown)
        return "\n".join(["".join(missing), *(entries[key] for key in self.keys)]).lstrip("\n")


def cited(runs: Sequence[Run]) -> Cited:
    """The works behind what the runs used, in the order of `bibliography.bib`."""
    patterns = rules()
    keys: list[str] = []
    unknown: list[str] = []
    for run in runs:
        for measure in dict.fromkeys(row.measure for row in run.rows):
            known = of_measure(run, measure)
            keys += known or ()
            unknown += [f"the measure {measure.name}"] if known is None else []
        for setting in settings(run):
            keys += matching(patterns["settings"], setting) or ()
        for kind, name, aliases in sources(run):
            by_alias = [matching(patterns["names"], alias) for alias in aliases]
            keys += [key for works in by_alias for key in works or ()]
            unknown += [f"the {kind} {name}"] if all(w is None for w in by_alias) else []
    keys += patterns["always"]
    order = list(bibliography())
    return Cited(tuple(sorted(set(keys), key=order.index)), tuple(dict.fromkeys(unknown)))


@cache
def bibliography() -> dict[str, str]:
    """Key -> entry, as it stands in `bibliography.bib`."""
    text = (HERE / "bibliography.bib").read_text(encoding="utf-8")
    entries = re.findall(r"^@\w+\{([^,\s]+),.*?^\}\n", text, flags=re.MULTILINE | re.DOTALL)
    whole = re.finditer(r"^@\w+\{.*?^\}\n", text, flags=re.MULTILINE | re.DOTALL)
    return dict(zip(entries, (match[0] for match in whole), strict=True))


def matching(patterns: Patterns, name: str) -> list[str] | None:
    """The keys of all patterns that fit; None where none does."""
    fit = [keys for glob, keys in patterns.items() if fnmatchcase(name.lower(), glob.lower())]
    return [key for keys in fit for key in keys] if fit else None


def settings(run: Run) -> Iterator[str]:
    """`strategies.separate-stores.fuse=rrf` for everything that was used and is not empty."""
    generators = {row.generator for row in run.rows}
    models = run.manifest.get("models") or {}
    suite: dict[str, Any] = {key: run.suite.get(key) or {} for key in ("dataset", "strategies")}
    suite["models"] = {k: v for k, v in (run.suite.get("models") or {}).items() if k in models}
    specs = run.suite.get("generators") or {}
    suite["generators"] = {k: v for k, v in specs.items() if k in generators}
    suite["seeds"] = run.seeds or None
    yield from _flat(suite, "")


def _flat(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else str(key))
    elif value is not None:
        yield f"{path}={value}"


def of_measure(run: Run, measure: Measure) -> list[str] | None:
    """The works behind a measure; a distance's features go by their weights, not by the name that
    the suite happens to give the model."""
    spec = (run.suite.get("models") or {}).get(measure.features or "") or {}
    features = " ".join(known_as(spec)) or str(spec.get("use") or measure.features or "")
    name = f"{measure.name}({features})" if features else measure.name
    return matching(rules()["measures"], name)


class Source(NamedTuple):
    """A model or the data of a run.

    Attributes:
        name: what it is called where no work is known.
        aliases: all names by which `citations.yaml` may know it.
    """

    kind: Literal["model", "data"]
    name: str
    aliases: list[str]


def sources(run: Run) -> Iterator[Source]:
    """The run's models and its data."""
    for name, spec in (run.manifest.get("models") or {}).items():
        aliases = known_as(spec) or [str(spec.get("use") or name)]
        yield Source("model", f"{name} ({', '.join(aliases)})", aliases)
    data = run.suite.get("dataset") or {}
    use = str(data.get("use") or "")
    aliases = [nameable(str(data[key])) for key in ("preset", "path") if data.get(key)]
    aliases += [Path(str(data["root"])).name] if data.get("root") else []
    names = [*aliases, use] if use in GENERIC else [use, *aliases]
    yield Source("data", names[0], names)


def _comment(text: str) -> str:
    """The text on one line, with nothing in it that begins an entry."""
    return " ".join(text.split()).replace("@", "(at)")


@cache
def rules() -> dict[str, Any]:
    """`citations.yaml`: patterns -> keys, by what they are read against."""
    import yaml

    loaded: dict[str, Any] = yaml.safe_load((HERE / "citations.yaml").read_text(encoding="utf-8"))
    return loaded


def cite(keys: Iterable[str], known: Cited) -> str:
    """`\\citep{a,b}` of those keys that the runs cite; empty where there is none."""
    cited_keys = [key for key in keys if key in known.keys]
    return rf"\citep{{{','.join(cited_keys)}}}" if cited_keys else ""
