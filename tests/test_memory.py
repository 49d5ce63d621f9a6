"""Freed memory is kept, so that it need not be cleared again."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
import numpy as np
from mmragbench.engine.process import keep_freed_memory

if "keep" in sys.argv:
    keep_freed_memory()
np.ones(8 << 20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    np.ones(8 << 20)  # 64 MiB: 16,384 pages
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(*arguments: str, **environment: str) -> int:
    """Page faults of ten arrays of 64 MiB, one after the other."""
    command = [sys.executable, "-c", FAULTS, *arguments]
    given = {k: v for k, v in os.environ.items() if not k.startswith(("MALLOC_", "GLIBC_"))}
    done = subprocess.run(
        command, env=given | environment, capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_what_is_freed_is_used_again() -> None:
    """A page of it is asked for once; the user's own settings win."""
    usual = faults()
    assert faults("keep") * 10 < usual
    assert faults("keep", MALLOC_MMAP_MAX_="65536") * 2 > usual
