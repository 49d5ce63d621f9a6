"""How a run uses cores that other work uses too: threads that wait for each other do not spin for long.

Between two layers PyTorch's threads meet at a barrier. By default they spin there, for up to a quarter
of a second: quick where each has a core of its own, and a waste of whole time slices where other work
has the core that the awaited thread needs. numpy's linear algebra waits in the same way for its second
thread, which hardly helps the small matrices of statistics. `benchmarks/neighbours.py` measures both;
docs/speed.md has figures.
"""

from __future__ import annotations

import os

SPINS = "200"
"""Rounds of spinning, some microseconds: as long as threads that run at once wait for each other."""

THEIR_OWN = {
    "GOMP_SPINCOUNT": ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"),
    "OPENBLAS_NUM_THREADS": ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"),
}
"""What is set here, and the settings by which users say the same themselves."""


def share_cores() -> None:
    """Let GNU's OpenMP (of PyTorch, faiss and scikit-learn on Linux) spin briefly, and numpy's OpenBLAS
    use one thread, so that its rounding does not depend on the number of cores either.

    Both are read when a library is loaded: call this before any of them is imported. What the
    environment says itself is left as it is.
    """
    for name, value in (("GOMP_SPINCOUNT", SPINS), ("OPENBLAS_NUM_THREADS", "1")):
        if not any(setting in os.environ for setting in THEIR_OWN[name]):
            os.environ[name] = value
