"""The rules of the answers: what the sentences say, and that they never say more."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from mmragbench.comparing.stored import against_controls, of_contenders
from mmragbench.reporting.words.phrases import about, listed
from mmragbench.reporting.words.verdicts import Verdict, verdicts
from mmragbench.reports.markdown import markdown
from mmragbench.run_folder.reading import Run
from support import stated

Numbers = dict[str, float]
Pairs = dict[tuple[str, str], Any]


class RunBuilder:
    """A run of one task with the numbers and comparisons that a test names."""

    def __init__(self, changed: Callable[..., Path]) -> None:
        self.changed = changed

    def folder(self, numbers: Numbers, pairs: Pairs, **more: Any) -> Path:
        cell = {"task": "captioning", "generator": "reader", "k": 3, "slice": "all"}
        cell |= {"measure": "CIDEr"} | more
        rows = [self.row(cell, name, value) for name, value in numbers.items()]
        comparisons = [self.pair(cell, *names, *result) for names, result in pairs.items()]
        return self.changed("suite.yaml", "tasks", summary=rows, comparisons=comparisons)

    def verdict(self, numbers: Numbers, pairs: Pairs, **more: Any) -> Verdict:
        (verdict,) = verdicts(Run(self.folder(numbers, pairs, **more)))
        return verdict

    def row(self, cell: dict[str, Any], strategy: str, value: float | None) -> dict[str, Any]:
        bounds = {} if value is None else {"low": value - 0.1, "high": value + 0.1}
        reason = "reads nothing" if value is None else None
        more = {"strategy": strategy, "estimate": value, "n": 500, "n_failed": 0, "reason": reason}
        return cell | more | bounds

    def pair(
        self, cell: dict[str, Any], a: str, b: str, difference: float, verdict: str, needed: Any
    ) -> dict[str, Any]:
        bounds = {"low": difference - 0.02, "high": difference + 0.02}
        tested = {"p_value": 0.01, "p_holm": 0.02, "verdict": verdict, "n": 500}
        names = {"a": a, "b": b, "difference": difference, "needed": needed, "forced": None}
        return cell | names | bounds | tested | {"family": "primary", "tests": 3}


@pytest.fixture
def builder(changed: Callable[..., Path]) -> RunBuilder:
    return RunBuilder(changed)


def better(difference: float) -> tuple[float, str, None]:
    return difference, "better", None


def worse(difference: float) -> tuple[float, str, None]:
    return difference, "worse", None


def open_(difference: float, needed: int | None = 1234) -> tuple[float, str, int | None]:
    return difference, "can't tell", needed


def test_a_winner_is_named_with_its_leads(builder: RunBuilder) -> None:
    """The difference and its interval, in the table's unit, whichever way a pair was stored."""
    pairs = {("a", "b"): better(0.041), ("c", "a"): worse(-0.1), ("c", "b"): worse(-0.06)}
    assert builder.verdict({"a": 0.6, "b": 0.559, "c": 0.5}, pairs).answer == (
        "a is better than b on captioning by 4.1 CIDEr [2.1, 6.1] and than c by 10.0 [8.0, 12.0] "
        "(reader, k\u00a0=\u00a03)."
    )


def test_what_differs_from_neither_says_so(builder: RunBuilder) -> None:
    """The issue's own example."""
    pairs = {("a", "b"): better(0.041), ("a", "c"): open_(0.02), ("b", "c"): open_(-0.02)}
    answer = builder.verdict({"a": 0.6, "b": 0.559, "c": 0.58}, pairs, generator="g").answer
    assert answer.startswith("a is better than b on captioning by 4.1 CIDEr [2.1, 6.1]")
    assert answer.endswith(
        ". No difference was shown between c and a or b with 500 queries: differences above 4.0 CIDEr "
        "are excluded; about 1,300 queries would show one of 2.0 (a and c)."
    )


def test_a_tie_at_the_top_is_between_those_two(builder: RunBuilder) -> None:
    """What is tied with the best and better than the rest is said to be tied with the best only."""
    pairs = {("a", "b"): open_(0.01), ("a", "c"): better(0.2), ("b", "c"): better(0.19)}
    answer = builder.verdict({"a": 0.6, "b": 0.59, "c": 0.4}, pairs).answer
    assert answer.startswith("a is better than c on captioning by 20.0 CIDEr")
    assert answer.endswith(
        ". No difference was shown between a and b with 500 queries: differences above 3.0 CIDEr are "
        "excluded; about 1,300 queries would show one of 1.0."
    )


