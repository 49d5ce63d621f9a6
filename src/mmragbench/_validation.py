"""Validation of the answers of encoders, stores and strategies, once where they come in.

An answer of the wrong form (too few rows, an unknown id, a score that is not finite) is a
`ContractError`. Single vectors that cannot be used are reported by the caller, who knows their ids.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from mmragbench._printable import quoted
from mmragbench.contracts import Encoder, Store, Traits, Vectors
from mmragbench.errors import ContractError, DataError, listed
from mmragbench.records import Hits, Image, Modality, Query, Ranking, Task, Text

LENGTH = 0.01
"""The largest difference of a row's length from 1."""

UNUSABLE = "its vector is not finite, or all zero; in 16 bits a model may overflow: precision: fp32"


def as_rows(answer: Any, n: int, source: str) -> Vectors:
    """Vectors as an array of shape (n, d), float32; a number too large for float32 is infinite.

    Args:
        answer: what an encoder returned or a file holds.
        n: how many rows there have to be.
        source: what the error names as the vectors' source.

    Raises:
        ContractError: they are not real numbers, or not in this shape.
    """
    rows = _array(answer)
    if rows.dtype.kind not in "fiu":
        raise ContractError(f"{source}: vectors have to be real numbers, not {rows.dtype}")
    if rows.ndim != 2 or len(rows) != n or (n and not rows.shape[1]):
        raise ContractError(f"{source}: vectors of shape {rows.shape}, where ({n}, d) is expected")
    with np.errstate(over="ignore"):
        return rows.astype(np.float32, copy=False)


def as_modalities(encoder: Encoder, name: str) -> frozenset[Modality]:
    """The modalities that an encoder declares.

    Raises:
        ContractError: it declares none, or something else.
    """
    declared = getattr(encoder, "modalities", None)
    known = {*get_args(Modality)}
    if (
        not isinstance(declared, Collection)
        or not declared
        or not known.issuperset(map(str, declared))
    ):
        raise ContractError(
            f"{name} (encoder): modalities is {quoted(declared)}; it says what the encoder reads: "
            'frozenset({"image", "text"}), or one of them'
        )
    return frozenset(declared)


def other_lengths(rows: Vectors) -> str:
    """The range of rows' lengths, `2.5 to 31`, if some are not 1 (within 1 %, for half precision); else
    empty."""
    lengths = np.linalg.norm(rows, axis=1)
    low, high = float(lengths.min()), float(lengths.max())
    return f"{low:.3g} to {high:.3g}" if max(1 - low, high - 1) > LENGTH else ""


def unusable(rows: Vectors) -> NDArray[np.intp]:
    """Numbers of the rows that hold NaN or infinity, or zeros alone, which have no direction."""
    with np.errstate(all="ignore"):
        squares = np.einsum("ij,ij->i", rows, rows)  # one pass, and nothing as large as the rows
    suspects = np.flatnonzero(~((squares > 0) & (squares < np.inf)))
    good = np.isfinite(rows[suspects]).all(axis=1) & rows[suspects].any(axis=1)
    return suspects[~good]


def same_width(widths: dict[str, int], source: str) -> None:
    """Refuse vectors of different widths, since pictures and texts have to be in one space.

    Args:
        widths: modality -> dimensions.
        source: what the error names as the vectors' source.

    Raises:
        ContractError: they are not of the same width.
    """
    if len(set(widths.values())) > 1:
        listing = ", ".join(f"{modality} vectors have {d}" for modality, d in widths.items())
        raise ContractError(
            f"{source}: the dimensions differ: {listing}; they are not of one space"
        )


def check_hits(hits: Iterable[tuple[str, float]], known: set[str], k: int, source: str) -> Hits:
    """Check a ranking's hits; returns them in trec_eval's order, with ties by id descending.

    Raises:
        ContractError: no pairs of id and score, more than `k` of them, an id that is not known or
            comes twice, a score that is no finite number or is higher than the one before it.
    """
    ranked = _as_hits(hits, source)
    ids, scores = ranked.ids, _array(ranked.scores)
    if len(ids) > k:
        raise ContractError(f"{source}: {len(ids)} hits, where at most {k} were asked for")
    if scores.ndim != 1 or scores.dtype.kind not in "fiu" or not np.isfinite(scores).all():
        raise ContractError(f"{source}: scores have to be finite numbers; it gave {_short(scores)}")
    if not known.issuperset(ids):
        foreign = [id for id in ids if id not in known]
        raise ContractError(f"{source}: hits that are not in the memory: {listed(foreign)}")
    if len(set(ids)) < len(ids):
        twice = [id for at, id in enumerate(ids) if id in ids[:at]]
        raise ContractError(f"{source}: hits that come twice in one ranking: {listed(twice)}")
    if (scores[1:] > scores[:-1]).any():
        raise ContractError(
            f"{source}: hits have to come best first, and a score is higher than the one before it "
            "(distances have to be turned into similarities)"
        )
    tied = (scores[1:] == scores[:-1]).any()
    return Hits.of(Ranking.of("", ranked).hits) if tied else ranked


def _as_hits(hits: Iterable[tuple[str, float]], source: str) -> Hits:
    try:
        ranked = Hits.of(hits)
        fits = len(ranked.ids) == len(ranked.scores)
    except (TypeError, ValueError):
        fits = False
    if not fits:
        raise ContractError(
            f"{source}: hits have to be pairs of an id and a score; it gave {quoted(hits)}"
        )
    return ranked


