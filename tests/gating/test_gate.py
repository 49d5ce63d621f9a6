"""The gate passes what did not change, fails what did, and says which of its causes it was."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

import numpy as np
import pytest

import mmragbench as mb
from mmragbench.errors import MmragbenchError
from mmragbench.gating.gate_text import regression_examples, summary
from mmragbench.gating.renderers import markdown
from mmragbench.gating.stored_baseline import Baseline

CELL = "text-to-image/shared-space"


def zeroed(share: float):
    """The first queries that scored anything lose it."""

    def change(values: np.ndarray) -> np.ndarray:
        scored = np.flatnonzero(values > 0)
        values[scored[: round(share * len(values))]] = 0
        return values

    return change


def said(gate) -> str:
    return " | ".join(map(str, gate.problems))


def test_the_same_run_holds(made, baseline):
    """Nothing changed: every cell is unchanged, by exactly nothing, and there is no problem."""
    gate = mb.gate(made, baseline)
    assert gate.holds and not gate.problems
    assert {cell.verdict for cell in gate.cells} == {"unchanged"}
    assert {cell.loss for cell in gate.cells} == {0.0}
    assert all(cell.before == cell.now for cell in gate.cells)


def test_the_order_of_queries_and_documents_does_not_matter(copy, baseline):
    """They are known by their ids."""
    for name in ("queries", "documents"):
        copy.items("captioning", name, lambda frame: frame.iloc[::-1])
    assert mb.gate(copy.folder, baseline).holds


def test_lost_hits_are_a_regression_that_is_named(copy, baseline):
    """The cell is shown to be worse, with the queries that lost."""
    copy.scores(CELL, {"R@5": zeroed(0.3)})
    gate = mb.gate(copy.folder, baseline)
    (cell,) = gate.failing
    assert not gate.holds
    assert (cell.verdict, cell.strategy, cell.measure) == ("regressed", "shared-space", "R@5")
    assert cell.loss > 0 and cell.p_lost < 0.05 < cell.p_holds
    assert all(query.now < query.before for query in cell.regressed_queries)
    assert {f.now for f in cell.regressed_queries} == {0.0}


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1e", "\r"])
def test_a_line_separator_in_a_text_is_a_part_of_it(copy, baseline, mark):
    """A query's text with a character that ends a line elsewhere is shown whole."""
    lost = copy.scores(CELL, {"R@5": zeroed(0.3)})
    file = lost.folder / "tasks" / "text-to-image" / "queries.jsonl"
    rows = [json.loads(line) for line in file.read_text().split("\n") if line]
    for row in rows:
        row["text"] = f"before{mark}behind"
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    worse = regression_examples(mb.gate(lost.folder, baseline))
    assert worse and {example.query_text for example in worse} == {f"before{mark}behind"}


def test_a_gain_holds(copy, baseline):
    """Better is not worse: a change in the good direction passes."""
    copy.scores("text-to-image/random", {"R@5": lambda values: np.ones_like(values)})
    gate = mb.gate(copy.folder, baseline, controls=True)
    assert gate.holds
    assert [c.verdict for c in gate.cells if c.verdict != "unchanged"] == ["holds"]


def test_too_few_queries_can_not_tell(copy, baseline):
    """Neither worse nor shown not to be: not a pass, and it says how many queries would tell."""

    def noise(values: np.ndarray) -> np.ndarray:
        return values + np.resize([0.5, -0.5], len(values))

    copy.scores("captioning/shared-space/nearest-k1", {"CIDEr": noise})
    gate = mb.gate(copy.folder, baseline)
    (cell,) = gate.failing
    assert cell.verdict == "can't tell" and not gate.holds
    assert cell.needed > cell.n == 60


def test_a_wider_margin_lets_it_pass(copy, baseline):
    """The margin decides, for one measure or for all of its cutoffs."""
    copy.scores("text-to-image/shared-space", {"R@5": zeroed(0.02)})
    assert not mb.gate(copy.folder, baseline).holds
    for margins in ({"R@5": 0.5}, {"R": "60%"}):
        gate = mb.gate(copy.folder, baseline, margins)
        assert gate.holds, margins
        assert "holds" in {cell.verdict for cell in gate.cells}


def test_missing_queries_are_named(copy, baseline):
    """With how many there are, and the first ids; what is left is compared all the same."""
    copy.items("captioning", "queries", lambda frame: frame[frame["query"] != "1001"])
    gate = mb.gate(copy.folder, baseline)
    assert not gate.holds
    assert said(gate) == "captioning: 1 query of 60 missing: 1001"
    assert {c.n for c in gate.cells if c.task == "captioning"} == {59}


def test_missing_documents_are_named(copy, baseline):
    """A smaller memory is an easier one."""
    copy.items("captioning", "documents", lambda frame: frame.iloc[2:])
    assert "2 documents of 40 missing: 1, 2" in said(mb.gate(copy.folder, baseline))


