"""Caption measures: equal to pycocoevalcap's, right on slices, honest about what failed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from mmragbench import __version__
from mmragbench.evals import captions as module
from mmragbench.evals.captions import JAVA, captions
from mmragbench.evals.meteor import meteor
from mmragbench.records import Absence, Measure, Output, Query, Scores, Task
from mmragbench.registry import find
from mmragbench.signature import parse, signature
from support.paths import SHARED

PUBLISHED = SHARED / "caption_results"
needs_data = pytest.mark.skipif(not PUBLISHED.is_dir(), reason="../shared/data is not there")
needs_java = pytest.mark.skipif(shutil.which("java") is None, reason="Java is not installed")

NAMES = ["CIDEr", "Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "ROUGE_L"]
ALL = [Measure(name) for name in NAMES]
REFERENCES = {
    "1": ("A man rides a red bike.", "A man on a bike"),
    "2": ("Two dogs play in the snow.", "Dogs in snow", "Two dogs run."),
    "3": ("A plate of food on a table.", "Some food"),
    "4": ("A cat sleeps on the sofa.", "A sleeping cat"),
}
CAPTIONS = {
    "1": "A man rides a bike.",
    "2": "Two dogs are in the snow!",
    "3": "A plate of food",
    "4": "A dog on the sofa.",
}


def captioning_task(references: dict[str, tuple[str, ...]], ids: list[str] | None = None) -> Task:
    queries = [Query(id) for id in ids or references]
    return Task("captioning", [], queries, output="caption", references=references)


def answered(texts: dict[str, str]) -> list[Output]:
    return [Output(query, text=text) for query, text in texts.items()]


def estimate(scores: Scores) -> float:
    if scores.total is not None:
        return scores.total
    values = [score.value for score in scores.scores if score.value is not None]
    return sum(values) / len(values)


def peers(texts: dict[str, str], references: dict[str, tuple[str, ...]]) -> dict[str, float]:
    """The oracle: pycocoevalcap as its authors call it, on our tokens."""
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge

    from mmragbench.measuring import ptb

    gold = {query: ptb.lines(references[query]) for query in texts}
    given = {query: [ptb.line(text)] for query, text in texts.items()}
    bleu = Bleu(4).compute_score(gold, given, verbose=0)[0]
    cider = Cider().compute_score(gold, given)[0]
    rouge = Rouge().compute_score(gold, given)[0]
    return dict(zip(NAMES, [cider, *bleu, rouge], strict=True))


def test_equal_to_pycocoevalcap() -> None:
    """With an output for every query, each measure is pycocoevalcap's own."""
    actual = captions(ALL, captioning_task(REFERENCES), [], answered(CAPTIONS))
    assert {s.measure.name: estimate(s) for s in actual} == pytest.approx(
        peers(CAPTIONS, REFERENCES), abs=1e-12
    )


def test_registered_under_their_names() -> None:
    """Each measure is found by COCO's own name."""
    assert [find("measure", name).make for name in NAMES] == [captions] * len(NAMES)
    assert find("measure", "METEOR").make is meteor


def test_silent(capfd: pytest.CaptureFixture[str]) -> None:
    """Scoring prints nothing."""
    captions(ALL, captioning_task(REFERENCES), [], answered(CAPTIONS))
    assert capfd.readouterr().out == ""


def test_a_slice_keeps_its_queries_values() -> None:
    """On a slice, CIDEr's values are those of the whole task: the idf corpus stays; Bleu's total
    is the slice's own."""
    task, part = captioning_task(REFERENCES), frozenset({"2", "3"})
    whole = captions(ALL, task, [], answered(CAPTIONS))
    sliced = captions(ALL, task.subset(part), [], answered(CAPTIONS))
    for before, after in zip(whole, sliced, strict=True):
        assert after.scores == tuple(s for s in before.scores if s.query in part)
    two = {query: CAPTIONS[query] for query in ("2", "3")}
    assert estimate(sliced[4]) == pytest.approx(peers(two, REFERENCES)["Bleu_4"])


