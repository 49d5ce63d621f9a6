"""What is corrected together, and that one pair has one verdict."""

from __future__ import annotations

import importlib
import json
import sys
from itertools import combinations

import numpy as np
import pytest
from typer.testing import CliRunner

from mmragbench import load
from mmragbench._files import write_rows
from mmragbench.cli.app import app
from mmragbench.comparing.baseline import against
from mmragbench.comparing.families import between, judged, within
from mmragbench.comparing.hypotheses import Hypothesis
from mmragbench.comparing.stored import comparisons
from mmragbench.reporting.page.page import render
from mmragbench.reporting.tables.paper_tables import tables
from mmragbench.reporting.tables.request import Request
from mmragbench.reporting.words.verdicts import verdicts
from mmragbench.run_folder.numbers import Evidence
from mmragbench.run_folder.reading import Run
from mmragbench.statistics import compare_differences, holm
from support import stated
from support.paths import ROOT

sys.path.append(str(ROOT / "benchmarks"))
write_run = importlib.import_module("comparisons").write_run

CONTENDERS = ("able", "better", "close", "dull")
GROUPS = [f"photograph-{i // 2}" for i in range(120)]
HALF = range(60)


def systems(names=(*CONTENDERS, "random", "oracle"), queries=120, seed=3):
    """Hits, and measures that say the same as hits or something else."""
    draw = np.random.default_rng(seed)
    hard = draw.normal(size=queries)
    values_by_system = {}
    for i, name in enumerate(names):
        hits = (draw.normal(size=queries) + hard > 0.3 * i).astype(float)
        noise = draw.random(queries)
        values_by_system[name] = {
            "Success@1": hits,
            "R@1": hits / 5,
            "RR": np.maximum(hits, 0.5 * noise),
            "AP": np.maximum(hits, 0.5 * noise),
            "nDCG@10": np.maximum(hits, noise),
        }
    return values_by_system


@pytest.fixture
def written(tmp_path):
    """A run with these scores, and its comparisons as a run stores them."""

    def write(values=None, name="run", **more):
        run = write_run(tmp_path / name, values or systems(), GROUPS, {"half": HALF}, **more)
        write_rows(run / "comparisons.json", [pair.row() for pair in within(Run(run))])
        return run

    return write


def named(pairs):
    return {(p.measure, p.slice, p.a, p.b): p for p in pairs}


def test_a_family_is_corrected_by_itself(written):
    """p and Holm's p again from the scores: contenders by the primary measure; the other measures
    that say something else; each control; all slices."""
    values = systems()
    pairs = comparisons(Run(written(values, primary="RR")))

    def p_values(measures, of, places=range(120)):
        return [
            compare_differences(
                (values[b][measure] - values[a][measure])[list(places)],
                [GROUPS[i] for i in places],
                (-1, 1),
            ).p_value
            for measure in measures
            for a, b in of
        ]

    contenders = list(combinations(CONTENDERS, 2))
    chance = [("random", name) for name in CONTENDERS]
    for family, expected in {
        "primary": p_values(["RR"], contenders),
        "secondary": p_values(["Success@1", "nDCG@10"], contenders),
        "primary against random": p_values(["RR"], chance),
        "slices": p_values(["RR", "Success@1", "nDCG@10"], contenders, HALF),
    }.items():
        own = [p for p in pairs if p.family == family and p.measure not in ("AP", "R@1")]
        assert {p.tests for p in own} == {len(expected)}
        assert [p.p_value for p in own] == pytest.approx(expected, rel=1e-9)
        assert [p.p_holm for p in own] == pytest.approx(holm(expected), rel=1e-9)


def test_what_says_the_same_is_tested_once(written):
    """R@1 is a fifth of Success@1, AP is RR: the same family, p and verdict, and a difference and
    interval of its own size. So the verdicts are those of a run that was asked for neither."""
    values = systems()
    pairs = named(comparisons(Run(written(values))))
    few = {n: {m: m_of[m] for m in ("Success@1", "RR", "nDCG@10")} for n, m_of in values.items()}
    asked_less = named(comparisons(Run(written(few, "few"))))
    assert all(pairs[key] == pair for key, pair in asked_less.items())
    for (measure, *key), pair in pairs.items():
        if measure in ("R@1", "AP"):
            first, size = {"R@1": ("Success@1", 0.2), "AP": ("RR", 1.0)}[measure]
            other = pairs[first, *key]
            for name in ("family", "tests", "p_value", "p_holm", "verdict", "needed", "n"):
                assert getattr(pair, name) == getattr(other, name)
            for name in ("difference", "low", "high"):
                assert getattr(pair, name) == pytest.approx(size * getattr(other, name), abs=1e-12)


