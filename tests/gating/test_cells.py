"""A cell's verdict from its values before and now."""

from __future__ import annotations

import numpy as np
import pytest

from mmragbench.gating.baseline import CellLine
from mmragbench.gating.cells import Paired, judge

N = 400


def paired(before, now, measure="R@10", margin=0.02, **numbers) -> Paired:
    before, now = (np.asarray(side, dtype=np.float32) for side in (before, now))
    line = CellLine(
        task="t", strategy=numbers.get("strategy", "s"), generator=None, k=None, measure=measure, n=len(before), n_failed=0,
        signature="R@10", estimate=numbers.get("estimate", float(np.nan_to_num(before).mean())),
    )  # fmt: skip
    ids = [f"q{i}" for i in range(len(before))]
    estimate = numbers.get("reached", float(np.nan_to_num(now).mean()))
    return Paired(line, estimate, margin, ids, ids, before, now)


def test_of_a_distance_more_is_worse():
    """FID that rises by half is a regression, FID that falls is not; for R@10 it is the reverse."""
    rng = np.random.default_rng(0)
    before = rng.gamma(2.0, 10.0, N)
    up, down = (
        judge([paired(before, before * factor, "FID(clip)", 1.0)])[0] for factor in (1.5, 0.5)
    )
    assert (up.verdict, down.verdict) == ("regressed", "holds")
    assert up.loss == pytest.approx(before.mean() / 2, rel=1e-5)
    (hits,) = judge([paired(np.ones(N), np.zeros(N))])
    assert (hits.verdict, hits.loss) == ("regressed", 1.0)


def test_more_cells_that_changed_need_more_evidence():
    """Holm's correction: what is shown alone is not shown in a large family."""
    now = np.ones(N)
    now[:9] = 0
    alone = judge([paired(np.ones(N), now)])[0]
    others = [
        paired(np.ones(N), np.roll(np.arange(N) >= 9, i), strategy=f"s{i}") for i in range(50)
    ]
    many = judge([paired(np.ones(N), now), *others])[0]
    assert (alone.verdict, many.verdict) == ("regressed", "can't tell")
    assert many.needed > alone.needed


def test_cells_that_did_not_change_cost_nothing():
    """A replay of a hundred cells beside it corrects nothing."""
    now = np.ones(N)
    now[:9] = 0
    alone = judge([paired(np.ones(N), now)])[0]
    beside = judge([paired(np.ones(N), now), *[paired(np.ones(N), np.ones(N))] * 100])[0]
    assert (beside.p_holds, beside.p_lost) == (alone.p_holds, alone.p_lost)


def test_a_hundredth_of_the_margin_is_no_change():
    """Other hardware rounds otherwise: that is no sample of anything."""
    before = np.random.default_rng(0).random(N)
    assert judge([paired(before, before - 1e-5)])[0].verdict == "unchanged"
    assert judge([paired(before, before - 1e-3)])[0].verdict == "holds"


def test_a_measure_without_values_is_compared_by_its_number():
    """The same number is unchanged; another one can't be tested."""
    none = np.full(N, np.nan)
    same = judge([paired(none, none, estimate=0.3, reached=0.3)])[0]
    other = judge([paired(none, none, estimate=0.3, reached=0.31)])[0]
    assert (same.verdict, other.verdict) == ("unchanged", "can't tell")


def test_a_margin_of_nothing_tests_nothing():
    """5 % of a baseline of zero: a replay passes, any change can't be told."""
    zero = np.zeros(N)
    assert judge([paired(zero, zero, margin=0.0)])[0].verdict == "unchanged"
    assert judge([paired(zero, zero + 0.1, margin=0.0)])[0].verdict == "can't tell"
