"""Replies of chat and image servers, through the real client on the loopback.

Good ones, mutated ones, damaged bytes, errors with any status, and the key in any place: it must
come out nowhere, what is good must come out as it is, and the ledger must stay one.
"""

from __future__ import annotations

import base64
import io
import json
import os
import random
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from PIL import Image as Pillow

from doors import Outcome
from mmragbench.backends.server.budget import Budget
from mmragbench.backends.server.endpoint import Calls
from mmragbench.backends.server.prices import Price
from mmragbench.models.openai import OpenaiChat, OpenaiPainter
from mmragbench.records import Failure, Prompt, Reply

KEY = "sk-Fz8qK2mW5xR7vT1yB4nJ9"
VARIABLE = "FUZZ_SERVER_KEY"
ANSWER = "a red bird on a wire"
PAINTERS = 0.25
"""Share of inputs that are of an image server."""

ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 10**30, 10**400, 1e308, float("nan"), float("-inf"), "", " ", "\0",
    "\ud800", "\x1b[2J", "429", 429, 503, "rate_limit_exceeded", "insufficient_quota", [], [[]],
    {}, {"text": "x"}, [None, 3, "x"], "x" * 5000, KEY, KEY[:9], f"Bearer {KEY}", "é漢🙂",
)  # fmt: skip

TEXTS = (
    "", "null", "[]", "{}", "<html><body>502</body></html>", "data: {}\n\ndata: [DONE]\n\n",
    "[" * 5000, '{"a":' * 3000, "rate limited", KEY, "NaN", '"text"', "\ufeff{}", '{"choices": [',
)  # fmt: skip

STATUSES = (200, 201, 204, 302, 400, 401, 402, 403, 404, 408, 418, 422, 429, 500, 503, 529, 599)
AFTER = ("0", "-1", "nan", "1e9", "soon", "Fri, 31 Dec 9999 23:59:59 GMT", KEY, "9" * 500)


