"""How well picture and text agree in a shared space, without or with references.

Hessel et al. 2021, "CLIPScore: A Reference-free Evaluation Metric for Image Captioning", as its
authors' code has it: CLIPScore is 2.5 * max(cosine, 0), in 0 to 2.5; RefCLIPScore is the harmonic
mean of that and of the caption's cosine with its closest reference. Higher is better.

Output `caption`: the query's picture against the generated text; candidates and references begin
with "A photo depicts" (`prefix:photo`). Output `image`: the generated picture against the query's
text as it is (`prefix:none`); RefCLIPScore is not defined there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from mmragbench.contracts import Encoder
from mmragbench.measuring.answers import Rows, unit
from mmragbench.records import (
    Absence,
    Image,
    Measure,
    Output,
    Query,
    Ranking,
    Score,
    Scores,
    Task,
    Text,
)
from mmragbench.registry import measures as registered
from mmragbench.signature import signature, span

WEIGHT = 2.5
BEST = {"CLIPScore": WEIGHT, "RefCLIPScore": 2 * WEIGHT / (WEIGHT + 1)}
PREFIX = "A photo depicts "

Pair = tuple[Image, Text]


@registered("CLIPScore", "RefCLIPScore", scores=("caption", "image"), margin=0.02)
def clipscore(
    measures: Sequence[Measure],
    task: Task,
    rankings: Sequence[Ranking],
    outputs: Sequence[Output],
    features: Encoder,
    **_: Any,
) -> list[Scores]:
    """Agreement of picture and text in the space of the named encoder."""
    pairs, errors = _pairs(task, outputs)
    if not pairs:
        reason = "no output could be scored"
        return [_scores(measure, task, {}, errors, reason=reason) for measure in measures]
    texts = unit(features.encode_texts([text for _, text in pairs.values()]))
    images = unit(features.encode_images([image for image, _ in pairs.values()]))
    clip = WEIGHT * np.maximum((texts * images).sum(axis=1), 0.0)
    captioned = {query: _Caption(float(clip[i]), texts[i]) for i, query in enumerate(pairs)}

    def compute(measure: Measure) -> Scores:
        if measure.name == "CLIPScore":
            return _scores(measure, task, dict(zip(pairs, clip, strict=True)), errors)
        if task.output != "caption":
            return _scores(measure, task, {}, errors, reason="RefCLIPScore is for captions")
        return _with_references(measure, task, captioned, errors, features)

    return [compute(measure) for measure in measures]


def _pairs(task: Task, outputs: Sequence[Output]) -> tuple[dict[str, Pair], dict[str, str]]:
    """Query -> its pair, and query -> why it has none."""
    by_query = {output.query: output for output in outputs}
    pairs, errors = {}, {}
    for query in task.queries:
        pair = _pair(task, query, by_query.get(query.id))
        if isinstance(pair, str):
            errors[query.id] = pair
        else:
            pairs[query.id] = pair
    return pairs, errors


def _pair(task: Task, query: Query, output: Output | None) -> Pair | str:
    """The picture and the text to compare, or why there are none."""
    if output is None:
        return "no output"
    if output.error is not None:
        return output.error
    if task.output == "caption":
        if query.image is None or output.text is None:
            return "needs the query's picture and a caption"
        return query.image, Text(f"output:{query.id}", PREFIX + output.text)
    if query.text is None or output.image is None:
        return "needs the query's text and a picture"
    return output.image, query.text


class _Caption(NamedTuple):
    """A generated caption's CLIPScore, and its vector."""

    clipscore: float
    vector: Rows


def _with_references(
    measure: Measure,
    task: Task,
    captioned: Mapping[str, _Caption],
    errors: Mapping[str, str],
    features: Encoder,
) -> Scores:
    """RefCLIPScore: the harmonic mean of CLIPScore and the cosine with the closest reference."""
    errors = dict(errors)
    errors |= {query: "no references" for query in captioned if not task.references.get(query)}
    scored = [query for query in captioned if query not in errors]
    flat = [(query, text) for query in scored for text in task.references[query]]
    if not flat:
        return _scores(measure, task, {}, errors, reason="no references")
    vectors = unit(
        features.encode_texts(
            [Text(f"reference:{query}#{i}", PREFIX + text) for i, (query, text) in enumerate(flat)]
        )
    )
    closest = dict.fromkeys(scored, 0.0)
    for (query, _), vector in zip(flat, vectors, strict=True):
        closest[query] = max(closest[query], float(vector @ captioned[query].vector))
    values = {query: _harmonic(captioned[query].clipscore, closest[query]) for query in scored}
    return _scores(measure, task, values, errors)


def _harmonic(a: float, b: float) -> float:
    return 2 * a * b / (a + b) if a + b else 0.0


def _scores(
    measure: Measure,
    task: Task,
    values: Mapping[str, float],
    errors: Mapping[str, str],
    reason: str | None = None,
) -> Scores:
    counts = [len(task.references.get(query, ())) for query in values]
    described = signature(
        measure,
        weight=WEIGHT,
        prefix="photo" if task.output == "caption" else "none",
        refs=(span(counts) or "") if measure.name == "RefCLIPScore" else None,
        n=len(values),
    )
    scores = (
        Score(query.id, error=errors[query.id])
        if query.id in errors
        else Score(query.id, float(values[query.id]))
        for query in task.queries
        if query.id in errors or query.id in values
    )
    bounds = (0.0, BEST[measure.name])
    return Scores(
        measure,
        described,
        tuple(scores),
        absence=Absence(reason) if reason else None,
        bounds=bounds,
    )
