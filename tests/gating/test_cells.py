"""A cell's verdict from its values before and now."""

from __future__ import annotations

import numpy as np
import pytest

from mmragbench.gating.cell_results import PairedValues, judge
from mmragbench.gating.stored_baseline import CellLine

N = 400


def paired(before, now, measure="R@10", margin=0.02, **numbers) -> PairedValues:
    before, now = (np.asarray(side, dtype=np.float32) for side in (before, now))
    line = CellLine(
        task="t", strategy=numbers.get("strategy", "s"), generator=None, k=None, measure=measure, n=len(before), n_failed=0,
        signature="R@10", estimate=numbers.get("estimate", float(np.nan_to_num(before).mean())),
    )  # fmt: skip
    ids = [f"q{i}" for i in range(len(before))]
    estimate = numbers.get("reached", float(np.nan_to_num(now).mean()))
    bounds, family = numbers.get("bounds"), numbers.get("family", "secondary")
    lower = measure.startswith("FID")
    return PairedValues(line, estimate, margin, ids, ids, before, now, bounds, family, lower)


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


def test_holding_needs_no_correction():
    """All cells have to hold, so that more of them make a wrong pass of the gate less likely."""
    now = np.ones(N)
    now[:1] = 0
    others = [
        paired(np.ones(N), np.roll(np.arange(N) >= 9, i), strategy=f"s{i}") for i in range(50)
    ]
    alone, *_ = judge([paired(np.ones(N), now)])
    beside, *_ = judge([paired(np.ones(N), now), *others])
    assert alone.verdict == beside.verdict == "holds"
    assert alone.p_holds == beside.p_holds


def test_a_tasks_primary_measure_is_a_family_of_its_own():
    """What the other measures say does not weaken it."""
    now = np.ones(N)
    now[:9] = 0
    others = [
        paired(np.ones(N), np.roll(np.arange(N) >= 9, i), strategy=f"s{i}") for i in range(50)
    ]
    first, *_ = judge([paired(np.ones(N), now, "Success@1", family="primary"), *others])
    last, *_ = judge([paired(np.ones(N), now, "Success@1"), *others])
    assert (first.verdict, last.verdict) == ("regressed", "can't tell")
    assert first.power > last.power


def test_a_measure_that_says_what_the_primary_says_has_its_verdict():
    """It is no member of the family of the others."""
    now = np.ones(N)
    now[:9] = 0
    others = [
        paired(np.ones(N), np.roll(np.arange(N) >= 9, i), strategy=f"s{i}") for i in range(50)
    ]
    same = [
        paired(np.ones(N), now, "R@1"),
        paired(np.ones(N), now, "Success@1", family="primary"),
    ]
    one, other, *_ = judge([*same, *others])
    assert one.verdict == other.verdict == "regressed"
    assert one.p_lost == other.p_lost


def test_measures_that_say_the_same_are_tested_once():
    """R@1 with five relevant documents is a fifth of Success@1 in every query: together they cost
    what one costs. A measure that differs in one query of one system is another."""
    before, now = np.ones(N), np.ones(N)
    now[:9] = 0
    other = now.copy()
    other[20] = 0

    def p_lost(*systems) -> float:
        pairs = [
            paired(scale * before, scale * after, name, strategy=f"s{at}", bounds=(0.0, scale))
            for at, (first, second) in enumerate(systems)
            for name, scale, after in (("Success@1", 1.0, first), ("R@1", 0.2, second))
        ]
        return judge(pairs)[0].p_lost

    alone = judge([paired(before, now, "Success@1", bounds=(0.0, 1.0))])[0].p_lost
    assert p_lost((now, now)) == pytest.approx(alone)
    assert p_lost((now, now), (now, now)) == pytest.approx(2 * alone)
    # four hypotheses, of which Holm's correction takes the one with ten lost queries first
    assert p_lost((now, now), (now, other)) == pytest.approx(3 * alone)


def test_the_scale_is_the_largest_loss():
    """Nothing was lost on 400 queries: of a measure that reaches 10, that is no proof."""
    before = np.full(N, 0.5)
    before[0] = 1
    now = before + 0.01
    known, unknown = (
        judge([paired(before, now, "CIDEr", 0.05, bounds=bounds)])[0]
        for bounds in ((0.0, 10.0), None)
    )
    assert (known.verdict, unknown.verdict) == ("can't tell", "holds")
    assert known.power < 0.05 < unknown.power
    assert known.needed > N


def test_where_the_margin_excludes_nothing_any_loss_that_is_shown_counts():
    """24 hits of 3,000, and a margin of 60: they may all be lost. That is shown, and fails; a hit
    that is lost may be chance, and passes, without any power."""
    before = (np.arange(3_000) < 24).astype(float)
    one = before.copy()
    one[0] = 0
    all_lost, some, none = (
        judge([paired(before, now, bounds=(0.0, 1.0))])[0] for now in (np.zeros(3_000), one, before)
    )
    assert [c.verdict for c in (all_lost, some, none)] == ["regressed", "holds", "unchanged"]
    for cell in (all_lost, some, none):
        assert not cell.can_fail
        assert (cell.power, cell.needed, cell.p_holds) == (None, None, None)
    assert judge([paired(before, one, margin=0.007)])[0].can_fail
    assert judge([paired(before, one, "FID(clip)", margin=0.02)])[0].can_fail
