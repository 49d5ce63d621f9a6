"""The paragraph of a methods section: what was measured how, from a run's files alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmragbench.comparing.stored import against_controls, of_contenders
from mmragbench.reporting.facts.models import named
from mmragbench.reporting.facts.shown_families import families, primary, within
from mmragbench.reporting.facts.units import unit
from mmragbench.reporting.paper.citing import (
    Cited,
    cite,
    cited,
    matching,
    of_measure,
    settings,
    sources,
)
from mmragbench.reporting.paper.citing import rules as citations
from mmragbench.reporting.words.phrases import listed, seeds_of
from mmragbench.reporting.words.tex import escape
from mmragbench.run_folder.numbers import measure_of
from mmragbench.run_folder.reading import Run
from mmragbench.signature import OURS, parse

FACTS = {
    "refs": "{} references per query",
    "tok": "tokeniser {}",
    "idf": "idf over the {}",
    "relevance": "{} relevance",
    "depth": "rankings of {}",
    "ties": "ties by {}",
    "dims": "features of {} dimensions",
    "resize": "pictures resized by {}",
    "pairs": "pairs left {} of the mixed term",
    "n_real": "{} real pictures",
    "n_generated": "{} generated pictures",
    "missing": "missing outputs: {}",
}
"""Facts of signatures in words; others stand in the tables' signatures."""

PACKAGES = {
    "open_clip": "open-clip-torch",
    "sentence_transformers": "sentence-transformers",
    "transformers": "transformers",
    "transformers_encoder": "transformers",
    "diffusers": "diffusers",
    "openai": "openai",
    "imagebind": "torch",
}
"""Adapter -> the package whose version matters."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence without its full stop, and the works that it rests on."""

    text: str
    keys: tuple[str, ...] = ()


def methods(runs: Sequence[Run], latex: bool = False) -> str:
    """A paragraph for each run; in LaTeX escaped, with `\\cite` and the keys of `references.bib`."""
    known = cited(runs)
    return "\n".join(_written(sentences(run), known, latex) + "\n" for run in runs)


def sentences(run: Run) -> Iterator[Sentence]:
    """The sentences of the paragraph, in order."""
    version = run.manifest.get(OURS) or "of an unknown version"
    contenders = [name for name, control in run.strategies.items() if control is None]
    controls = [f"{name} ({control})" for name, control in run.strategies.items() if control]
    beside = f", beside the controls {listed(controls)}" if controls else ""
    what = f"We compare {listed(contenders)}{beside}, with mmragbench {version}"
    yield Sentence(f"{what}{_data(run)}", (*_works(run, "data"), *_keys(run, "dataset.")))
    yield from _tasks(run)
    yield from _systems(run)
    yield from _measures(run)
    yield from _statistics(run)
    yield from _issues(run)
    yield from _circumstances(run)


def _data(run: Run) -> str:
    """The dataset with those of its settings that are not paths."""
    arguments = dict(run.suite.get("dataset") or {})
    use = next(name for kind, name, _ in sources(run) if kind == "data")
    plain = [
        f"{k} {v}" for k, v in arguments.items() if isinstance(v, int) and not isinstance(v, bool)
    ]
    plain += [str(arguments[key]) for key in ("preset",) if arguments.get(key)]
    inside = f" ({', '.join(plain)})" if plain else ""
    return f", on {use}{inside}" if use else ""


def _tasks(run: Run) -> Iterator[Sentence]:
    tasks = []
    for facts in run.tasks.values():
        counts = {"queries": facts.n_queries, "documents": facts.n_documents}
        sizes = " over ".join(f"{n:,} {what}" for what, n in counts.items() if n is not None)
        relevance = f"silver relevance by {facts.silver}" if facts.silver else "gold relevance"
        tasks.append(f"{facts.name} ({f'{sizes}, ' if sizes else ''}{relevance})")
    if tasks:
        yield Sentence(f"The tasks are {listed(tasks)}")


def _systems(run: Run) -> Iterator[Sentence]:
    strategies = run.suite.get("strategies") or {}
    described = [_settings(name, spec or {}) for name, spec in strategies.items()]
    if described:
        yield Sentence(f"Strategies: {'; '.join(described)}", tuple(_keys(run, "strategies.")))
    used = dict.fromkeys((row.generator, row.k) for row in run.rows if row.generator)
    generators = [f"{name} with k = {k}" if k else f"{name} without documents" for name, k in used]
    if generators:
        outputs = f"Outputs are made by {listed(generators)} (k: retrieved documents given)"
        yield Sentence(outputs, tuple(_keys(run, "generators.")))
    models: Mapping[str, Any] = run.manifest.get("models") or {}
    if models:
        names = listed([f"{name} is {named(spec)}" for name, spec in models.items()])
        yield Sentence(f"Models: {names}", (*_keys(run, "models."), *_works(run, "model")))


