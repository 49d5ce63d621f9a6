"""TREC exports, read by ir_measures."""

from __future__ import annotations

from pathlib import Path

import ir_measures
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mmragbench as mb
from mmragbench.errors import DataError
from mmragbench.exporting.trec import settled
from mmragbench.formats import trec
from mmragbench.records import Ranking


def recomputed(folder: Path, measures: list[str]) -> dict[tuple, float]:
    """(task, strategy, measure) -> what ir_measures says of the files."""
    found = {}
    for path in folder.glob("*/*.trec"):
        if path.stem != "qrels":
            qrels = list(ir_measures.read_trec_qrels(str(path.with_name("qrels.trec"))))
            run = list(ir_measures.read_trec_run(str(path)))
            parsed = [ir_measures.parse_measure(measure) for measure in measures]
            for measure, value in ir_measures.calc_aggregate(parsed, qrels, run).items():
                found[path.parent.name, path.stem, str(measure)] = value
    return found


@pytest.mark.parametrize("which", ["coco_run", "awkward_run"])
def test_ir_measures_finds_the_summarys_numbers(which, request, tmp_path, estimates):
    """Gold and silver, ids with blanks, queries without a relevant document: to 1e-9."""
    run = request.getfixturevalue(which)
    done = mb.export(run, "trec", tmp_path / "out")
    expected = {
        (task, strategy, measure): value
        for (task, strategy, _, _, measure), value in estimates(run, generator=None).items()
        if value is not None
    }
    measures = sorted({measure for *_, measure in expected})
    actual = recomputed(tmp_path / "out", measures)
    assert expected == {key: pytest.approx(actual[key], abs=1e-9) for key in expected}
    assert len(expected) >= 35
    assert {path.name for path in done.files} == {
        path.name for path in (tmp_path / "out").glob("*/*")
    }


def test_what_retrieved_nothing_is_left_out_and_named(coco_run, tmp_path):
    """`no-retrieval` has no rankings: no file, which would score 0, but a reason."""
    done = mb.export(coco_run, "trec", tmp_path / "out")
    assert not (tmp_path / "out/text-to-image/no-retrieval.trec").exists()
    assert "retrieved nothing" in done.left_out["text-to-image/no-retrieval"]


@given(
    st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=8).flatmap(
        lambda base: st.lists(
            st.tuples(st.sampled_from(base), st.integers(-3, 3)), min_size=1, max_size=12
        )
    )
)
def test_scores_in_single_precision_keep_the_order(near):
    """Also where scores differ by less than single precision can tell, and ids would reverse them."""
    scores = [base + step * 1e-9 for base, step in near]
    ranking = Ranking.of("q", [(f"d{i}", score) for i, score in enumerate(scores)])
    hits = settled(ranking).hits
    read_by_trec_eval = sorted(((np.float32(s), id) for id, s in hits), reverse=True)
    assert [id for _, id in read_by_trec_eval] == list(ranking.ids)
    assert all(float(np.float32(score)) == score for _, score in hits)


@given(st.text(min_size=1))
def test_an_escaped_id_is_one_field(id):
    """Whatever Python or C takes for a blank."""
    assert trec.escaped(id).split() == [trec.escaped(id)]
    assert trec.originals([id]) == {trec.escaped(id): id}


def test_two_ids_that_are_one_when_escaped_are_refused():
    """Else one document's hits would count as the other's."""
    with pytest.raises(DataError, match="rename one"):
        trec.originals(["a b", "a%20b"])


def test_a_run_reads_back_as_it_was_written(tmp_path):
    """Queries, hits, their order and their scores, bit by bit."""
    rankings = [
        Ranking.of("q1", [("a b", 1 / 3), ("c", -0.1)]),
        Ranking.of("q2", [("c", 1e-300)]),
    ]
    (tmp_path / "run.trec").write_text("".join(trec.lines(rankings, "a tag")))
    escaped = [Ranking.of("q1", [("a%20b", 1 / 3), ("c", -0.1)]), rankings[1]]
    assert list(trec.read(tmp_path / "run.trec")) == escaped