def test_a_pair_alone_is_not_a_corpus() -> None:
    """HELM makes a new Cider for each pair, where every idf is log 1: always 0. Ours is not."""
    from pycocoevalcap.cider.cider import Cider

    perfect = {query: texts[0] for query, texts in REFERENCES.items()}
    alone = Cider().compute_score({"1": ["a man rides a bike"]}, {"1": ["a man rides a bike"]})[0]
    assert alone == 0.0
    scores = captions([Measure("CIDEr")], captioning_task(REFERENCES), [], answered(perfect))[
        0
    ].scores
    assert all(score.value is not None and score.value > 1 for score in scores)


def test_one_image_has_no_cider() -> None:
    """With the references of one image there is a reason, not a zero."""
    only = {"1": REFERENCES["1"]}
    scores = captions([Measure("CIDEr")], captioning_task(only), [], answered({"1": "A man"}))[0]
    assert (estimate_or_none(scores), "two images" in str(scores.absence)) == (None, True)


def estimate_or_none(scores: Scores) -> float | None:
    return None if scores.absence else estimate(scores)


def test_tokens_matter() -> None:
    """Punctuation and case are no part of a match (VLMEvalKit scores without tokenising)."""
    shouted = {
        query: text.upper().replace(".", " !!").replace("!", ".")
        for query, text in CAPTIONS.items()
    }
    same = captions(ALL, captioning_task(REFERENCES), [], answered(shouted))
    assert [estimate(s) for s in same] == [
        estimate(s) for s in captions(ALL, captioning_task(REFERENCES), [], answered(CAPTIONS))
    ]


def test_failed_missing_and_zero_differ() -> None:
    """An error, no output and no references are errors; an empty caption is a 0."""
    outputs = [Output("1", error="timeout"), Output("2", text=""), Output("3", text="Some food")]
    task = captioning_task({**REFERENCES, "5": ()})
    cider = captions([Measure("CIDEr")], task, [], [*outputs, Output("5", text="A cat")])[0]
    outcomes = {score.query: score.error or score.value for score in cider.scores}
    assert outcomes.pop("3") > 0
    assert outcomes == {"1": "timeout", "2": 0.0, "4": "no output", "5": "no references"}
    assert parse(cider.signature)["n"] == "2"


def test_nothing_to_score() -> None:
    """Where every output failed there is a reason and no number, and the failures are kept."""
    outputs = [Output(query, error="timeout") for query in REFERENCES]
    for scores in captions(ALL, captioning_task(REFERENCES), [], outputs):
        assert scores.absence == Absence("no caption could be scored")
        assert {score.error for score in scores.scores} == {"timeout"}


def test_signature_says_what_matters() -> None:
    """Tokeniser, references per query, idf corpus, n and the library's version."""
    facts = parse(captions(ALL, captioning_task(REFERENCES), [], answered(CAPTIONS))[0].signature)
    corpus = facts.pop("corpus")
    assert corpus.startswith("4-")
    assert facts == {
        "measure": "CIDEr",
        "refs": "2-3",
        "tok": "ptb-py",
        "idf": "corpus",
        "n": "4",
        "pycocoevalcap": "1.2",
        "mmragbench": __version__,
    }
    assert signature("R@5", n=3, depth=None).startswith("R@5|n:3")


