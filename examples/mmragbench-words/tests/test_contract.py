"""The contract, by mmragbench's own rules; and what is particular to these components."""

import pytest
from mmragbench_words.length import length
from mmragbench_words.shared_words import SharedWords

from mmragbench.checking import rules
from mmragbench.records import Document, Output, Query, Task, Text
from mmragbench.registry import Measure


@pytest.mark.parametrize(
    "rule",
    [*rules(SharedWords, "strategy"), *rules(SharedWords, "strategy", captioner=None)],
    ids=str,
)
def test_the_strategy_keeps_its_contract(rule):
    """With a captioner (a stand-in of the kit) and without."""
    rule()


@pytest.mark.parametrize("rule", rules(length), ids=str)
def test_the_measure_keeps_its_contract(rule):
    """Values, errors and absence stay three things."""
    rule()


def test_a_rare_word_weighs_more():
    """Of two documents that share one word with the query, the one with the rarer word comes first."""
    texts = {"a": "a dog", "b": "a cat", "c": "a cat", "d": "a cat"}
    strategy = SharedWords()
    strategy.index([Document(id, texts=(Text(id, text),)) for id, text in texts.items()])
    (ranking,) = strategy.retrieve([Query("q", text=Text("q", "cat or dog"))], 4)
    assert ranking.ids == ("a", "d", "c", "b")


def test_words_are_counted():
    """An empty caption has none, which is a number."""
    task = Task("captioning", [], [Query("q"), Query("r")], output="caption")
    outputs = [Output("q", text="two words"), Output("r", text="")]
    (scores,) = length([Measure("Length")], task, [], outputs)
    assert [score.value for score in scores.scores] == [2.0, 0.0]
