"""Several pieces of work at once: the window, and how it ends."""

from __future__ import annotations

import threading
import time

import pytest

from mmragbench.engine.threads import aside, overlapping


def test_no_more_is_begun_than_was_taken():
    """Whoever takes results slowly holds the work up: begun and not yet taken are `n` at most."""
    begun = []

    def work(piece):
        begun.append(piece)
        return piece

    taken = []
    for piece in overlapping(work, range(40), 4):
        taken.append(piece)
        time.sleep(0.002)
        assert len(begun) - len(taken) <= 4
    assert sorted(taken) == list(range(40))


def test_an_error_comes_last_after_the_results_under_way():
    """Nothing more is begun; those under way are told to be quick."""
    begun, quick = [], threading.Event()

    def work(piece):
        begun.append(piece)
        if piece == 1:
            raise ValueError("one")
        if piece in (2, 3):
            assert quick.wait(10)
        return piece

    taken = []
    with pytest.raises(ValueError, match="one"):
        taken.extend(overlapping(work, range(40), 4, quick.set))
    assert {2, 3} <= set(taken)
    assert len(begun) <= 8
    assert sorted(taken) == sorted(set(begun) - {1})


def test_nothing_to_do_is_nothing():
    """No piece, no result."""
    assert list(overlapping(str, [], 3)) == []


def test_work_aside_is_waited_for():
    """What was begun is done when the block is left."""
    done = []
    with aside() as thread:
        for piece in range(5):
            thread.submit(done.append, piece)
    assert done == [0, 1, 2, 3, 4]


def test_an_error_drops_what_has_not_begun_aside():
    """Nobody waits for it: the error is told when the piece under way is done."""
    begun, go = [], threading.Event()

    def work(piece):
        begun.append(piece)
        assert go.wait(10)

    with pytest.raises(ValueError, match="boom"), aside() as thread:  # noqa: PT012
        pieces = [thread.submit(work, piece) for piece in range(5)]
        threading.Timer(0.2, go.set).start()
        raise ValueError("boom")
    assert begun in ([], [0])
    assert all(piece.cancelled() for piece in pieces[1:])
