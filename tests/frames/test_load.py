"""A run as data frames: columns, types, what is missing, and the numbers of the run itself."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
import yaml

import mmragbench as mb
from mmragbench.comparing.baseline import against
from mmragbench.errors import DataError, MmragbenchError
from mmragbench.formats.trec import read
from mmragbench.frames import tables
from mmragbench.reporting.paper.folder import save_all
from mmragbench.reporting.tables.request import Request
from mmragbench.run_folder.reading import open_run
from mmragbench.verbs import Run
from support import toy

CELL = ["task", "strategy", "generator", "k"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Iterator[Run]:
    """A run in which one picture can't be captioned. Tests only read it."""
    root = tmp_path_factory.mktemp("frames")
    coco = toy.write_coco(root / "coco")
    annotations = coco / "annotations/captions_val2017.json"
    annotations.write_text(annotations.read_text().replace("1001", "1666"))
    (coco / "val2017/000000001001.png").rename(coco / "val2017/000000001666.png")
    suite = toy.suite(coco)
    suite["tasks"]["captioning"]["measures"].append("Bleu_4")
    suite["tasks"]["text-to-image"]["measures"].append("Success@1")
    (root / "toy.yaml").write_text(yaml.safe_dump(suite, sort_keys=False))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMRAGBENCH_CACHE", str(root / "cache"))
        yield mb.run(root / "toy.yaml", output=root / "runs")


@pytest.fixture
def results(finished):
    return mb.load(finished)


COLUMNS = {
    "summary": tables.SUMMARY,
    "scores": tables.SCORES,
    "comparisons": tables.COMPARISONS,
    "costs": tables.COSTS,
    "times": tables.TIMES,
    "outputs": tables.OUTPUTS,
    "rankings": tables.RANKINGS,
    "queries": tables.QUERIES,
    "failures": tables.FAILURES,
}


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_and_types_are_the_documented_ones(name, results, tmp_path):
    """With rows, and for a run that has stored nothing but its summary."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty/summary.json").write_text("[]")
    for table in (getattr(results, name), getattr(mb.load(tmp_path / "empty"), name)):
        assert table.dtypes.astype(str).to_dict() == dict(COLUMNS[name])
    assert len(getattr(results, name)) and not len(table)


@pytest.mark.parametrize(
    "name", ["summary", "scores", "comparisons", "rankings", "outputs", "costs"]
)
def test_names_are_in_the_suites_order(name, results):
    """So that a pivot has the strategies as the suite has them, whichever come first in a table."""
    strategies = list(toy.suite("")["strategies"])
    table = getattr(results, name)
    column = "a" if name == "comparisons" else "strategy"
    frame = table[column].cat.categories.tolist()
    assert frame == [strategy for strategy in strategies if strategy in set(table[column])]


def test_all_tables_are_named_to_the_reader(results):
    """The heading in a notebook names what there is."""
    shown = results._repr_html_()
    assert list(tables.TABLES) == [name for name in COLUMNS if f"<code>.{name}</code>" in shown]


def test_scores_come_to_the_summarys_estimates(results):
    """The mean over queries, or of the influences where the measure is one of the set."""
    keys = [*CELL, "measure"]
    scores = results.scores.assign(of_set=lambda f: f["influence"].fillna(f["value"]))
    means = scores.groupby(keys, observed=True, dropna=False, as_index=False)["of_set"].mean()
    summary = results.summary.query("slice == 'all'").dropna(subset="estimate")
    both = summary.merge(means, on=keys, how="left")
    assert len(both) == len(summary) >= 20
    assert both["estimate"].tolist() == pytest.approx(both["of_set"].tolist(), abs=1e-12)


def test_failed_missing_and_zero_are_three_things(results):
    """A failure has its error and no value; a cell without numbers its reason; 0 is a number."""
    failed = results.scores[results.scores["error"].notna()]
    assert set(failed["query"]) == {"1666"} and failed["value"].isna().all()
    assert set(results.failures["generator"]) == {"captioner"}
    absent = results.summary.query("strategy == 'no-retrieval' and measure == 'R@1'").iloc[0]
    assert pd.isna(absent["estimate"]) and absent["reason"] == "retrieves nothing"
    assert (results.scores["value"] == 0).any()


def test_rankings_are_the_stored_ones(finished, results):
    """Hit by hit, in order, scores bit by bit."""
    for strategy in ("random", "shared-space"):
        stored = read(finished.folder / f"cells/text-to-image/{strategy}/run.trec")
        rows = [
            (ranking.query, rank, id, score)
            for ranking in stored
            for rank, (id, score) in enumerate(ranking.hits, start=1)
        ]
        rankings = results.rankings.query("task == 'text-to-image' and strategy == @strategy")
        columns = ["query", "rank", "document", "score"]
        assert list(rankings[columns].itertuples(index=False, name=None)) == rows


def test_queries_join_with_scores(results):
    """Every scored query has its group: five captions of one image are one."""
    queries = results.queries.query("task == 'text-to-image'")
    assert queries.groupby("group").size().tolist() == [5] * 8
    scored = results.scores.query("task == 'text-to-image'")
    assert set(scored["query"]) == set(queries["query"])
    assert all(isinstance(slices, list) for slices in queries["slices"])


def test_comparisons_are_those_of_the_engine(finished, results):
    """Against the suite's baseline, another one, all pairs; some measures."""
    run = open_run(finished.folder)
    for baseline, expected in (
        (None, against(run, "no-retrieval")),
        ("random", against(run, "random")),
        ("all", against(run, None)),
    ):
        shown = results.compare(baseline)
        assert shown["p_holm"].tolist() == pytest.approx(
            [np.nan if pair.p_holm is None else pair.p_holm for pair in expected], nan_ok=True
        )
        assert shown["family"].astype(object).where(shown["family"].notna(), None).tolist() == [
            pair.family for pair in expected
        ]
        assert shown["a"].astype(str).tolist() == [pair.a for pair in expected]
    assert set(results.compare("random", "R@1")["measure"]) == {"R@1"}
    stored = json.loads((finished.folder / "comparisons.json").read_text())
    assert results.comparisons["difference"].tolist() == [row["difference"] for row in stored]
    with pytest.raises(MmragbenchError, match="no strategy 'rndom'"):
        results.compare("rndom")