def test_where_nothing_was_shown_it_says_what_would_show_it(builder: RunBuilder) -> None:
    """The pair that needs the fewest queries, their number rounded up."""
    pairs = {
        ("a", "b"): open_(0.01, 8000),
        ("a", "c"): open_(0.02, 1234),
        ("b", "c"): open_(0, None),
    }
    assert builder.verdict({"a": 0.6, "b": 0.59, "c": 0.58}, pairs).answer == (
        "No difference was shown between any two of a, b and c on captioning (CIDEr 60.0 to 58.0, "
        "reader, k\u00a0=\u00a03) with 500 queries: differences above 4.0 CIDEr are excluded; about "
        "1,300 queries would show one of 2.0 (a and c)."
    )


def test_two_between_which_nothing_was_shown_are_both_named(builder: RunBuilder) -> None:
    """No winner is named where there is none."""
    answer = builder.verdict({"a": 0.6, "b": 0.59}, {("b", "a"): open_(-0.01)}).answer
    assert answer.startswith("No difference was shown between a and b on captioning (CIDEr 60.0 to")


def test_a_first_that_is_tied_with_all_is_not_the_best(builder: RunBuilder) -> None:
    """Differences among the others are told; the first one wins nothing."""
    pairs = {("a", "b"): open_(0.01), ("a", "c"): open_(0.2), ("b", "c"): better(0.19)}
    answer = builder.verdict({"a": 0.6, "b": 0.59, "c": 0.4}, pairs).answer
    assert answer.startswith("No strategy is known to be the best on captioning")
    assert ". No difference was shown between a and b or c with 500 queries: " in answer
    assert ". b is better than c by 19.0 CIDEr [17.0, 21.0]" in answer


def test_one_strategy_has_a_number_and_no_rank(builder: RunBuilder) -> None:
    """There is nobody to be better than."""
    answer = builder.verdict({"a": 0.6, "random": 0.1}, {}).answer
    assert answer.startswith("a is the only strategy on captioning: CIDEr 60.0 [50.0, 70.0]")


def test_without_comparisons_the_order_is_not_claimed(builder: RunBuilder) -> None:
    """A run of an older version has numbers and no comparisons."""
    answer = builder.verdict({"a": 0.6, "b": 0.1}, {}).answer
    assert "a has the best CIDEr" in answer
    assert answer.endswith("were not compared, so the order may be chance.")
    assert "better than" not in answer


def test_no_number_is_said(builder: RunBuilder) -> None:
    """Where no strategy could be scored, no sentence pretends otherwise."""
    assert builder.verdict({"a": None}, {}).answer == "No strategy has a number on captioning."


def test_a_primary_measure_without_a_number_is_said(builder: RunBuilder) -> None:
    """What the suite calls primary is not exchanged for what happens to have numbers."""
    folder = builder.folder({"a": 0.6, "b": 0.5}, {("a", "b"): better(0.1)})
    suite = {"name": "s", "strategies": {"a": {}, "b": {}}, "primary": {"captioning": "Bleu_4"}}
    (folder / "suite.yaml").write_text(yaml.safe_dump(suite))
    (verdict,) = verdicts(Run(folder))
    sentence = "No strategy has a number on captioning of Bleu_4, its primary measure."
    assert verdict.answer == sentence


def test_lower_is_better_for_distances(builder: RunBuilder) -> None:
    """The lowest FID wins, its lead is positive, and the direction is said."""
    pairs = {("b", "a"): (0.02, "worse", None)}
    answer = builder.verdict({"a": 0.1, "b": 0.12}, pairs, measure="FID(clip)").answer
    assert answer.startswith("a is better than b on captioning by 0.020 FID(clip)")
    assert "lower is better" in answer


SAME = {"low": 0.0, "high": 0.0, "verdict": "identical", "family": None, "p_holm": None}


