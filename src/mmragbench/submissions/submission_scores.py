"""Scores of a submission: the rows of a summary, and every query's score."""

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
from mmragbench.registry import Component, arguments, every, find_measure, registered_name
from mmragbench.signature import extended
from mmragbench.submissions.submission import Submission

CAPTIONS = ("CIDEr", "Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "ROUGE_L", "METEOR")
RANKINGS = ("R@1", "R@5", "R@10", "Success@1", "Success@5", "Success@10", "RR", "nDCG@10", "AP")


@dataclass(frozen=True)
class ScoredSubmission:
    """A submission's rows, in the form of `summary.json`, and the scores behind them."""

    rows: list[Row]
    scores: list[Scores]


def no_features(name: str) -> NoReturn:
    """Raise SuiteError: no measure of these submissions takes features."""
    raise SuiteError(f"no features {name!r} here")


def score_captions(
    submission: Submission, names: Sequence[str] = CAPTIONS, tokenizer: str = "ptb-py"
) -> ScoredSubmission:
    """Score captions by COCO's measures.

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
    evaluators = components(names, measures_of("caption"))
    make = {c.make: partial(c.make, tokenizer=chosen) for c in evaluators.values()}
    with_tokenizer = {measure: replace(c, make=make[c.make]) for measure, c in evaluators.items()}
    return score_submission(submission, with_tokenizer)


def score_rankings(submission: Submission, names: Sequence[str] = RANKINGS) -> ScoredSubmission:
    """Score rankings by trec_eval's measures.

    Raises:
        SuiteError: a name is none of them.
    """
    return score_submission(submission, components(names, measures_of("none")))


def measures_of(output: OutputKind) -> list[str]:
    """The measures that score an output of this kind, or rankings ("none"), without features."""
    return [
        component.name
        for component in every("measure")
        if output in (component.scores or ("none",))
        and "features" not in signature(component.make).parameters
    ]


def score_submission(
    submission: Submission,
    components: Mapping[Measure, Component],
    features: Callable[[str], Encoder] = no_features,
) -> ScoredSubmission:
    """Score a submission by some measures, each number with its interval."""
    task, rankings, outputs = submission.task, submission.rankings, submission.outputs
    return scored(submission, score(components, task, rankings, outputs, features)["all"])


def scored(submission: Submission, scores: Sequence[Scores], **facts: object) -> ScoredSubmission:
    """Scores as rows, with the policy for missing outputs and the facts in every signature."""
    facts |= submission.facts
    signed = [replace(s, signature=extended(s.signature, **facts)) for s in scores]
    cell = {"task": submission.task.name, "strategy": submission.name, "generator": None, "k": None}
    clusters = {"clusters": submission.clusters} if submission.rankings else {}
    return ScoredSubmission([row | clusters for row in rows(cell, {"all": signed})], signed)


def components(
    names: Sequence[str], known: Sequence[str], features: str | None = None
) -> dict[Measure, Component]:
    """Measure -> its evaluator, by the measures' names; those that take features are taken on
    `features`.

    Raises:
        SuiteError: a name is none of the known ones.
    """
    evaluators = {}
    for name in names:
        try:
            measure = Measure.parse(name)
        except ValueError as error:
            raise SuiteError(str(error)) from error
        if registered_name(measure) not in known and not measure.features:
            measure = replace(measure, features=features)
        plain = registered_name(measure)
        if plain not in known or (measure.features and measure.features != features):
            raise SuiteError(unknown("measure here", name, known))
        if "features" in arguments("measure", plain):
            measure = replace(measure, features=features)
        component = find_measure(measure)
        evaluators[measure.with_info(component.info)] = component
    return evaluators
