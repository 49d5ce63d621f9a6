"""From what was handed in to numbers: the rows of a summary, and every query's score."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from inspect import signature
from shutil import which
from typing import NoReturn

from mmragbench.contracts import Encoder
from mmragbench.errors import MmragbenchError, SuiteError, unknown
from mmragbench.measuring.scoring import Row, rows, score
from mmragbench.records import Measure, OutputKind, Scores
from mmragbench.registry import Component, arguments, every, find_measure
from mmragbench.signature import extended
from mmragbench.submissions.submission import Submission

CAPTIONS = ("CIDEr", "Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "ROUGE_L", "METEOR")
RANKINGS = ("R@1", "R@5", "R@10", "Success@1", "Success@5", "Success@10", "RR", "nDCG@10", "AP")


@dataclass(frozen=True)
class Judged:
    """The rows of `summary.json`, and the scores behind them."""

    rows: list[Row]
    scores: list[Scores]


def no_features(name: str) -> NoReturn:
    """For measures that have none."""
    raise SuiteError(f"no features {name!r} here")


def judge_captions(
    submission: Submission, names: Sequence[str] = CAPTIONS, tokenizer: str = "ptb-py"
) -> Judged:
    """COCO's caption measures.

    Raises:
        SuiteError: a name is none of them.
        MmragbenchError: Java's tokeniser is asked for, and there is no Java.
    """
    from mmragbench.evals.captions import JAVA, PYTHON

    if tokenizer == JAVA.name and which("java") is None:
        raise MmragbenchError(
            "the tokenizer ptb-java needs Java, which is not here; ptb-py does not"
        )
    chosen = JAVA if tokenizer == JAVA.name else PYTHON
    found = components(names, scoring("caption"))
    make = {c.make: partial(c.make, tokenizer=chosen) for c in found.values()}
    told = {measure: replace(c, make=make[c.make]) for measure, c in found.items()}
    return judge(submission, told)


def judge_rankings(submission: Submission, names: Sequence[str] = RANKINGS) -> Judged:
    """trec_eval's measures; raises as `judge_captions` does."""
    return judge(submission, components(names, scoring("none")))


def scoring(output: OutputKind) -> list[str]:
    """The measures that score an output of this kind, or rankings ("none"), without features."""
    return [
        component.name
        for component in every("measure")
        if output in (component.scores or ("none",))
        and "features" not in signature(component.make).parameters
    ]


def judge(
    submission: Submission,
    components: Mapping[Measure, Component],
    features: Callable[[str], Encoder] = no_features,
) -> Judged:
    """Score everything, each number with its interval."""
    task, rankings, outputs = submission.task, submission.rankings, submission.outputs
    return judged(submission, score(components, task, rankings, outputs, features)["all"])


def judged(submission: Submission, found: Sequence[Scores], **facts: object) -> Judged:
    """Scores as rows; what was done about what is missing, and the facts, in every signature."""
    facts |= submission.facts
    signed = [replace(s, signature=extended(s.signature, **facts)) for s in found]
    cell = {"task": submission.task.name, "strategy": submission.name, "generator": None, "k": None}
    return Judged(rows(cell, {"all": signed}), signed)


def components(
    names: Sequence[str], known: Sequence[str], features: str | None = None
) -> dict[Measure, Component]:
    """The evaluators of measures by name; with `features`, those that take features on these.

    Raises:
        SuiteError: a name is none of the known ones.
    """
    found = {}
    for name in names:
        try:
            measure = Measure.parse(name)
        except ValueError as error:
            raise SuiteError(str(error)) from error
        plain = f"{measure.name}@k" if measure.cutoff else measure.name
        if plain not in known or (measure.features and measure.features != features):
            raise SuiteError(unknown("measure here", name, known))
        if "features" in arguments("measure", plain):
            measure = replace(measure, features=features)
        component = find_measure(measure)
        found[measure.with_info(component.info)] = component
    return found
