"""Models behind a server: what is sent, what becomes of each kind of trouble, what it costs."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import numpy as np
import pytest
from PIL import Image as Pillow

from mmragbench.backends.server.endpoint import Calls, ServerError
from mmragbench.backends.server.prices import Price, Used, at_most, dollars
from mmragbench.backends.server.retries import LONGEST_RETRY_AFTER, Transient, retry_after, wait
from mmragbench.models.openai import OpenaiChat, OpenaiPainter, Pictures
from mmragbench.records import Drawing, Failure, Image, Prompt, Reply
from support.loopback import Loopback, pictures_of
from support.openai_client import ASK, QUICK, ask

pytest.importorskip("openai")


@pytest.fixture
def picture(tmp_path):
    Pillow.new("RGB", (400, 200), (220, 30, 30)).save(tmp_path / "red.png")
    return Image("red", tmp_path / "red.png", digest="red")


def test_texts_and_pictures_arrive_in_order_and_small(picture):
    """A picture is a JPEG data URI, no longer than `max_side`; the system's words come first."""
    prompt = Prompt(("first", picture, "last"), system="be brief")
    with Loopback() as server:
        reply = ask(server, prompt, pictures=Pictures(max_side=100, detail="low"), temperature=None)
    system, user = server.asked[0].body["messages"]
    assert system == {"role": "system", "content": "be brief"}
    assert [part.get("text") for part in user["content"]] == ["first", None, "last"]
    assert user["content"][1]["image_url"]["detail"] == "low"
    (shown_picture,) = pictures_of(server.asked[0].body)
    assert (shown_picture.format, shown_picture.size) == ("JPEG", (100, 50))
    assert reply.text == "a red picture"
    assert "temperature" not in server.asked[0].body


def test_texts_alone_are_a_string_and_settings_are_sent():
    """Every server reads that; the seed is sent where lots are drawn, and counts in the cache."""
    with Loopback() as server:
        ask(server, Prompt(("one", "say red"), seed=7))
        ask(server, Prompt(("one", "say red"), seed=7), temperature=0.5, max_tokens=9)
    sure, drawn = (request.body for request in server.asked)
    assert sure["messages"] == [{"role": "user", "content": "one\nsay red"}]
    assert (sure["temperature"], sure["max_tokens"], "seed" in sure) == (0, 1024, False)
    assert (drawn["temperature"], drawn["max_tokens"], drawn["seed"]) == (0.5, 9, 7)
    assert OpenaiChat("m", server.url, temperature=0.5).samples
    assert not OpenaiChat("m", server.url).samples


@pytest.mark.parametrize("fault", ["429", "500", "503", "truncated", "dropped", "slow", "408"])
def test_trouble_that_may_pass_is_asked_again(fault):
    """The answer comes with the number of further tries."""
    with Loopback(script=[fault]) as server:
        reply = ask(server)
    assert reply == Reply("red", None, 21, 1, 0.0, 1)
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("500", "500: oh dear (the last of 3 tries)"),
        ("429", "429: slow down (the last of 3 tries)"),
        ("truncated", "the server's reply is no JSON (the last of 3 tries)"),
        ("slow", "no answer within 0.5 s (the last of 3 tries)"),
    ],
)
def test_trouble_that_stays_is_a_failure_that_names_it(fault, reason):
    """After the last try the item has an error, and the run goes on."""
    with Loopback(script=[fault] * 3) as server:
        reply = ask(server)
    assert reply == Failure(reason, retries=2)
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("refusal", "the model refused: I can't help with that."),
        ("empty", "the server sent no choices"),
        ("error-200", "the server sent no choices: upstream is down"),
        ("null", "the server sent an answer without text"),
        ("filtered", "the server's content filter stopped the answer"),
        ("cut-empty", "max_tokens was reached before the answer began; raise max_tokens:"),
    ],
)
def test_replies_without_an_answer_are_failures_that_cost(fault, reason):
    """They are not asked again; what the server charged for them is counted."""
    with Loopback(script=[fault]) as server:
        reply = ask(server, price=Price(input=1.0, output=2.0))
    assert reply == Failure(reason, 21, 1, pytest.approx(23e-6), 0)
    assert len(server.asked) == 1


