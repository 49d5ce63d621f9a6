"""What encoders, rerankers, stores and strategies answer, through what the loop asks them with."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

import numpy as np
from damaged_arrays import odd_array

from doors import Outcome

KINDS = ("encoder", "reranker", "store", "strategy")
ODD_SCORES = [math.nan, math.inf, -math.inf, None, "1", 10**400, True, 1j, [1.0]]
ODD_IDS = ["ghost", "", -1, 0, None, "d0 ", ("d0",)]


def make(rng: random.Random, folder: Path) -> None:
    """The answer is made on entering; here is the seed that it is made from."""
    told = {"kind": rng.choice(KINDS), "seed": rng.getrandbits(32), "n": rng.choice([1, 2, 9])}
    (folder / "answer.json").write_text(json.dumps(told))


def enter(folder: Path) -> Outcome:
    """One answer for each item, or a refusal."""
    told = json.loads((folder / "answer.json").read_text())
    return ENTER[told["kind"]](random.Random(told["seed"]), told["n"], folder)


def _encoder(rng: random.Random, n: int, folder: Path) -> Outcome:
    from mmragbench.cache.vectors import VectorFile
    from mmragbench.engine.cached_models import CachedEncoder
    from mmragbench.engine.meter import Meter
    from mmragbench.records import Text

    class Encoder:
        modalities = frozenset({"text"})

        def encode_texts(self, texts: Any) -> Any:
            rows = np.random.default_rng(rng.getrandbits(32)).normal(size=(len(texts), 4))
            for _ in range(rng.choice([0, 1, 2])):
                rows = odd_array(rng, rows)
            return rng.choice([rows, rows.tolist(), rows])

    encoder = CachedEncoder(Encoder(), "e", VectorFile(folder / "v"), Meter())  # type: ignore[arg-type]
    rows = encoder.encode_texts([Text(str(i), str(i)) for i in range(n)])
    if not np.isfinite(rows).all() or not rows.any(axis=1).all():
        raise AssertionError("a row that is no direction was taken")
    return Outcome(n, len(rows))


def _reranker(rng: random.Random, n: int, folder: Path) -> Outcome:
    from mmragbench.cache.items import Items
    from mmragbench.engine.cached_models import CachedReranker
    from mmragbench.engine.meter import Meter
    from mmragbench.records import Document, Failure, Query, Text

    class Reranker:
        def score(self, queries: Any, documents: Any) -> Any:
            scores = [_maybe(rng, rng.gauss(0, 1), ODD_SCORES) for _ in queries]
            return rng.choice([scores, scores, scores[:-1], [*scores, 1.0], iter(scores)])

    reranker = CachedReranker(Reranker(), "r", Items(folder / "i"), Meter())
    documents = [Document(str(i), texts=(Text(str(i), str(i)),)) for i in range(n)]
    scores = reranker.score([Query("q", text=Text("q", "q"))] * n, documents)
    good = [score for score in scores if not isinstance(score, Failure)]
    if not all(map(math.isfinite, good)):
        raise AssertionError("a score that is not finite was taken")
    return Outcome(n, len(good), len(scores) - len(good))


def _hits(rng: random.Random, n: int) -> Any:
    scores = sorted((rng.choice([rng.gauss(0, 1), 1.0]) for _ in range(n)), reverse=True)
    hits = [
        (_maybe(rng, f"d{i}", ODD_IDS), _maybe(rng, s, ODD_SCORES)) for i, s in enumerate(scores)
    ]
    changes = [
        hits,
        hits,
        hits,
        hits[::-1],
        hits + hits[:1],
        hits[: n // 2],
        [*hits, ("ghost", -9.0)],
    ]
    return rng.choice(changes)


def _check(hits: Any, n: int) -> None:
    known = {f"d{i}" for i in range(n)}
    keys = [(hit.score, hit.id) for hit in hits]
    ids = [hit.id for hit in hits]
    if not set(ids) <= known or len(set(ids)) < len(ids) or len(ids) > n:
        raise AssertionError("hits that cannot be were taken")
    if keys != sorted(keys, reverse=True) or not all(math.isfinite(score) for score, _ in keys):
        raise AssertionError("hits in another order were taken")


def _store(rng: random.Random, n: int, folder: Path) -> Outcome:
    from mmragbench._validation import CheckedStore

    class Store:
        def add(self, ids: Any, vectors: Any) -> None:
            pass

        def search(self, vectors: Any, k: int) -> Any:
            lists = [_hits(rng, n) for _ in vectors]
            return rng.choice([lists, lists, lists, lists[1:], [*lists, []]])

    store = CheckedStore(Store(), "s")
    store.add([f"d{i}" for i in range(n)], np.eye(n, dtype=np.float32))
    lists = store.search(np.eye(n, dtype=np.float32)[:2], n)
    for hits in lists:
        _check(hits, n)
    return Outcome(min(n, 2), len(lists))


def _strategy(rng: random.Random, n: int, folder: Path) -> Outcome:
    from mmragbench._validation import check_rankings
    from mmragbench.engine.results import Rankings
    from mmragbench.records import Query, Ranking

    queries = [Query(f"q{i}") for i in range(n)]
    rankings = [Ranking(_maybe(rng, q.id, ["q0", "x", None]), _hits(rng, n)) for q in queries]
    rankings = rng.choice([rankings, rankings, rankings[1:], rankings + rankings[:1]])
    checked = Rankings(check_rankings(rankings, queries, {f"d{i}" for i in range(n)}, n))
    for ranking in checked:
        _check(ranking.hits, n)
    return Outcome(n, len(checked))


def _maybe(rng: random.Random, good: Any, odd: list[Any]) -> Any:
    return rng.choice(odd) if rng.random() < 0.02 else good


ENTER = {"encoder": _encoder, "reranker": _reranker, "store": _store, "strategy": _strategy}
