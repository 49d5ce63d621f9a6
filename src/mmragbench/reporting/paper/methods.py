"""The methods section of a paper: what was compared and how it was measured, from a run's files alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from mmragbench._digits import counted
from mmragbench.comparing.stored import against_controls, of_contenders
from mmragbench.records import Measure
from mmragbench.reporting.facts.models import known_as
from mmragbench.reporting.facts.shown_families import families, primary
from mmragbench.reporting.paper.citing import (
    cited,
    matching,
    of_measure,
    rules,
    settings,
    sources,
)
from mmragbench.reporting.paper.details import details
from mmragbench.reporting.paper.prose import Phrase, Sentence, enumerated, latex, markdown
from mmragbench.reporting.tables.request import Style
from mmragbench.reporting.words.phrases import listed, seeds_of
from mmragbench.run_folder.numbers import Row
from mmragbench.run_folder.reading import Run, TaskFacts
from mmragbench.signature import OURS, parse

NAMED = 6
"""So many strategies are named; more are counted."""

SCORED = {
    "none": "Rankings",
    "caption": "captions",
    "answer": "answers",
    "image": "generated images",
}
"""Kind of output -> what is scored, in the order of the sentence."""

ROLES = {
    "chat": "chat model",
    "image_encoder": "encoder",
    "text_encoder": "encoder",
}
"""Argument of a strategy or a generator -> what is passed, where that is not the argument's name."""

CONTROLS = {"floor": "as a floor", "chance": "for chance", "ceiling": "as a ceiling"}


def methods(runs: Sequence[Run], style: Style, into_latex: bool = False) -> str:
    """Two paragraphs for each run, on what is compared and on how it is measured; with a full note a third
    one, with all settings. In LaTeX escaped, with `\\citep` and the keys of `references.bib`."""
    known = cited(runs)
    paragraphs = [
        latex(sentences, known) if into_latex else markdown(sentences)
        for run in runs
        for sentences in _paragraphs(run, style)
    ]
    head = "\\providecommand{\\citep}{\\cite}\n" if into_latex else ""
    return head + "\n\n".join(paragraphs) + "\n"


def _paragraphs(run: Run, style: Style) -> Iterator[list[Sentence]]:
    systems = (_models(run), _generators(run, style), _controls(run, style))
    yield [*_compared(run, style), *_tasks(run, style), *chain(*systems)]
    yield [*_measures(run), *_statistics(run), *_issues(run)]
    if style.note == "full":
        yield list(details(run, style))


def _compared(run: Run, style: Style) -> Iterator[Sentence]:
    """What is compared, on which data."""
    contenders = [style.name(name) for name, control in run.strategies.items() if control is None]
    names = listed(contenders) if len(contenders) <= NAMED else f"{len(contenders)} strategies"
    data = next(name for kind, name, _ in sources(run) if kind == "data")
    version = run.manifest.get(OURS) or "of an unknown version"
    yield [
        Phrase(f"We compare {names}", _keys(run, "strategies.")),
        *([Phrase(f" on {data}", (*_works(run, "data"), *_keys(run, "dataset.")))] if data else []),
        Phrase(f" with mmragbench {version}"),
    ]


def _tasks(run: Run, style: Style) -> Iterator[Sentence]:
    """The tasks with their sizes, and where relevance is silver."""
    sizes: dict[str, list[str]] = {}
    for facts in run.tasks.values():
        sizes.setdefault(_size(facts), []).append(style.name(facts.name))
    tasks = [
        listed(on) + (f" ({size}{' each' * (len(on) > 1)})" if size else "")
        for size, on in sizes.items()
    ]
    if tasks:
        noun = "The task is" if len(run.tasks) == 1 else "The tasks are"
        *most, last = tasks
        yield [Phrase(f"{noun} {', '.join(most)}{', and ' if most else ''}{last}")]
    silver: dict[str, list[str]] = {}
    for facts in run.tasks.values():
        if facts.silver:
            silver.setdefault(facts.silver, []).append(style.name(facts.name))
    for rule, on in silver.items():
        yield [Phrase(f"Relevance in {listed(on)} is silver: it is derived from {rule}")]


def _size(facts: TaskFacts) -> str:
    counts = {"query": facts.n_queries, "document": facts.n_documents}
    return ", ".join(counted(n, noun) for noun, n in counts.items() if n is not None)


def _models(run: Run) -> Iterator[Sentence]:
    """Each model with its weights and the arguments that it is passed as."""
    roles: dict[str, dict[str, None]] = {name: {} for name in run.manifest.get("models") or {}}
    for kind in ("strategies", "generators"):
        for spec in (run.suite.get(kind) or {}).values():
            for argument, value in (spec or {}).items():
                if isinstance(value, str) and value in roles:
                    roles[value][ROLES.get(argument, argument.replace("_", " "))] = None
    models: Mapping[str, Any] = run.manifest.get("models") or {}
    named = [_model(name, models[name], list(own)) for name, own in roles.items()]
    if named:
        keys = (*_keys(run, "models."), *_works(run, "model"))
        yield [Phrase(f"We use {listed(named)}", keys)]


def _model(name: str, spec: Mapping[str, Any], roles: Sequence[str]) -> str:
    """`ViT-B-32 (laion2b_s34b_b79k) as encoder`; a model without known weights by the suite's name."""
    which, *more = known_as(spec) or [f"{name} ({spec.get('use')})"]
    inside = f" ({', '.join(more)})" if more else ""
    return f"{which}{inside}{f' as {listed(roles)}' if roles else ''}"


