"""The test of equivalence: its level where the truth is the margin, its power, and its command."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
import yaml
from numpy.random import Generator
from scipy.stats import ttest_1samp
from typer.testing import CliRunner

import mmragbench as mb
from mmragbench.cli.app import app
from mmragbench.comparing.equivalence import equivalences
from mmragbench.errors import MmragbenchError
from mmragbench.run_folder.reading import open_run
from mmragbench.statistics import equivalence_p_value, holm
from support import toy

Sample = Callable[[Generator, int], tuple[np.ndarray, np.ndarray, np.ndarray]]


def rare(rng: Generator, n: int):
    """One misses 2 % of what the other hits."""
    a = (rng.random(n) < 0.98).astype(float)
    return a, a * (rng.random(n) >= 0.02 / 0.98), np.arange(n)


def skewed(rng: Generator, n: int):
    """A tenth of the queries score 4; one in eight of those loses everything: 0.05 on average."""
    a = np.where(rng.random(n) < 0.1, 4.0, 0.0)
    jitter = np.abs(rng.normal(0, 0.01, n))
    return a + jitter, a * (rng.random(n) >= 0.125) + jitter.mean(), np.arange(n)


def rarest(rng: Generator, n: int):
    """0.6 % of the queries are lost, and they had 8; a sample may hold none of them."""
    jitter = np.abs(rng.normal(0, 0.01, n))
    return np.where(rng.random(n) < 0.05 / 8, 8.0, 0.0) + jitter, jitter, np.arange(n)


def clustered(rng: Generator, n: int):
    """Five queries an image, whose difference is the image's; 0.05 on average."""
    images = np.arange(n // 5).repeat(5)
    a = 2 + rng.gamma(2, 1, n)
    return a, a - 0.05 + rng.normal(0, 0.2, n // 5).repeat(5) + rng.normal(0, 0.2, n), images


HITS, SCORES = (0.0, 1.0), (0.0, 10.0)


@pytest.mark.parametrize(
    ("draw", "margin", "bounds"),
    [
        (rare, 0.02, HITS),
        (rare, 0.02, None),
        (skewed, 0.05, SCORES),
        (skewed, 0.05, None),
        (rarest, 0.05, SCORES),
        (clustered, 0.05, SCORES),
    ],
)
@pytest.mark.parametrize("n", [50, 200, 1_000])
def test_a_difference_of_the_margin_is_seldom_called_equivalent(
    draw: Sample, margin: float, bounds: tuple[float, float] | None, n: int
):
    """In at most 5.5 % of data sets, and three Monte Carlo errors (1,000 of them)."""
    rng = np.random.default_rng(n)
    rejected = []
    for _ in range(1_000):
        a, b, clusters = draw(rng, n)
        rejected.append(equivalence_p_value(a, b, margin, clusters, bounds) <= 0.05)
    assert np.mean(rejected) <= 0.055 + 3 * np.sqrt(0.05 * 0.95 / 1_000)


def test_two_systems_that_are_alike_are_shown_to_be():
    """With 2,000 queries that differ by noise of 0.2 around nothing, a margin of 0.02 is shown; with
    50, it is not."""
    rng = np.random.default_rng(0)
    shown = dict.fromkeys((50, 2000), 0)
    for n in shown:
        for _ in range(50):
            a = rng.uniform(0.3, 0.7, n)
            shown[n] += equivalence_p_value(a, a + rng.normal(0, 0.2, n), 0.02) <= 0.05
    assert shown[50] == 0
    assert shown[2_000] >= 45


def test_it_is_about_what_two_t_tests_say():
    """For many normal differences the larger of scipy's two one-sided p-values, and a little more
    for the imagined group."""
    rng = np.random.default_rng(1)
    for shift in (-0.002, 0.0, 0.002):
        a = rng.uniform(0.3, 0.7, 20_000)
        b = a + rng.normal(shift, 0.2, 20_000)
        sides = [
            ttest_1samp(a - b, -0.003, alternative="greater").pvalue,
            ttest_1samp(a - b, 0.003, alternative="less").pvalue,
        ]
        assert 0 < equivalence_p_value(a, b, 0.003) - max(sides) < 0.03


def test_agreement_proves_no_more_than_so_many_queries_can():
    """20 hits of 20 on both sides don't show that hits differ by less than 2 points; 1,000 do. It
    is the same whoever comes first."""
    assert equivalence_p_value(np.ones(20), np.ones(20), 0.02) > 0.05
    assert equivalence_p_value(np.ones(1_000), np.ones(1_000), 0.02) < 0.05
    a, b, _ = rare(np.random.default_rng(2), 300)
    assert equivalence_p_value(a, b, 0.05) == equivalence_p_value(b, a, 0.05)
    with pytest.raises(ValueError, match="margin above zero"):
        equivalence_p_value(a, b, 0.0)
    with pytest.raises(ValueError, match="same queries; got 300 and 1"):
        equivalence_p_value(a, [1.0], 0.1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A finished run over coloured pictures, with one strategy twice."""
    root = tmp_path_factory.mktemp("equivalence")
    strategies = {
        "no-retrieval": {},
        "random": {},
        "shared-space": {"encoder": "colours"},
        "again": {"use": "shared-space", "encoder": "colours"},
        "backwards": {"use": "support.toy:Backwards"},
    }
    tasks = {
        "text-to-image": {"measures": ["RR", "Success@1"]},
        "captioning": {
            "generator": ["captioner", "nearest"],
            "k": 3,
            "measures": ["CIDEr", "Bleu_4"],
        },
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMRAGBENCH_CACHE", str(root / "cache"))
        data = toy.write_coco(root / "coco", memory=24, queries=16)
        (root / "toy.yaml").write_text(
            yaml.safe_dump(toy.suite(data, strategies=strategies, tasks=tasks))
        )
        return mb.run(root / "toy.yaml", output=root / "runs").folder


def test_a_family_is_a_tasks_pairs_by_one_measure(folder):
    """Of contenders, and of those with each control; asking for one measure moves no verdict."""
    run = open_run(folder)
    every = equivalences(run)
    families: dict[object, list] = {}
    for pair in every:
        families.setdefault((pair.task, pair.measure, pair.against), []).append(pair)
    for members in families.values():
        assert [e.p_holm for e in members] == holm([e.p_value for e in members])
    assert {e.against for e in every} == {None, "random"}
    assert [e for e in every if e.measure == "RR"] == equivalences(run, measures=["RR"])


def test_a_strategy_is_as_good_as_itself_by_a_margin_that_so_few_queries_bear(folder):
    """Not by 0.02, for which there are too few; by half of the scale."""
    run = open_run(folder)
    pair = {"shared-space", "again"}
    for margin, shown in ((0.02, False), (0.5, True)):
        tests = equivalences(run, {"Success": margin}, ["Success@1"])
        (same,) = [e for e in tests if {e.a, e.b} == pair]
        assert (same.difference, same.margin, same.equivalent) == (0, margin, shown)


@pytest.mark.parametrize(
    ("arguments", "exit_code", "text"),
    [
        ([], 0, "not shown"),
        (["--measures", "Success@1", "--margin", "Success@1=0.5"], 0, "equivalent within ±0.5"),
        (["--margin", "CIDEr=5%"], 1, "own scale"),
        (["--margin", "CIDEr"], 1, "write MEASURE"),
        (["--measures", "recall"], 1, "recall"),
    ],
)
def test_the_command_line(folder, arguments, exit_code, text):
    """A table; what can't be is an error of one line."""
    done = CliRunner().invoke(app, ["equivalence", str(folder), *arguments])
    assert done.exit_code == exit_code
    if exit_code:
        assert isinstance(done.exception, MmragbenchError)
    assert text in (str(done.exception) if exit_code else done.output)


def test_rows(folder):
    """As JSON, with the verdict."""
    done = CliRunner().invoke(app, ["equivalence", str(folder), "--json"])
    rows = json.loads(done.output)
    assert {row["equivalent"] for row in rows} <= {True, False}
    assert {row["measure"] for row in rows} == {"RR", "Success@1", "CIDEr", "Bleu_4"}


def test_equivalence_over_seeds_has_both_sources_of_variation():
    """With equal seeds it is the test of one; seeds that lie far apart take the equivalence away, although
    their mean over queries is the same."""
    rng = np.random.default_rng(7)
    a = rng.normal(0.5, 0.05, 200)
    b = a + rng.normal(0, 0.02, 200)
    one = equivalence_p_value(a, b, 0.02, bounds=(0, 1))
    assert one < 0.05
    assert equivalence_p_value(np.stack([a, a, a]), b, 0.02, bounds=(0, 1)) == one
    apart = a + np.array([[-0.05], [0.0], [0.05]])
    assert equivalence_p_value(apart, b, 0.02, bounds=(0, 1)) > 0.05