def check_rankings(
    rankings: Sequence[Ranking], queries: Sequence[Query], known: set[str], k: int
) -> Iterator[Ranking]:
    """Check a strategy's rankings, and the hits of each (`check_hits`).

    Raises:
        ContractError: it is no list, or has not one ranking a query, in the queries' order.
    """
    if not isinstance(rankings, Sequence) or not all(isinstance(r, Ranking) for r in rankings):
        raise ContractError(
            f"retrieve has to return a list of Ranking, one a query; it gave {quoted(rankings)}"
        )
    if len(rankings) != len(queries):
        raise ContractError(f"{len(rankings)} rankings for {len(queries)} queries")
    for ranking, query in zip(rankings, queries, strict=True):
        if ranking.query != query.id:
            raise ContractError(
                f"the ranking of {listed([ranking.query])} in the place of {listed([query.id])}'s"
            )
        hits = check_hits(ranking.hits, known, k, f"query {listed([query.id])}")
        if ranking.error is not None and hits:
            raise ContractError(f"query {listed([query.id])}: a ranking with an error has no hits")
        yield Ranking(query.id, hits, ranking.error)


def validated_tasks(answer: Any, source: str) -> Mapping[str, Task]:
    """Check what a dataset gives as its tasks by name.

    Raises:
        ContractError: it is no mapping, or has something else than tasks.
    """
    if not isinstance(answer, Mapping):
        raise ContractError(
            f"{source}: tasks() has to give a mapping from names to tasks, not {type(answer).__name__}"
        )
    for name, task in answer.items():
        if not isinstance(task, Task):
            raise ContractError(
                f"{source}: what tasks() gives as {listed([name])} is no Task, but {type(task).__name__}"
            )
    return answer


class CheckedEncoder:
    """An encoder whose vectors are checked, for callers that do not store them.

    Args:
        inner: any encoder.
        name: what it is called, for errors.
    """

    def __init__(self, inner: Encoder, name: str) -> None:
        self._inner, self._name = inner, name
        self.modalities: frozenset[Modality] = inner.modalities

    @property
    def resize(self) -> str | None:
        """How it resizes pictures, if it says so."""
        return Traits(self._inner).resize

    def encode_images(self, images: Sequence[Image]) -> Vectors:
        return self._checked(self._inner.encode_images(images), images)

    def encode_texts(self, texts: Sequence[Text]) -> Vectors:
        return self._checked(self._inner.encode_texts(texts), texts)

    def _checked(self, answer: Any, items: Sequence[Image] | Sequence[Text]) -> Vectors:
        rows = as_rows(answer, len(items), self._name)
        if len(bad := unusable(rows)):
            ids = listed([items[at].id for at in bad.tolist()])
            raise DataError(
                f"{self._name} cannot encode {len(bad)} of {len(rows)}: {ids}: {UNUSABLE}"
            )
        return rows


class CheckedStore:
    """A store that takes finite vectors of one width, and whose hits are checked.

    Args:
        inner: an empty store.
        name: what it is called, for errors.
    """

    def __init__(self, inner: Store, name: str) -> None:
        self._inner, self._source = inner, f"the store {name}"
        self._ids: set[str] = set()
        self._widths: dict[str, int] = {}
        self._short = False

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Add a row for each id.

        Raises:
            ContractError: the rows are not finite, not one an id, or not as wide as others.
        """
        self._inner.add(ids, self._checked("stored", vectors, len(ids)))
        self._ids.update(ids)

    def search(self, vectors: Vectors, k: int) -> list[Hits]:
        """The `k` nearest for each row. A warning says once that the store finds fewer.

        Raises:
            ContractError: the rows are not finite or not as wide as those stored; or the store's
                answer is not what was promised.
        """
        lists = self._inner.search(self._checked("query", vectors, len(vectors)), k)
        if not isinstance(lists, Sequence) or not all(isinstance(own, Iterable) for own in lists):
            raise ContractError(
                f"{self._source}: search has to return a list of lists of hits; it gave "
                f"{quoted(lists)}"
            )
        if len(lists) != len(vectors):
            raise ContractError(f"{self._source}: {len(lists)} lists for {len(vectors)} queries")
        hits = [check_hits(own, self._ids, k, self._source) for own in lists]
        self._warn_of_short([len(own.ids) for own in hits], min(k, len(self._ids)))
        return hits

    def _warn_of_short(self, counts: Sequence[int], wanted: int) -> None:
        short = [count for count in counts if count < wanted]
        if short and not self._short:
            self._short = True
            warnings.warn(
                f"{self._source} finds fewer neighbours than it was asked for: for {len(short):,} of "
                f"{len(counts):,} queries, {min(short):,} of {wanted:,} at the least; what it does "
                "not find counts as not retrieved",
                stacklevel=3,
            )

    def _checked(self, what: str, vectors: Vectors, n: int) -> Vectors:
        rows = as_rows(vectors, n, f"{self._source}, {what} vectors")
        if not np.isfinite(rows[unusable(rows)]).all():  # zeros have no direction, but a score
            raise ContractError(f"{self._source}: {what} vectors are not finite")
        if n:
            same_width(self._widths | {what: rows.shape[1]}, self._source)
            self._widths[what] = rows.shape[1]
        return rows


def _array(values: Any) -> NDArray[Any]:
    """The values as an array, of Python objects where lists are not of one length."""
    try:
        return np.asarray(values)
    except ValueError:
        return np.empty(len(values), object)


def _short(scores: NDArray[Any]) -> str:
    """The first score that is not finite, as errors show it; `none` without scores."""
    invalid = scores[~np.isfinite(scores)] if scores.dtype.kind == "f" else scores
    return repr(invalid.flat[0])[:40] if invalid.size else "none"
