"""The test behind the gate: its likelihood, its level, its power."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import binom, norm

from mmragbench.statistics import Design, loss
from mmragbench.statistics.noninferiority import mean_is_positive
from mmragbench.statistics.resampling import Clusters


def likelihood_ratio(values: np.ndarray) -> float:
    """The same by brute force: the likeliest weights with mean zero, found by a general optimiser."""
    n = len(values)
    optimum = minimize(
        lambda w: -np.log(n * w).sum(),
        np.full(n, 1 / n),
        jac=lambda w: -1 / w,
        bounds=[(1e-9, 1)] * n,
        constraints=[
            {"type": "eq", "fun": lambda w: w.sum() - 1},
            {"type": "eq", "fun": lambda w: w @ values},
        ],
        method="SLSQP",
        options={"maxiter": 500, "ftol": 1e-12},
    )
    return 2 * optimum.fun


@pytest.mark.parametrize("seed", range(5))
def test_the_likelihood_is_the_largest_there_is(seed):
    """Owen's ratio by its one equation is the ratio that an optimiser over all weights finds."""
    values = np.random.default_rng(seed).gamma(1.0, 1.0, 15) - 0.8
    root = np.sign(values.mean()) * np.sqrt(likelihood_ratio(values))
    assert mean_is_positive(values) == pytest.approx(norm.sf(root), abs=1e-5)


def test_one_side_of_zero_leaves_nothing_to_weigh():
    """All above zero: certain; none above: not at all."""
    assert mean_is_positive(np.array([0.0, 1.0, 2.0])) == 0.0
    assert mean_is_positive(np.array([0.0, -1.0])) == 1.0
    assert mean_is_positive(np.zeros(3)) == 1.0


def test_the_number_of_queries_bounds_what_no_loss_can_show():
    """Nothing was lost on n queries: as convincing as an exact binomial test says, and no more."""
    for n in (50, 150, 400, 1_000):
        losses = np.zeros(n)
        losses[0] = -0.001  # something changed
        none, one = binom.cdf([0, 1], n, 0.02)
        assert none <= loss(losses, 0.02, 1.0).p_holds <= 2 * one


@pytest.mark.parametrize("lost, gained, groups", [(0.02, 0.0, 400), (0.30, 0.28, 200)])
def test_a_loss_of_the_margin_passes_in_five_percent_at_most(lost, gained, groups):
    """The level is kept, with sparse losses and with many; 3 standard errors are allowed."""
    rng = np.random.default_rng(0)
    u = rng.random((1_500, groups))
    flips = np.where(u < lost, 1.0, np.where(u < lost + gained, -1.0, 0.0))
    passes = np.mean([loss(x, 0.02, 1.0).p_holds <= 0.05 for x in flips])
    assert passes <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 1_500)


def test_queries_of_one_group_are_not_independent():
    """Five queries that are lost together count as one: less is shown than by five apart."""
    one_by_one = np.zeros(500)
    one_by_one[:5] = 1
    together = np.repeat(np.eye(1, 100)[0], 5)
    assert one_by_one.sum() == together.sum() == 5
    groups = np.repeat(np.arange(100), 5)
    apart = loss(one_by_one, 0.05, 1.0).p_holds
    assert loss(together, 0.05, 1.0, groups).p_holds > 10 * apart


@pytest.mark.parametrize("alpha", [0.05, 0.0025])
def test_the_promised_power_is_there(alpha):
    """A loss of the margin's size is shown as often as promised, and in 80 % with those needed."""
    rng = np.random.default_rng(1)
    design = Design(300, 300, 0.05, worst=1.0, largest=1.0, alpha=alpha)
    for groups, promised in ((300, design.power()), (design.needed(), 0.8)):
        losses = (rng.random((1_500, groups)) < 0.05).astype(float)
        shown = np.mean([x.any() and loss(x, 0.05, 1.0).p_lost <= alpha for x in losses])
        assert shown == pytest.approx(promised, abs=0.04)


def test_a_wide_spread_lowers_the_power():
    """Losses of the sample say more than the sparse model where they say less: a loss that is
    spread like them is shown as often as promised, and in 80 % with the queries needed."""
    rng = np.random.default_rng(2)
    alone = Design(400, 400, 0.05, 1.0, 1.0)
    calm, wild = (replace(alone, losses=Clusters.of(rng.normal(0, sd, 400))) for sd in (0.02, 0.8))
    assert calm.power() == alone.power()
    for queries, promised in ((400, wild.power()), (wild.needed(), 0.8)):
        shown = np.mean([
            loss(rng.normal(0.05, 0.8, queries), 0.05, 1.0).p_lost <= 0.05 for _ in range(500)
        ])  # fmt: skip
        assert promised < 0.81
        assert shown == pytest.approx(promised, abs=0.08)


@pytest.mark.parametrize("n, share, score", [(100, 0.1, 4.0), (400, 0.1, 4.0), (200, 0.0125, 4.0)])
def test_rare_large_losses_do_not_pass(n, share, score):
    """A mean loss of the margin that few queries bear passes in 5 % at most, although a sample may
    show none of them; what the scores are on average, as the largest loss, would let it pass."""
    rng = np.random.default_rng(n)
    passes = np.zeros(2)
    for _ in range(400):
        rich = rng.random(n) < share
        before = np.where(rich, score, 0.1 * rng.gamma(1.0, size=n))
        gone = rich & (rng.random(n) < 0.05 / (share * score))
        losses = np.where(gone, score, 0.02 * rng.normal(size=n))
        p = [loss(losses, 0.05, worst).p_holds for worst in (10.0, before.mean())]
        passes += np.asarray(p) <= 0.05
    assert passes[0] <= 400 * (0.05 + 3 * np.sqrt(0.05 * 0.95 / 400))
    assert n == 400 or passes[1] > 400 * 0.08


def test_the_power_of_large_scales_is_there():
    """The loss comes in parts smaller than the scale: as often shown as promised."""
    rng = np.random.default_rng(3)
    design = Design(1_000, 1_000, 0.05, worst=10.0, largest=4.0)
    losses = 4.0 * (rng.random((1_000, 1_000)) < 0.05 / 4)
    shown = np.mean([loss(x, 0.05, 10.0).p_lost <= 0.05 for x in losses])
    assert 0.5 < design.power() < 0.9
    assert shown == pytest.approx(design.power(), abs=0.05)


@pytest.mark.parametrize("losses, margin", [([], 0.02), ([0.1], 0.0), ([float("nan")], 0.02)])
def test_what_can_not_be_tested_is_refused(losses, margin):
    """No query, no margin, no number."""
    with pytest.raises(ValueError, match="margin|finite"):
        loss(losses, margin, 1.0)


@pytest.mark.parametrize("lost", [1, 8, 20])
def test_hits_that_are_only_lost_have_the_binomials_power(lost):
    """However many of a sample's hits were lost: a spread that comes from the losses themselves says
    nothing about the power to show them."""
    losses = np.zeros(400)
    losses[:lost] = 1.0
    spread = Design(400, 400, 0.02, 1.0, 1.0, Clusters.of(losses))
    sparse = replace(spread, losses=None)
    assert spread.power() == sparse.power()
    assert spread.needed() == sparse.needed()
    losses[-lost:] = -1.0
    assert replace(spread, losses=Clusters.of(losses)).power() <= sparse.power()