def test_a_copy_of_the_primary_measure_is_in_its_family(written):
    """Whichever of the two the suite calls primary, and in whichever order they are listed."""
    one, two = (
        named(comparisons(Run(written(name=name[:3], primary=name))))
        for name in ("Success@1", "R@1")
    )
    for key, pair in one.items():
        assert (pair.family, pair.tests, pair.verdict) == (
            two[key].family,
            two[key].tests,
            two[key].verdict,
        )
    assert {
        p.family for (m, s, _, b), p in one.items() if (m, s) == ("R@1", "all") and b in CONTENDERS
    } == {"primary"}


def test_measures_that_agree_on_some_strategies_only_are_two(written):
    """Proportional for all strategies at once, not each by its own factor or most of them."""
    values = systems()
    values["dull"]["R@1"] = values["dull"]["Success@1"] / 4
    families = {p.measure: p.family for p in comparisons(Run(written(values))) if p.slice == "all"}
    assert (families["Success@1"], families["R@1"]) != ("primary", "primary")


def test_pairs_that_never_differ_are_in_no_family(written):
    """Identical on all queries: no p-value, no number of queries that would tell, and the others'
    correction does not count it."""
    values = systems()
    alone = named(comparisons(Run(written({n: v for n, v in values.items() if n != "dull"}))))
    values["dull"] = values["able"]
    pairs = named(comparisons(Run(written(values, "same"))))
    pair = pairs["Success@1", "all", "dull", "able"]
    assert (pair.verdict, pair.family, pair.p_value, pair.p_holm) == ("identical", None, None, None)
    assert (pair.difference, pair.needed, pair.n) == (0, None, 120)
    usual = alone["Success@1", "all", "better", "able"].tests
    assert pairs["Success@1", "all", "better", "able"].tests == usual + 2  # better, close with dull


def test_equal_strategies_are_seldom_called_better():
    """Three that differ by chance alone, with measures that say the same beside each other: in at
    most 5 % of 200 data sets is any called better or worse (two Monte Carlo errors added); without
    the correction it would be in some 12 %."""
    draw = np.random.default_rng(0)
    queries = [f"q{i}" for i in range(60)]
    groups = dict(zip(queries, queries, strict=True))

    def evidence(name, measure, values):
        scores = dict(zip(queries, map(float, values), strict=True))
        cell = ("t", name, None, None, stated.measure(measure))
        return Evidence(*cell, 0.0, "", scores, bounds=(0, float(max(1, *values))))

    significant = bare = 0
    for _ in range(200):
        hits = {name: draw.random(60) < 0.5 for name in CONTENDERS[1:]}
        hypotheses = [
            Hypothesis(evidence(a, m, x * hits[a]), evidence(b, m, x * hits[b]), (a, b), "primary")
            for m, x in (("Success@1", 1), ("R@1", 1))
            for a, b in combinations(hits, 2)
        ]
        pairs = judged(hypotheses, lambda task, slice: groups)
        assert {pair.tests for pair in pairs} <= {None, 3}
        significant += any(pair.verdict in ("better", "worse") for pair in pairs)
        bare += any(pair.p_value is not None and pair.p_value <= 0.05 for pair in pairs)
    assert significant / 200 <= 0.05 + 2 * 0.015 < bare / 200


def test_more_queries_are_needed_than_there_were(written):
    """Wherever no difference was shown, and more than the test alone would need."""
    pairs = comparisons(Run(written()))
    undecided = [pair for pair in pairs if pair.verdict == "can't tell" and pair.needed]
    assert undecided
    assert all(pair.needed > pair.n for pair in undecided)


def test_what_is_shown_moves_no_verdict(written):
    """By measures, by baseline, by slice: a choice of the same rows."""
    run = Run(written())
    whole = named(comparisons(run))
    for baseline in (None, "able", "random", "dull"):
        for slice in ("all", "half"):
            for measures in ((), ("RR",), ("R@1", "nDCG@10")):
                shown = against(run, baseline, slice, measures)
                assert shown
                for pair in shown:
                    key = (pair.measure, pair.slice, pair.a, pair.b)
                    same = (
                        whole[key] if key in whole else whole[(*key[:2], pair.b, pair.a)].turned()
                    )
                    assert pair == same
                    assert baseline in (None, pair.b)