def test_costs_and_times_are_those_stored(finished, results):
    """A row a model and phase; seconds by the clock in a table of their own."""
    stored = json.loads((finished.folder / "cells/captioning/text-grounding/cost.json").read_text())
    cell = "task == 'captioning' and strategy == 'text-grounding' and generator.isna()"
    costs, times = results.costs.query(cell), results.times.query(cell)
    assert costs["items"].tolist() == [
        row["items"] for phase in ("index", "retrieve") for row in stored.get(phase, [])
    ]
    assert times.set_index("phase")["seconds"].to_dict() == stored["seconds"]


def test_several_runs_stand_below_one_another(finished, tmp_path):
    """With the run in front; runs of one name are told apart by their paths, one run twice is refused."""
    other = tmp_path / "other"
    shutil.copytree(finished.folder, other)
    both = mb.load(finished.folder, other)
    assert both.summary.columns[0] == "run"
    assert both.summary["run"].cat.categories.tolist() == [finished.folder.name, "other"]
    assert len(both.scores) == 2 * len(mb.load(other).scores)
    assert len(both.compare("random")) == 2 * len(mb.load(other).compare("random"))
    assert both.figures[-1].startswith("other/")
    one = mb.load(other).scores["strategy"].cat.categories
    assert both.scores["strategy"].cat.categories.tolist() == one.tolist()
    again = tmp_path / "again" / finished.folder.name
    shutil.copytree(finished.folder, again)
    assert mb.load(finished.folder, again).runs == [str(finished.folder), str(again)]
    with pytest.raises(DataError, match="given twice"):
        mb.load(other, str(other))


def test_a_run_is_found_by_the_beginning_or_pattern_of_its_name(finished, tmp_path):
    """If it is the only one; else the error says which there are."""
    runs = finished.folder.parent
    assert mb.load(runs / "toy").runs == mb.load(f"{runs}/toy-*").runs == [finished.folder.name]
    with pytest.raises(DataError, match=f"there is .*{finished.folder.name}"):
        mb.load(runs / "tory")
    with pytest.raises(DataError, match="there is no run"):
        mb.load(tmp_path / "nothing" / "here")
    with pytest.raises(DataError, match="no run to load"):
        mb.load()
    for name in ("toy-1", "toy-2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "summary.json").write_text("[]")
    with pytest.raises(DataError, match="toy-1, .*toy-2; name one"):
        mb.load(tmp_path / "toy")


def test_figures_are_a_papers(finished, results, tmp_path):
    """The same names as the files of a paper's folder, drawn with the same points."""
    save_all([open_run(finished.folder)], Request(), "latex", tmp_path)
    assert set(results.figures) == {path.stem for path in (tmp_path / "plots").glob("*.svg")}
    assert {"captioning-differences", "captioning-quality-over-latency"} <= set(results.figures)
    figure = results.figure("text-to-image-Success-at-k")
    labels = {line.get_label() for line in figure.axes[0].lines}
    assert {"shared-space", "random (chance)", "oracle (ceiling)"} <= labels
    with pytest.raises(DataError, match="Did you mean 'text-to-image-Success-at-k'"):
        results.figure("text-to-image-Sucess-at-k")


def test_ids_with_blanks_join(finished, tmp_path):
    """A query's id is the same in all tables, also where a TREC file can't hold it."""
    import pyarrow.parquet as pq

    unlisted = shutil.ignore_patterns("files.json")
    copy = shutil.copytree(finished.folder, tmp_path / "run", ignore=unlisted)
    file = copy / "tasks/text-to-image/queries.parquet"
    frame = pq.read_table(file).to_pandas()
    first = frame.loc[0, "query"]
    frame.loc[0, "query"] = "an id"
    frame.to_parquet(file)
    for run in copy.glob("cells/text-to-image/*/run.trec"):
        run.write_text(run.read_text().replace(f"{first} Q0", "an%20id Q0"))
    assert "an id" in set(mb.load(copy).rankings["query"])


def test_what_a_notebook_shows_is_escaped(finished, tmp_path):
    """Names come from suites and datasets."""
    unlisted = shutil.ignore_patterns("files.json")
    copy = shutil.copytree(finished.folder, tmp_path / "<b>run", ignore=unlisted)
    rows = json.loads((copy / "summary.json").read_text())
    (copy / "summary.json").write_text(json.dumps([{**row, "task": "<i>task"} for row in rows]))
    shown = mb.load(copy)._repr_html_()
    assert "&lt;b&gt;run" in shown and "&lt;i&gt;task" in shown and "<i>" not in shown


def test_loading_imports_no_torch(finished):
    """Tables and figures come from files alone."""
    code = (
        "import sys, mmragbench as mb; assert 'pandas' not in sys.modules\n"
        f"r = mb.load({str(finished.folder)!r}); r.scores; r.compare('random'); r.figure(r.figures[0])\n"
        "print([m for m in ('torch', 'transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
