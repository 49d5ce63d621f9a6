"""The HTML page: everything that the template shows, and nothing that it has to work out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mmragbench.reporting import costs, glance, troubles, units
from mmragbench.reporting.album import Album
from mmragbench.reporting.curves import Curve, curves
from mmragbench.reporting.drawing import svg
from mmragbench.reporting.folder import RunFolder, TaskFacts
from mmragbench.reporting.gallery import Card, gallery
from mmragbench.reporting.tables import Table, task_tables

if TYPE_CHECKING:
    from jinja2 import Environment

COLOURS = 8
"""How many contenders have a colour of their own; the ninth starts again."""

LONG = 160
"""Characters of a text that are shown before the rest is folded away."""


@dataclass(frozen=True, slots=True)
class Section:
    """All that is shown of one task."""

    facts: TaskFacts
    tables: list[Table]
    curves: list[Curve]
    cards: list[Card]


def render(run: RunFolder) -> str:
    """The page as text: one file, no script, nothing loaded."""
    from markupsafe import Markup

    album = Album(run.path)
    drawn = curves(run)
    sections = [
        Section(
            facts,
            task_tables(run, facts),
            [curve for curve in drawn if curve.task == facts.name],
            gallery(run, facts, album),
        )
        for facts in run.tasks.values()
    ]
    classes = colours(run)
    template = _environment().get_template("page.html.jinja")
    return template.render(
        run=run,
        lede=lede(run),
        contenders=[name for name, control in run.strategies.items() if control is None],
        sections=sections,
        colour=classes,
        draw=lambda curve: Markup(svg(curve, classes)),
        strips=glance.strips(run),
        levels=glance.levels,
        costs=costs.costs(run),
        task_costs={name: costs.costs(run, name) for name in run.tasks},
        phases=costs.PHASES,
        exclusions=troubles.exclusions(run),
        failures=troubles.failures(run),
        inapplicable=troubles.inapplicable(run),
        signatures=troubles.signatures(run),
        slices=_slices(sections),
        facts=facts_of(run),
        documents=_documents(run),
        pictures=Markup(album.css()),
    )


def colours(run: RunFolder) -> dict[str, str]:
    """Strategy -> CSS class: contenders by number, controls by what they stand for."""
    contenders = [name for name, control in run.strategies.items() if control is None]
    numbered = {name: f"s{i % COLOURS + 1}" for i, name in enumerate(contenders)}
    return {name: control or numbered[name] for name, control in run.strategies.items()}


def lede(run: RunFolder) -> str:
    """What was compared, on what, with how many queries, in one sentence."""
    controls = sum(control is not None for control in run.strategies.values())
    compared = _count(len(run.strategies) - controls, "strategy", "strategies")
    held = f" and {_count(controls, 'control')}" if controls else ""
    queries = sorted({facts.n_queries for facts in run.tasks.values() if facts.n_queries})
    spread = dict.fromkeys(f"{n:,}" for n in (queries[0], queries[-1])) if queries else ()
    asked = f", with {' to '.join(spread)} queries each" if spread else ""
    return f"{compared}{held}, compared on {_count(len(run.tasks), 'task')}{asked}."


def _count(n: int, one: str, many: str = "") -> str:
    return f"{n} {one if n == 1 else many or one + 's'}"


def facts_of(run: RunFolder) -> list[tuple[str, str]]:
    """The page's first lines: what, on what, with what, when."""
    manifest, suite = run.manifest, run.suite
    dataset = manifest.get("dataset") or suite.get("dataset") or {}
    models = manifest.get("models") or suite.get("models") or {}
    facts = {
        "Data": dataset.get("use") if isinstance(dataset, dict) else dataset,
        "Models": ", ".join(_model(name, settings or {}) for name, settings in models.items()),
        "Seed": manifest.get("seed", suite.get("seed")),
        "Baseline": suite.get("baseline"),
        "Run": created(manifest.get("created")),
        "Version": f"mmragbench {manifest['mmragbench']}" if "mmragbench" in manifest else None,
    }
    return [(name, str(value)) for name, value in facts.items() if value not in (None, "")]


def _model(name: str, settings: dict[str, Any]) -> str:
    what = settings.get("name") or settings.get("use")
    return f"{name} ({what})" if what else name


def created(stamp: Any) -> str:
    """`2026-03-12T14:05:00+00:00` as `12 March 2026, 14:05 UTC`; anything else as it is."""
    try:
        moment = datetime.fromisoformat(str(stamp))
    except ValueError:
        return str(stamp or "")
    months = "January February March April May June July August September October November December"
    zone = f" {moment.tzname()}" if moment.tzname() else ""
    return f"{moment.day} {months.split()[moment.month - 1]} {moment:%Y, %H:%M}{zone}"


def _slices(sections: list[Section]) -> list[str]:
    """Every slice that a card is in, so that the gallery can be filtered by it."""
    cards = (card for section in sections for card in section.cards)
    return list(dict.fromkeys(name for card in cards for name in card.slices))


def _documents(run: RunFolder) -> list[tuple[str, str]]:
    """The run's own records, as text to unfold."""
    import yaml

    suite = yaml.safe_dump(run.suite, sort_keys=False, allow_unicode=True) if run.suite else ""
    manifest = json.dumps(run.manifest, indent=2, ensure_ascii=False) if run.manifest else ""
    return [(name, text) for name, text in (("Suite", suite), ("Manifest", manifest)) if text]


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("mmragbench.reporting", "template"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["duration"] = units.compact
    environment.globals["LONG"] = LONG
    return environment
