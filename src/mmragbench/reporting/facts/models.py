"""The models behind numbers, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmragbench.backends.weights import world
from mmragbench.reporting.words.phrases import listed, with_verb
from mmragbench.run_folder.numbers import Json, Row
from mmragbench.run_folder.reading import Run

DETAIL = ("name", "model", "pretrained")
"""The arguments of a model that say which weights it has, over all adapters."""


ORIGINS = {
    "toy": "a toy",
    "classic": "no trained weights",
    "trained": "trained",
    "made elsewhere": "made elsewhere",
}
"""Where a model's answers come from, in words."""


def listed_model(name: str, spec: Mapping[str, Any]) -> str:
    """`clip (ViT-B-32, trained)`, for a list of a run's models; without what nothing says."""
    details = (spec.get("name") or spec.get("use"), ORIGINS.get(str(spec.get("origin"))))
    known = ", ".join(str(detail) for detail in details if detail)
    return f"{name} ({known})" if known else name


def foreign_toys(models: Mapping[str, Mapping[str, Any] | None], dataset: str) -> str | None:
    """A sentence on the shipped models that a dataset of other pictures is given to; None without.

    Args:
        models: name -> its part of the suite.
        dataset: the dataset's name; those drawn as a world is begin with its name.
    """
    worlds = {
        name: shipped
        for name, spec in models.items()
        for value in _values(spec or {})
        if (shipped := world(value)) and dataset.removeprefix(shipped)[:1] not in ("", "_", "-")
    }
    if not worlds:
        return None
    subject = with_verb(list(worlds), "is a toy", "are toys")
    return (
        f"{subject}, trained on the drawn pictures of {listed(sorted(set(worlds.values())))} alone: "
        f"numbers with {'it' if len(worlds) == 1 else 'them'} on {dataset} mean nothing; use trained "
        "models (open_clip, transformers, ...), or what needs no weights: classic_features, lexical"
    )


def described(run: Run, strategies: Sequence[str], rows: Sequence[Row]) -> str:
    """`Models: clip is ViT-B-32 (laion2b_s34b_b79k), …`; empty where there is none."""
    models = [f"{name} is {weights(spec)}" for name, spec in used(run, strategies, rows).items()]
    return f"Models: {', '.join(models)}." if models else ""


def used(run: Run, strategies: Sequence[str], rows: Sequence[Row]) -> dict[str, Json]:
    """The models that strategies, generators and features name, by their names in the suite."""
    suite = run.suite
    models: Json = suite.get("models") or {}
    generators = dict.fromkeys(row.generator for row in rows if row.generator)
    specs = [(suite.get("strategies") or {}).get(name) or {} for name in strategies]
    specs += [(suite.get("generators") or {}).get(name) or {} for name in generators]
    features = {row.measure.features for row in rows if row.measure.features}
    named = {value for spec in specs for value in _values(spec)} | features
    reached = {name for name in models if name in named}
    for name in list(reached):  # a model may be made of others
        reached |= {value for value in _values(models[name] or {}) if value in models}
    return {name: models[name] or {} for name in models if name in reached}


def named(spec: Mapping[str, Any]) -> str:
    """`ViT-B-32 (laion2b_s34b_b79k) by open_clip`."""
    which, adapter = weights(spec), str(spec.get("use") or "")
    return f"{which} by {adapter}" if which != adapter else which


def weights(spec: Mapping[str, Any]) -> str:
    """`ViT-B-32 (laion2b_s34b_b79k)`; the adapter where no weights are named."""
    which, *more = known_as(spec) or [str(spec.get("use"))]
    return f"{which} ({', '.join(more)})" if more else which


def known_as(spec: Mapping[str, Any]) -> list[str]:
    """The names by which a model's weights are known."""
    return [nameable(str(spec[key])) for key in DETAIL if spec.get(key)]


def nameable(text: str) -> str:
    """A name as it may be published; of a path, its last two parts only."""
    return "/".join(Path(text).parts[-2:]) if text.startswith(("/", "~", ".")) else text


def _values(value: Any) -> Iterator[str]:
    """Every text within settings, however deep."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _values(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _values(inner)
    elif isinstance(value, str):
        yield value