def make(rng: random.Random, folder: Path) -> None:
    painter = rng.random() < PAINTERS
    body: Any = _drawn() if painter else _said(rng)
    expected = None if painter else ANSWER
    kind = rng.choice(("good", "echo", "mutated", "mutated", "error", "text", "bytes"))
    if kind == "echo":
        body = _echo(body, rng)
    elif kind == "mutated":
        for _ in range(rng.randint(1, 3)):
            body = _mutated(body, rng)
    elif kind == "error":
        body = _error(rng)
    data = json.dumps(body, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")
    if kind == "text":
        data = rng.choice(TEXTS).encode()
    elif kind == "bytes":
        data = _damaged(data, rng)
    status = 200 if kind == "good" or rng.random() < 0.8 else rng.choice(STATUSES)
    (folder / "body").write_bytes(data)
    about = {
        "painter": painter,
        "status": status,
        "after": rng.choice(AFTER),
        "expected": expected if kind == "good" and status == 200 else None,
    }
    (folder / "about.json").write_text(json.dumps(about))


def enter(folder: Path) -> Outcome:
    about = json.loads((folder / "about.json").read_text())
    server = _server()
    server.reply = about["status"], about["after"], (folder / "body").read_bytes()
    os.environ |= {VARIABLE: KEY, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    make_model = OpenaiPainter if about["painter"] else OpenaiChat
    url = f"http://127.0.0.1:{server.server_port}/v1"
    calls = Calls(timeout=5, retries=0)
    model = make_model("m", url, VARIABLE, calls=calls, price=Price(1, 2, 0.01))  # type: ignore[operator]
    model.budget = Budget(folder / "ledger", 100.0)
    work = model.paint if about["painter"] else model.chat  # type: ignore[union-attr]
    try:
        (answer,) = work([Prompt(("say something",))])
    except Exception as error:
        _no_key(f"{error!r} {error}", folder)
        raise
    _no_key(repr(answer), folder)
    _keeps_its_book(folder)
    if about["expected"] is not None and getattr(answer, "text", None) != about["expected"]:
        raise AssertionError(f"{answer} instead of {about['expected']!r}")
    if isinstance(answer, Reply) and not answer.text.strip():
        raise AssertionError("an empty answer")
    failed = isinstance(answer, Failure)
    return Outcome(given=1, taken=int(not failed), named=int(failed and bool(answer.reason)))


def _no_key(said: str, folder: Path) -> None:
    """No eight characters of the key in a row in what came out or is stored."""
    ledger = folder / "ledger"
    texts = (said + (ledger.read_text() if ledger.exists() else "")).lower()
    parts = {KEY[at : at + 8].lower() for at in range(len(KEY) - 7)}
    if leaked := [part for part in parts if part in texts]:
        raise AssertionError(f"the key came out: {leaked[:2]}")


def _keeps_its_book(folder: Path) -> None:
    spent = Budget(folder / "ledger", 100.0).spent
    if not 0 <= spent <= 100.0:
        raise AssertionError(f"${spent} were spent of 100")


def _said(rng: random.Random) -> dict[str, Any]:
    content: Any = rng.choice(
        (
            ANSWER,
            f"<think>it is a bird</think>\n{ANSWER}",
            f"a bird, I see\n</think>\n\n{ANSWER}",
            [{"type": "text", "text": ANSWER}],
            [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": ANSWER}],
        )
    )
    message = {"role": "assistant", "content": content}
    if rng.random() < 0.3:
        message |= {rng.choice(("reasoning", "reasoning_content")): "it is a bird"}
    if rng.random() < 0.3:
        message |= {"refusal": None, "tool_calls": None}
    ended = rng.choice(("stop", "length", None, "STOP"))
    body: dict[str, Any] = {
        "id": "x", "object": "chat.completion", "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": ended}],
    }  # fmt: skip
    if rng.random() < 0.7:
        body |= {"usage": {"prompt_tokens": 9, "completion_tokens": 5}, "error": None}
    return body


def _drawn() -> dict[str, Any]:
    content = io.BytesIO()
    Pillow.new("RGB", (8, 8), "red").save(content, "PNG")
    coded = base64.b64encode(content.getvalue()).decode()
    return {"created": 1, "data": [{"b64_json": coded, "revised_prompt": "red"}]}


def _error(rng: random.Random) -> Any:
    error: dict[str, Any] = {
        "message": rng.choice(
            ("slow down", "no", "rate limit", f"wrong key {KEY}", "y" * 290 + KEY)
        ),
        "code": rng.choice(ODD),
        "type": rng.choice((*ODD, "overloaded_error", "server_error")),
        "param": rng.choice((*ODD, "model", "max_tokens")),
    }
    shapes = ({"error": error}, [{"error": error}], {"error": error["message"]}, error,
              {"object": "error", **error}, {"detail": error}, {"errors": [error]},
              {"choices": [{"error": error}]}, {"error": [error]}, {"error": {"error": error}})  # fmt: skip
    return rng.choice(shapes)


def _echo(value: Any, rng: random.Random) -> Any:
    """The same with the key in texts and names."""
    if isinstance(value, dict):
        more = {KEY: rng.choice((KEY, KEY[3:14], {KEY: KEY}))} if rng.random() < 0.3 else {}
        return {name: _echo(each, rng) for name, each in value.items()} | more
    if isinstance(value, list):
        return [_echo(each, rng) for each in value]
    if isinstance(value, str) and rng.random() < 0.6:
        start = rng.randrange(len(KEY) - 8)
        part = KEY[start : start + rng.randint(8, len(KEY))]
        return rng.choice((f"{value} {part}", KEY, f"{part}{value}", value + KEY.upper()))
    return value


def _mutated(value: Any, rng: random.Random) -> Any:
    """The same with one thing in it another, left out, or twice."""
    if isinstance(value, dict) and value and rng.random() < 0.85:
        name = rng.choice(list(value))
        if rng.random() < 0.15:
            return {other: each for other, each in value.items() if other != name}
        return {**value, name: _mutated(value[name], rng)}
    if isinstance(value, list) and value and rng.random() < 0.7:
        at = rng.randrange(len(value))
        return [*value[:at], _mutated(value[at], rng), *value[at + rng.randint(0, 1) :]]
    return rng.choice(ODD)


def _damaged(data: bytes, rng: random.Random) -> bytes:
    way = rng.randrange(5)
    if way == 0:
        return data[: rng.randrange(len(data))]
    if way == 1:
        return data.decode("utf-8", "replace").encode("utf-16")
    if way == 2:
        return rng.randbytes(rng.randrange(200))
    damaged = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        damaged[rng.randrange(len(damaged))] = rng.randrange(256)
    return bytes(damaged)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    reply: tuple[int, str, bytes] = (200, "0", b"{}")


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        status, after, data = self.server.reply
        self.send_response(status)
        self.send_header("Retry-After", after)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


_running: list[_Server] = []


def _server() -> _Server:
    """The one server of this process."""
    if not _running:
        _running.append(_Server(("127.0.0.1", 0), _Handler))
        threading.Thread(target=_running[0].serve_forever, daemon=True).start()
    return _running[0]
