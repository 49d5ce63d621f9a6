"""Threads do not spin for long; the user's own settings win."""

import os
import subprocess
import sys
import time

import pytest

from mmragbench.engine import cores

SETTINGS = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
SHARE = "import os, mmragbench.engine.cores as c; c.others_run = lambda: True; c.share_cores();"
SAID = f"{SHARE} print(os.environ.get('GOMP_SPINCOUNT'), os.environ.get('OPENBLAS_NUM_THREADS'))"


def printed(code: str, **settings: str) -> str:
    kept = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    run = subprocess.run(
        [sys.executable, "-c", code], env={**kept, **settings}, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    return run.stdout + run.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="GNU's OpenMP")
def test_gnu_openmp_itself_reads_the_setting():
    """What OpenMP says of its settings when PyTorch has loaded it is what was set before."""
    said = printed(f"{SHARE} import torch", OMP_DISPLAY_ENV="VERBOSE")
    assert "GOMP_SPINCOUNT = '200'" in said


def test_numpys_openblas_itself_reads_the_setting():
    """numpy's own library has one thread; faiss', which goes by OpenMP, has as many as before."""
    pytest.importorskip("threadpoolctl")
    code = "import numpy, faiss, threadpoolctl as t; print([(i['threading_layer'], i['num_threads']) for i in t.threadpool_info() if i['internal_api'] == 'openblas'])"
    before, after = eval(printed(code)), eval(printed(f"{SHARE} {code}"))
    assert ("pthreads", 1) in after
    assert dict(after).get("openmp") == dict(before).get("openmp")


@pytest.mark.parametrize(
    "settings, kept",
    [
        ({}, "200 1"),
        ({"GOMP_SPINCOUNT": "7"}, "7 1"),
        ({"OMP_WAIT_POLICY": "ACTIVE"}, "None 1"),
        ({"OPENBLAS_NUM_THREADS": "3"}, "200 3"),
        ({"OMP_NUM_THREADS": "2"}, "200 None"),
    ],
)
def test_the_users_own_settings_win(settings, kept):
    """What the environment says itself is left as it is."""
    assert printed(SAID, **settings).strip() == kept


@pytest.mark.skipif(sys.platform != "linux", reason="Linux counts what runs")
def test_others_that_run_are_seen():
    """Beside processes that spin it is brief spinning."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        time.sleep(0.5)
        assert cores.others_run()
    finally:
        for process in busy:
            process.kill()
            process.wait()


@pytest.mark.parametrize(
    "running, busy", [([1] * 5, False), ([3] * 5, True), ([1, 1, 2, 1, 1], False)]
)
def test_a_moment_is_no_neighbour(running, busy, monkeypatch):
    """It takes most of the looks; where the system does not count, nobody is seen."""
    looks = iter(running)
    monkeypatch.setattr(cores, "_running", lambda: next(looks))
    assert cores.others_run() is busy

    def cannot():
        raise FileNotFoundError

    monkeypatch.setattr(cores, "_running", cannot)
    assert not cores.others_run()


def test_the_command_line_sets_it_before_a_heavy_library_is_there():
    """When a command begins, neither numpy nor PyTorch nor faiss has been imported."""
    heavy = "sorted({'numpy', 'torch', 'faiss'} & set(sys.modules))"
    code = f"import sys; sys.argv = ['m', '--version']\nimport mmragbench.engine.cores as c, mmragbench.__main__ as m\nm.share_cores = lambda: (c.share_cores(), print({heavy}))\nm.main()"
    assert printed(code).splitlines()[0] == "[]"