@pytest.mark.parametrize(
    "name, column, sentence",
    [
        ("queries", "asked", "captioning: 1 query with another picture or text: 1001"),
        (
            "queries",
            "gold",
            "captioning: 1 query with other references or relevant documents: 1001",
        ),
        ("documents", "content", "captioning: 1 document with another picture or other texts: 1"),
    ],
)
def test_changed_data_are_named(copy, baseline, name, column, sentence):
    """Which item it is, and what of it."""

    def change(frame):
        frame.loc[0, column] = "0123456789abcdef"
        return frame

    copy.items("captioning", name, change)
    gate = mb.gate(copy.folder, baseline)
    assert not gate.holds
    assert said(gate) == sentence


def test_another_tokeniser_is_named(copy, baseline):
    """Signatures that differ are said once, with both values; their cells are not compared."""

    def change(row):
        if row["signature"]:
            row["signature"] = row["signature"].replace("tok:ptb-py", "tok:none")
        return row

    gate = mb.gate(copy.rows(change).folder, baseline, controls=True)
    assert not gate.holds
    assert said(gate) == "CIDEr, Bleu_4: tok is ptb-py in the baseline and none now (6 cells)"
    assert {c.verdict for c in gate.cells if c.measure == "CIDEr"} == {"not comparable"}


def test_a_patch_release_is_no_other_signature(copy, baseline):
    """As everywhere: versions count up to the minor one."""

    def change(row):
        if row["signature"]:
            row["signature"] += "1"
        return row

    assert mb.gate(copy.rows(change).folder, baseline).holds


def test_missing_cells_are_named_with_the_reason(copy, baseline):
    """One line for all measures of a system."""

    def change(row):
        if row["task"] == "text-to-image" and row["strategy"] == "shared-space":
            row |= {
                "estimate": None,
                "signature": None,
                "reason": "ValueError: no",
                "absence": "crashed",
            }
        return None if row["strategy"] == "oracle" and row["generator"] else row

    gate = mb.gate(copy.rows(change).folder, baseline, controls=True)
    assert not gate.holds
    assert "text-to-image · shared-space: no R@5, Success@1: failed: ValueError: no" in said(gate)
    assert "captioning · oracle/nearest-k1: no CIDEr, Bleu_4: the run has no such cell" in said(
        gate
    )


def test_a_query_that_failed_is_not_left_out(copy, baseline):
    """It had a score in the baseline; now it is an error, and that is named."""

    def failed(values: np.ndarray) -> np.ndarray:
        values[7] = np.nan
        return values

    copy.scores(CELL, {"R@5": failed, "Success@1": failed})
    gate = mb.gate(copy.folder, baseline)
    assert not gate.holds
    assert [problem.kind for problem in gate.problems] == ["failed query"]
    assert "text-to-image · shared-space: 1 query scored in the baseline and not now" in said(gate)


def test_new_cells_are_mentioned_and_fine(made, tmp_path):
    """The baseline of some measures judges those alone; asking for others is misuse."""
    kept = tmp_path / "some.json"
    mb.save_baseline(made, kept, ["R@5"])
    gate = mb.gate(made, kept)
    assert gate.holds
    assert {cell.measure for cell in gate.cells} == {"R@5"}
    assert any(name.endswith("CIDEr") for name in gate.new)
    with pytest.raises(MmragbenchError, match="measure of the baseline 'CIDEr'"):
        mb.gate(made, kept, measures=["CIDEr"])


def test_an_underpowered_pass_is_refused_on_request(made, baseline):
    """Sixty queries are too few for two points: told in any case, refused if asked to."""
    gate = mb.gate(made, baseline, require_power=0.8)
    assert mb.gate(made, baseline).holds and not gate.holds
    assert all(c.power < 0.8 and c.needed > c.n for c in gate.underpowered if c.can_fail)
    few = mb.gate(made, baseline, {"R": 0.09}, 0.1, ["R@5"])
    assert few.holds and min(cell.power for cell in few.cells) >= 0.1


def test_the_measures_scale_is_the_runs(copy, baseline):
    """A measure that reaches further has rarer and larger losses, and needs more queries."""

    def change(row):
        return {**row, "bounds": [0.0, 10.0]} if row["measure"] == "CIDEr" else row

    known = mb.gate(copy.rows(change).folder, baseline, {"CIDEr": 0.4}, measures=["CIDEr"])
    unknown = mb.gate(copy.rows(lambda r: {k: v for k, v in r.items() if k != "bounds"}).folder,
                      baseline, {"CIDEr": 0.4}, measures=["CIDEr"])  # fmt: skip
    for one, other in zip(known.cells, unknown.cells, strict=True):
        assert one.needed > other.needed