@pytest.mark.parametrize("odd", [None, "many", -5, 10**400, 1e300, [], {}, True, "9" * 30])
def test_counts_that_are_none_are_as_if_not_told(odd, tmp_path):
    """The most that a call can have cost is paid then; the ledger stays a ledger."""
    from mmragbench.backends.server.budget import Budget

    usage = {"prompt_tokens": odd, "completion_tokens": odd}
    body = {"choices": [{"message": {"content": "red"}}], "usage": usage}
    with Loopback(script=[f"body:{json.dumps(body)}"]) as server:
        made = OpenaiChat("m", server.url, calls=QUICK, price=Price(1.0, 2.0))
        made.budget = Budget(tmp_path / "ledger", 1.0)
        (reply,) = made.chat([ASK])
    worst = dollars(Price(1.0, 2.0), made.at_most(ASK))
    assert (reply.text, reply.tokens_in, reply.tokens_out) == ("red", 0, 0)
    assert reply.dollars == Budget(tmp_path / "ledger", 1.0).spent == pytest.approx(worst)


def test_a_run_that_ends_early_waits_for_no_further_try(tmp_path):
    """One item meets a wrong key, another one was told to come back in a minute."""
    from mmragbench.cache.items import Items
    from mmragbench.engine.cached_models import CachedChat
    from mmragbench.engine.meter import Meter

    with Loopback(script=["429:60", "401"]) as server:
        made = OpenaiChat("m", server.url, calls=Calls(concurrency=2))
        remembered = CachedChat(made, "m", Items(tmp_path / "m"), Meter())
        began = time.monotonic()
        with pytest.raises(ServerError, match="refuses the key"):
            remembered.chat([Prompt((f"say {i}",)) for i in range(9)])
        assert time.monotonic() - began < 20
    assert len(server.asked) <= 3


@pytest.mark.parametrize("status", ["400", "403", "413", "422"])
def test_a_request_that_is_refused_fails_alone(status):
    """Asking again would not help; the others go on."""
    with Loopback(script=[status]) as server:
        first, second = OpenaiChat("m", server.url, calls=QUICK).chat([ASK, ASK])
    assert first == Failure(f"{status}: oh dear")
    assert second.text == "red"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("404", "does not know the model 'm'"),
        ("402", "wants payment first"),
        ('429:{"message": "pay", "code": "insufficient_quota"}', "wants payment"),
        ('400:{"message": "no", "param": "temperature"}', "does not take temperature"),
    ],
)
def test_what_no_item_could_pass_ends_the_run(fault, reason):
    """One line instead of a thousand failures."""
    with Loopback(script=[fault]) as server, pytest.raises(ServerError, match=reason):
        ask(server)
    assert len(server.asked) == 1


def test_a_server_that_is_not_there_ends_the_run():
    """Instead of a failure for every item."""
    model = OpenaiChat("m", "http://127.0.0.1:9/v1", calls=Calls(retries=1))
    with pytest.raises(ServerError, match="cannot be reached"):
        model.chat([ASK])


def test_a_server_that_stops_answering_ends_the_run():
    """After twenty items in a row without an answer; what was answered before does not matter."""
    once = Calls(retries=0)
    with Loopback(script=["", *["500"] * 30]) as server:
        model = OpenaiChat("m", server.url, calls=once)
        assert model.chat([ASK])[0].text == "red"
        with pytest.raises(ServerError, match="gives no answers"):
            model.chat([ASK] * 30)
    assert len(server.asked) == 21


def test_retry_after_is_respected():
    """Nothing is asked before the moment that the server named."""
    with Loopback(script=["429:1"]) as server:
        assert ask(server).text == "red"
    first, second = server.asked
    assert second.at - first.at >= 1.0


