"""Captions against reference captions: COCO's measures, by pycocoevalcap's own scorers.

Raw scale: CIDEr 0 to 10, the others 0 to 1. Policies, stated in the signatures:

- `idf:corpus`: CIDEr's document frequencies come from the references of all of the task's queries,
  also when a slice is scored, so that a slice's CIDEr is the mean of the same values per query.
- Bleu and METEOR of a set are corpus values, not means; a value per query is kept beside them.
- A failed or missing output is an error, neither zero nor silently left out; `n` was scored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmragbench.records import Absence, Measure, Output, Ranking, Score, Scores, Task
from mmragbench.registry import measures as registered
from mmragbench.signature import signature, span, version


@dataclass(frozen=True)
class Tokenizer:
    """A function from captions to lines of tokens joined by spaces; its name is in the signature."""

    name: str
    lines: Callable[[Sequence[str]], list[str]]


def _python_lines(captions: Sequence[str]) -> list[str]:
    from mmragbench.measuring import ptb

    return ptb.lines(captions)


def _java_lines(captions: Sequence[str]) -> list[str]:
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    given = {str(i): [{"caption": caption}] for i, caption in enumerate(captions)}
    return [lines[0] for lines in PTBTokenizer().tokenize(given).values()]


PYTHON = Tokenizer("ptb-py", _python_lines)
JAVA = Tokenizer("ptb-java", _java_lines)
"""pycocoevalcap's own, for parity checks. It writes a temporary file into its package folder."""


@dataclass
class Corpus:
    """A task's references, tokenised, and what was computed from them already.

    Attributes:
        lines: query -> its references.
        digest: of `lines`, for signatures.
        cooked: query -> its references' n-grams, as pycocoevalcap's CIDEr counts them.
        frequency: n-gram -> in how many queries' references it occurs.
        cider: (query, candidate) -> CIDEr.
        meteor: (candidate, *references) -> what METEOR's program counted.
    """

    lines: dict[str, list[str]]
    digest: str
    cooked: dict[str, Any] = field(default_factory=dict)
    frequency: Mapping[tuple[str, ...], float] = field(default_factory=dict)
    cider: dict[tuple[str, str], float] = field(default_factory=dict)
    meteor: dict[tuple[str, ...], str] = field(default_factory=dict)


@dataclass(frozen=True)
class Pairs:
    """Candidates beside the corpus of references, as lines of tokens.

    Attributes:
        queries: the ids of all queries of the task.
        candidates: query -> its caption.
        errors: query -> why it has none that can be scored.
        tokenizer: its name.
    """

    corpus: Corpus
    queries: tuple[str, ...]
    candidates: dict[str, str]
    errors: dict[str, str]
    tokenizer: str

    @property
    def references(self) -> dict[str, list[str]]:
        return {query: self.corpus.lines[query] for query in self.candidates}