def test_identical_outputs_are_called_identical(builder: RunBuilder) -> None:
    """Of two strategies that rank alike it is not said that no difference was shown."""
    pairs = {("a", "b"): open_(0.0, None), ("a", "c"): better(0.1), ("b", "c"): better(0.1)}
    run = Run(builder.folder({"a": 0.6, "b": 0.6, "c": 0.5}, pairs))
    of_contenders(run)[0].update(SAME)
    verdict = verdicts(run)[0]
    assert "No difference" not in verdict.answer
    assert verdict.more[0] == "The same CIDEr on all 500 queries: a and b."


def test_where_nothing_differs_that_is_the_answer(builder: RunBuilder) -> None:
    """Of two, and of three."""
    numbers, pairs = {"a": 0.6, "b": 0.6, "c": 0.6}, list(combinations("abc", 2))
    for names in (["a", "b"], ["a", "b", "c"]):
        tied = {pair: open_(0.0, None) for pair in pairs if {*pair} <= {*names}}
        run = Run(builder.folder({name: numbers[name] for name in names}, tied))
        for pair in of_contenders(run):
            pair.update(SAME)
        listed = "a and b" if len(names) == 2 else "a, b and c"
        start = f"{listed} have the same CIDEr on all 500 queries of captioning (CIDEr 60.0"
        assert verdicts(run)[0].answer.startswith(start)


def test_what_is_identical_is_in_no_pair_without_a_difference(builder: RunBuilder) -> None:
    """Two that are identical are never among those between which no difference was shown."""
    pairs = {("a", "b"): open_(0.1), ("a", "c"): open_(0.1), ("b", "c"): open_(0.0, None)}
    run = Run(builder.folder({"a": 0.6, "b": 0.5, "c": 0.5}, pairs))
    of_contenders(run)[2].update(SAME)
    verdict = verdicts(run)[0]
    assert verdict.answer.startswith("No difference was shown between a and b (= c) on captioning")
    assert verdict.more[0] == "The same CIDEr on all 500 queries: b and c."
    pairs |= {(name, "d"): open_(0.1) for name in "abc"}
    run = Run(builder.folder({"a": 0.6, "b": 0.5, "c": 0.5, "d": 0.4}, pairs))
    of_contenders(run)[2].update(SAME)
    verdict = verdicts(run)[0]
    start = "No difference was shown between any two of a, b (= c) and d on captioning"
    assert verdict.answer.startswith(start)
    assert verdict.more[0] == "The same CIDEr on all 500 queries: b and c."


def test_many_strategies_are_counted_and_not_named(builder: RunBuilder) -> None:
    """The answer stays a sentence that can be read, however many strategies a suite has."""
    names = [f"strategy-{i:02}" for i in range(20)]
    numbers = {name: 0.6 - i / 1000 for i, name in enumerate(names)}
    tied = {pair: open_(0.01) for pair in combinations(names, 2)}
    answer = builder.verdict(numbers, tied).answer
    assert answer.startswith(
        "No difference was shown between any two of 20 strategies on captioning"
    )
    won = tied | {(names[0], name): better(0.01) for name in names[1:]}
    answer = builder.verdict(numbers, won).answer
    assert ", and than strategy-03, strategy-04 and 15 others (reader" in answer
    assert len(answer) < 300


def test_what_the_interval_excludes_is_excluded(builder: RunBuilder) -> None:
    """The bound that is said is the farther end of the widest interval of the pairs that are named."""
    pairs = {("a", "b"): open_(0.03), ("a", "c"): open_(-0.05), ("b", "c"): open_(0.01)}
    folder = builder.folder({"a": 0.6, "b": 0.59, "c": 0.58}, pairs)
    ends = [
        abs(row[end]) for row in Run(folder).json("comparisons.json") for end in ("low", "high")
    ]
    (verdict,) = verdicts(Run(folder))
    assert f"differences above {100 * max(ends):.1f} CIDEr are excluded" in verdict.answer


def test_an_interval_without_zero_is_no_contradiction(builder: RunBuilder) -> None:
    """Where a difference was not shown and its interval excludes zero, the answer says why; where the
    interval includes zero, it says nothing of it."""
    for difference, count in ((0.05, 1), (0.01, 0)):
        answer = builder.verdict({"a": 0.6, "b": 0.59}, {("a", "b"): open_(difference)}).answer
        clause = "the interval of a − b excludes zero, which is not enough among 3 tests"
        assert answer.count(clause) == count, answer


