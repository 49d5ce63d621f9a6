"""A key reaches no disk and no screen, whole or in part, whatever a server does with it."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mmragbench._redacting import PART, Redactor, looks_like_key, places_of_keys, without_keys
from mmragbench.backends.server.endpoint import Calls
from mmragbench.cli.app import main
from mmragbench.errors import SuiteError
from mmragbench.models.openai import OpenaiChat, OpenaiPainter
from mmragbench.records import Prompt, Reply
from support import served
from support.loopback import Loopback
from support.served import Place

pytest.importorskip("openai")

KEY = "sk-Zq4/vW+8xT1mJ9rB7nK2"
FORMS = {
    "as it is": KEY,
    "in capitals": KEY.upper(),
    "its beginning": KEY[:PART],
    "its end": KEY[-PART:],
    "its middle": KEY[5:17],
    "in a URL": quote(KEY, safe=""),
    "Basic": base64.b64encode(f"me:{KEY}".encode()).decode(),
    "Bearer, in base64": base64.urlsafe_b64encode(f"Bearer {KEY}!".encode()).decode(),
    "hexadecimal": KEY.encode().hex(),
}


def parts(text: str) -> set[str]:
    """All that may not be shown of it, in small letters."""
    text = text.lower()
    return {text[at : at + PART] for at in range(len(text) - PART + 1)}


def leaked(text: str) -> set[str]:
    """The parts of the key that a text has, plain or encoded."""
    text = text.lower()
    known = parts(KEY) | parts(quote(KEY, safe="")) | parts(KEY.encode().hex())
    for before in ("", " ", "  "):  # the encoded key, whatever stands before it
        coded = base64.b64encode((before + KEY).encode()).decode()
        known |= parts(coded[4:-4])
    return {part for part in known if part in text}


@pytest.mark.parametrize("form", FORMS)
def test_no_part_of_a_key_is_left(form):
    """Eight characters in a row give it away, however they are written."""
    shown = Redactor(KEY).text(f"your key {FORMS[form]} is wrong")
    assert not leaked(shown)
    assert shown.startswith("your key ") and shown.endswith(" is wrong") and "…" in shown


@given(st.text(max_size=20), st.integers(0, 15), st.integers(8, 23), st.text(max_size=20))
def test_what_is_no_part_of_the_key_stays(before, start, length, after):
    """To the last character; what is left of the key is shorter than what may not be shown."""
    shown = Redactor(KEY).text(before + KEY[start : start + length] + after)
    assert not leaked(shown)
    if not leaked(before + "\0" + after) and len(KEY[start : start + length]) >= PART:
        assert shown.startswith(before[:-PART]) and shown.endswith(after[PART:])


def test_a_placeholder_is_no_key():
    """`EMPTY`, as servers of one's own are given: answers keep the word, messages lose it."""
    assert Redactor("EMPTY").text("an EMPTY room") == "an EMPTY room"
    assert Redactor("EMPTY").message("wrong key EMPTY, EMPTYING") == "wrong key …, EMPTYING"
    assert Redactor(None).json({"a": ["b", 1, None]}) == {"a": ["b", 1, None]}


def test_words_that_look_like_keys_are_struck_out():
    """Where it is not known what the key is."""
    keys = ["sk-proj-abcdefghijklm", "AIzaSyD4x8f3k2j1h0g9", "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6"]
    assert without_keys(f"api_key: {keys[0]}, {keys[1]} {keys[2]}") == "api_key: …, … …"
    plain = "OPENAI_API_KEY models.gpt.calls http://127.0.0.1:8000/v1 a-rather-long-plain-word"
    assert without_keys(plain) == plain and not looks_like_key("GEMINI_API_KEY")


