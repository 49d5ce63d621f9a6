"""The results of the loop's stages, and their stored form (JSON, columns where there is much)."""

from __future__ import annotations

import json
from array import array
from base64 import b64decode, b64encode
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Literal, overload

from mmragbench.measuring.scoring import Scored
from mmragbench.records import (
    Absence,
    Exclusion,
    Hits,
    Image,
    Measure,
    Output,
    Ranking,
    Score,
    Scores,
)

Cost = dict[str, Any]
"""`{"index": [usage …], "seconds": {"index": 1.2}}`"""

CODES, SCORES = "<i4", "<f8"
"""How numbers of documents and scores are stored."""


class Rankings(Sequence[Ranking]):
    """Rankings in columns, in a tenth of the memory; each is made when it is asked for.

    Args:
        rankings: any rankings; they are not kept.

    Attributes:
        errors: query -> why it has no ranking.
    """

    def __init__(self, rankings: Iterable[Ranking] = ()) -> None:
        known: defaultdict[str, int] = defaultdict(count().__next__)
        codes, scores = array("i"), array("d")
        queries, ends = [], [0]
        errors = {}
        for ranking in rankings:
            hits = Hits.of(ranking.hits)
            if ranking.error is not None:
                errors[ranking.query] = ranking.error
            queries.append(ranking.query)
            codes.extend(map(known.__getitem__, hits.ids))
            scores.extend(hits.scores)
            ends.append(len(codes))
        self._columns(queries, ends, list(known), codes, scores)
        self.errors: dict[str, str] = errors

    def _columns(
        self,
        queries: list[str],
        ends: list[int],
        ids: list[str],
        codes: array[int],
        scores: array[float],
    ) -> None:
        self._queries, self._ends = queries, ends
        self._ids, self._codes, self._scores = ids, codes, scores

    def __len__(self) -> int:
        return len(self._queries)

    @overload
    def __getitem__(self, at: int) -> Ranking: ...
    @overload
    def __getitem__(self, at: slice) -> list[Ranking]: ...
    def __getitem__(self, at: int | slice) -> Ranking | list[Ranking]:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(len(self)))]
        at = range(len(self))[at]
        part = slice(self._ends[at], self._ends[at + 1])
        ids = list(map(self._ids.__getitem__, self._codes[part]))
        query = self._queries[at]
        return Ranking(query, Hits(ids, self._scores[part]), self.errors.get(query))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def of(self, queries: Container[str]) -> Iterator[Ranking]:
        """The rankings for these queries."""
        return (self[at] for at, query in enumerate(self._queries) if query in queries)

    @property
    def has_hits(self) -> bool:
        """Whether any query has a hit."""
        return bool(self._codes)

    def to_plain(self) -> dict[str, Any]:
        """The columns, for JSON; the long ones as their bytes, in base64."""
        return {
            "queries": self._queries,
            "ends": self._ends,
            "ids": self._ids,
            "codes": _bytes(self._codes, CODES),
            "scores": _bytes(self._scores, SCORES),
            "errors": self.errors,
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Rankings:
        """The inverse of `to_plain`."""
        rankings = cls()
        codes = _array("i", CODES, plain["codes"])
        scores = _array("d", SCORES, plain["scores"])
        rankings._columns(plain["queries"], plain["ends"], plain["ids"], codes, scores)
        rankings.errors = plain["errors"]
        return rankings


def _bytes(column: array[Any], kind: str) -> str:
    import numpy as np

    return b64encode(np.asarray(column, kind).tobytes()).decode("ascii")


def _array(typecode: Literal["i", "d"], kind: str, stored: str) -> array[Any]:
    """The inverse of `_bytes`."""
    import numpy as np

    return array(typecode, np.frombuffer(b64decode(stored), kind).tobytes())


@dataclass(frozen=True)
class Retrieved:
    """A strategy's rankings for a task, and what it could not use of files; or why it has none."""

    rankings: Rankings = field(default_factory=Rankings)
    cost: Cost = field(default_factory=dict)
    absence: Absence | None = None
    exclusions: tuple[Exclusion, ...] = ()

    @property
    def has_hits(self) -> bool:
        """Whether any query has a hit."""
        return self.rankings.has_hits

    def to_bytes(self) -> bytes:
        return _json(
            {
                **self.rankings.to_plain(),
                "cost": self.cost,
                "absence": _absence_to_plain(self.absence),
                "exclusions": _exclusions_to_plain(self.exclusions),
            }
        )

    @classmethod
    def from_bytes(cls, stored: bytes) -> Retrieved:
        data = json.loads(stored)
        left_out = _exclusions(data["exclusions"])
        return cls(Rankings.from_plain(data), data["cost"], _absence(data["absence"]), left_out)


@dataclass(frozen=True)
class Generated:
    """A generator's outputs, and what it could not use of files; or why it has none."""

    outputs: Sequence[Output] = ()
    cost: Cost = field(default_factory=dict)
    absence: Absence | None = None
    exclusions: tuple[Exclusion, ...] = ()

    def to_bytes(self) -> bytes:
        outputs = [
            {
                "query": output.query,
                "text": output.text,
                "image": _image_to_plain(output.image),
                "error": output.error,
                "shown": output.shown,
                "prompt": output.prompt,
            }
            for output in self.outputs
        ]
        return _json(
            {
                "outputs": outputs,
                "cost": self.cost,
                "absence": _absence_to_plain(self.absence),
                "exclusions": _exclusions_to_plain(self.exclusions),
            }
        )

    @classmethod
    def from_bytes(cls, stored: bytes) -> Generated:
        data = json.loads(stored)
        outputs = [
            Output(**{**row, "image": _image(row["image"]), "shown": tuple(row["shown"])})
            for row in data["outputs"]
        ]
        left_out = _exclusions(data["exclusions"])
        return cls(outputs, data["cost"], _absence(data["absence"]), left_out)

    @property
    def has_stale_image(self) -> bool:
        """Whether a picture that it names is no longer where it was, or has other bytes."""
        return any(output.image and not output.image.is_intact for output in self.outputs)


def _absence_to_plain(absence: Absence | None) -> dict[str, str] | None:
    return asdict(absence) if absence else None


def _absence(plain: dict[str, Any] | None) -> Absence | None:
    return Absence(**plain) if plain else None


def _exclusions_to_plain(exclusions: Iterable[Exclusion]) -> list[dict[str, str]]:
    return [asdict(exclusion) for exclusion in exclusions]


def _exclusions(plain: Iterable[Mapping[str, str]]) -> tuple[Exclusion, ...]:
    return tuple(Exclusion(**row) for row in plain)


def _image_to_plain(image: Image | None) -> dict[str, str] | None:
    if image is None:
        return None
    return {"id": image.id, "path": str(image.path.absolute()), "digest": image.digest}


def _image(plain: dict[str, str] | None) -> Image | None:
    return Image(plain["id"], Path(plain["path"]), plain["digest"]) if plain else None


def scored_to_bytes(scored: Scored) -> bytes:
    """JSON, a column each for queries, values and errors."""
    return _json({name: [_scores_to_plain(s) for s in scores] for name, scores in scored.items()})


def _scores_to_plain(scores: Scores) -> dict[str, Any]:
    return {
        "measure": str(scores.measure),
        "signature": scores.signature,
        "total": scores.total,
        "absence": _absence_to_plain(scores.absence),
        "n": scores.n,
        "influences": dict(scores.influences),
        "bounds": scores.bounds,
        "best": dict(scores.best),
        "interval": scores.interval,
        "warning": scores.warning,
        "details": dict(scores.details),
        "queries": [score.query for score in scores.scores],
        "values": [score.value for score in scores.scores],
        "errors": {i: s.error for i, s in enumerate(scores.scores) if s.error is not None},
    }


def scored_from_bytes(stored: bytes) -> Scored:
    """The inverse of `scored_to_bytes`."""
    return {name: [_scores(p) for p in scores] for name, scores in json.loads(stored).items()}


def _scores(plain: dict[str, Any]) -> Scores:
    errors = plain["errors"]
    pairs = enumerate(zip(plain["queries"], plain["values"], strict=True))
    scores = tuple(Score(query, value, errors.get(str(i))) for i, (query, value) in pairs)
    return Scores(
        measure=Measure.parse(plain["measure"]),
        signature=plain["signature"],
        scores=scores,
        total=plain["total"],
        absence=_absence(plain["absence"]),
        n=plain["n"],
        influences=plain["influences"],
        bounds=tuple(plain["bounds"]) if plain["bounds"] else None,
        best=plain["best"],
        interval=tuple(plain["interval"]) if plain["interval"] else None,
        warning=plain["warning"],
        details=plain["details"],
    )


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8", "surrogatepass")
