"""Thoughts of reasoning models: cut from every reply, whatever the marks; words stay as they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmragbench.backends.thoughts import opens_thoughts, split
from mmragbench.cache.items import Items
from mmragbench.engine.cached_models import CachedCaptioner, CachedChat
from mmragbench.engine.meter import Meter
from mmragbench.generators.describe_then_draw import DescribeThenDraw
from mmragbench.generators.reader import Reader
from mmragbench.models.described import Described
from mmragbench.records import Document, Failure, Image, Prompt, Query, Reply, Text

ANSWER = "two red birds on a wire"
PAIRS = [
    ("<think>", "</think>"),
    ("<Thinking>", "</Thinking>"),
    ("<thought>", "</thought>"),
    ("<REASONING>", "</REASONING>"),
    ("< think >", "< / think >"),
    ('<think effort="high">', "</think>"),
    ("<seed:think>", "</seed:think>"),
    ("&lt;think&gt;", "&lt;/think&gt;"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<｜begin▁of▁thinking｜>", "<｜end▁of▁thinking｜>"),
    ("<|think:start|>", "<|think:end|>"),
    ("<|inner_prefix|>", "<|inner_suffix|>"),
    ("<|channel>thought\n", "<channel|>"),
    ("<unused94>thought\n", "<unused95>"),
    ("<inner_monologue>", "</inner_monologue>"),
    ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
    ("analysisThe user asks", "assistantfinal"),
    ("Here is my thought process:", "\nHere is my response:"),
]
WAYS = {
    "closed": "{0}It is a bird.{1}{2}",
    "in lines": "{0}\nIt is a bird.\n{1}\n\n{2}",
    "begun by the template": "It is a bird.\n{1}\n\n{2}",
    "nothing thought": "{0}\n\n{1}\n\n{2}",
    "twice": "{0}It is a bird.{1}\n{0}Or two?{1}\n{2}",
    "begun twice": "{0}\n{0}It is a bird.{1}\n{2}",
    "ended twice": "{0}It is a bird.{1}\nOr two?\n{1}\n{2}",
    "nested": "{0}It is {0}or not{1} a bird.{1}\n{2}",
    "in an answer's mark": "{0}It is a bird.{1}\n<answer>{2}</answer>",
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("marks", PAIRS, ids=lambda pair: pair[0].strip())
def test_what_is_left_is_the_answer(marks, way):
    """All that stands between the marks of the field, in any way in which models set them."""
    if marks[0].startswith(("analysis", "Here")) and way in ("twice", "begun twice", "nested"):
        pytest.skip("these words begin thoughts at the start of a text only")
    if marks[0].startswith("Here") and way in ("begun by the template", "ended twice"):
        pytest.skip("these words mean something as a pair only")
    answer, thoughts = split(WAYS[way].format(*marks, ANSWER))
    assert answer == ANSWER
    assert bool(thoughts) == (way != "nothing thought" or marks[0].startswith("analysisT"))
    assert ANSWER not in thoughts


@pytest.mark.parametrize("marks", PAIRS, ids=lambda pair: pair[0].strip())
def test_thoughts_that_never_end_are_all_there_is(marks):
    """A length limit ended them: there is no answer, and no word of them is one."""
    answer, thoughts = split(f"{marks[0]} It is a bird, I think")
    assert answer == "" and thoughts.endswith("It is a bird, I think")


def test_folded_reasoning_is_thought_and_other_folds_are_words():
    """As Open WebUI writes it; `<details>` of another type belongs to the answer."""
    begin = '<details type="reasoning" done="true" duration="3">'
    folded = f"{begin}\n<summary>Thought for 3 seconds</summary>\n> It is a bird.\n</details>\n"
    answer, thoughts = split(folded + ANSWER)
    assert answer == ANSWER and "It is a bird." in thoughts
    other = f"<details><summary>More</summary>a wire</details>\n{ANSWER}"
    assert split(other) == (other, "")


def test_answers_have_marks_too():
    """They are taken off; what stands before or after them is not the answer."""
    solution = f"<|begin_of_solution|>\n{ANSWER}\n<|end_of_solution|>"
    assert split(f"<|begin_of_thought|>hm<|end_of_thought|>{solution}") == (ANSWER, "hm")
    response = f"<|START_RESPONSE|>{ANSWER}<|END_RESPONSE|>"
    assert split(f"<|START_THINKING|>hm<|END_THINKING|>{response}") == (ANSWER, "hm")
    assert split(f"<answer>{ANSWER}</answer>") == (ANSWER, "")
    assert split(f"<think>hm <answer>one</answer>?</think>{ANSWER}")[0] == ANSWER
    assert split(f"<|channel|>final<|message|>{ANSWER}<|return|>") == (ANSWER, "")
    assert split(f"<think>hm</think><|begin_of_box|>{ANSWER}<|end_of_box|>") == (ANSWER, "hm")


@pytest.mark.parametrize(
    "text",
    [
        "The tag <think> opens a thought.",
        "Write it between <think> and </think> tags, please.",
        'The prompt says "<think>" first.',
        "`</think>` ends it, `<think>` begins it",
        "They reason in <think>.",
        "Put it in <answer> tags",
        "analysis of two birds",
        "Here is my response: two birds",
        "Analysis: two birds",
        "I think it is a bird; a thought > nothing",
        "[thinking] a man",
        "a <b>bold</b> <thinker>",
        "  two birds\n",
        "",
    ],
)
def test_words_are_left_as_they_are(text):
    """Marks that a sentence speaks of, or quotes, and words that look like marks."""
    assert split(text) == (text, "")


def test_a_mark_in_the_middle_of_a_text_cuts_no_more_than_its_thoughts():
    """After a sentence, too; what came before stays."""
    assert split("Sure! <think>hm</think>Two birds.") == ("Sure! Two birds.", "hm")
    assert split("Two birds.\n<think>hm") == ("Two birds.", "hm")


PIECES = st.sampled_from(
    [
        *(mark for pair in PAIRS for mark in pair),
        "<answer>",
        "</answer>",
        "a bird",
        " ",
        "\n",
        '"',
        ".",
    ]
)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_what_was_cut_is_not_cut_again(text):
    """An answer has no marks left that would count: cutting it again changes nothing."""
    answer, _ = split(text)
    assert split(answer) == (answer, "")


@given(st.text(max_size=60))
def test_a_text_without_marks_is_its_own_answer(text):
    """To the last character."""
    if not set(text) & set("<[◁&"):
        assert split(text) == (text, "") or text.lstrip()[:8] in ("analysis", "commenta")


def test_prompts_that_begin_thoughts_are_known():
    """By their last words, white space aside."""
    assert opens_thoughts("USER: why?\nASSISTANT: <think>\n")
    assert not opens_thoughts("ASSISTANT: <think>\n\n</think>\n\n")
    assert not opens_thoughts("what is <think> for? ASSISTANT:")


class Says:
    """Answers in turn."""

    def __init__(self, *texts):
        self.texts, self.asked = texts, 0

    def chat(self, prompts):
        self.asked += len(prompts)
        return [Reply(text) for text, _ in zip(self.texts, prompts, strict=True)]


def test_every_reply_is_stored_with_its_thoughts_apart(tmp_path):
    """Of a chat model of one's own too; thoughts alone, and nothing at all, are failures; how many
    replies had thoughts is counted whenever they are looked at."""
    chat = Says("<think>hm</think>one", "two", "<think>three", " ")
    prompts = [Prompt((number,)) for number in "1234"]
    for known in (False, True):
        meter = Meter()
        with meter.stage() as usage:
            remembered = CachedChat(chat, "m", Items(tmp_path / "m"), meter)
            one, two, *failed = remembered.chat(prompts[:2] if known else prompts)
            assert usage["chat", "m"].thoughts == 1
        assert (one, two) == (Reply("one", thoughts="hm"), Reply("two"))
        if not known:
            reasons = ["the model wrote thoughts alone and no answer", "the model answered nothing"]
            assert failed == [Failure(reason) for reason in reasons]
    assert chat.asked == 4


def test_readers_and_captioners_give_the_answer_alone(tmp_path):
    """No thought becomes a caption, and no caption is empty."""

    def remembered(*texts):
        return CachedChat(Says(*texts), "m", Items(tmp_path / str(len(texts))), Meter())

    texts = ("<think>hm</think>\n one", "<think>two")
    image = Image("i", tmp_path / "i.png", "i")
    described = CachedCaptioner(Described(remembered(*texts)), "d", None, Meter())
    first, second = described.caption([image] * 2, ["", "words"])
    assert first == "one" and isinstance(second, Failure)
    queries = [Query(q, text=Text(q, q)) for q in "ab"]
    good, failed = Reader(
        remembered(
            *texts,
        )
    ).generate(queries, [[], []])
    assert good.text == "one" and failed.text is None and "thoughts alone" in failed.error


def test_a_painter_is_told_the_description_alone(tmp_path):
    """No thought of the model that describes is drawn; where it only thought, nothing is."""

    class Brush:
        def paint(self, prompts):
            self.told = [prompt.text for prompt in prompts]
            return [Failure("out of paint")] * len(prompts)

    brush, says = Brush(), Says("<think>a dog?</think>\na cat", "a dog, I think, or")
    says.texts = (says.texts[0], f"<think>{says.texts[1]}")
    chat = CachedChat(says, "m", Items(tmp_path / "m"), Meter())
    queries = [Query(q, text=Text(q, q)) for q in "ab"]
    shown = [[Document(q, Image(q, tmp_path / q, q))] for q in "ab"]
    _, second = DescribeThenDraw(chat, brush).generate(queries, shown)
    assert brush.told == ["a. a cat"]
    assert "thoughts alone" in second.error
