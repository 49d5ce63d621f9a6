"""Comparisons of what runs stored."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import mmragbench as mb
from mmragbench.cli.app import app
from mmragbench.comparing.baseline import against
from mmragbench.comparing.decomposition import CONTRASTS, gains, swap
from mmragbench.comparing.families import between
from mmragbench.comparing.pairs import NotComparable
from mmragbench.comparing.systems import System, of_systems
from mmragbench.errors import MmragbenchError
from mmragbench.run_folder.reading import open_run
from mmragbench.statistics import holm
from support import toy

STRATEGIES = {
    "no-retrieval": {},
    "random": {},
    "shared-space": {"encoder": "colours"},
    "images": {"use": "shared-space", "encoder": "colours", "document": "image"},
    "backwards": {"use": "support.toy:Backwards"},
    "oracle": {},
}
TASKS = {
    "text-to-image": {"measures": ["R@1", "RR"]},
    "captioning": {
        "generator": ["captioner", "nearest", "consensus"],
        "k": 3,
        "measures": ["R@5", "CIDEr", "Bleu_4"],
    },
    "image-generation": {"generator": "nearest", "measures": ["FID(colours)", "KID(colours)"]},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A finished run over coloured pictures."""
    import os

    import yaml

    root = tmp_path_factory.mktemp("comparing")
    os.environ["MMRAGBENCH_CACHE"] = str(root / "cache")
    data = toy.write_coco(root / "coco", memory=40, queries=24)
    content = toy.suite(data, strategies=STRATEGIES, tasks=TASKS, baseline="random")
    (root / "toy.yaml").write_text(yaml.safe_dump(content))
    return mb.run(root / "toy.yaml", output=root / "runs").folder


@pytest.fixture
def run(folder):
    return open_run(folder)


def test_a_difference_is_that_of_the_estimates(run):
    """Paired on the same queries, so it equals the difference of the two numbers, also for
    Bleu (by influences) and for FID and KID (by features)."""
    estimates = {(e.strategy, e.cell): e.estimate for e in run.evidence()}
    pairs = against(run, "random")
    assert {pair.measure for pair in pairs} == {
        "R@1", "RR", "R@5", "CIDEr", "Bleu_4", "FID(colours)", "KID(colours)"
    }  # fmt: skip
    for pair in pairs:
        cell = (pair.task, pair.generator, pair.k, pair.measure)
        expected = estimates[pair.a, cell] - estimates[pair.b, cell]
        assert pair.difference == pytest.approx(expected, abs=1e-6)
        assert pair.low <= pair.difference <= pair.high


def test_what_is_the_same_on_every_query_is_identical():
    """By value, not by a difference of zero."""
    from mmragbench.statistics import compare, compare_distances

    assert compare([0.5, 0.1, 0.3], [0.5, 0.1, 0.3]).identical
    assert not compare([0.5, 0.1, 0.3], [0.1, 0.5, 0.3]).identical
    x, y, z = np.random.default_rng(0).normal(size=(3, 20, 4))
    for distance in ("FID", "KID"):
        assert compare_distances(x, y, y, distance).identical
        assert not compare_distances(x, y, z, distance).identical


def test_what_is_plain_is_told(run):
    """In a world of colours, seeing colour beats looking at the end of the list; and a strategy
    is never told apart from itself."""
    pairs = {(p.a, p.b): p for p in against(run, "backwards", measures=["RR"])}
    assert pairs["shared-space", "backwards"].verdict == "better"
    assert pairs["shared-space", "backwards"].needed is None


def test_without_a_baseline_all_pairs_of_contenders_are_compared(run):
    """The controls are left out."""
    names = {frozenset((p.a, p.b)) for p in against(run, None, measures=["R@1"])}
    assert names == {
        frozenset(pair)
        for pair in [
            ("shared-space", "images"),
            ("shared-space", "backwards"),
            ("images", "backwards"),
        ]
    }


def test_a_baseline_without_a_number_gives_all_pairs(run):
    """`no-retrieval` has no R@1; the contenders are compared with each other instead."""
    assert len(against(run, "no-retrieval", measures=["R@1"])) == 3


def test_two_runs_are_compared_cell_by_cell(run):
    """A run does not differ from itself."""
    pairs = between(run, run)
    assert pairs
    assert all(pair.difference == 0 and pair.verdict == "identical" for pair in pairs)


