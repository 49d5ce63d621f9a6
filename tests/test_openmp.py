"""Threads wait briefly for each other; the user's own settings win."""

import os
import subprocess
import sys

import pytest

SPIN = "import os; from mmragbench.openmp import spin_briefly; spin_briefly();"
LOADED = f"{SPIN} import torch; print(os.environ.get('GOMP_SPINCOUNT'))"


def printed(code: str, **settings: str) -> str:
    kept = {k: v for k, v in os.environ.items() if k not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    run = subprocess.run(
        [sys.executable, "-c", code], env={**kept, **settings}, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    return run.stdout + run.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="GNU's OpenMP")
def test_gnu_openmp_itself_reads_the_setting():
    """What OpenMP says of its settings when PyTorch has loaded it is what was set before."""
    said = printed(f"{SPIN} import torch", OMP_DISPLAY_ENV="VERBOSE")
    assert "GOMP_SPINCOUNT = '200'" in said


@pytest.mark.parametrize(
    "settings, kept",
    [({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "None")],
)
def test_the_users_own_settings_win(settings, kept):
    """An environment that says how threads wait is left as it is."""
    assert printed(LOADED, **settings).strip() == kept


def test_the_command_line_sets_it_before_a_heavy_library_is_there():
    """When a command begins, neither PyTorch nor faiss has been imported."""
    code = "import sys; import mmragbench.cli as cli; print('torch' in sys.modules, 'faiss' in sys.modules)"
    assert printed(code).strip() == "False False"
