"""The HTML page: everything that the template shows, and nothing that it has to work out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from mmragbench.reporting.facts import costs, issues, shown_families, units
from mmragbench.reporting.facts.headline import Headline, headlines
from mmragbench.reporting.page import strips as glance
from mmragbench.reporting.page.audits import audits, percent, share
from mmragbench.reporting.page.drawing import curve, forest, tradeoff
from mmragbench.reporting.page.drawing.shapes import shape
from mmragbench.reporting.page.embedded_pictures import Album
from mmragbench.reporting.page.explorer import USUAL, Allowance, explorer, script, script_digest
from mmragbench.reporting.page.heading import facts_of, lede, question
from mmragbench.reporting.page.plots import Plots, plots
from mmragbench.reporting.tables.limits import LimitTable, limit_tables
from mmragbench.reporting.tables.overview import FEW, SliceTable, overview, slice_table
from mmragbench.reporting.tables.report_tables import task_tables
from mmragbench.reporting.tables.table import Table
from mmragbench.reporting.templates import environment
from mmragbench.reporting.words.phrases import setting
from mmragbench.reporting.words.verdicts import verdicts
from mmragbench.run_folder.reading import Run, TaskFacts

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
    limits: list[LimitTable]
    plots: Plots
    slices: SliceTable | None


def render(run: Run, allowance: Allowance = USUAL) -> str:
    """The page as text: one file, nothing loaded; its one script is the explorer's."""
    album = Album(run.path)
    by_task = {headline.task.name: headline for headline in headlines(run)}
    sections = [_section(run, facts, by_task.get(name)) for name, facts in run.tasks.items()]
    classes = colours(run)
    template = _templates().get_template("page.html.jinja")
    return template.render(
        run=run,
        question=question(run),
        lede=lede(run),
        families=shown_families.summary(run),
        verdicts=verdicts(run),
        overview=overview(run, list(by_task.values())),
        contenders=[name for name, control in run.strategies.items() if control is None],
        sections=sections,
        colour=classes,
        draw=partial(curve.svg, classes=classes),
        draw_forest=partial(forest.svg, classes=classes),
        draw_tradeoff=partial(tradeoff.svg, classes=classes),
        strips=glance.strips(run),
        levels=glance.levels,
        costs=costs.costs(run),
        task_costs={name: costs.costs(run, name) for name in run.tasks},
        phases=costs.PHASES,
        bill=costs.spending(run),
        remarks=costs.remarks(run),
        audits=audits(run, album),
        exclusions=issues.exclusions(run),
        failures=issues.failures(run),
        issues=issues.remarks(run),
        inapplicable=issues.inapplicable(run),
        signatures=issues.signatures(run),
        explorer=explorer(run, classes, allowance),
        script=script(),
        script_digest=script_digest(),
        facts=facts_of(run),
        documents=_documents(run),
        pictures=album.css(),
    )


def _section(run: Run, facts: TaskFacts, headline: Headline | None) -> Section:
    return Section(
        facts,
        task_tables(run, facts),
        limit_tables(run, facts),
        plots(run, facts, headline),
        slice_table(run, headline) if headline else None,
    )


def colours(run: Run) -> dict[str, str]:
    """Strategy -> CSS class: contenders by number, controls by what they stand for."""
    contenders = [name for name, control in run.strategies.items() if control is None]
    numbered = {name: f"s{i % COLOURS + 1}" for i, name in enumerate(contenders)}
    return {name: control or numbered[name] for name, control in run.strategies.items()}


def _documents(run: Run) -> list[tuple[str, str]]:
    """The run's own records, as text to unfold."""
    import yaml

    suite = yaml.safe_dump(run.suite, sort_keys=False, allow_unicode=True) if run.suite else ""
    manifest = json.dumps(run.manifest, indent=2, ensure_ascii=False) if run.manifest else ""
    return [(name, text) for name, text in (("Suite", suite), ("Manifest", manifest)) if text]


def _templates() -> Environment:
    templates = environment("mmragbench.reporting.page")
    templates.filters |= {
        "duration": units.compact,
        "dollars": units.money,
        "decimals": units.number,
    }
    templates.globals |= {"LONG": LONG, "FEW": FEW, "shape": shape, "setting": setting}
    templates.globals |= {"share": share, "percent": percent}
    return templates