def test_meteor_without_java(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Java is missing METEOR is absent with a reason, never 0."""
    monkeypatch.setenv("PATH", "")
    scores = meteor([Measure("METEOR")], captioning_task(REFERENCES), [], answered(CAPTIONS))[0]
    assert (scores.absence, scores.total, scores.scores) == (
        Absence("Java is not installed"),
        None,
        (),
    )


@needs_java
def test_meteor_with_a_java_that_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A program that dies is a crash that names it, and leaves no process behind."""
    program = tmp_path / "java"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    with pytest.raises(RuntimeError, match="METEOR's Java program"):
        meteor([Measure("METEOR")], captioning_task(REFERENCES), [], answered(CAPTIONS))


def published(name: str) -> tuple[Task, list[Output], dict[str, float]]:
    content = json.loads((PUBLISHED / "coco_karpathy_test_references.json").read_text())
    references: dict[str, tuple[str, ...]] = {}
    for row in content["annotations"]:
        id = str(row["image_id"])
        references[id] = (*references.get(id, ()), row["caption"])
    rows = json.loads((PUBLISHED / name).read_text())
    outputs = [Output(str(row["image_id"]), text=row["caption"]) for row in rows]
    scored_references = {output.query: references[output.query] for output in outputs}
    return (
        captioning_task(scored_references),
        outputs,
        json.loads((PUBLISHED / "scores.json").read_text())[name],
    )


@pytest.mark.real_data
@needs_data
@pytest.mark.parametrize("name", ["coco_magic.json", "coco_er_san.json"])
def test_published_scores_without_java(name: str) -> None:
    """Our tokeniser gives the published systems their scores."""
    task, outputs, expected = published(name)
    actual = captions(ALL, task, [], outputs)
    for scores in actual:
        assert estimate(scores) == pytest.approx(expected[scores.measure.name], abs=1e-6)


@pytest.mark.real_data
@needs_data
@needs_java
def test_published_scores_with_java() -> None:
    """Java's tokeniser too, and the signature tells which it was."""
    task, outputs, expected = published("coco_magic.json")
    for scores in captions(ALL, task, [], outputs, tokenizer=JAVA):
        assert estimate(scores) == pytest.approx(expected[scores.measure.name], abs=1e-6)
        assert parse(scores.signature)["tok"] == "ptb-java"


@pytest.mark.real_data
@needs_data
@needs_java
def test_published_meteor() -> None:
    """METEOR of a published system, and of a slice: its own aggregate, the same values."""
    task, outputs, expected = published("coco_magic.json")
    whole = meteor([Measure("METEOR")], task, [], outputs)[0]
    assert whole.total == pytest.approx(expected["METEOR"], abs=1e-6)
    part = frozenset(query.id for query in task.queries[:20])
    sliced = meteor([Measure("METEOR")], task.subset(part), [], outputs)[0]
    assert sliced.scores == tuple(s for s in whole.scores if s.query in part)
    assert sliced.total != whole.total


def test_the_corpus_is_prepared_once() -> None:
    """Cells and slices of one task share the prepared references."""
    task = captioning_task(REFERENCES)
    first = module.pair(task, answered(CAPTIONS), module.PYTHON).corpus
    again = module.pair(task.subset(frozenset({"1"})), [], module.PYTHON).corpus
    assert first is again


def test_bleus_influences_have_the_corpus_value_as_their_mean() -> None:
    """They make its interval: their mean is the total, and it does not depend on the order."""
    queries = [Query(str(i)) for i in range(6)]
    references = {
        str(i): (f"a {colour} boat on the lake", f"the boat is {colour}")
        for i, colour in enumerate(["red", "blue", "green", "white", "black", "grey"])
    }
    task = Task("t", [], queries, output="caption", references=references)
    outputs = [
        Output(str(i), text=t) for i, t in enumerate(["a red boat", "a boat on the lake"] * 3)
    ]
    for scores in captions([Measure.parse(f"Bleu_{n}") for n in (1, 2, 3, 4)], task, [], outputs):
        assert scores.total is not None
        mean = sum(scores.influences.values()) / len(queries)
        assert mean == pytest.approx(scores.total, abs=1e-12)
        assert len(set(scores.influences.values())) > 1


@needs_java
def test_meteors_value_follows_from_what_its_program_counted() -> None:
    """Of the set and of each query; the influences, which make the interval, have it as mean."""
    from mmragbench.evals import meteor as meteors

    texts = {**CAPTIONS, "1": "A man on a bike", "4": ""}
    scores = meteor([Measure("METEOR")], captioning_task(REFERENCES), [], answered(texts))[0]
    counts = meteors._counts(
        module.pair(captioning_task(REFERENCES), answered(texts), module.PYTHON)
    )
    values = [score.value for score in scores.scores]
    assert values == pytest.approx(meteors.corpus_meteor(counts), abs=1e-12)
    assert scores.total == pytest.approx(meteors.corpus_meteor(counts.sum(axis=0)[None])[0])
    assert sum(scores.influences.values()) / 4 == pytest.approx(scores.total, abs=1e-12)
    assert values[0] == pytest.approx(1.0) and values[3] == 0.0