def _generators(run: Run, style: Style) -> Iterator[Sentence]:
    depths: dict[str, dict[int, None]] = {}
    for row in run.rows:
        if row.generator:
            depths.setdefault(row.generator, {})[row.k or 0] = None
    shown = {name: sorted(k for k in ks if k) for name, ks in depths.items()}
    readers = [
        f"{style.name(name)} (k = {listed(map(str, ks))})" for name, ks in shown.items() if ks
    ]
    alone = [style.name(name) for name, ks in shown.items() if not ks]
    keys = _keys(run, "generators.")
    if readers:
        text = f"The first k retrieved documents are given to {listed(readers)}"
        also = f"; {listed(alone)} {'is' if len(alone) == 1 else 'are'} given none" if alone else ""
        yield [Phrase(text + also, keys)]
    elif alone:
        yield [Phrase(f"Outputs are made by {listed(alone)}", keys)]


def _controls(run: Run, style: Style) -> Iterator[Sentence]:
    controls = [f"{style.name(name)} {CONTROLS[role]}" for name, role in run.controls.items()]
    if controls:
        yield [Phrase(f"As controls we add {listed(controls)}")]


def _measures(run: Run) -> Iterator[Sentence]:
    """What is scored by which measures."""
    rows: dict[str, list[Row]] = {}
    for row in run.rows:
        if row.estimate is not None and row.slice == "all":
            output = "none" if row.generator is None else run.tasks[row.task].output
            rows.setdefault(output, []).append(row)
    order = [*SCORED, *(output for output in rows if output not in SCORED)]
    order = [*SCORED, *(output for output in rows if output not in SCORED)]
    parts = [_scored(run, output, rows[output]) for output in order if output in rows]
    if parts:
        first, *others = parts
        start = first.text[:1].upper() + first.text[1:].replace(" by", " are scored by", 1)
        yield enumerated([Phrase(start, first.keys), *others])


def _scored(run: Run, output: str, rows: Sequence[Row]) -> Phrase:
    """`captions by CIDEr and BLEU-4 against 5 references each`."""
    measures = list(dict.fromkeys(row.measure for row in rows))
    keys = tuple(key for measure in measures for key in of_measure(run, measure) or ())
    references = {parse(row.signature).get("refs") for row in rows} - {None}
    against = f" against {' or '.join(sorted(map(str, references)))} references each"
    text = f"{SCORED.get(output, output)} by {listed(_with_cutoffs(measures))}"
    return Phrase(text + against * bool(references), keys)


def _with_cutoffs(measures: Sequence[Measure]) -> list[str]:
    """`R@1/5/10` for three measures, in their order."""
    names: dict[str, list[str]] = {}
    for measure in measures:
        name = measure.label.removesuffix(f"@{measure.cutoff}")
        names.setdefault(name, []).extend([str(measure.cutoff)] if measure.cutoff else [])
    return [f"{name}@{'/'.join(cutoffs)}" if cutoffs else name for name, cutoffs in names.items()]


def _statistics(run: Run) -> Iterator[Sentence]:
    stored = run.manifest.get("statistics")
    if not stored:
        return
    yield [
        Phrase(
            f"We give {stored['level'] * 100:g} % intervals by {_brief(stored['interval'])} "
            f"({stored['resamples']:,} resamples)",
            ("davison1997bootstrap", "wilson1927"),
        )
    ]
    if "over_seeds" in stored:
        yield [
            Phrase(
                f"Numbers are {seeds_of(run)}, and their intervals and tests have both sources of "
                "variation, queries and seeds",
                ("banerjee1961confidence", "bouthillier2021variance"),
            )
        ]
    yield [
        Phrase(f"Differences are tested by {_brief(stored['test'])}", ("tango1998",)),
        Phrase(
            f", at {stored['alpha']:g} after {stored['correction']}'s correction", ("holm1979",)
        ),
        Phrase(_families(run)),
    ]


def _brief(text: str) -> str:
    """A text without what stands in parentheses, which the details have."""
    return re.sub(r" \([^)]*\)", "", text)


def _families(run: Run) -> str:
    """What the correction is within, and the measures that the answers rest on."""
    shown = families(run, [*of_contenders(run), *against_controls(run)])
    if not shown:
        return ""
    main = primary(run, shown)
    noun = "measures are" if len(run.tasks) > 1 else "measure is"
    return " within families of tests" + (f"; the primary {noun} {main}" if main else "")


def _issues(run: Run) -> Iterator[Sentence]:
    """How much was left out and failed, also where that is nothing."""
    excluded = len({(raw.get("kind"), raw.get("id")) for raw in run.exclusions})
    failed = len(run.failures)
    verb = "was" if excluded < 2 else "were"
    left = f"{counted(excluded, 'item') if excluded else 'No item'} of the data {verb} left out"
    lost = f"{counted(failed, 'output')} failed" if failed else "no output failed"
    yield [Phrase(f"{left}, and {lost}")]


def _keys(run: Run, prefix: str) -> tuple[str, ...]:
    wanted = [name for name in settings(run) if name.startswith(prefix)]
    return tuple(key for name in wanted for key in matching(rules()["settings"], name) or ())


def _works(run: Run, kind: str) -> tuple[str, ...]:
    """The keys of the works behind the run's models, or behind its data."""
    names = [name for what, _, aliases in sources(run) if what == kind for name in aliases]
    return tuple(key for name in names for key in matching(rules()["names"], name) or ())
