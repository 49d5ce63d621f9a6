"""The extractive baseline, and what other generators say to questions."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmragbench.errors import NotApplicable
from mmragbench.generators.captioner import Captioner
from mmragbench.generators.consensus import Consensus
from mmragbench.generators.extract import Extract
from mmragbench.generators.nearest import Nearest
from mmragbench.records import Document, Image, Query, Text


def passage(id: str, text: str) -> Document:
    return Document(id, texts=(Text(id, text),))


def answer(question: str, *shown: Document):
    (output,) = Extract().generate([Query("q", text=Text("q", question))], [shown])
    return output


TOWER = passage("tower", "It stands in Paris. The tower is 330 metres high. Who built the tower?")
FIGURE = Document(
    "fig", Image("fig", Path("fig.png")), (Text("fig", "Figure 1: The tower by night."),)
)


def test_the_sentence_that_shares_most_words_is_the_answer():
    """Among all sentences shown, captions too; the ids of all that was shown stay with it."""
    output = answer("How high is the tower?", passage("cat", "A cat is high up."), TOWER)
    assert (output.text, output.shown) == ("The tower is 330 metres high.", ("cat", "tower"))
    assert answer("What is there by night?", TOWER, FIGURE).text == "Figure 1: The tower by night."


def test_of_equals_the_better_hit_and_the_earlier_sentence_win():
    """Also where no word is shared: the first sentence of the first hit."""
    assert answer("Is a tower there?", TOWER, FIGURE).text == "The tower is 330 metres high."
    assert answer("Warum?", TOWER, FIGURE).text == "It stands in Paris."


def test_words_that_any_question_has_do_not_count():
    """`what is the` would else be found anywhere."""
    hit = passage("a", "What is the time of the day in the house of the lord? Oaks are green.")
    assert answer("What is the colour of oaks?", hit).text == "Oaks are green."


def test_nothing_to_extract_is_an_error():
    """No hits, a bare picture, a query without words."""
    assert answer("Why?").error
    assert answer("Why?", Document("fig", Image("fig", Path("fig.png")))).error
    (wordless,) = Extract().generate([Query("q")], [[TOWER]])
    assert wordless.error and wordless.text is None


@pytest.mark.parametrize("make", [Nearest, Consensus, lambda output: Captioner(None, output)])
def test_generators_of_captions_answer_no_questions(make):
    """They say so when they are made."""
    with pytest.raises(NotApplicable):
        make(output="answer")


@pytest.mark.parametrize("output", ["caption", "image", "none"])
def test_extract_writes_no_captions(output):
    """It answers questions, and nothing else."""
    with pytest.raises(NotApplicable, match="answers questions"):
        Extract(output)
