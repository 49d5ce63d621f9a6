"""OpenMP's threads go to sleep soon while they wait for each other, so that a run shares its machine.

Between two layers PyTorch's threads meet at a barrier. By default they spin there, for up to a quarter
of a second: quick where each has a core of its own, and a waste of whole time slices where other work
has the core that the awaited thread needs (`benchmarks/neighbours.py`; docs/speed.md has figures).
"""

from __future__ import annotations

import os

SPINS = "200"
"""Rounds of spinning, some microseconds: as long as threads that run at once wait for each other."""

THEIR_OWN = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")


def spin_briefly() -> None:
    """Let GNU's OpenMP (of PyTorch, faiss and scikit-learn on Linux) spin briefly. No number changes.

    It is read when the library is loaded: call this before any of them is imported. Nothing is done
    where the environment has its own settings.
    """
    if not any(name in os.environ for name in THEIR_OWN):
        os.environ["GOMP_SPINCOUNT"] = SPINS
