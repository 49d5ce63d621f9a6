"""The modality audit."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from mmragbench.audits import gap, modality
from mmragbench.records import Document, Image, Ranking, Task, Text

KINDS = ("image", "text", "pair")


def document(id: str, kind: str) -> Document:
    image = Image(id, Path(f"{id}.png"), id) if kind != "text" else None
    texts = (Text(f"{id}a", f"{id} a"), Text(f"{id}b", f"{id} b")) if kind != "image" else ()
    return Document(id, image, texts)


@pytest.fixture
def kinds() -> dict[str, str]:
    draw = random.Random(5)
    return {f"d{i}": draw.choice(KINDS) for i in range(60)}


def test_shares_against_counting(kinds):
    """A query's share of a kind, among its first k hits and among its relevant documents, averaged
    over the queries that have both; counted one by one."""
    draw = random.Random(6)
    rankings, qrels = [], {}
    for query in map(str, range(40)):
        result = draw.sample(sorted(kinds), draw.choice([0, 3, 20]))
        rankings.append(Ranking.of(query, [(id, draw.random()) for id in result]))
        qrels[query] = {
            id: draw.choice([0, 1, 2]) for id in draw.sample(sorted(kinds), draw.choice([0, 4]))
        }
    task = Task("questions", [document(*item) for item in kinds.items()], [], qrels)
    result = modality(task, rankings, k=5)
    relevant = {
        query: [id for id, grade in grades.items() if grade] for query, grades in qrels.items()
    }
    both = [(r.ids[:5], relevant[r.query]) for r in rankings if r.hits and relevant[r.query]]
    assert 0 < result.n == len(both) < 40
    for kind in KINDS:
        hits = np.mean([np.mean([kinds[id] == kind for id in ids]) for ids, _ in both])
        good = np.mean([np.mean([kinds[id] == kind for id in ids]) for _, ids in both])
        assert result.hits[kind] == pytest.approx(hits)
        assert result.relevant[kind] == pytest.approx(good)
        assert result.memory[kind] == pytest.approx(list(kinds.values()).count(kind) / 60)
    assert result.mixed


def test_a_memory_of_pairs_is_not_mixed():
    """Where all documents are of one kind there is nothing to prefer."""
    task = Task("captioning", [document("a", "pair"), document("b", "pair")], [], {"q": {"a": 1}})
    result = modality(task, [Ranking.of("q", [("a", 1.0)])])
    assert not result.mixed
    assert result.hits == {"image": 0, "text": 0, "pair": 1}


class Drawn:
    """An encoder of fixed random unit vectors; texts lie apart from images."""

    modalities = frozenset({"image", "text"})

    def encode_images(self, images):
        return self._rows([image.id for image in images], 0.5)

    def encode_texts(self, texts):
        return self._rows([text.id for text in texts], -0.5)

    def _rows(self, ids, shift):
        rows = [np.random.default_rng(list(id.encode())).normal(shift, 1, 12) for id in ids]
        return (np.array(rows) / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_the_gap_against_looking_at_all_pairs(kinds):
    """Distance of the centroids, and the mean cosines of matched and unmatched pairs, one by one."""
    memory = [document(*item) for item in kinds.items()]
    result = gap(memory, Drawn())
    images = [d for d in memory if d.image]
    texts = [(d.id, text) for d in memory for text in d.texts]
    seen, read = (
        Drawn().encode_images([d.image for d in images]),
        Drawn().encode_texts([t for _, t in texts]),
    )
    matched, unmatched = [], []
    for i, d in enumerate(images):
        for j, (owner, _) in enumerate(texts):
            (matched if d.id == owner else unmatched).append(float(seen[i] @ read[j]))
    assert result.distance == pytest.approx(np.linalg.norm(seen.mean(0) - read.mean(0)), abs=1e-6)
    assert result.matched == pytest.approx(np.mean(matched), abs=1e-6)
    assert result.unmatched == pytest.approx(np.mean(unmatched), abs=1e-6)
    assert (result.images, result.texts) == (len(images), len(texts))


def test_no_gap_without_both_modalities():
    """A memory of images alone, or an encoder that reads one modality, has no gap."""
    assert gap([document("a", "image")], Drawn()) is None
    blind = Drawn()
    blind.modalities = frozenset({"text"})
    assert gap([document("a", "pair")], blind) is None
