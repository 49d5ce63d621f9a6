"""The HTML page: its template and the variables that the template shows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from mmragbench.reporting.facts import costs, issues, shown_families, units
from mmragbench.reporting.facts.headline import Headline, headlines
from mmragbench.reporting.facts.swaps import SwapTable, swap_table
from mmragbench.reporting.page.audits import audits, percent, share
from mmragbench.reporting.page.case_strips import case_strips
from mmragbench.reporting.page.drawing import curve, forest, tradeoff
from mmragbench.reporting.page.embedded_pictures import EmbeddedPictures
from mmragbench.reporting.page.explorer import USUAL, PageBudget, digest, explorer, script
from mmragbench.reporting.page.heading import facts_of, question, subtitle
from mmragbench.reporting.page.plots import Plots, plots
from mmragbench.reporting.page.query_links import QueryLinks
from mmragbench.reporting.page.style_sheet import css_classes, outlines, rules
from mmragbench.reporting.page.summary_strips import summary_strips
from mmragbench.reporting.tables.limits import LimitTable, limit_tables
from mmragbench.reporting.tables.overview import FEW, SliceTable, overview, slice_table
from mmragbench.reporting.tables.report_tables import task_tables
from mmragbench.reporting.tables.table import Table
from mmragbench.reporting.templates import environment
from mmragbench.reporting.words.phrases import setting, shortened
from mmragbench.reporting.words.verdicts import verdicts
from mmragbench.run_folder.reading import Run, TaskFacts

if TYPE_CHECKING:
    from jinja2 import Environment

BEST = 3
"""How many strategies that share the best number are named beside a strip."""

LONG = 160
"""Characters of a text that are shown before the rest is folded away."""


@dataclass(frozen=True, slots=True)
class Section:
    """One task's section of the page."""

    facts: TaskFacts
    tables: list[Table]
    limits: list[LimitTable]
    plots: Plots
    slices: SliceTable | None
    swaps: SwapTable | None


def render(run: Run, budget: PageBudget = USUAL) -> str:
    """The page as text: one file, nothing loaded; its one script is the explorer's."""
    by_task = {headline.task.name: headline for headline in headlines(run)}
    classes = css_classes(run)
    pictures = EmbeddedPictures(run.path, budget.large_pictures)
    shown = explorer(run, classes, pictures, budget)
    links = QueryLinks(run, shown.cases if shown else {})
    code = script(explorer=shown is not None)
    template = _templates().get_template("page.html.jinja")
    return template.render(
        **_answers(run, list(by_task.values())),
        **_drawings(run, classes, links),
        sections=[_section(run, facts, by_task.get(name)) for name, facts in run.tasks.items()],
        **_costs(run),
        case_strips=case_strips(list(by_task.values()), shown.cases, pictures) if shown else [],
        explorer=shown,
        links=links,
        audits=audits(run, pictures),
        sheets=list(pictures.sheets()),  # all that the two have placed
        script=code,
        script_digest=digest(code),
        **_record(run),
    )


def _answers(run: Run, headlines: list[Headline]) -> dict[str, Any]:
    """The template's variables for the page's first part."""
    return {
        "run": run,
        "question": question(run),
        "subtitle": subtitle(run),
        "families": shown_families.summary(run),
        "verdicts": verdicts(run),
        "overview": overview(run, headlines),
        "contenders": [name for name, control in run.strategies.items() if control is None],
        "summary_strips": summary_strips(run),
    }


def _drawings(run: Run, classes: Mapping[str, str], links: QueryLinks) -> dict[str, Any]:
    """The template's functions that draw, with the strategies' CSS classes, colours and markers, and
    the queries' links."""
    return {
        "colour_rules": rules(run),
        "outlines": dict(outlines(run)),
        "colour": classes,
        "draw": partial(curve.svg, classes=classes, link=links.of_row),
        "draw_forest": partial(forest.svg, classes=classes, link=links.of_contrast),
        "draw_tradeoff": partial(tradeoff.svg, classes=classes, link=links.of_row),
    }


def _costs(run: Run) -> dict[str, Any]:
    """The template's variables for costs."""
    return {
        "costs": costs.costs(run),
        "task_costs": {name: costs.costs(run, name) for name in run.tasks},
        "phases": costs.PHASES,
        "bill": costs.spending(run),
        "remarks": costs.remarks(run),
    }


def _record(run: Run) -> dict[str, Any]:
    """The template's variables for what was left out or failed, and for the run's own records."""
    return {
        "exclusions": issues.exclusions(run),
        "failures": issues.failures(run),
        "issues": issues.remarks(run),
        "inapplicable": issues.inapplicable(run),
        "signatures": issues.signatures(run),
        "facts": facts_of(run),
        "documents": _documents(run),
    }


def _section(run: Run, facts: TaskFacts, headline: Headline | None) -> Section:
    return Section(
        facts,
        task_tables(run, facts),
        limit_tables(run, facts),
        plots(run, facts, headline),
        slice_table(run, headline) if headline else None,
        swap_table(run, headline) if headline else None,
    )


def _documents(run: Run) -> list[tuple[str, str]]:
    """The run's suite and manifest, as names and texts to unfold."""
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
    templates.globals |= {
        "BEST": BEST,
        "LONG": LONG,
        "FEW": FEW,
        "setting": setting,
        "shortened": shortened,
    }
    templates.globals |= {"share": share, "percent": percent}
    return templates