def test_the_same_rankings_are_called_the_same(finished: Path) -> None:
    """What two strategies have in common is read from their rankings and outputs. On a gallery without
    texts `shared-space` and `images` rank alike."""
    by_task = {verdict.task: verdict for verdict in verdicts(Run(finished))}
    same = "The same rankings on all 160 queries: shared-space and images."
    assert same in by_task["text-to-image"].more


def test_percentages_differ_by_points(builder: RunBuilder) -> None:
    """A difference of two percentages is no percentage."""
    pairs = {("a", "b"): better(0.16)}
    answer = builder.verdict(
        {"a": 0.6, "b": 0.44}, pairs, measure="Success@1", generator=None, k=None
    ).answer
    assert "by 16.0 points of Success@1 [14.0, 18.0]" in answer


@pytest.mark.parametrize(
    ("results", "lead"),
    [
        ([better(0.2), better(0.1)], "Retrieval helps: against reader with nothing retrieved"),
        ([better(0.2), worse(-0.1)], "Retrieval helps some strategies: "),
        ([worse(-0.2), worse(-0.1)], "Retrieval does harm: "),
        ([open_(-0.2), worse(-0.1)], "Retrieval does harm to some: "),
        ([open_(0.2), open_(0.1)], "That retrieval helps was not shown. "),
    ],
)
def test_retrieval_helps_as_far_as_it_was_tested(
    builder: RunBuilder, results: list[Any], lead: str
) -> None:
    """With the same generator against nothing retrieved, as the stored comparison says."""
    pairs = dict(zip([("a", "no-retrieval"), ("b", "no-retrieval")], results, strict=True))
    pairs["a", "b"] = open_(0.01)
    more = builder.verdict({"a": 0.6, "b": 0.5, "no-retrieval": 0.4}, pairs).more
    assert more[0].startswith(lead)
    assert "(CIDEr 40.0)" in more[0]


def test_retrieval_that_changes_nothing_is_said_to(builder: RunBuilder) -> None:
    """The same answers with and without it; of one strategy, and of all."""
    pairs = {("a", "no-retrieval"): better(0.2), ("b", "no-retrieval"): open_(0.0, None)}
    numbers = {"a": 0.6, "b": 0.4, "no-retrieval": 0.4}
    run = Run(builder.folder(numbers, {**pairs, ("a", "b"): better(0.2)}))
    floor = [pair for pair in against_controls(run) if pair["b"] == "no-retrieval"]
    floor[1].update(SAME)
    more = verdicts(run)[0].more[0]
    assert more.endswith("b is identical to it on all 500 queries.")
    floor[0].update(SAME)
    more = verdicts(run)[0].more[0]
    assert more.startswith("Retrieval changed no value: against reader with nothing retrieved")
    assert more.endswith("a and b are identical to it on all 500 queries.")


def test_another_generator_alone_is_no_comparison(builder: RunBuilder) -> None:
    """A captioner that is shown nothing is not what the reader would be without retrieval."""
    folder = builder.folder({"a": 0.6, "b": 0.5}, {("a", "b"): better(0.1)})
    run = Run(folder)
    alone = builder.row({"task": "captioning", "measure": "CIDEr"}, "no-retrieval", 0.7)
    rows = (
        *run.rows,
        type(run.rows[0]).of(
            alone | stated.row("CIDEr", "no-retrieval") | {"generator": "captioner", "k": 0}
        ),
    )
    object.__setattr__(run, "rows", rows)
    (more,) = verdicts(run)[0].more
    assert more.startswith("With nothing retrieved, captioner has CIDEr 70.0;")
    assert "helps" not in more


def test_no_better_than_chance_is_worth_a_sentence(builder: RunBuilder) -> None:
    """And being better than chance is not."""
    pairs = {("a", "b"): better(0.3), ("a", "random"): better(0.5), ("b", "random"): open_(0.01)}
    (more,) = builder.verdict({"a": 0.6, "b": 0.11, "random": 0.1}, pairs).more
    assert more.startswith(
        "No difference was shown between chance (CIDEr 10.0) and b with 500 queries: "
    )


