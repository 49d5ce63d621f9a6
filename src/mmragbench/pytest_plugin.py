"""A gate in a team's own test suite: the fixture `mmragbench_gate`.

    def test_no_strategy_got_worse(mmragbench_gate):
        mmragbench_gate("suite.yaml", baseline="baseline.json", margins={"CIDEr": 0.02})

`pytest --mmragbench-save` writes the baselines anew instead of testing against them. Nothing of the
engine is imported before a test calls the fixture.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    from mmragbench.gating.gate import Gate


class GateTest(Protocol):
    """The function that the fixture returns.

    It runs the suite below pytest's temporary folder (models' answers come from the cache), and fails
    the test with the gate's own summary if it does not hold. Relative paths start at the folder of
    the test's file. Returns the result, for further assertions; None where the baseline was saved.
    """

    def __call__(
        self,
        suite: Path | str,
        *,
        baseline: Path | str,
        margins: Mapping[str, float | str] | None = None,
        require_power: float | None = None,
        overrides: Sequence[str] = (),
        measures: Sequence[str] = (),
    ) -> Gate | None: ...


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option `--mmragbench-save`."""
    parser.getgroup("mmragbench").addoption(
        "--mmragbench-save",
        action="store_true",
        help="write the baselines of mmragbench_gate anew instead of testing against them",
    )


@pytest.fixture
def mmragbench_gate(request: pytest.FixtureRequest, tmp_path: Path) -> GateTest:
    """A function that runs a suite, and fails the test where the gate does not hold."""
    here, save = request.path.parent, bool(request.config.getoption("--mmragbench-save"))

    def test(
        suite: Path | str,
        *,
        baseline: Path | str,
        margins: Mapping[str, float | str] | None = None,
        require_power: float | None = None,
        overrides: Sequence[str] = (),
        measures: Sequence[str] = (),
    ) -> Gate | None:
        import mmragbench
        from mmragbench.gating.gate_text import paragraph
        from mmragbench.gating.stored_baseline import Baseline

        path = here / suite
        with _one_line_failures():
            if not save:
                Baseline.read(here / baseline)  # before minutes are spent on the suite
            run = mmragbench.run(path if path.is_file() else suite, overrides, tmp_path / "runs")
            if save:
                mmragbench.save_baseline(run.folder, here / baseline, measures)
                return None
            result: Gate = mmragbench.gate(
                run.folder, here / baseline, margins, require_power, measures
            )
        if not result.holds:
            page = run.report if run.report.is_file() else run.folder
            advice = (
                f"What got worse is in {page}. Where the loss is meant, write the baseline anew "
                "with `pytest --mmragbench-save`; where it does not matter, give margins={measure: loss}"
            )
            pytest.fail(paragraph(result, advice), pytrace=False)
        return result

    return test


@contextmanager
def _one_line_failures() -> Iterator[None]:
    """Turns an error of a suite or baseline, or a full disk, into a failure of the test in one line,
    without a traceback."""
    from mmragbench.engine.interrupts import outside
    from mmragbench.errors import MmragbenchError
    from mmragbench.gating.stored_baseline import NoBaseline

    try:
        yield
    except NoBaseline as error:
        advice = "write one with `pytest --mmragbench-save`"
        raise pytest.fail.Exception(f"{error.problem}; {advice}", pytrace=False) from None
    except MmragbenchError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    except OSError as error:
        raise pytest.fail.Exception(str(outside(error)), pytrace=False) from None
