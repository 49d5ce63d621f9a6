"""Silver relevance: which memory pictures fit a query picture, where nobody has judged it.

With instances, pictures fit when their sets of categories overlap by half or more (Jaccard), and
fit best when the sets are equal. Without, the ten memory pictures fit whose captions agree most
with the query's own, by CIDEr in its original form (Vedantam et al. 2015): for n = 1..4 the cosine
of tf-idf n-gram vectors, idf over the memory, averaged over n and over the pairs of captions.

Everything is computed when it is first asked for, and held in arrays.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from mmragbench.cache.identity import code_digest
from mmragbench.measuring.ptb import tokenize

if TYPE_CHECKING:
    from mmragbench.data.entries import Picture

RELEVANT = 10
"""Relevant documents of a query under `silver:cider`."""
AFFINE = 100
"""Documents of a query whose affinity is kept."""
_CHUNK = 64

V = TypeVar("V")
Positions = NDArray[np.int64]
Row = tuple[Positions, NDArray[Any]]
"""Positions in the memory, and a value for each."""


class Rows(Mapping[str, Mapping[str, V]]):
    """Query id -> document id -> value; a query's mapping is made when it is asked for."""

    def __init__(
        self, keys: Sequence[str], row: Callable[[int], Mapping[str, V]], silver: Silver
    ) -> None:
        self._places = {key: place for place, key in enumerate(keys)}
        self._row, self._silver = row, silver

    @cached_property
    def digest(self) -> str:
        """Of what the values are made from, which is less than all of them."""
        return self._silver.identity(tuple(self._places))

    @property
    def basis(self) -> str:
        """Of what the values of any one query are made from, besides the query itself."""
        return self._silver.basis

    def __getitem__(self, key: str) -> Mapping[str, V]:
        return self._row(self._places[key])

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, key: object) -> bool:
        return key in self._places


class Silver:
    """The silver relevance of a memory for queries.

    Attributes:
        label: the rule: `silver:categories` where both sides have categories, else `silver:cider`.
    """

    def __init__(self, memory: Sequence[Picture], queries: Sequence[Picture]) -> None:
        self._memory = memory
        self._queries = queries
        known = all(any(picture.categories for picture in side) for side in (memory, queries))
        self.label = "silver:categories" if known else "silver:cider"

    def qrels(self, keys: Sequence[str]) -> Mapping[str, Mapping[str, int]]:
        """Grades 1 and 2, under the queries' ids in this task; no grade is not relevant."""

        def row(query: int) -> dict[str, int]:
            positions, grades = self._grades(query)
            return {self._ids[at]: int(grade) for at, grade in zip(positions, grades, strict=True)}

        return Rows(keys, row, self)

    def affinity(self, keys: Sequence[str]) -> Mapping[str, Mapping[str, float]]:
        """CIDEr of a document's first caption with the query's captions.

        For the `AFFINE` best by (grade, CIDEr); a document that is absent is further away.
        """

        def row(query: int) -> dict[str, float]:
            positions, scores = self._affine[query]
            return {self._ids[at]: float(s) for at, s in zip(positions, scores, strict=True)}

        return Rows(keys, row, self)

    def identity(self, keys: Sequence[str]) -> str:
        """The identity of relevance and affinity: this code, the rule, and what it reads."""
        made = sha256()
        for part in (self.basis, *keys, _digest(self._queries)):
            made.update(part.encode() + b"\n")
        return made.hexdigest()

    @cached_property
    def basis(self) -> str:
        """The identity without the queries: this code, the rule, and the memory. A query's relevance
        does not depend on the other queries."""
        code = f"{code_digest(Silver)} {code_digest(tokenize)}"
        return sha256(f"{code} {self.label} {_digest(self._memory)}".encode()).hexdigest()

    @cached_property
    def _ids(self) -> list[str]:
        return [picture.id for picture in self._memory]

    @cached_property
    def _order(self) -> Positions:
        """The rank of every document in the ascending order of ids: what decides ties."""
        rank = np.empty(len(self._ids), dtype=np.int64)
        rank[sorted(range(len(self._ids)), key=self._ids.__getitem__)] = np.arange(len(self._ids))
        return rank

    def _grades(self, query: int) -> Row:
        if self.label == "silver:categories":
            return self._by_category(self._queries[query].categories)
        return self._by_cider[query]

    @cached_property
    def _by_category(self) -> Callable[[frozenset[str]], Row]:
        return overlaps([picture.categories for picture in self._memory])

    @cached_property
    def _by_cider(self) -> list[Row]:
        best = []
        for _, scores in self._agreement.chunks(first=False):
            positions = top(scores, self._order, RELEVANT)
            best.append((positions, np.ones(len(positions), dtype=np.int64)))
        return best

    @cached_property
    def _affine(self) -> list[Row]:
        best = []
        for query, scores in self._agreement.chunks(first=True):
            graded = scores.copy()
            positions, grades = self._grades(query)
            graded[positions] += 2 * grades  # a cosine is at most 1: grades come first
            graded[scores == 0] = 0
            kept = top(graded, self._order, AFFINE)
            best.append((kept, scores[kept]))
        del self._agreement  # hundreds of megabytes, asked for the last time
        return best

    @cached_property
    def _agreement(self) -> Agreement:
        pictures = [*self._memory, *self._queries]
        captions = [[caption.content for caption in picture.captions] for picture in pictures]
        return Agreement(captions, len(self._memory))


def _digest(side: Sequence[Picture]) -> str:
    running = sha256()
    for picture in side:
        captions = "\t".join(caption.content for caption in picture.captions)
        things = "\t".join(sorted(picture.categories))
        running.update(f"{picture.id}\n{captions}\n{things}\n".encode("utf-8", "surrogatepass"))
    return running.hexdigest()