def test_names_and_addresses_are_no_keys():
    """Of hub models, files and servers, as suites have them; a key in any text is found."""
    names = [
        "hf-internal-testing/tiny-random-CLIPModel-2024abc", "laion/CLIP-ViT-H-14-laion2B-s32B-b79K",
        "sk-learn-models-of-many-kinds", "http://127.0.0.1:8000/v1", "http://h:80/@cf/meta/llama-3",
        "api.openai.com", "a word with sk-1",
    ]  # fmt: skip
    assert not list(places_of_keys({"models": dict(enumerate(names)), "max_tokens": 5, "key": ""}))
    for text in (f"mine: {KEY}", "hf_" + "aB3" * 11, f"https://me:{KEY}@h/v1", "http://h?key=abc"):
        assert list(places_of_keys({"a": [{"b": text}]})) == [("a", "b")]


@pytest.fixture
def data(tmp_path):
    return served.write(tmp_path / "coco", memory=12, queries=14)


def echo(asked) -> dict:
    """A good reply that has the key wherever there is a place for it."""
    text = "a red picture " + " ".join(FORMS.values())
    return {
        "id": KEY, "object": KEY, "model": f"m {KEY}", "system_fingerprint": KEY[:12], KEY: KEY,
        "choices": [
            {
                "finish_reason": "stop", "logprobs": {KEY: [KEY]},
                "message": {
                    "content": f"<think>{KEY}</think>{text}" if len(asked.text) % 2 else [
                        {"type": "thinking", "thinking": KEY}, {"type": "text", "text": text}
                    ],
                    "reasoning": f"I was given {KEY}", "name": KEY,
                },
            }
        ],
        "usage": {"prompt_tokens": 9, "completion_tokens": 9, KEY: KEY}, "service_tier": KEY,
    }  # fmt: skip


def refusals() -> list[str]:
    """Errors of all kinds that repeat the key, also across the place where messages are cut."""
    said = "y" * 285 + KEY
    return [
        f"400:{json.dumps({'message': said, 'code': KEY, 'param': KEY, 'type': KEY})}",
        f"403:{json.dumps({'message': f'no: {KEY[:20]}…', 'code': KEY[:9]})}",
        f"422:{json.dumps({KEY: {KEY: FORMS['Basic']}})}",
        f"body:{json.dumps({'error': {'message': said, 'code': 400, 'metadata': {KEY: KEY}}})}",
        f"body:{json.dumps({'error': f'odd: {KEY}'})}",
        f"body:{json.dumps({'choices': [{'finish_reason': KEY, 'message': {'refusal': said}}]})}",
        f"body:{json.dumps({'choices': [{'message': {'content': [{'type': KEY}]}}]})}",
        f"body:<html>{KEY}</html>",
        f"body:{KEY}",
        f"429:{json.dumps({'message': KEY})}",
    ]


