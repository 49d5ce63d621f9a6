"""How a run uses cores that other work uses too: threads that wait for each other do not spin for long.

Between two layers PyTorch's threads meet at a barrier. By default they spin there, for up to a quarter
of a second: quick where each has a core of its own, and a waste of whole time slices where other work
has the core that the awaited thread needs. numpy's linear algebra waits in the same way for its second
thread, which hardly helps the small matrices of statistics. `benchmarks/neighbours.py` measures both;
docs/speed.md has figures.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

BRIEF, LONGER = "200", "20000"
"""Rounds of spinning. The first are some microseconds, as long as threads that run at once wait for
each other: right beside other work, and a tenth slower alone. The second cost nothing alone, and are a
fifteenth of GNU's own 300,000, for neighbours who come later."""

LOOKS = 5
"""How often it is looked whether others are running, a hundredth of a second apart in all."""

THEIR_OWN = {
    "GOMP_SPINCOUNT": ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"),
    "OPENBLAS_NUM_THREADS": ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"),
}
"""What is set here, and the settings by which users say the same themselves."""


def share_cores() -> None:
    """Let GNU's OpenMP (of PyTorch, faiss and scikit-learn on Linux) spin for a shorter time, briefly
    where others are running now, and numpy's OpenBLAS use one thread, so that its rounding does not
    depend on the number of cores either.

    Both are read when a library is loaded: call this before any of them is imported. What the
    environment says itself is left as it is.
    """
    spins = BRIEF if others_run() else LONGER
    for name, value in (("GOMP_SPINCOUNT", spins), ("OPENBLAS_NUM_THREADS", "1")):
        if not any(setting in os.environ for setting in THEIR_OWN[name]):
            os.environ[name] = value


def others_run() -> bool:
    """Whether something else wants a core at this moment, as Linux counts it; False elsewhere."""
    try:
        return sum(_running() > 1 for _ in range(LOOKS)) > LOOKS // 2
    except (OSError, ValueError, IndexError):
        return False


def _running() -> int:
    """How many threads run or could run now, this one among them."""
    time.sleep(0.002)
    return int(Path("/proc/loadavg").read_text().split()[3].partition("/")[0])