def test_a_margin_that_can_not_be_failed_is_no_power(made, baseline):
    """It is said wherever the verdict stands, and never counts as large enough."""
    gate = mb.gate(made, baseline, {"R": 0.5}, measures=["R@5"], controls=True)
    names = [cell.name for cell in gate.cells if not cell.can_fail]
    assert names == ["text-to-image · random · R@5", "captioning · random · R@5"]
    assert all(cell.power is None for cell in gate.unfailing)
    text = "In 2 of 6 cells the margin is as large as the number"
    assert gate.holds and text in summary(gate) and text in markdown(gate)
    assert "Large enough: in 4 of 6 cells" in summary(gate)
    asked = mb.gate(made, baseline, {"R": 0.5}, 0.8, ["R@5"], controls=True)
    assert not asked.holds and asked.underpowered == asked.unfailing
    assert "no power: the margin is as large as the number" in summary(asked)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"margins": {"CIDr": 0.02}}, "Did you mean 'CIDEr'"),
        ({"margins": {"CIDEr": "-1"}}, "is not a margin"),
        ({"margins": {"CIDEr": "nan"}}, "is not a margin"),
        ({"require_power": 80}, "between 0 and 1"),
        ({"baseline": "nowhere.json"}, "there is no baseline nowhere.json"),
        ({"run": "nowhere"}, "nowhere is not a run folder"),
    ],
)
def test_misuse_is_one_sentence(made, baseline, change, message):
    """It names what was asked for, and what to do."""
    with pytest.raises(MmragbenchError, match=message):
        mb.gate(**({"run": made, "baseline": baseline} | change))


def test_another_suites_baseline_is_misuse(copy, baseline):
    """Not a regression: the comparison was never meant."""
    file = copy.folder / "suite.yaml"
    file.write_text(file.read_text().replace("name: toy", "name: other", 1))
    with pytest.raises(MmragbenchError, match="a baseline of the suite 'toy'"):
        mb.gate(copy.folder, baseline)


def test_controls_are_not_defended(made, copy, baseline, tmp_path):
    """Chance may fall and the ceiling go: they are no contender's loss. An old baseline that has them
    leaves them aside, and says so; a new one has none, unless they are wanted."""
    copy.scores("text-to-image/random", {"R@5": np.zeros_like})
    copy.rows(lambda row: None if row["strategy"] == "oracle" and row["generator"] else row)
    gate = mb.gate(copy.folder, baseline)
    controls = sum(cell.strategy in ("random", "oracle") for cell in Baseline.read(baseline).cells)
    assert gate.holds and gate.left_aside == controls > 0
    assert {cell.strategy for cell in gate.cells} == {"shared-space"}
    for text in (summary(gate), markdown(gate)):
        assert f"{controls} cells of controls in the baseline left aside" in text.replace("\\", "")
    assert not mb.gate(copy.folder, baseline, controls=True).holds
    saved = mb.save_baseline(made, tmp_path / "new.json")
    assert {cell.strategy for cell in saved.cells} == {"shared-space"}
    assert mb.gate(made, tmp_path / "new.json").left_aside == 0
    assert not any("random" in name for name in mb.gate(made, tmp_path / "new.json").new)


def test_numbers_are_on_the_scale_of_the_report(copy, baseline):
    """In per cent where tables show per cent; JSON has them as measured, with the unit."""
    copy.scores(CELL, {"R@5": zeroed(0.3)})
    gate = mb.gate(copy.folder, baseline)
    (cell,) = gate.failing
    lost = f"{100 * cell.before:.1f} → {100 * cell.now:.1f} (%), loss {100 * cell.loss:.1f}"
    assert f"{lost}, margin 2.0" in summary(gate)
    assert cell.row()["unit"] == "%" and cell.row()["loss"] == cell.loss < 1
    (row,) = [line for line in markdown(gate).splitlines() if "regressed |" in line]
    assert (
        f"| {100 * cell.before:.1f} | {100 * cell.now:.1f} | {100 * cell.loss:.1f} | 2.0 |" in row
    )


def test_each_query_that_got_worse_is_a_link_into_the_report(made, copy, baseline):
    """In text, Markdown and JSON; the explorer's address has the system and the query. Without a
    report there is no link."""
    lost = copy.scores(CELL, {"R@5": zeroed(0.3)})
    assert {example.link for example in regression_examples(mb.gate(lost.folder, baseline))} == {
        None
    }
    page = lost.folder / "report/index.html"
    page.parent.mkdir()
    page.write_text("")
    gate = mb.gate(lost.folder, baseline)
    (cell,) = gate.row()["cells"][:1]
    for query in cell["fallen"]:
        address, _, fragment = query["link"].partition("#explorer?")
        place = {name: value for name, (value,) in parse_qs(fragment).items()}
        assert address == str(page)
        assert place == {
            "task": "text-to-image", "measure": "R@5", "a": "shared-space", "query": query["query"]
        }  # fmt: skip
        assert query["link"] in summary(gate) and f"(<{query['link']}>)" in markdown(gate)
