"""All settings behind a run's numbers, as the paragraph of a paper's appendix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mmragbench.comparing.stored import against_controls, of_contenders
from mmragbench.reporting.facts.models import named
from mmragbench.reporting.facts.shown_families import families, primary, within
from mmragbench.reporting.facts.units import unit
from mmragbench.reporting.paper.prose import Phrase, Sentence
from mmragbench.reporting.tables.request import Style
from mmragbench.reporting.words.phrases import listed, seeds_of
from mmragbench.run_folder.reading import Run
from mmragbench.signature import parse

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


def details(run: Run, style: Style) -> Iterator[Sentence]:
    """The sentences, in order: data, strategies, models, measures, statistics, versions."""
    for text in (*_data(run), *_systems(run, style), *_measures(run), *_statistics(run)):
        yield [Phrase(text)]
    if parts := list(_circumstances(run)):
        yield [Phrase(f"The run used {listed(parts)}")]


def _data(run: Run) -> Iterator[str]:
    """The dataset's settings that are numbers or presets; paths are nobody's business."""
    arguments = dict(run.suite.get("dataset") or {})
    numbers = [
        f"{k} {v}" for k, v in arguments.items() if isinstance(v, int) and not isinstance(v, bool)
    ]
    presets = [f"preset {arguments['preset']}"] if arguments.get("preset") else []
    if settings := [*presets, *numbers]:
        yield f"Settings of the data: {', '.join(settings)}"


def _systems(run: Run, style: Style) -> Iterator[str]:
    strategies = run.suite.get("strategies") or {}
    described = [_settings(style.name(name), spec or {}) for name, spec in strategies.items()]
    if described:
        yield f"Strategies: {'; '.join(described)}"
    models: Mapping[str, Any] = run.manifest.get("models") or {}
    if models:
        yield f"Models: {listed([f'{name} is {named(spec)}' for name, spec in models.items()])}"


def _settings(name: str, spec: Mapping[str, Any]) -> str:
    arguments = [f"{key} {_value(v)}" for key, v in spec.items() if key != "use" and v is not None]
    return f"{name} ({', '.join(arguments)})" if arguments else name


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return str(value.get("use") or ", ".join(f"{k} {_value(v)}" for k, v in value.items()))
    if isinstance(value, bool):
        return "on" if value else "off"
    return " / ".join(map(str, value)) if isinstance(value, list) else str(value)


def _measures(run: Run) -> Iterator[str]:
    """One sentence for the measures that share their facts."""
    groups: dict[str, dict[str, str]] = {}
    for row in run.rows:
        if row.estimate is not None and row.slice == "all":
            names = groups.setdefault(_facts(row.signature), {})
            names[row.measure.label] = unit(row.measure)
    for facts, units in groups.items():
        scaled = [f"{name} ({scale})" if scale else name for name, scale in units.items()]
        if facts:
            yield f"{listed(scaled)}: {facts}"


def _facts(signature: str) -> str:
    facts = parse(signature)
    facts.pop("measure")
    cut = parse(signature)["measure"].partition("@")[2]
    worded = {k: v for k, v in facts.items() if k in FACTS and not (k == "depth" and cut)}
    return ", ".join(FACTS[name].format(value.replace("=", " ")) for name, value in worded.items())


def _statistics(run: Run) -> Iterator[str]:
    """The statistics as the run states them, and every family of tests."""
    stored = run.manifest.get("statistics")
    if not stored:
        return
    yield f"Intervals: {stored['interval']}; bootstrap seed {stored['seed']}"
    if "over_seeds" in stored:
        yield f"Of means over seeds: {stored['over_seeds']}"
    shown = families(run, [*of_contenders(run), *against_controls(run)])
    if not primary(run, shown):
        yield f"{stored['correction']}'s correction: {within(shown)}"
        return
    exploratory = ", and exploratory ones of slices" * any(f.exploratory for f in shown)
    yield (
        f"{stored['correction']}'s correction: within families, on each task the pairs of strategies by "
        "its primary measure; and apart from these the pairs by all other measures, those with each "
        f"control{exploratory}"
    )


def _circumstances(run: Run) -> Iterator[str]:
    manifest = run.manifest
    versions = manifest.get("packages") or {}
    uses = [str(spec.get("use")) for spec in (manifest.get("models") or {}).values()]
    wanted = dict.fromkeys([*(PACKAGES.get(use, "") for use in uses), *_libraries(run)])
    if seeds := seeds_of(run):
        yield seeds.removeprefix("means over ")
    if manifest.get("python"):
        yield f"Python {manifest['python']}"
    yield from (f"{name} {versions[name]}" for name in wanted if name in versions)
    if (manifest.get("git") or {}).get("commit"):
        yield f"commit {manifest['git']['commit'][:12]}"


def _libraries(run: Run) -> Iterator[str]:
    """The facts of signatures, by the names of the packages that some of them are."""
    for row in run.rows:
        yield from (name.replace("_", "-") for name in parse(row.signature))