def _settings(name: str, spec: Mapping[str, Any]) -> str:
    arguments = [f"{key} {_value(v)}" for key, v in spec.items() if key != "use" and v is not None]
    return f"{name} ({', '.join(arguments)})" if arguments else name


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return str(value.get("use") or ", ".join(f"{k} {_value(v)}" for k, v in value.items()))
    if isinstance(value, bool):
        return "on" if value else "off"
    return " / ".join(map(str, value)) if isinstance(value, list) else str(value)


def _measures(run: Run) -> Iterator[Sentence]:
    """One sentence for the measures that share their facts."""
    groups: dict[str, dict[str, str]] = {}
    for row in run.rows:
        if row.estimate is not None and row.slice == "all":
            groups.setdefault(_facts(row.signature), {})[str(row.measure)] = unit(row.measure)
    for facts, units in groups.items():
        scaled = [f"{name} ({scale})" if scale else name for name, scale in units.items()]
        keys = [key for name in units for key in of_measure(run, measure_of(name)) or ()]
        yield Sentence(f"We report {listed(scaled)}{f': {facts}' if facts else ''}", tuple(keys))


def _facts(signature: str) -> str:
    facts = parse(signature)
    facts.pop("measure")
    cut = parse(signature)["measure"].partition("@")[2]
    worded = {k: v for k, v in facts.items() if k in FACTS and not (k == "depth" and cut)}
    return ", ".join(FACTS[name].format(value.replace("=", " ")) for name, value in worded.items())


def _statistics(run: Run) -> Iterator[Sentence]:
    stored = run.manifest.get("statistics")
    if not stored:
        return
    yield Sentence(
        f"Intervals are {stored['level'] * 100:g} % intervals by {stored['interval']}; a bootstrap has "
        f"{stored['resamples']:,} resamples (seed {stored['seed']})",
        ("davison1997bootstrap", "wilson1927"),
    )
    if "over_seeds" in stored:
        yield Sentence(
            f"Numbers are {seeds_of(run)}; their intervals and tests have both sources of variation: "
            f"{stored['over_seeds']}",
            ("banerjee1961confidence", "bouthillier2021variance"),
        )
    yield Sentence(
        f"Differences are tested by {stored['test']}, at {stored['alpha']:g} after "
        f"{stored['correction']} correction {_families(run)}",
        ("davison1997bootstrap", "tango1998", "holm1979"),
    )


def _families(run: Run) -> str:
    """The families of tests, in words."""
    shown = families(run, [*of_contenders(run), *against_controls(run)])
    by_primary = primary(run, shown)
    if not by_primary:
        return within(shown)
    exploratory = ", and exploratory ones of slices" if any(f.exploratory for f in shown) else ""
    return (
        f"within families: on each task the pairs of strategies by its primary measure, {by_primary}; and "
        f"apart from these the pairs by all other measures, those with each control{exploratory}"
    )


def _issues(run: Run) -> Iterator[Sentence]:
    """How much was left out and failed, also where that is nothing."""
    excluded = len({(raw.get("kind"), raw.get("id")) for raw in run.exclusions})
    failed = len(run.failures)
    left = f"{excluded:,} items of the data were excluded" if excluded else "No item was excluded"
    lost = f"{failed:,} outputs failed" if failed else "no output failed"
    yield Sentence(f"{left}, and {lost}")


def _circumstances(run: Run) -> Iterator[Sentence]:
    manifest = run.manifest
    versions = manifest.get("packages") or {}
    uses = [str(spec.get("use")) for spec in (manifest.get("models") or {}).values()]
    wanted = dict.fromkeys([*(PACKAGES.get(use, "") for use in uses), *_libraries(run)])
    used = [f"{name} {versions[name]}" for name in wanted if name in versions]
    parts = [seeds.removeprefix("means over ")] if (seeds := seeds_of(run)) else []
    parts += [f"Python {manifest['python']}"] if manifest.get("python") else []
    parts += used
    if (manifest.get("git") or {}).get("commit"):
        parts.append(f"commit {manifest['git']['commit'][:12]}")
    if parts:
        yield Sentence(f"The run used {listed(parts)}")


def _libraries(run: Run) -> Iterator[str]:
    """The facts of signatures, by the names of the packages that some of them are."""
    for row in run.rows:
        yield from (name.replace("_", "-") for name in parse(row.signature))


def _keys(run: Run, prefix: str) -> list[str]:
    wanted = [name for name in settings(run) if name.startswith(prefix)]
    return [key for name in wanted for key in matching(citations()["settings"], name) or ()]


def _works(run: Run, kind: str) -> list[str]:
    """The keys of the works behind the run's models, or behind its data."""
    names = [name for what, _, aliases in sources(run) if what == kind for name in aliases]
    return [key for name in names for key in matching(citations()["names"], name) or ()]


def _written(sentences: Iterable[Sentence], known: Cited, latex: bool) -> str:
    if not latex:
        return " ".join(f"{' '.join(sentence.text.split())}." for sentence in sentences)
    parts = []
    for sentence in sentences:
        source = cite(dict.fromkeys(sentence.keys), known)
        parts.append(f"{escape(sentence.text)}{f'~{source}' if source else ''}.")
    return "\n".join(parts)
