"""Replies of models behind a server: in which forms an answer comes, and which are none."""

from __future__ import annotations

import json

import pytest

from mmragbench.backends.server.endpoint import ServerError
from mmragbench.records import Failure
from support.loopback import Loopback
from support.openai_client import ask

pytest.importorskip("openai")


LIMITED = [
    '{"error": {"message": "slow", "code": 429}}',
    '{"error": {"message": "slow", "code": "429"}}',
    '{"error": {"message": "slow", "code": "rate_limit_exceeded"}}',
    '{"error": {"message": "slow", "type": "overloaded_error"}, "type": "error"}',
    '{"error": {"status": "RESOURCE_EXHAUSTED", "message": "slow"}}',
    '[{"error": {"code": 503, "message": "slow"}}]',
    '{"error": "Rate limit exceeded: slow"}',
    '{"object": "error", "message": "too many requests, slow", "code": null}',
    '{"detail": "Too Many Requests: slow"}',
    '{"errors": [{"code": 529, "message": "slow"}]}',
    '{"choices": [{"error": {"code": 502, "message": "slow"}, "finish_reason": "error"}]}',
    '{"choices": []}',
    '{"choices": null, "usage": {"prompt_tokens": 9, "completion_tokens": 0}}',
    "{}",
    "",
    "<html><body>Bad gateway</body></html>",
    'data: {"choices": [{"delta": {"content": "red"}}]}\n\ndata: [DONE]\n',
    "[[[" * 9000,
    "null",
]
"""Bodies with status 200 that mean: not now."""


@pytest.mark.parametrize("body", LIMITED, ids=range(len(LIMITED)))
def test_a_rate_limit_with_status_200_is_asked_again(body):
    """An error object, a page of a proxy, a stream, nothing at all: the next try has the answer,
    and after the last one the item has an error that says which."""
    with Loopback(script=[f"body:{body}"]) as server:
        assert (ask(server).text, len(server.asked)) == ("red", 2)
    with Loopback(script=[f"body:{body}"] * 3) as server:
        failed = ask(server)
    assert failed.reason.endswith("(the last of 3 tries)") and failed.retries == 2
    assert "slow" in failed.reason or "the server" in failed.reason


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('{"error": {"message": "bad picture", "code": 400}}', "400: bad picture"),
        ('{"error": {"message": "moderated", "code": 403}}', "403: moderated"),
        ('{"error": {"message": "it broke", "code": 1302}}', "no choices: it broke"),
        ('{"error": "it broke"}', "no choices: it broke"),
        ('{"choices": [{"finish_reason": "error", "message": {"content": "re"}}]}', "an error"),
    ],
)
def test_another_error_with_status_200_is_a_failure_with_its_reason(body, reason):
    """It is not asked again."""
    with Loopback(script=[f"body:{body}"]) as server:
        failed = ask(server)
    assert isinstance(failed, Failure) and reason in failed.reason
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ('{"code": 401, "message": "no"}', "refuses the key"),
        ('{"code": "invalid_api_key", "message": "no"}', "refuses the key"),
        ('{"code": "insufficient_quota", "message": "pay"}', "wants payment"),
        ('{"code": "model_not_found", "message": "no"}', "does not know the model"),
    ],
)
def test_what_ends_a_run_ends_it_with_status_200_too(error, reason):
    """A wrong key is wrong for every item."""
    with (
        Loopback(script=[f'body:{{"error": {error}}}']) as server,
        pytest.raises(ServerError, match=reason),
    ):
        ask(server)
    assert len(server.asked) == 1


def message(content, **more) -> str:
    """A reply with that message."""
    choice = {"finish_reason": more.pop("ended", "stop"), "message": {"content": content, **more}}
    return f"body:{json.dumps({'choices': [choice]})}"


@pytest.mark.parametrize(
    ("script", "text", "thoughts"),
    [
        (message([{"type": "text", "text": "a "}, {"type": "output_text", "text": "cat"}]), "a cat", ""),
        (message([{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, "a cat"]), "a cat", "hm"),
        (message([{"type": "reasoning", "summary": "hm"}, {"text": "a cat"}]), "a cat", "hm"),
        (message([{"text": "hm", "thought": True}, {"text": "a cat"}]), "a cat", "hm"),
        (message({"type": "text", "text": {"value": "a cat", "annotations": []}}), "a cat", ""),
        (message("a cat", reasoning_content="hm"), "a cat", "hm"),
        (message("a cat", reasoning="hm", reasoning_details=[{"text": "hm"}]), "a cat", "hm"),
        (message("a cat", reasoning_details=[{"type": "reasoning.text", "text": "hm"}]), "a cat", "hm"),
        (message("<think>hm</think>\na cat"), "a cat", "hm"),
        (message("hm\n</think>\n\na cat", reasoning=None, tool_calls=[]), "a cat", "hm"),
    ],
)  # fmt: skip
def test_thoughts_come_in_many_places(script, text, thoughts):
    """In parts, in fields, in the text: they are kept apart from the answer."""
    with Loopback(script=[script]) as server:
        reply = ask(server)
    assert (reply.text, reply.thoughts, reply.truncated) == (text, thoughts, False)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (message(None, reasoning_content="hm"), "thoughts alone"),
        (
            message("", reasoning="hm", ended="length"),
            "thoughts alone and no answer; its length limit",
        ),
        (message("<think>hm", ended="length"), "thoughts alone and no answer; its length limit"),
        (message([{"type": "thinking", "thinking": "hm"}]), "thoughts alone"),
        (message([{"type": "refusal", "refusal": "I will not"}]), "refused: I will not"),
        (message([]), "without text"),
        (message({}), "without text"),
        (message([{"type": "audio", "audio": "…"}]), "without text (audio)"),
        (message([None, 3, []]), "without text"),
        (message(7), "without text"),
        (message("a ca", ended="SAFETY"), "content filter"),
    ],
)
def test_an_answer_that_is_none_is_a_failure(script, reason):
    """Thoughts alone, refusals in parts, parts without words: never an empty answer."""
    with Loopback(script=[script]) as server:
        failed = ask(server)
    assert isinstance(failed, Failure) and reason in failed.reason
    assert len(server.asked) == 1


def test_counts_in_other_forms_are_counts():
    """Some servers send them as text or with a point."""
    usage = {"prompt_tokens": "12", "completion_tokens": 3.0}
    body = {"choices": [{"message": {"content": "red"}}], "usage": usage}
    with Loopback(script=[f"body:{json.dumps(body)}"]) as server:
        reply = ask(server)
    assert (reply.tokens_in, reply.tokens_out) == (12, 3)


def test_of_several_choices_the_first_is_the_answer():
    """One was asked for."""
    choices = [None, {"message": {"content": "red"}}, {"message": {"content": "blue"}}]
    with Loopback(script=[f"body:{json.dumps({'choices': choices})}"]) as server:
        assert ask(server).text == "red"


def test_half_a_surrogate_pair_is_no_trouble():
    """JSON can say it and no file can hold it; one character is lost, and not the run."""
    with Loopback(answer=lambda asked: "red \ud800!") as server:
        assert ask(server).text == "red ?!"
    with Loopback(script=['403:{"message": "\\ud800"}']) as server:
        assert ask(server) == Failure("403: \ufffd")


def test_an_answer_that_was_cut_off_counts():
    """What there is of it is what a reader would have seen; that it was cut off is known."""
    with Loopback(script=["cut"]) as server:
        reply = ask(server)
    assert (reply.text, reply.truncated) == ("half an answer", True)