def everything(folder: Path) -> str:
    """The names and contents of all files."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert len(files) > 20
    return "\n".join(f"{file}\n{file.read_bytes().decode('latin-1')}" for file in files)


def test_a_server_that_repeats_the_key_leaves_it_nowhere(data, tmp_path, monkeypatch):
    """Cache, run folder, ledger, reports, both streams: no eight characters of it in a row."""
    monkeypatch.setenv("MY_KEY", KEY)
    place = Place(tmp_path / "place")
    with Loopback(script=refusals(), body=echo) as server:
        content = served.suite(
            data, server.url, strategies={"shared-space": {"encoder": "colours"}}
        )
        content["models"]["gpt"] |= {"key_env": "MY_KEY", "calls": {"concurrency": 1, "retries": 3}}
        process = place.start(content)
        out, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
        assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
    stored = everything(place.folder)
    assert not leaked(stored) and not leaked(out + errors)
    assert "a red picture" in stored
    failed = json.loads((place.run_folder / "failures.json").read_text())
    assert len(failed) == 7 and sum("…" in row["error"] for row in failed) == 6


@pytest.mark.parametrize(
    "changes",
    [
        {"key_env": KEY},
        {"key_env": "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6"},
        {"key_env": "A1B2C3D4E5F6A7B8C9D0E1F2A3B4C5D6"},
        {"key_env": [KEY]},
        {"key_env": {"OPENAI_API_KEY": KEY}},
        {"api_key": KEY},
        {"calls": {"api_key": KEY}},
        {"calls": KEY},
        {"price": KEY},
        {"pictures": {"max_side": KEY}},
        {"base_url": f"http://me:{KEY}@127.0.0.1:9/v1"},
        {"base_url": f"ftp://me:{KEY}@127.0.0.1:9/v1"},
        {"base_url": f"http://127.0.0.1:9/v1?api_key={KEY}"},
    ],
)
@pytest.mark.parametrize("model", ["gpt", "unused"])
@pytest.mark.parametrize("verb", ["plan", "run"])
def test_a_key_in_a_suite_is_refused_and_not_repeated(
    data, tmp_path, own_cache, monkeypatch, capfd, changes, verb, model
):
    """Said in one line, also of a model that nothing uses, for the suite goes into the run folder;
    nothing is written but what the user wrote."""
    content = served.suite(data, "http://127.0.0.1:9/v1")
    content["models"][model] = {**content["models"]["gpt"], **changes}
    suite = tmp_path / "suite.yaml"
    suite.write_text(yaml.safe_dump(content))
    monkeypatch.setattr(sys, "argv", ["mmragbench", verb, str(suite)])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main()
    out, errors = capfd.readouterr()
    *_, last = errors.splitlines()
    assert ended.value.code == 2 and last.startswith("error: ") and "Traceback" not in errors
    assert len(last) < 500 and f"models.{model}" in last
    files = [*tmp_path.rglob("*"), *own_cache.rglob("*")]
    written = [file for file in files if file.is_file() and file != suite]
    assert not leaked(out + errors)
    assert not any(leaked(file.read_bytes().decode("latin-1")) for file in written)
    assert "b2c3d4e5" not in errors.lower()


def test_variables_are_named_as_variables_are(monkeypatch):
    """In capitals; another name where there is such a variable."""
    for name in ("OPENAI_API_KEY", "HUGGINGFACEHUB_API_TOKEN", "KEY", "_KEY2"):
        OpenaiChat("m", "http://a/v1", key_env=name)
    with pytest.raises(SuiteError, match="key_env"):
        OpenaiChat("m", "http://a/v1", key_env="my_key")
    monkeypatch.setenv("my_key", "x")
    OpenaiChat("m", "http://a/v1", key_env="my_key")


def test_a_key_with_a_lines_end_is_used_without_it(monkeypatch):
    """As files end in one; other characters that no key has are told before anything is sent."""
    monkeypatch.setenv("MY_KEY", f" {KEY}\n")
    with Loopback(answer=lambda asked: f"red {KEY}") as server:
        made = OpenaiChat("m", server.url, key_env="MY_KEY")
        assert made.chat([Prompt(("say red",))]) == [Reply("red …", None, 21, 6)]
        assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
        for odd in (f"“{KEY}”", KEY.replace("W", "\n")):
            monkeypatch.setenv("MY_KEY", odd)
            with pytest.raises(SuiteError, match="characters that no key has") as caught:
                OpenaiChat("m", server.url, key_env="MY_KEY").chat([Prompt(("say red",))])
            assert not leaked(str(caught.value))
    assert len(server.asked) == 1


def test_a_painters_server_that_repeats_the_key_leaves_it_nowhere(monkeypatch):
    """In the prompt that it made of ours, and in what it has against one."""
    monkeypatch.setenv("MY_KEY", KEY)
    drawn = {"data": [{"b64_json": "!!!", "revised_prompt": KEY}], "model": KEY}
    script = [f"body:{json.dumps(drawn)}", f"400:{json.dumps({'message': 'z' * 290 + KEY})}"]
    with Loopback(script=script) as server:
        made = OpenaiPainter("p", server.url, "MY_KEY", calls=Calls(retries=0))
        failed = made.paint([Prompt(("a",)), Prompt(("b",))])
    assert not leaked(repr(failed))
