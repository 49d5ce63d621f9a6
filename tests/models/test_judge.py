"""A chat model as judge: what it is asked, which grade its reply holds, and what becomes of none."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmragbench.cache.items import Items
from mmragbench.engine.cached_models import CachedChat, CachedReranker
from mmragbench.engine.meter import Meter
from mmragbench.errors import SuiteError
from mmragbench.models.judge import Judge, grade
from mmragbench.records import Document, Failure, Image, Query, Reply, Text

PICTURE = Image("i", Path("i.jpg"), "1234")


class Says:
    """Answers in turn."""

    def __init__(self, *replies):
        self.replies, self.prompts = list(replies), []

    def chat(self, prompts):
        self.prompts += prompts
        return [
            self.replies[i] if isinstance(self.replies[i], Failure) else Reply(self.replies[i])
            for i, _ in enumerate(prompts)
        ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7", 7),
        (" 7.\n", 7),
        ("**8**", 8),
        ("8/10", 8),
        ("8 / 10", 8),
        ("7,5", 7.5),
        ("Grade: 10", 10),
        ("Score: 9.5 out of 10", 9.5),
        ("On a scale from 0 to 10, I would say 6.", 6),
        ("There are 2 dogs here, so that my rating is 3.", 3),
        ("0", 0),
        ("It shows 3 cats", 3),
        ("11", None),
        ("-3", None),
        ("70%", None),
        ("a perfect match", None),
        ("", None),
        ("v2.1", None),
    ],
)
def test_the_grade_is_the_first_number_that_can_be_one(text, expected):
    """The scale itself is put aside; what is off the scale is no grade."""
    assert grade(text, 10) == expected


def test_a_judge_sees_pictures_and_texts_of_both():
    """A pair without any text is judged by its pictures."""
    chat = Says("3", "4")
    query = Query("q", PICTURE, Text("q", "is it red?"))
    documents = [Document("a", PICTURE), Document("b", None, (Text("1", "one"), Text("2", "two")))]
    assert Judge(chat, texts=1).score([query] * 2, documents) == [3.0, 4.0]
    first, second = (prompt.parts for prompt in chat.prompts)
    assert first[:5] == ("Query:", PICTURE, "is it red?", "Document:", PICTURE)
    assert second[3:5] == ("Document:", "one")
    assert "from 0 (not at all) to 10" in second[-1]
    assert {"image", "text"} == Judge.modalities


def test_replies_without_a_grade_are_counted(tmp_path):
    """Each is a failure of its pair, with what was said; so is a reply that never came."""
    chat = Says("9", "splendid!", Failure("the model refused: no"))
    meter = Meter()
    with meter.stage() as usage:
        judge = CachedReranker(Judge(chat), "j", None, meter)
        documents = [Document(id, None, (Text(id, id),)) for id in "abc"]
        good, odd, refused = judge.score([Query("q", text=Text("q", "q"))] * 3, documents)
        line = usage["reranker", "j"]
    assert good == 9
    assert odd == Failure("no grade from 0 to 10 in 'splendid!'")
    assert refused == Failure("the model refused: no")
    assert (line.items, line.failed, line.calls) == (3, 2, 0)
    assert judge.modalities == {"image", "text"}


def test_numbers_in_thoughts_are_no_grades(tmp_path):
    """The grade is the answer's; thoughts alone give none."""
    chat = Says("<think>maybe 2, maybe 9</think>\n4", "3 or\n</think>\n6", "<think>7 would be")
    meter = Meter()
    with meter.stage() as usage:
        judge = Judge(CachedChat(chat, "c", Items(tmp_path / "c"), meter))
        documents = [Document(id, None, (Text(id, id),)) for id in "abc"]
        *good, none = judge.score([Query("q", text=Text("q", "q"))] * 3, documents)
        line = usage["chat", "c"]
    assert good == [4, 6]
    assert none == Failure("the model wrote thoughts alone and no answer")
    assert (line.items, line.thoughts, line.failed) == (3, 2, 1)


def test_a_scale_needs_two_ends():
    """Said when the suite is read."""
    with pytest.raises(SuiteError, match="scale: 0"):
        Judge(Says(), scale=0)