def overlaps(memory: Sequence[frozenset[str]]) -> Callable[[frozenset[str]], Row]:
    """A function from a set to the memory's sets that it overlaps with by half or more.

    The grade is 2 for equal sets, else 1. The empty set overlaps with nothing.
    """
    members: dict[frozenset[str], list[int]] = {}
    for position, names in enumerate(memory):
        members.setdefault(names, []).append(position)
    kinds = [(names, np.array(positions)) for names, positions in members.items() if names]
    sizes = np.array([len(names) for names, _ in kinds], dtype=np.int64)
    holders: dict[str, NDArray[np.bool_]] = {}
    for at, (names, _) in enumerate(kinds):
        for name in names:
            holders.setdefault(name, np.zeros(len(kinds), dtype=np.bool_))[at] = True

    @cache
    def row(names: frozenset[str]) -> Row:
        shared = np.zeros(len(kinds), dtype=np.int64)
        for name in names & holders.keys():
            shared += holders[name]
        union = sizes + len(names) - shared
        related = np.flatnonzero((shared > 0) & (2 * shared >= union))
        if not related.size:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        grades = [np.full(len(kinds[at][1]), 1 + (shared[at] == union[at])) for at in related]
        return np.concatenate([kinds[at][1] for at in related]), np.concatenate(grades)

    return row


def top(scores: NDArray[np.float64], order: Positions, k: int) -> Positions:
    """Positions of the `k` highest scores above 0, best first; ties by `order`, descending."""
    positive = np.flatnonzero(scores > 0)
    if positive.size > k:
        edge = np.partition(scores[positive], -k)[-k]
        positive = positive[scores[positive] >= edge]
    ranked: Positions = positive[np.lexsort((order[positive], scores[positive]))[::-1]]
    return ranked[:k]


class Agreement:
    """CIDEr between pictures' captions; a cosine's mean over pairs is the means' inner product."""

    def __init__(self, captions: Sequence[Sequence[str]], memory: int) -> None:
        """The first `memory` pictures are the documents, the others the queries."""
        self._owners = np.repeat(np.arange(len(captions)), [len(own) for own in captions])
        self._vectors = caption_vectors([c for own in captions for c in own], self._owners, memory)
        self._pictures = len(captions)
        self._memory = memory

    def chunks(self, first: bool) -> Iterator[tuple[int, NDArray[np.float64]]]:
        """Every query's number and its CIDEr with every document (or with its first caption)."""
        documents = self._means(first)[: self._memory].T.tocsr()
        queries = self._means(first=False)[self._memory :]
        for start in range(0, self._pictures - self._memory, _CHUNK):
            # Rounded: the order of a sum is no reason to prefer one of two equals.
            scores = np.round((queries[start : start + _CHUNK] @ documents).toarray(), 9)
            yield from enumerate(scores, start)

    def _means(self, first: bool) -> Any:
        from scipy.sparse import csr_array

        number = np.arange(len(self._owners))
        starts = np.searchsorted(self._owners, np.arange(self._pictures))
        counts = np.bincount(self._owners, minlength=self._pictures)
        weights = number == starts[self._owners] if first else 1 / counts[self._owners]
        shape = (self._pictures, len(self._owners))
        mean = csr_array((weights.astype(np.float64), (self._owners, number)), shape=shape)
        return mean @ self._vectors


def caption_vectors(captions: Sequence[str], owners: Positions, memory: int) -> Any:
    """A sparse matrix whose rows' inner products are the captions' CIDEr with one another."""
    from scipy.sparse import hstack

    lines, words = _tokens(captions)
    starts = np.arange(len(words))
    grams = words
    blocks = []
    for n in range(1, 5):
        if n > 1:
            inner = starts + n - 1 < len(words)
            starts, grams = starts[inner], grams[inner]
            inner = lines[starts] == lines[starts + n - 1]
            starts, grams = starts[inner], grams[inner]
            pairs = grams * (int(words.max(initial=0)) + 1) + words[starts + n - 1]
            grams = np.unique(pairs, return_inverse=True)[1]
        blocks.append(_tfidf(lines[starts], grams, owners, memory))
    return hstack(blocks, format="csr") * 0.5  # the inner product sums over n: a quarter each


def _tokens(captions: Sequence[str]) -> tuple[Positions, Positions]:
    """For every token its caption's number and its word's."""
    known: dict[str, int] = {}
    words, lengths = array("q"), array("q")
    for caption in captions:  # the tokens of all captions are never there at once
        tokens = tokenize(caption)
        words.extend(known.setdefault(token, len(known)) for token in tokens)
        lengths.append(len(tokens))
    lines = np.repeat(np.arange(len(lengths)), lengths)
    return lines, np.array(words, dtype=np.int64)


def _tfidf(lines: Positions, grams: Positions, owners: Positions, memory: int) -> Any:
    """Captions' n-gram vectors of length 1; idf by memory pictures that have one."""
    from scipy.sparse import csr_array, diags_array

    size = int(grams.max(initial=-1)) + 1
    held = owners[lines] < memory
    once = np.unique(owners[lines][held] * size + grams[held]) if size else grams
    pictures = np.bincount(once % size, minlength=size) if size else np.empty(0)
    idf = np.log(max(memory, 1) / np.maximum(pictures, 1))
    shape = (len(owners), size)
    counts = csr_array((np.ones(len(grams)), (lines, grams)), shape=shape)
    vectors = counts @ diags_array(idf) if size else counts
    lengths = np.sqrt(vectors.multiply(vectors).sum(axis=1))
    scale = np.divide(1, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    return diags_array(scale) @ vectors