def test_one_pair_has_one_verdict_everywhere(written):
    """`compare` with any options, the data frames, the answers and papers' marks say the same p."""
    folder = written(baseline="random", primary="RR")
    stored = {
        (p["measure"], p["a"], p["b"]): p["p_holm"]
        for p in json.loads((folder / "comparisons.json").read_text())
        if p["slice"] == "all"
    }
    for options in ([], ["--measures", "RR"], ["--baseline", "all"], ["--baseline", "oracle"]):
        done = CliRunner().invoke(app, ["compare", str(folder), "--json", *options])
        assert done.exit_code == 0, done.output
        rows = json.loads(done.output)
        assert rows
        assert all(row["p_holm"] == stored[row["measure"], row["a"], row["b"]] for row in rows)
    frame = load(folder).comparisons.query("slice == 'all'")
    assert {(row.measure, row.a, row.b): row.p_holm for row in frame.itertuples()} == stored
    for request in (Request(), Request(measures=("RR",))):
        (table,) = tables([Run(folder)], request)
        column = [str(column.measure) for column in table.columns].index("RR")
        for line in table.lines:
            if line.strategy in CONTENDERS:
                p = stored["RR", line.strategy, "random"]
                stars = sum(p <= most for most in (0.05, 0.01, 0.001))
                assert line.cells[column].stars == "*" * stars


def test_two_runs_are_compared_in_families(written):
    """Contenders by the primary measure, by the others, and each control, apart; what is shown
    moves nothing."""
    first = Run(written())
    second = Run(written(systems(seed=4), "other"))
    whole = named(between(first, second))
    sizes = {pair.family: pair.tests for pair in whole.values()}
    assert sizes == {
        "primary": 4,
        "secondary": 8,
        "primary of random": 1,
        "primary of oracle": 1,
        "secondary of random": 2,
        "secondary of oracle": 2,
    }
    assert named(between(first, second, measures=["RR"])).items() <= whole.items()
    namesake = Run(written(systems(seed=4), "other/run"))
    again = between(first, namesake)
    assert [p.p_holm for p in again] == [p.p_holm for p in whole.values()]
    assert {p.family for p in between(first, second, "half")} == {
        "slices", "slices of random", "slices of oracle"
    }  # fmt: skip


def test_the_answer_does_not_hang_on_what_was_asked_beside_it(tmp_path):
    """Twelve strategies by nine measures, one always right and one always wrong: the best is named,
    and it is the same with one measure. A correction over all 594 tests named none."""
    draw = np.random.default_rng(0)
    groups = [f"photograph-{i // 5}" for i in range(1000)]
    skills = [1.0, *np.linspace(0.8, 0.2, 10), 0.0]
    names = ["R@1", "R@5", "R@10", "Success@1", "Success@5", "Success@10", "RR", "nDCG@10", "AP"]
    values = {}
    for i, skill in enumerate(skills):
        easier = np.repeat(draw.random(200), 5) * 0.3 + draw.random(1000) * 0.7
        columns = [easier < skill + (0.02 * j if 0 < skill < 1 else 0) for j in range(9)]
        values[f"s{i:02}"] = dict(zip(names, np.array(columns, dtype=float), strict=True))
    answers = []
    for measures in (names, ["R@1"]):
        few = {name: {m: of[m] for m in measures} for name, of in values.items()}
        run = write_run(tmp_path / f"{len(measures)}", few, groups)
        rows = [pair.row() for pair in within(Run(run))]
        write_rows(run / "comparisons.json", rows)
        answers.append(verdicts(Run(run))[0].answer)
    assert answers[0].startswith("s00 is better than ")
    assert "No difference was shown" not in answers[0]
    assert answers[0] == answers[1]


def test_the_page_says_how_many_families_and_what_that_means(written):
    """In its head; and each table names those that its letters come from."""
    page = render(Run(written(primary="RR")))
    pairs = comparisons(Run(written(primary="RR")))
    families = {pair.family: pair.tests for pair in pairs if pair.family}
    head = f"{sum(families.values())} tests in {len(families)} families"
    assert head in page
    assert (
        "rest on the primary ones, of contenders with each other by MRR on text-to-image (6 tests)"
        in page
    )
    assert "those of slices are exploratory" in page
    assert "secondary (Success@1, R@1, nDCG@10; 12 tests)" in page
