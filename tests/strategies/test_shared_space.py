"""The shared space in parts: a memory that is larger than one wants to copy."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest

from mmragbench.records import Document, Image, Query, Text


class Hashed:
    """Vectors from checksums."""

    modalities = frozenset({"image", "text"})

    def _rows(self, items):
        seeds = [zlib.crc32(repr(item).encode()) for item in items]
        rows = [np.random.default_rng(seed).standard_normal(16) for seed in seeds]
        rows = np.array(rows, np.float32).reshape(-1, 16)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    encode_images = encode_texts = _rows


MEMORY = [
    Document(
        f"d{i}",
        Image(f"i{i}", Path("x")) if i % 3 else None,
        tuple(Text(f"t{i}{n}", f"text {i} {n}") for n in range(i % 4 + (i % 3 == 0))),
    )
    for i in range(40)
]


def test_sums_by_place_are_numpys_own():
    """The quicker way adds in the same order: bit for bit, for any order of places."""
    from mmragbench.strategies.shared_space import _add

    generator = np.random.default_rng(0)
    rows = generator.standard_normal((200, 7)).astype(np.float32)
    places = generator.integers(0, 30, 200)
    expected, found = np.zeros((2, 40, 7), np.float32)
    np.add.at(expected, places, rows)
    _add(found, places, rows)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("document", ["image", "text", "mean", "max"])
@pytest.mark.parametrize("centre", [False, True])
def test_parts_change_nothing(document, centre, monkeypatch):
    """A memory that is averaged, centred and searched part by part gives the same rankings."""
    from mmragbench.retrieval import owned_rows as rows
    from mmragbench.stores.faiss import Faiss
    from mmragbench.strategies import shared_space

    def rankings():
        strategy = shared_space.SharedSpace(Hashed(), Faiss, document, centre)
        strategy.index(MEMORY)
        return strategy.retrieve([Query(str(i), text=Text("q", f"q{i}")) for i in range(70)], 5)

    whole = rankings()
    monkeypatch.setattr(shared_space, "PART", 3)
    monkeypatch.setattr(rows, "_AT_ONCE", 1)
    for one, other in zip(whole, rankings(), strict=True):
        assert one.ids == other.ids
        np.testing.assert_allclose(
            [hit.score for hit in one.hits], [hit.score for hit in other.hits], atol=1e-6
        )
