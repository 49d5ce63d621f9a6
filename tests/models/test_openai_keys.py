"""Keys and addresses of models behind a server: what is needed, and what stays secret."""

from __future__ import annotations

import pytest

from mmragbench.backends.server.endpoint import ServerError
from mmragbench.errors import SuiteError
from mmragbench.models.openai import OpenaiChat
from mmragbench.records import Failure
from support.loopback import Loopback
from support.openai_client import ASK, ask

pytest.importorskip("openai")


def test_a_wrong_key_ends_the_run_and_stays_secret(monkeypatch, capfd):
    """The server repeats the key in its message; nothing that we say or keep holds it."""
    monkeypatch.setenv("MY_KEY", "sk-very-secret")
    with Loopback(key="another") as server, pytest.raises(ServerError) as caught:
        ask(server, key_env="MY_KEY")
    error, texts = caught.value, []
    while error is not None:
        texts.append(str(error) + repr(error))
        error = error.__context__
    assert "MY_KEY" in texts[0]
    assert "sk-very-secret" not in "".join(texts) + "".join(capfd.readouterr())


def test_the_key_that_a_message_repeats_is_struck_out(monkeypatch):
    """A failure's reason is stored and shown."""
    monkeypatch.setenv("MY_KEY", "sk-very-secret")
    with Loopback(script=['403:{"message": "sk-very-secret may not"}']) as server:
        assert ask(server, key_env="MY_KEY") == Failure("403: … may not")
    assert server.asked[0].headers["authorization"] == "Bearer sk-very-secret"


def test_servers_of_ones_own_need_no_key_and_the_hosted_one_does():
    """Ollama and vLLM are called without one."""
    with Loopback() as server:
        assert ask(server).text == "red"
    with pytest.raises(SuiteError, match="OPENAI_API_KEY is not set"):
        OpenaiChat("m").chat([ASK])


def test_the_environment_does_not_say_where_a_model_is(monkeypatch):
    """Where it is, is part of what identifies its answers; so it is read from the suite alone."""
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    assert OpenaiChat("m").weights() == "api:api.openai.com/v1/m"
    with Loopback() as server:
        assert ask(server).text == "red"
        assert OpenaiChat("m", server.url).weights() == f"api:{server.url[7:]}/m"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a", "a", "http://me:secret@a/v1", "http://a/v1?key=secret", "ftp://me:secret@a/v1",
        "me:secret@a/v1", "http://me%3Asecret%40a/v1", "http://a/v1#secret", "http://[secret/v1",
        "http://a:secret/v1", "http:secret", "http://a/v1 secret", "http://a/sk-secret-of-mine/v1",
        "HTTP://me:secret@a", "http://a/v1%3Fkey=secret", "http://a:99999999/secret",
    ],
)  # fmt: skip
def test_addresses_that_are_none_or_hold_secrets_are_refused(url, monkeypatch):
    """They are written into the run's files; none is repeated."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-of-mine")
    with pytest.raises(SuiteError, match="base_url") as caught:
        OpenaiChat("m", url)
    assert "secret" not in str(caught.value)
