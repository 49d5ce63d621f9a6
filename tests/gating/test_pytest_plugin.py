"""The fixture `mmragbench_gate`, in a test suite of its own."""

from __future__ import annotations

import sys

import pytest

pytest_plugins = "pytester"

# The plug-in by its module, also where the installed package names it as an entry point.
LOADED = ("-p", "no:mmragbench", "-p", "mmragbench.pytest_plugin", "-p", "no:cacheprovider")

TEST = """
    def test_holds(mmragbench_gate):
        found = mmragbench_gate({suite!r}, baseline="baseline.json", overrides={overrides!r})
        assert found is None or found.holds
"""


@pytest.fixture
def suite(made, pytester, monkeypatch):
    """A test file beside it; the cache knows what the models said."""
    monkeypatch.setenv("MMRAGBENCH_CACHE", str(made.parents[1] / "cache"))
    path = str(made.parents[1] / "toy.yaml")
    monkeypatch.setenv("PYTHONPATH", ":".join(filter(None, sys.path)))

    def write(*overrides: str) -> None:
        pytester.makepyfile(TEST.format(suite=path, overrides=overrides))

    return write


def test_saved_then_held_then_failed(suite, pytester):
    """`--mmragbench-save` writes the baseline beside the test; the same suite holds; one with other
    answers fails with one paragraph and the advice that fits a test, and no traceback."""
    suite()
    pytester.runpytest_inprocess(*LOADED, "--mmragbench-save").assert_outcomes(passed=1)
    assert (pytester.path / "baseline.json").is_file()
    pytester.runpytest_inprocess(*LOADED).assert_outcomes(passed=1)
    suite("dataset.limit=30")
    failed = pytester.runpytest_inprocess(*LOADED)
    failed.assert_outcomes(failed=1)
    (line,) = [line for line in failed.stdout.lines if "toy does not hold. " in line][:1]
    assert "30 queries of 60 missing: " in line and "report/index.html" in line
    assert "`pytest --mmragbench-save`" in line and " --margin" not in line
    assert "Traceback" not in failed.stdout.str()


def test_a_session_without_it_imports_nothing_heavy(pytester):
    """The plug-in is loaded with every pytest: it costs that session no import of the engine."""
    pytester.makepyfile("""
        import sys

        def test_light():
            heavy = {"numpy", "pydantic", "torch", "mmragbench.gating.gate", "mmragbench.verbs"}
            assert not heavy & set(sys.modules)
    """)
    pytester.runpytest_subprocess(*LOADED).assert_outcomes(passed=1)


def test_what_is_missing_or_broken_is_one_line(suite, pytester):
    """A baseline that is not there, one that is none, a suite that is none: before anything is run,
    with the advice that fits a test."""
    suite()
    missing = pytester.runpytest_inprocess(*LOADED)
    missing.stdout.fnmatch_lines(
        ["*there is no baseline*; write one with `pytest --mmragbench-save`*"]
    )
    (pytester.path / "baseline.json").write_text("{}")
    broken = pytester.runpytest_inprocess(*LOADED)
    broken.stdout.fnmatch_lines(["*is not a baseline*`pytest --mmragbench-save`*"])
    suite("strategies=1")
    (pytester.path / "baseline.json").unlink()
    wrong = pytester.runpytest_inprocess(*LOADED, "--mmragbench-save")
    wrong.stdout.fnmatch_lines(["*'strategies=1': strategies: expected names with values*"])
    for result in (missing, broken, wrong):
        result.assert_outcomes(failed=1)
        assert "pytest_plugin.py" not in result.stdout.str()
        assert "another exception" not in result.stdout.str()
        assert "direct cause" not in result.stdout.str()