def test_what_is_chance_to_the_digit_is_said(builder: RunBuilder) -> None:
    """Of a strategy that is identical to chance it is not said that no difference was shown."""
    pairs = {("a", "b"): better(0.3), ("a", "random"): better(0.5), ("b", "random"): open_(0.0)}
    run = Run(builder.folder({"a": 0.6, "b": 0.1, "random": 0.1}, pairs))
    against_controls(run)[1].update(SAME)
    (more,) = verdicts(run)[0].more
    assert more == "b is identical to chance (CIDEr 10.0) on all 500 queries."


def test_a_number_beyond_the_ceiling_is_not_called_better(builder: RunBuilder) -> None:
    """Only a comparison can say so; and the ceiling's rule is named."""
    numbers = {"a": 0.6, "b": 0.5, "oracle": 0.55}
    (more,) = builder.verdict(numbers, {("a", "b"): better(0.1), ("a", "oracle"): open_(0.05)}).more
    assert more.startswith("a has a better number than the ceiling (CIDEr 55.0): oracle ranks by")
    (more,) = builder.verdict(
        numbers, {("a", "b"): better(0.1), ("a", "oracle"): better(0.05)}
    ).more
    assert more.startswith("a is better than the ceiling")


def test_by_a_distance_no_control_is_a_level(builder: RunBuilder) -> None:
    """Neither chance, nor a floor, nor a ceiling is named where two sets of images are compared."""
    numbers = {"a": 0.6, "b": 0.5, "random": 0.4, "oracle": 0.9, "no-retrieval": 0.8}
    against_controls = {("a", name): better(-0.1) for name in ("random", "oracle", "no-retrieval")}
    pairs = {("a", "b"): better(-0.1), **against_controls}
    verdict = builder.verdict(numbers, pairs, measure="FID(clip)")
    assert verdict.more == ()
    assert builder.verdict(numbers, pairs).more != ()


def test_why_there_is_no_test_is_said_once(builder: RunBuilder) -> None:
    """Where too few images leave no order by FID, the answer says so."""
    reason = "FID beyond this n needs at least 2 images for each of 512 dimensions"
    folder = builder.folder({"a": 0.6, "b": 0.5, "c": 0.4}, {
        pair: open_(0.1, None) for pair in (("a", "b"), ("a", "c"), ("b", "c"))
    }, measure="FID(clip)")  # fmt: skip
    pairs = json.loads((folder / "comparisons.json").read_text())
    noted = [pair | {"note": reason} for pair in pairs]
    (folder / "comparisons.json").write_text(json.dumps(noted))
    (verdict,) = verdicts(Run(folder))
    assert verdict.answer.endswith(f". {reason}.")
    assert verdict.answer.count(reason) == 1


def test_better_is_said_only_of_pairs_that_say_so(builder: RunBuilder) -> None:
    """Over every combination of three verdicts, each `x is better than y` stands in the data."""
    for results in itertools.product([better(0.1), worse(-0.1), open_(0.01), None], repeat=3):
        names = [("a", "b"), ("a", "c"), ("b", "c")]
        pairs = {name: one for name, one in zip(names, results, strict=True) if one}
        answer = builder.verdict({"a": 0.6, "b": 0.5, "c": 0.4}, pairs).answer
        ordered = {(a, b) if one[1] == "better" else (b, a) for (a, b), one in pairs.items()}
        ordered = {
            pair for pair in ordered if (pairs.get(pair) or pairs[pair[::-1]])[1] != "can't tell"
        }
        for x, y in itertools.permutations("abc", 2):
            if f"{x} is better than {y}" in answer:
                assert (x, y) in ordered, (results, answer)


def test_markdown_begins_with_the_answers(builder: RunBuilder, tmp_path: Path) -> None:
    """What people paste says first what came out."""
    folder = builder.folder({"a": 0.6, "b_2": 0.5}, {("a", "b_2"): better(0.1)})
    text = markdown(folder, tmp_path).read_text(encoding="utf-8")
    assert text.index("- **a is better than b\\_2 on captioning by 10.0 CIDEr") < text.index("|")


def test_pieces_read_as_english() -> None:
    """Lists have one conjunction; counts have two digits, rounded up."""
    assert [listed("a"), listed("ab"), listed("abc", "or")] == ["a", "a and b", "a, b or c"]
    counts = [about(7), about(99), about(1201), about(266_545), about((8e9).__int__())]
    expected = ["about 7", "about 99", "about 1,300", "about 270,000", "more than 10 million"]
    assert counts == expected