@registered(
    *("Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "ROUGE_L"),
    scores=("caption",),
    unit="×100",
    margin=0.02,
    display={f"Bleu_{n}": f"BLEU-{n}" for n in range(1, 5)} | {"ROUGE_L": "ROUGE-L"},
)
@registered("CIDEr", scores=("caption",), unit="×100", margin=0.05)
def captions(
    measures: Sequence[Measure],
    task: Task,
    rankings: Sequence[Ranking],
    outputs: Sequence[Output],
    tokenizer: Tokenizer = PYTHON,
    **_: Any,
) -> list[Scores]:
    """COCO's caption measures that need no Java."""
    pairs = pair(task, outputs, tokenizer)
    bleu = cache(lambda: _bleu(pairs))

    def compute(measure: Measure) -> Scores:
        if not pairs.candidates:
            return scores(measure, pairs, reason="no caption could be scored")
        if measure.name == "CIDEr":
            return _cider(measure, pairs)
        if measure.name == "ROUGE_L":
            return _rouge(measure, pairs)
        return _bleu_n(measure, pairs, bleu())

    return [compute(measure) for measure in measures]


def pair(task: Task, outputs: Sequence[Output], tokenizer: Tokenizer) -> Pairs:
    """Candidates and references of the task's queries, tokenised."""
    by_query = {output.query: output for output in outputs}
    texts, errors = {}, {}
    for query in task.queries:
        output = by_query.get(query.id)
        if not task.references.get(query.id):
            errors[query.id] = "no references"
        elif output is None:
            errors[query.id] = "no output"
        elif output.error is not None:
            errors[query.id] = output.error
        elif output.text is None:
            errors[query.id] = "the output is not a caption"
        else:
            texts[query.id] = output.text
    known = tuple(
        (query, tuple(captions)) for query, captions in task.references.items() if captions
    )
    candidates = dict(zip(texts, tokenizer.lines(list(texts.values())), strict=True))
    queries = tuple(query.id for query in task.queries)
    return Pairs(_corpus(known, tokenizer), queries, candidates, errors, tokenizer.name)


@lru_cache(maxsize=4)
def _corpus(known: tuple[tuple[str, tuple[str, ...]], ...], tokenizer: Tokenizer) -> Corpus:
    flat = iter(tokenizer.lines([caption for _, captions in known for caption in captions]))
    lines = {query: [next(flat) for _ in captions] for query, captions in known}
    digest = sha256(repr(sorted(lines.items())).encode("utf-8", "surrogatepass")).hexdigest()
    return Corpus(lines, digest[:8])


class _Frequency(dict[tuple[str, ...], float]):
    """Documents per n-gram; an unseen one is in none, and asking for it does not add it."""

    def __missing__(self, ngram: tuple[str, ...]) -> float:
        return 0.0


def _cook(corpus: Corpus) -> None:
    from pycocoevalcap.cider.cider_scorer import CiderScorer, cook_refs

    corpus.cooked = {query: cook_refs(lines) for query, lines in corpus.lines.items()}
    scorer = CiderScorer()
    scorer.crefs = list(corpus.cooked.values())
    scorer.compute_doc_freq()
    corpus.frequency = _Frequency(scorer.document_frequency)


def _cider(measure: Measure, pairs: Pairs) -> Scores:
    corpus = pairs.corpus
    if len(corpus.lines) < 2:
        reason = "CIDEr needs the references of two images: with one, every idf is zero"
        return scores(measure, pairs, reason=reason)
    new = [pair for pair in pairs.candidates.items() if pair not in corpus.cider]
    if new:
        corpus.cider.update(zip(new, _cider_values(corpus, new), strict=True))
    values = {pair[0]: corpus.cider[pair] for pair in pairs.candidates.items()}
    of = f"{len(corpus.lines)}-{corpus.digest}"
    return scores(measure, pairs, values, idf="corpus", corpus=of)


def _cider_values(corpus: Corpus, pairs: Sequence[tuple[str, str]]) -> list[float]:
    """pycocoevalcap's `CiderScorer`, given the document frequencies of the whole corpus.

    It takes the corpus' size from the number of its references and pairs them with the candidates
    from the front, so the references that no candidate belongs to come last.
    """
    from pycocoevalcap.cider.cider_scorer import CiderScorer, cook_test

    if not corpus.cooked:
        _cook(corpus)
    scorer = CiderScorer()
    scorer.document_frequency = corpus.frequency
    scorer.ctest = [cook_test(candidate) for _, candidate in pairs]
    scorer.crefs = [corpus.cooked[query] for query, _ in pairs]
    scorer.crefs += [None] * (len(corpus.cooked) - len(pairs))
    return [float(value) for value in scorer.compute_cider()]


class Bleu(NamedTuple):
    """Bleu_1 to Bleu_4, and the counts that they are computed from.

    Attributes:
        totals: of the set, for n = 1 to 4.
        per_query: the same of each query: `per_query[n - 1][i]`.
        counts: what each query adds to the set's counts, 10 numbers: matches and n-grams for n = 1 to
            4, tokens of the candidate and of the closest reference.
    """

    totals: list[float]
    per_query: list[list[float]]
    counts: list[list[float]]


def _bleu(pairs: Pairs) -> Bleu:
    from pycocoevalcap.bleu.bleu_scorer import BleuScorer

    scorer = BleuScorer(n=4)
    for query, lines in pairs.references.items():
        scorer += (pairs.candidates[query], lines)
    counts = [
        [*c["correct"], *c["guess"], c["testlen"], min(c["reflen"], key=_closeness(c["testlen"]))]
        for c in scorer.ctest
    ]
    totals, per_query = scorer.compute_score(option="closest", verbose=0)
    return Bleu(totals, per_query, counts)


def _closeness(length: int) -> Callable[[int], tuple[int, int]]:
    return lambda reference: (abs(reference - length), reference)


def _bleu_n(measure: Measure, pairs: Pairs, bleu: Bleu) -> Scores:
    from mmragbench.statistics import pseudo_values

    n = int(measure.name.removeprefix("Bleu_"))
    values = dict(zip(pairs.candidates, bleu.per_query[n - 1], strict=True))
    result = scores(measure, pairs, values, bleu.totals[n - 1], reflen="closest", set="corpus")
    if len(bleu.counts) < 2:
        return result
    influences = pseudo_values(bleu.counts, lambda totals: corpus_bleu(totals, n)).tolist()
    named = dict(zip(pairs.candidates, influences, strict=True))
    return replace(result, influences=named)


def corpus_bleu(totals: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Bleu_n (Papineni et al. 2002) of rows of totals (r, 10), as pycocoevalcap computes it from
    them: its guards against division by zero included."""
    small, tiny = 1e-9, 1e-15
    correct, guess = totals[:, :n], totals[:, 4 : 4 + n]
    precision = np.prod((correct + tiny) / (guess + small), axis=1) ** (1 / n)
    ratio = (totals[:, 8] + tiny) / (totals[:, 9] + small)
    return np.asarray(precision * np.exp(np.minimum(0, 1 - 1 / ratio)))


def _rouge(measure: Measure, pairs: Pairs) -> Scores:
    from pycocoevalcap.rouge.rouge import Rouge

    rouge = Rouge()
    values = {
        query: float(rouge.calc_score([pairs.candidates[query]], lines))
        for query, lines in pairs.references.items()
    }
    return scores(measure, pairs, values, beta=rouge.beta)


def scores(
    measure: Measure,
    pairs: Pairs,
    values: Mapping[str, float] | None = None,
    total: float | None = None,
    reason: str | None = None,
    **facts: object,
) -> Scores:
    """The result of one measure: a value or an error for each query, and the signature."""
    described = signature(
        measure,
        refs=span(len(lines) for lines in pairs.references.values()),
        tok=pairs.tokenizer,
        **facts,
        n=len(pairs.candidates),
        pycocoevalcap=version("pycocoevalcap"),
    )
    best = 10.0 if measure.name == "CIDEr" else 1.0
    return Scores(
        measure,
        described,
        tuple(_by_query(pairs, values or {})),
        total,
        Absence(reason) if reason else None,
        n=None if total is None else len(pairs.candidates),
        bounds=(0.0, best),
    )


def _by_query(pairs: Pairs, values: Mapping[str, float]) -> Iterator[Score]:
    """A value or an error for each query; without any value, the errors alone."""
    for query in pairs.queries:
        if query in pairs.errors:
            yield Score(query, error=pairs.errors[query])
        elif values:
            yield Score(query, values[query])