def test_retry_after_is_seconds_or_a_date():
    """RFC 9110 has both; anything else is as if it were not there."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    date = format_datetime(now + timedelta(seconds=90), usegmt=True)
    assert retry_after({"retry-after": "7"}) == 7
    assert retry_after({"retry-after": date}, now) == 90
    assert retry_after({"retry-after": format_datetime(now, usegmt=True)}) == 0
    assert retry_after({"retry-after": format_datetime(now - timedelta(days=9))}, now) == 0
    far = ("Thu, 01 Jan 99999 00:00:00 GMT", format_datetime(now + timedelta(days=9)))
    for odd in ("", "soon", "nan", "inf", "-1", "1e9", "9" * 400, *far):
        assert retry_after({"retry-after": odd}, now) is None
    assert retry_after({}) is None


def seconds(attempt: int, share: float, after: float | None = None) -> float:
    """What is waited after so many failures, where a share of the backoff is drawn."""
    import tenacity

    state = tenacity.RetryCallState(tenacity.Retrying(), None, (), {})
    state.attempt_number = attempt
    failure = Transient("429", after)
    state.set_exception((Transient, failure, None))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("random.uniform", lambda low, high: low + share * (high - low))
        return wait(state)


def test_waits_grow_and_are_drawn_from_their_whole_range():
    """Full jitter: from nothing to all of the backoff; what the server wants is a floor, capped."""
    assert [seconds(n, 1.0) for n in (1, 2, 3, 9, 99, 9999)] == [0.5, 1, 2, 60, 60, 60]
    assert seconds(5, 0.0) == 0
    assert seconds(1, 0.0, after=10) == 10
    assert 10 <= seconds(9, 0.99, after=10) <= 10.5
    assert seconds(1, 0.0, after=1e9) == LONGEST_RETRY_AFTER


def test_a_server_that_wants_max_completion_tokens_gets_them():
    """As soon as it says so, and from then on; it is the same request under another name."""
    complaint = (
        '400:{"message": "Unsupported: use \'max_completion_tokens\'", "param": "max_tokens"}'
    )
    with Loopback(script=[complaint]) as server:
        replies = OpenaiChat("m", server.url, calls=QUICK, max_tokens=5).chat([ASK, ASK])
    assert [reply.text for reply in replies] == ["red", "red"]
    sent = [{k: v for k, v in a.body.items() if k.startswith("max_")} for a in server.asked]
    assert sent == [{"max_tokens": 5}, *[{"max_completion_tokens": 5}] * 2]


def test_calls_under_way_are_all_sent_again_under_the_other_name():
    """Each was refused under the old name; none of them fails."""
    refusal = '400:{"message": "Unsupported: use \'max_completion_tokens\'", "param": "max_tokens"}'
    with Loopback(script=[refusal] * 4, latency=0.3) as server:
        model = OpenaiChat("m", server.url, calls=Calls(concurrency=4))
        with ThreadPoolExecutor(4) as pool:
            replies = list(pool.map(lambda prompt: model.chat([prompt])[0], [ASK] * 4))
    assert [reply.text for reply in replies] == ["red"] * 4
    assert len(server.asked) == 8


def test_a_request_is_adapted_once():
    """A server that goes on refusing it has the last word."""
    refusal = '400:{"message": "max_completion_tokens is too large"}'
    with Loopback(script=[refusal] * 3) as server:
        assert ask(server) == Failure("400: max_completion_tokens is too large")
    assert len(server.asked) == 2


def test_a_painter_draws_what_it_is_told(picture):
    """The picture, the prompt that the server made of ours; edits where a picture is shown."""
    with Loopback(
        script=["", '400:{"message": "Unknown parameter: \'response_format\'"}']
    ) as server:
        model = OpenaiPainter("p", server.url, size="64x64", calls=QUICK, price=Price(image=0.04))
        (drawn,) = model.paint([Prompt(("a red square",))])
        (edited,) = model.paint([Prompt(("bluer", picture))])
        (both,) = model.paint([Prompt(("as these", picture, picture))])
    assert np.asarray(drawn.picture)[0, 0].tolist() == [12, 9, 9]
    assert (drawn.prompt, drawn.dollars) == ("revised", 0.04)
    assert server.asked[0].body == {
        "model": "p", "prompt": "a red square", "size": "64x64", "n": 1, "response_format": "b64_json"
    }  # fmt: skip
    assert isinstance(edited, Drawing) and isinstance(both, Drawing)
    assert server.asked[3].body["form"].count("PNG\r\n") == 2
    assert "response_format" in server.asked[1].body["form"]
    form = server.asked[2].body["form"]
    assert "response_format" not in form and "bluer" in form and "PNG" in form


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("link", "links are not fetched"),
        ("no-picture", "no picture"),
        ("bad-picture", "cannot be opened"),
        ("bad-base64", "no base64"),
        ("400", "400: oh dear"),
    ],
)
def test_what_is_no_picture_is_a_failure(fault, reason):
    """Nothing is fetched from elsewhere, and nothing is opened that is not a picture."""
    with Loopback(script=[fault]) as server:
        (failed,) = OpenaiPainter("p", server.url, calls=QUICK).paint([ASK])
    assert isinstance(failed, Failure) and reason in failed.reason
    assert len(server.asked) == 1


def test_money_is_arithmetic():
    """By hand: 1,000 tokens in at $2 a million, 500 out at $8, two pictures at 4 cents."""
    assert dollars(Price(2, 8, 0.04), Used(1000, 500, 2)) == pytest.approx(0.002 + 0.004 + 0.08)
    assert dollars(None, Used(1000)) == 0


def test_a_text_has_no_more_tokens_than_bytes(picture):
    """Checked against a byte-level BPE tokenizer, on text that it handles worst."""
    tokenizers = pytest.importorskip("tokenizers")
    bpe = tokenizers.ByteLevelBPETokenizer()
    bpe.train_from_iterator(["a cat on a mat"], vocab_size=270)
    for text in ("a cat on a mat", "ß漢字🙂", "zzzzqqq\n\n"):
        assert len(bpe.encode(text).ids) <= at_most(Prompt((text,)), 0, 0).tokens_in
    shown = at_most(Prompt(("x", picture, picture)), 7, 500)
    assert shown == Used(64 + 1 + 1000, 7, 0)


def test_a_picture_that_costs_more_than_the_table_says_is_remembered(picture):
    """So that what is reserved for the next one is enough."""
    with Loopback() as server:
        model = OpenaiChat("m", server.url, calls=QUICK, price=Price(input=1, image_tokens=3))
        prompt = Prompt((picture, "x"))
        before = model.at_most(prompt).tokens_in
        (reply,) = model.chat([prompt])
    assert before < model.at_most(prompt).tokens_in >= reply.tokens_in


def test_a_server_that_tells_no_tokens_is_paid_the_most_that_it_can_be():
    """What is not known must not count as nothing."""
    with Loopback() as server:
        price = Price(input=10, output=100, image=0.5, image_tokens=300)
        (drawn,) = OpenaiPainter("p", server.url, calls=QUICK, price=price).paint([ASK])
    assert (drawn.tokens_in, drawn.tokens_out) == (0, 0)
    assert drawn.dollars == pytest.approx(0.5 + 100 * 300e-6 + 10 * (64 + 7) * 1e-6)


def test_calls_overlap(tmp_path):
    """A server that takes its time is asked by several at once, through the cache's window."""
    from mmragbench.cache.items import Items
    from mmragbench.engine.cached_models import CachedChat
    from mmragbench.engine.meter import Meter

    with Loopback(latency=0.2) as server:
        made = OpenaiChat("m", server.url, calls=Calls(concurrency=8))
        remembered = CachedChat(made, "m", Items(tmp_path / "m"), Meter())
        began = time.monotonic()
        replies = remembered.chat([Prompt((f"say {i}",)) for i in range(16)])
        assert time.monotonic() - began < 2.5  # one after the other: 3.2 s
    assert [reply.text for reply in replies] == [str(i) for i in range(16)]