def test_numbers_of_different_protocols_are_refused(run, tmp_path):
    """Another tokeniser is another number: the difference is named; --force overrules, and the
    row says so."""
    import shutil

    other = tmp_path / "other"
    shutil.copytree(run.path, other, ignore=shutil.ignore_patterns("files.json"))
    text = (other / "summary.json").read_text().replace("tok:ptb-py", "tok:other")
    (other / "summary.json").write_text(text)
    with pytest.raises(NotComparable, match="tok is ptb-py in one and other in the other"):
        between(run, open_run(other), measures=["CIDEr"])
    forced = between(run, open_run(other), measures=["CIDEr"], force=True)
    assert all("tok is ptb-py" in pair.forced for pair in forced)


def test_the_share_of_the_headroom(run):
    """The oracle has gained all of it; what is gained and what is missing add up."""
    for gain in gains(run):
        assert gain.gained + gain.missing == pytest.approx(gain.ceiling - gain.floor)
        assert gain.strategy not in ("oracle", "random", "no-retrieval")
    captions = {g.strategy: g for g in gains(run, ["CIDEr"])}
    assert captions["shared-space"].floor_of == "no-retrieval (captioner)"


def test_a_swap_splits_a_difference_without_remainder(run):
    """By retrieval and by generation, which add up to the whole, query by query."""
    for parts_of_swap in swap(
        run, System("shared-space", "consensus-k3"), System("backwards", "nearest-k1")
    ):
        parts = parts_of_swap.retrieval.difference + parts_of_swap.generation.difference
        assert parts == pytest.approx(parts_of_swap.total.difference, abs=1e-9)
        assert np.isfinite(parts_of_swap.interaction.difference)


def test_a_swaps_parts_are_corrected_together(run):
    """Over all that is shown, by every measure; the command line says that they are exploratory."""
    swaps = swap(run, System("shared-space", "consensus-k3"), System("backwards", "nearest-k1"))
    parts = [getattr(s, name) for s in swaps for name in CONTRASTS]
    tested = [part for part in parts if part.p_value is not None]
    assert len(tested) >= 4
    assert [part.p_holm for part in tested] == holm([part.p_value for part in tested])
    systems = "shared-space/consensus-k3,backwards/nearest-k1"
    done = CliRunner().invoke(app, ["compare", str(run.path), "--swap", systems])
    assert "Exploratory; corrected (Holm) over the parts shown." in done.output


def test_a_swap_without_its_four_cells_says_what_there_is(run):
    """A generator that was not run after both strategies."""
    with pytest.raises(MmragbenchError, match="shared-space/consensus-k3"):
        swap(run, System("shared-space", "consensus-k3"), System("backwards", "consensus-k9"))


def test_two_systems_of_other_generators_are_compared(run):
    """By query, as their values stand in the run; corrected among themselves."""
    a, b = System("shared-space", "consensus-k3"), System("backwards", "nearest-k1")
    numbers = {(str(e.measure), System.of(e)): e for e in run.evidence(["CIDEr"])}
    pairs = {pair.measure: pair for pair in of_systems(run, a, b)}
    assert len(pairs) >= 2
    for measure in ("CIDEr",):
        first, second = (numbers[measure, system].values for system in (a, b))
        expected = np.mean([first[query] - second[query] for query in first.keys() & second])
        assert pairs[measure].difference == pytest.approx(expected)
        assert (pairs[measure].a, pairs[measure].b) == (str(a), str(b))
    secondary = [pair for pair in pairs.values() if pair.family == "secondary"]
    assert {pair.tests for pair in secondary} == {len(secondary)}
    with pytest.raises(MmragbenchError, match="it has .*'shared-space/consensus-k3'"):
        of_systems(run, a, System("backwards", "consensus-k9"))


@pytest.mark.parametrize(
    "arguments, exit_code",
    [
        ([], 0),
        (["--systems", "images/nearest-k1,shared-space/consensus-k3"], 0),
        (["--systems", "images/nearest-k1"], 1),
        (["--baseline", "all"], 0),
        (["--measures", "CIDEr", "--json"], 0),
        (["--swap", "images/nearest-k1,shared-space/consensus-k3"], 0),
        (["--slice", "none"], 1),
    ],
)
def test_the_command_line(folder, arguments, exit_code):
    """Tables or rows; what can't be is an error."""
    done = CliRunner().invoke(app, ["compare", str(folder), *arguments])
    assert done.exit_code == exit_code, done.output
    if "--json" in arguments:
        assert {row["measure"] for row in json.loads(done.output)} == {"CIDEr"}
