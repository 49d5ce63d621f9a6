"""Query and memory splits that no suite names."""

from __future__ import annotations

import pytest

from mmragbench.data.splits import choose, n_drawn


@pytest.mark.parametrize(
    "known, queries, memory, splits",
    [
        (["test", "train", "val"], None, None, ("test", "train")),
        (["dev", "train"], None, None, ("dev", "train")),
        (["train", "val"], "val", None, ("val", "train")),
        (["train"], None, None, ("train", "rest")),
        (["mine"], None, None, ("mine", "rest")),
        (["test", "val"], None, None, ("test", "rest")),
        (["test", "train"], None, "test", ("test", "test")),
        (["a", "b"], "a", None, ("a", "rest")),
        (["a", "b"], None, None, ("test", "rest")),
        (["mine"], None, "train", ("test", "train")),
        ([], "x", "y", ("x", "y")),
    ],
)
def test_usual_names_are_taken(known, queries, memory, splits):
    """What a suite names is taken; else the usual name that is there, a single split, or `test`, which
    the dataset then misses by name."""
    assert choose(known, queries, memory) == splits


@pytest.mark.parametrize("n", [1, 2, 3, 10, 99, 100, 249, 250, 251, 4_999, 5_000, 5_001, 10**6])
def test_a_draw_leaves_a_memory(n):
    """Of two images and more something is left; 50 queries where there are 100 images, and never more
    than 1,000."""
    assert 1 <= n_drawn(n) <= 1_000
    assert n < 2 or n - n_drawn(n) >= n_drawn(n) * (1 if n <= 250 else 4)
    assert n < 100 or n_drawn(n) >= 50
